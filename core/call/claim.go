package call

import "time"

// Asker is who wants to work on a call, and what it knows.
type Asker struct {
	Now    time.Time
	Holder string
	Lease  time.Duration
	// Skew is added to every due time and lease end before it is judged: two
	// clocks of a fleet may differ by that much, and a delay must never become
	// shorter by it. 0 on one machine.
	Skew time.Duration
	// Admits: the circuit that the call is parked for would admit it now.
	Admits bool
}

// past reports whether the instant is over on every clock of the fleet.
func (a Asker) past(t time.Time) bool { return !t.Add(a.Skew).After(a.Now) }

// Claiming is the answer to a wake-up.
type Claiming struct {
	Do     ClaimDo
	Call   Call      // to store before any work, when Do is TakeIt
	At     time.Time // when to come again, when Do is ComeBack
	Reason string
}

// ClaimDo says what becomes of the wake-up.
type ClaimDo uint8

// The answers.
const (
	Acknowledge ClaimDo = iota // nothing to do: the ledger holds the call
	ComeBack                   // the message comes again at At
	TakeIt                     // store the call, then work on it
)

// MaxTakeovers is how many holders in a row may die on one call before it
// fails, unless it was dialled.
const MaxTakeovers = 20

// Claims answers a wake-up for call c: may the asker claim it? A call that has no
// record yet is the zero Call with Key, Contact and Number set.
func Claims(c Call, a Asker) Claiming {
	switch {
	case c.State.Final():
		return claimFinal(c, a)
	case c.State == Running && !a.past(c.Lease.Until):
		return Claiming{Do: ComeBack, At: c.Lease.Until.Add(a.Skew), Reason: "somebody works on it"}
	case c.State == Parked && !c.wakes(a):
		return Claiming{Do: Acknowledge, Reason: "parked: " + c.Park.Reason}
	case (c.State == Waiting || c.State == Reconciling) && !a.past(c.Due) && !c.Answered():
		return Claiming{Do: ComeBack, At: c.Due.Add(a.Skew), Reason: "not due"}
	}
	return Claiming{Do: TakeIt, Call: c.claimed(a), Reason: "claimed"}
}

// claimFinal lets a finished call be claimed only for what is left to do: to
// record it, or to tell people. The state stays.
func claimFinal(c Call, a Asker) Claiming {
	if c.Recorded != Pending && c.Notice == "" {
		return Claiming{Do: Acknowledge, Reason: "finished: " + string(c.State)}
	}
	if c.Lease.Holder != "" && !a.past(c.Lease.Until) {
		return Claiming{Do: ComeBack, At: c.Lease.Until.Add(a.Skew), Reason: "somebody works on it"}
	}
	if c.Park.Service != "" && !c.wakes(a) {
		return Claiming{Do: Acknowledge, Reason: "finished, waits to be recorded"}
	}
	if c.Park.Service == "" && !a.past(c.Due) {
		if c.Due.Sub(a.Now) > MaxHidden {
			return Claiming{Do: Acknowledge, Reason: "finished, is recorded later"}
		}
		return Claiming{Do: ComeBack, At: c.Due.Add(a.Skew), Reason: "finished, is recorded later"}
	}
	return Claiming{Do: TakeIt, Call: c.claimed(a), Reason: "claimed to finish its paperwork"}
}

// wakes reports whether what a parked call waits for has come.
func (c Call) wakes(a Asker) bool {
	return c.Park.Service != "" && a.Admits ||
		!c.Park.Until.IsZero() && a.past(c.Park.Until) ||
		c.State == Parked && c.Answered()
}

// claimed is the call in the hands of the asker. A finished call keeps its
// state. Every move of the due time costs an index write, so it moves only when
// a tick would not find the call by it: a parked call has none, or one that lies
// far ahead.
func (c Call) claimed(a Asker) Call {
	if c.State == Running {
		c.Takeovers++
		c = c.note(a.Now, "taken over from a holder that went silent")
	} else {
		c.Takeovers = 0
	}
	if c.State == Queued {
		c.CreatedAt = a.Now
	}
	if !c.Park.Since.IsZero() {
		if c.Due.IsZero() || c.Due.After(a.Now) {
			c.Due = a.Now
		}
		if !c.Park.Wait {
			c.Retries = 0
		}
		c.Park = Park{Number: c.Park.Number}
	}
	if c.State.Final() {
		c = c.move(Rerecord)
	} else {
		c = c.move(Claim)
	}
	c.Lease = Lease{Holder: a.Holder, Until: a.Now.Add(a.Lease)}
	if c.Due.IsZero() {
		c.Due = a.Now
	}
	return c
}

// Next is the step that the call needs next; NoStep when only its paperwork is
// left or it is finished.
func (c Call) Next() Step {
	switch {
	case c.State.Final() && c.Recorded == Pending:
		return RecordStep
	case c.State.Final():
		return NoStep
	case c.Dialled():
		return OutcomeStep
	case c.Script == "":
		return ScriptStep
	case c.Speech == "":
		return SpeechStep
	}
	return DialStep
}

// Made is the call with the result of its script or speech step, by reference.
func (c Call) Made(s Step, ref string, now time.Time) Call {
	if s == ScriptStep {
		c.Script = ref
	} else {
		c.Speech = ref
	}
	c.Retries, c.Takeovers = 0, 0
	return c.note(now, s.String()+" stored")
}

// Refresh takes over newer data about the contact, sent at the given moment.
// They count until the call is dialled; a stored script stays. What was sent
// before the data that the call has changes nothing.
func (c Call) Refresh(contact Contact, number string, sent time.Time) Call {
	if c.Dialled() || c.State.Final() || sent.Before(c.ContactAt) {
		return c
	}
	if !c.Contact.Equal(contact) {
		c.ContactAt = sent
	}
	c.Contact, c.Number = contact, number
	return c
}

// A history keeps its first lines and the latest ones: a call whose looks fail
// for a day must still fit into every store.
const (
	mostLines  = 200
	firstLines = 20
)

// note adds a line to the history.
func (c Call) note(now time.Time, what string) Call {
	kept := c.History[:len(c.History):len(c.History)]
	if len(kept) >= mostLines {
		kept = append(kept[:firstLines:firstLines], kept[firstLines+1:]...)
	}
	c.History = append(kept, Event{At: now, What: what})
	return c
}
