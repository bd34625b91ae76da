package call

import "time"

// The times of a dial. docs/ledger.md says where they come from.
const (
	LeaseMargin   = 10 * time.Second // a lease outlasts every paid request by this
	LookEvery     = 15 * time.Second // distance of looks at the outcome
	CreatedSlack  = time.Minute      // the provider's clock may be this far behind ours
	ListAfter     = time.Minute      // how long after the deadline a ring may still show
	Listings      = 3                // successful listings before "not there"
	EndSlack      = 10 * time.Minute // how much longer than allowed a call may last
	LookFor       = 24 * time.Hour   // how long failed looks are repeated
	QueuedFor     = 10 * time.Minute // how long a call may be queued at the provider
	NumberBusyFor = time.Minute      // how long a call waits for a busy number
)

// Intends is the call with the promise to dial, to be stored before the
// request leaves. Its lease must already cover the request.
func (c Call) Intends(attempt, from string, now time.Time) Call {
	c.Intent = &Intent{Attempt: attempt, At: now, Deadline: c.Lease.Until.Add(-LeaseMargin), From: from}
	c.Listings = 0
	return c
}

// Withdrawn is the call without its intent: the request never left, or the
// provider refused it.
func (c Call) Withdrawn() Call {
	c.Intent, c.Listings = nil, 0
	return c
}

// Placed is the call after the provider accepted it: the first look is due.
func (c Call) Placed(sid string, now time.Time) Call {
	c.SID, c.Retries = sid, 0
	return c.Until(now.Add(LookEvery), now, "dialled")
}

// Asking is the call whose dial may have been executed: the provider has to be
// asked, at once and until it is sure.
func (c Call) Asking(now time.Time, why string) Call {
	c = c.move(Ask).note(now, "did it ring? "+why)
	c.Due, c.Lease, c.Retries = now, Lease{}, 0
	return c
}

// AskAgain is the reconciling call after a listing without a match. counted is
// false when the listing itself failed.
func (c Call) AskAgain(now time.Time, counted bool) Call {
	at := now.Add(LookEvery)
	if counted {
		c.Listings++
		if c.Listings >= Listings-1 {
			at = later(at, c.Intent.Deadline.Add(ListAfter))
		}
	}
	c = c.move(Ask)
	c.Due, c.Lease = at, Lease{}
	return c
}

// NotThere reports whether a listing at now, successful and without a match,
// proves together with the earlier ones that the dial was never executed in a
// way that can be seen.
func (c Call) NotThere(now time.Time) bool {
	return c.Listings+1 >= Listings && !now.Before(c.Intent.Deadline.Add(ListAfter))
}

// LookAgain is the dialled call after a look that found it unfinished. An
// uneventful look leaves no line in the history.
func (c Call) LookAgain(now time.Time) Call {
	c = c.move(Wait)
	c.Due, c.Lease = now.Add(LookEvery), Lease{}
	return c
}

// Match picks from a listing what may be this call's ring: our numbers,
// created not before the intent minus a minute.
func (c Call) Match(listed []Look) []Look {
	var found []Look
	for _, l := range listed {
		if l.To == c.Contact.Phone && l.From == c.Intent.From && !l.Created.Before(c.Intent.At.Add(-CreatedSlack)) {
			found = append(found, l)
		}
	}
	return found
}

// Adopted is the reconciling call with the ring that is its own.
func (c Call) Adopted(sid string, now time.Time) Call {
	c.SID = sid
	return c.Until(now, now, "found at the provider")
}

// Ring is the SID that counts: a callback that carried our attempt id outranks
// one that was found in a listing.
func (c Call) Ring() string {
	if c.Answer != nil && c.Answer.SID != "" {
		return c.Answer.SID
	}
	return c.SID
}

// Overlong reports whether a call that a successful look still found unfinished
// has lasted longer than any call of its campaign can.
func (c Call) Overlong(p Campaign, now time.Time) bool {
	return now.After(c.dialledAt().Add(p.RingTimeout + p.MaxLength + EndSlack))
}

// Unseen reports whether looks have failed for so long that nobody asks again.
func (c Call) Unseen(now time.Time) bool { return now.After(c.dialledAt().Add(LookFor)) }

// Stale reports whether a call has been queued at the provider for so long
// that it must be cancelled there rather than ring at some odd hour.
func (c Call) Stale(l Look, now time.Time) bool {
	return l.Queued && now.After(c.dialledAt().Add(QueuedFor))
}

func (c Call) dialledAt() time.Time {
	if c.Intent != nil {
		return c.Intent.At
	}
	return c.CreatedAt
}

func later(a, b time.Time) time.Time {
	if a.Before(b) {
		return b
	}
	return a
}
