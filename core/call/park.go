package call

import (
	"time"

	"callagent/core/alert"
)

// MaxHidden is the longest wait that is left to the queue; longer ones are
// parked in the ledger.
const MaxHidden = 15 * time.Minute

// OutsideWindow is the reason of a call that is parked until its call window
// opens.
const OutsideWindow = "outside the call window"

// CampaignGone is why a call is parked whose campaign the settings lost.
const CampaignGone = "its campaign is not in the settings"

// MaxSpentParks is how often a call may be set aside because its retries were
// spent while the circuit stayed closed; the next such park fails it.
const MaxSpentParks = 5

// Until makes the call due again at the time: waiting when the queue can hold
// the message that long, parked otherwise. It uses up no retry.
func (c Call) Until(at, now time.Time, why string) Call {
	if at.Sub(now) > MaxHidden {
		return c.park(Park{Until: at, Reason: why, Wait: true}, now)
	}
	c = c.move(Wait).note(now, why)
	c.Due, c.Lease = at, Lease{}
	return c
}

// ForCircuit parks the call until the service's circuit closes. It never
// counts against the call.
func (c Call) ForCircuit(service string, now time.Time, why string) Call {
	return c.park(Park{Service: service, Reason: why}, now)
}

// For parks the call for a while without counting it.
func (c Call) For(d time.Duration, now time.Time, why string) Call {
	return c.park(Park{Until: now.Add(d), Reason: why}, now)
}

// Spent parks a call whose retries are spent while the circuit stays closed:
// 1, 2, 4, 8, 16 min. The sixth such park ends it failed, unless a phone may
// have rung or it is finished and only waits to be recorded.
func (c Call) Spent(now time.Time, why string) Call { return c.spent(now, 0, why) }

// spent is Spent where the server asked for a wait of at least atLeast.
func (c Call) spent(now time.Time, atLeast time.Duration, why string) Call {
	if c.SpentParks >= MaxSpentParks && !c.Dialled() && !c.State.Final() {
		return c.Failed(now, "gave up after "+why)
	}
	wait := max(time.Minute<<min(c.SpentParks, MaxSpentParks-1), atLeast)
	c.SpentParks++
	return c.aside(wait, now, why)
}

// Unkept parks a call whose script or recording our own storage would not take
// or give: 1, 2, 4, 8 min, then 16 each time, the longer the more often the call
// was set aside. No contact is to blame for that, so it never ends the call.
func (c Call) Unkept(now time.Time, why string) Call {
	wait := time.Minute << min(c.Park.Number, MaxSpentParks-1)
	return c.aside(wait, now, why)
}

// aside parks a call for a while because trying again did not help, and people
// are told unless only its record step waits.
func (c Call) aside(d time.Duration, now time.Time, why string) Call {
	c = c.For(d, now, why)
	if !c.State.Final() {
		c.Notice = alert.RetriesExhausted
	}
	return c
}

// park sets the call aside. A finished call keeps its state and only its
// record step waits.
func (c Call) park(p Park, now time.Time) Call {
	p.Number, p.Since = c.Park.Number+1, now
	c.Park, c.Due, c.Lease, c.Slot = p, p.Until, Lease{}, time.Time{}
	if end := c.Contact.ExpiresAt; !end.IsZero() && !c.Dialled() && (c.Due.IsZero() || end.Before(c.Due)) {
		c.Due = end // so that a tick finds it when its time is over
	}
	c = c.note(now, "set aside: "+p.Reason)
	if !c.State.Final() {
		c = c.move(SetAside)
	}
	return c
}

// Failed ends a call that was never rung. One that may have rung never fails:
// the provider is asked instead.
func (c Call) Failed(now time.Time, why string) Call {
	if c.Dialled() {
		return c.Asking(now, why)
	}
	c = c.end(Fail, now, why)
	c.Notice = alert.CallFailed
	return c.settleDue(now)
}

// Lapsed ends a call whose time was over before it was dialled. It says
// whether that may happen: a call that was dialled never lapses.
func (c Call) Lapsed(now time.Time) (Call, bool) {
	if c.Dialled() || c.State.Final() || c.Contact.ExpiresAt.IsZero() || now.Before(c.Contact.ExpiresAt) {
		return c, false
	}
	if _, ok := c.State.to(Expire); !ok {
		return c, false
	}
	return c.end(Expire, now, "its time was over before it could be dialled").settleDue(now), true
}

// Lost ends a call of which nobody can say whether it rang. A person decides.
func (c Call) Lost(now time.Time, why string) Call {
	c = c.end(GiveUp, now, why)
	c.Notice = alert.CallUnknown
	return c.settleDue(now)
}

// Completed ends a call with the provider's answer. Whether the CRM has to be
// told is decided here: withCRM is false when none is configured.
func (c Call) Completed(a Answer, now time.Time, withCRM bool) Call {
	c = c.end(Complete, now, "")
	c.Result, c.Talk = a.Result, a.Duration
	if a.SID != "" {
		c.SID = a.SID
	}
	c.Recorded = Off
	if withCRM {
		c.Recorded = Pending
	}
	return c.settleDue(now)
}

// WasRecorded ends the record step.
func (c Call) WasRecorded(as Recorded, id string, now time.Time) Call {
	c.Recorded, c.CRMID, c.Lease, c.Park = as, id, Lease{}, Park{Number: c.Park.Number}
	c.Retries = 0
	return c.note(now, "in the CRM: "+string(as)).settleDue(now)
}

// Told ends the obligation to tell people about the call's state.
func (c Call) Told(now time.Time) Call {
	c.Notice = ""
	return c.settleDue(now)
}

// end makes the move to a final state. An alert about the state before is out
// of date and dropped.
func (c Call) end(m Move, now time.Time, why string) Call {
	c = c.move(m)
	c.Reason, c.FinishedAt, c.Notice = why, now, ""
	c.Retries, c.Park, c.Slot = 0, Park{Number: c.Park.Number}, time.Time{}
	line := string(c.State)
	if why != "" {
		line += ": " + why
	}
	return c.note(now, line)
}

// settleDue keeps a finished call in the index exactly as long as something is
// left to do for it.
func (c Call) settleDue(now time.Time) Call {
	switch {
	case !c.State.Final():
	case c.Recorded == Pending || c.Notice != "":
		c.Due = now
	default:
		c.Due, c.Lease = time.Time{}, Lease{}
	}
	return c
}
