package call

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// Rang settles an unknown call whose phone rang, as a person says. How that
// ended nobody knows: the result is [Rang], and it is due to be recorded. It is
// false for a call in any other state, and for one of an earlier round.
func (c Call) Rang(now time.Time) (Call, bool) {
	if c.State != Unknown || c.Key.Kept() {
		return c, false
	}
	c = c.move(Evidence).note(now, "an operator says that it rang")
	c.Result, c.Reason, c.Notice = Rang, "", ""
	c.Recorded, c.Due, c.Lease = Pending, now, Lease{}
	return c, true
}

// Dropped settles an unknown call that a person gives up: it failed, and
// nobody has to be told. It is false for a call in any other state, and for one
// of an earlier round.
func (c Call) Dropped(now time.Time) (Call, bool) {
	if c.State != Unknown || c.Key.Kept() {
		return c, false
	}
	return c.end(Drop, now, "dropped by an operator").settleDue(now), true
}

// Again is the next numbered call of a finished one, ordered by a person. It
// begins from the start, with the contact as it was known, and may ring once
// like any other; a time limit that is over no longer counts. kept is the
// finished call under a key of its own, with nothing left to do. Both are to be
// stored in one write.
//
// It is false for a call that is not finished, for one whose outcome the CRM
// does not have yet, and for one that is kept itself.
func (c Call) Again(now time.Time) (next, kept Call, ok bool) {
	if _, may := c.State.to(Order); !may || c.Recorded == Pending || c.Key.Kept() {
		return c, Call{}, false
	}
	kept = c
	kept.Key = c.Key.numbered(c.round())
	kept.Due, kept.Lease, kept.Notice, kept.Park = time.Time{}, Lease{}, "", Park{Number: c.Park.Number}

	next = Call{
		Key: c.Key, Contact: c.Contact, Number: c.Number, State: c.State, Version: c.Version, Due: now,
		Park: Park{Number: c.Park.Number}, Round: c.round() + 1, CreatedAt: now,
	}
	if end := next.Contact.ExpiresAt; !now.Before(end) {
		next.Contact.ExpiresAt = time.Time{}
	}
	return next.move(Order).note(now, fmt.Sprintf("ordered again by an operator; the call before it is kept as %s", kept.Key)), kept, true
}

// Numbered is the key with the number of the round, under which whatever is
// kept outside the ledger cannot be taken for that of an earlier round. The
// first round needs none.
func (c Call) Numbered() Key {
	if c.Round == 0 || c.Key.Kept() {
		return c.Key
	}
	return c.Key.numbered(c.Round)
}

// Kept reports whether the key is that of an earlier round. No contact has such
// an id.
func (k Key) Kept() bool { return strings.Contains(k.Contact, "#") }

func (k Key) numbered(round int) Key {
	k.Contact += "#" + strconv.Itoa(round)
	return k
}

func (c Call) round() int { return max(c.Round, 1) }
