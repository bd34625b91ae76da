package breaker_test

import (
	"time"

	"pgregory.net/rapid"

	"callagent/core/breaker"
	"callagent/core/fault"
)

// oneProbe: at most one request in the whole fleet may decide the outcome of
// the present test.
func (f *fleet) oneProbe(t *rapid.T) {
	probes := 0
	for _, fl := range f.flights {
		if fl.permit.Probe && fl.permit.Epoch == f.record.Epoch {
			probes++
		}
	}
	if probes > 1 {
		t.Fatalf("%d requests hold the probe of epoch %d", probes, f.record.Epoch)
	}
	if f.record.State != breaker.HalfOpen && probes > 0 {
		t.Fatalf("a probe is valid while the circuit is %s", f.record.State)
	}
}

// check judges one stored change against every promise.
func (f *fleet) check(t *rapid.T, before, after breaker.Record, c breaker.Change, e event) {
	f.checkEpoch(t, before, after, c)
	f.checkStreak(t, before, after, c, e)
	f.checkClose(t, before, after, c, e)
	f.checkOpening(t, before, after, c, e)
	f.checkLease(t, before, after, c)
	if after.PausedUntil.Before(before.PausedUntil) {
		t.Fatalf("a pause became shorter: %s, before %s", after.PausedUntil, before.PausedUntil)
	}
}

// The epoch grows by one with a transition, and with nothing else; every
// transition is one that the table lists.
func (f *fleet) checkEpoch(t *rapid.T, before, after breaker.Record, c breaker.Change) {
	grows := int64(0)
	if c >= breaker.Tripped {
		grows = 1
	} else if after.State != before.State {
		t.Fatalf("%s moved the circuit from %s to %s", c, before.State, after.State)
	}
	if after.Epoch != before.Epoch+grows {
		t.Fatalf("%s took the epoch from %d to %d", c, before.Epoch, after.Epoch)
	}
	if grows == 0 {
		return
	}
	for _, row := range breaker.Transitions {
		if row.From == before.State && row.Change == c && row.To == after.State {
			return
		}
	}
	t.Fatalf("no row of the table takes %s to %s by %s", before.State, after.State, c)
}

// A streak opens nothing below the threshold, nothing while an operator holds
// the circuit, and is none of a contact's business.
func (f *fleet) checkStreak(t *rapid.T, before, after breaker.Record, c breaker.Change, e event) {
	if e.fault != nil && !e.fault.Treatment().Counts && c < breaker.Tripped && after.Streak != before.Streak {
		t.Fatalf("%s changed the streak from %d to %d", e.fault, before.Streak, after.Streak)
	}
	if after.Streak > before.Streak+1 {
		t.Fatalf("one event took the streak from %d to %d", before.Streak, after.Streak)
	}
	if c != breaker.Tripped {
		return
	}
	if before.Forced != breaker.Automatic {
		t.Fatal("a forced circuit tripped")
	}
	if e.fault.Treatment().Trips {
		return
	}
	age := f.now.Sub(after.StreakFrom)
	if after.Streak < f.config.Threshold || age < f.config.Settle && after.Streak < f.config.Threshold+2 {
		t.Fatalf("a streak of %d, %s old, opened the circuit: %+v", after.Streak, age, f.config)
	}
}

// Only the probe of the present epoch closes, or an operator.
func (f *fleet) checkClose(t *rapid.T, before, after breaker.Record, c breaker.Change, e event) {
	if before.State == breaker.Closed || after.State != breaker.Closed || c == breaker.OperatorClosed {
		return
	}
	if c != breaker.Proved || e.fault != nil || !e.permit.Probe || e.permit.Unowned || e.permit.Epoch != before.Epoch {
		t.Fatalf("%s with permit %+v closed the circuit of epoch %d", c, e.permit, before.Epoch)
	}
	if after.Streak != 0 {
		t.Fatalf("closed with a streak of %d", after.Streak)
	}
}

// An opening is never shorter than the rules or the service ask for.
func (f *fleet) checkOpening(t *rapid.T, before, after breaker.Record, c breaker.Change, e event) {
	var least time.Duration
	switch {
	case c == breaker.Tripped:
		least = f.config.Recovery
	case c == breaker.Reopened && !e.cheap:
		least = min(2*f.config.Recovery, breaker.MaxOpen)
	case c == breaker.Reopened, c == breaker.Released:
	default:
		return
	}
	asked := least
	if e.fault != nil && (e.fault.Treatment().Counts || e.fault.Treatment().Pauses) {
		asked = max(least, min(e.fault.RetryAfter, fault.MaxRetryAfter))
	}
	if after.OpenUntil.Before(f.now.Add(asked)) {
		t.Fatalf("%s: open for %s, at least %s was asked for", c, after.OpenUntil.Sub(f.now), asked)
	}
	if c != breaker.Tripped && after.OpenUntil.Before(after.PausedUntil) {
		t.Fatalf("%s: probed %s before the pause is over", c, after.PausedUntil.Sub(after.OpenUntil))
	}
	if limit := f.now.Add(fault.MaxRetryAfter); after.OpenUntil.After(limit) && after.OpenUntil.After(before.PausedUntil) {
		t.Fatalf("%s: open for %s", c, after.OpenUntil.Sub(f.now))
	}
}

// A lease is won when the opening is over, or when the lease before it ran out
// for every clock of the fleet.
func (f *fleet) checkLease(t *rapid.T, before, after breaker.Record, c breaker.Change) {
	switch c {
	case breaker.Leased:
		if f.now.Before(before.OpenUntil) {
			t.Fatalf("probed %s too early", before.OpenUntil.Sub(f.now))
		}
	case breaker.TakenOver:
		if !f.now.After(before.Probe.Until.Add(breaker.Skew)) {
			t.Fatalf("taken over at %s, the lease ran until %s", f.now, before.Probe.Until)
		}
	default:
		return
	}
	if before.Forced != breaker.Automatic || f.now.Before(before.PausedUntil) {
		t.Fatalf("probed while forced or paused: %+v", before)
	}
	if want := f.now.Add(timeLimit + breaker.Margin); !after.Probe.Until.Equal(want) {
		t.Fatalf("the lease runs until %s, want %s", after.Probe.Until, want)
	}
}
