package memory

import (
	"maps"
	"slices"
	"time"

	"callagent/core/breaker"
	"callagent/core/call"
)

// utc is the time as a store gives it back: in UTC, without monotonic reading.
func utc(t time.Time) time.Time { return t.Round(0).UTC() }

// copyCall copies everything that the call refers to.
func copyCall(c call.Call) call.Call {
	c.Contact.Variables = maps.Clone(c.Contact.Variables)
	c.Contact.ExpiresAt = utc(c.Contact.ExpiresAt)
	c.Lease.Until = utc(c.Lease.Until)
	c.Due = utc(c.Due)
	c.Park.Since, c.Park.Until, c.Park.SentAt = utc(c.Park.Since), utc(c.Park.Until), utc(c.Park.SentAt)
	c.Slot = utc(c.Slot)
	if c.Intent != nil {
		i := *c.Intent
		i.At, i.Deadline = utc(i.At), utc(i.Deadline)
		c.Intent = &i
	}
	if c.Answer != nil {
		a := *c.Answer
		a.At = utc(a.At)
		c.Answer = &a
	}
	if c.Account != nil {
		a := *c.Account
		a.At = utc(a.At)
		c.Account = &a
	}
	c.History = slices.Clone(c.History)
	for i := range c.History {
		c.History[i].At = utc(c.History[i].At)
	}
	c.CreatedAt, c.FinishedAt = utc(c.CreatedAt), utc(c.FinishedAt)
	return c
}

// copyRecord copies everything that the record refers to. The cause of the
// last fault is an error of this process and is not kept.
func copyRecord(r breaker.Record) breaker.Record {
	for _, t := range []*time.Time{
		&r.StreakAt, &r.StreakFrom, &r.OpenedAt, &r.OpenUntil, &r.ClosedAt,
		&r.Probe.Until, &r.PausedFrom, &r.PausedUntil,
	} {
		*t = utc(*t)
	}
	if r.LastFault != nil {
		f := *r.LastFault
		f.Cause = nil
		r.LastFault = &f
	}
	return r
}
