package call

import (
	"maps"
	"slices"
	"time"
)

// Hearing says what becomes of a provider's answer.
type Hearing uint8

// The answers to an answer.
const (
	Unasked Hearing = iota // the call has no such intent
	OldNews                // it says nothing that is not known
	TooLate                // another final answer is there already
	Heard                  // store the call, its answer and the ownership of its SID together
)

// Hear is the call after an answer to one of its attempts. A late one that
// names no SID keeps the SID that is known. The answer stands beside the
// record; only if it settles the call (see Settle) is there a next version.
func Hear(c Call, attempt string, a Answer, now time.Time) (Call, Hearing) {
	old := c.Answer
	switch {
	case c.Intent == nil || c.Intent.Attempt != attempt:
		return c, Unasked
	case old != nil && !a.adds(*old):
		return c, OldNews
	case c.Answered():
		return c, TooLate
	}
	if a.SID == "" && old != nil {
		a.SID = old.SID
	}
	a.At = utc(a.At)
	c, settled := Settle(c, a, utc(now))
	if settled {
		c.Version++
	}
	c.Answer = &a
	return c, Heard
}

// adds reports whether a says anything that old does not.
func (a Answer) adds(old Answer) bool {
	return a.SID != "" && a.SID != old.SID || a.Final() && a.Result != old.Result
}

// Barred reports whether the answer that is stored, nil for none, stands in the
// way of the write.
func (w Write) Barred(stored *Answer) bool {
	return w.Unanswered && stored != nil && (stored.Final() || stored.SID != "" && stored.SID != w.Call.SID)
}

// Clone copies the call with everything that it refers to. The times of the
// copy are as a store gives them back: in UTC, without monotonic reading.
func (c Call) Clone() Call {
	c.Contact.Variables = maps.Clone(c.Contact.Variables)
	c.Intent, c.Answer, c.Account = clone(c.Intent), clone(c.Answer), clone(c.Account)
	c.History = slices.Clone(c.History)
	for _, t := range c.times() {
		*t = utc(*t)
	}
	return c
}

// times lists every time of the call.
func (c *Call) times() []*time.Time {
	all := []*time.Time{
		&c.Contact.ExpiresAt, &c.ContactAt, &c.Lease.Until, &c.Due, &c.Park.Since, &c.Park.Until, &c.Park.SentAt,
		&c.Slot, &c.CreatedAt, &c.FinishedAt,
	}
	if c.Intent != nil {
		all = append(all, &c.Intent.At, &c.Intent.Deadline)
	}
	if c.Answer != nil {
		all = append(all, &c.Answer.At)
	}
	if c.Account != nil {
		all = append(all, &c.Account.At)
	}
	for i := range c.History {
		all = append(all, &c.History[i].At)
	}
	return all
}

func clone[T any](p *T) *T {
	if p == nil {
		return nil
	}
	copied := *p
	return &copied
}

func utc(t time.Time) time.Time { return t.Round(0).UTC() }
