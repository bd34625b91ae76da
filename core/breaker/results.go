package breaker

import (
	"time"

	"callagent/core/backoff"
	"callagent/core/fault"
)

// Success is the end of an admitted request that worked, at finished. It
// closes a circuit that the request was testing, and clears a streak or a run
// of pauses that began before it finished. In ordinary times it changes
// nothing, so it costs no write.
func Success(r Record, p Permit, finished time.Time) (Record, Change) {
	if p.Unowned || p.Epoch != r.Epoch {
		return r, Stale
	}
	if p.Probe {
		return r.close(finished)
	}
	c := Unchanged
	if r.Streak > 0 && r.StreakAt.Before(finished) {
		r, c = r.contradicted(finished), Cleared
	}
	if calm, change := Calm(r, finished); change.Writes() {
		return calm, change
	}
	return r, c
}

// Calm ends a run of pauses that was over at the given moment: the service
// takes requests again. It is for requests that say nothing else about the
// circuit.
func Calm(r Record, at time.Time) (Record, Change) {
	if r.Pauses == 0 || r.PausedUntil.After(at) {
		return r, Unchanged
	}
	r.Pauses, r.PausedFrom = 0, time.Time{}
	return r, Cleared
}

// Failure describes an admitted request that failed.
type Failure struct {
	Permit Permit
	Fault  *fault.Fault
	Began  time.Time // when the request started
	// MayTrip: it was the first attempt of its step, or no retry is left. A
	// call between two retries counts but leaves the decision to its last one.
	MayTrip bool
	// LastSuccess is when this process last finished a request to the service
	// successfully; zero when it never did.
	LastSuccess time.Time
	// Cheap: the request was a health check, not a call's own.
	Cheap bool
}

// Fail is the end of an admitted request that failed, at now.
func Fail(r Record, c Config, f Failure, now time.Time) (Record, Change) {
	if f.Permit.Unowned || f.Permit.Epoch != r.Epoch {
		return r, Stale
	}
	t := f.Fault.Treatment()
	if !t.Counts && !t.Pauses {
		if f.Permit.Probe {
			return Release(r, f.Permit, now)
		}
		return r, Unchanged
	}
	if f.Permit.Probe {
		return r.probeFailed(c, f, now)
	}
	change := Unchanged
	if t.Pauses {
		r, change = r.pause(c, f, now)
	}
	if !t.Counts || r.Forced != Automatic {
		return r, change
	}
	counted, grew := r.count(c, f, now)
	if !grew {
		return r, change
	}
	counted.LastFault = kept(f.Fault)
	if t.Trips || f.MayTrip && counted.ripe(c, now) {
		return counted.trip(c, f.Fault.Settle(), now)
	}
	return counted, Counted
}

// Release gives a probe lease back without having proved anything: the request
// was cancelled, never sent, or refused for the contact's own data. A permit
// that is no probe has nothing to give back.
func Release(r Record, p Permit, now time.Time) (Record, Change) {
	if p.Unowned || p.Epoch != r.Epoch || !p.Probe {
		return r, Unchanged
	}
	r, change := r.move(Released)
	r.Probe = Lease{}
	r.OpenUntil = later(now, r.PausedUntil)
	return r, change
}

// count adds the failure to the streak, or begins a new streak when this
// process knows of a success since the last failure. It reports false when the
// record already says all there is to say.
func (r Record) count(c Config, f Failure, now time.Time) (Record, bool) {
	contradicted := f.LastSuccess.After(r.StreakAt)
	if !contradicted && !f.MayTrip && r.Streak >= c.sure(false) && !f.Fault.Treatment().Trips {
		return r, false
	}
	if contradicted {
		r = r.contradicted(now)
	}
	if r.Streak == 0 {
		r.StreakFrom, r.StreakAt = now, now
	}
	r.Streak++
	r.StreakAt = later(r.StreakAt, now) // a report that was overtaken moves nothing back
	return r, true
}

// contradicted ends a streak that a success has proved wrong, and remembers how
// long it was.
func (r Record) contradicted(now time.Time) Record {
	if r.Streak > 0 && (r.Streak >= r.Noise || now.Sub(r.NoiseAt) >= NoiseFor) {
		r.Noise, r.NoiseAt = r.Streak, now
	}
	r.Streak = 0
	return r
}

// noisy reports whether a streak of the threshold has been proved wrong lately.
func (r Record) noisy(c Config, now time.Time) bool {
	return r.Noise >= c.Threshold && now.Sub(r.NoiseAt) < NoiseFor
}

// ripe reports whether the streak is long and old enough to open the circuit.
func (r Record) ripe(c Config, now time.Time) bool {
	return r.Streak >= c.sure(r.noisy(c, now)) ||
		r.Streak >= c.Threshold && now.Sub(r.StreakFrom) >= c.Settle
}

// trip opens a closed circuit. Soon after a close it is a relapse: the outage
// goes on and each opening is twice as long as the one before.
func (r Record) trip(c Config, f *fault.Fault, now time.Time) (Record, Change) {
	relapse := !r.ClosedAt.IsZero() && now.Sub(r.ClosedAt) < RelapseWithin
	r, change := r.move(Tripped)
	if change != Tripped {
		return r, change
	}
	if relapse {
		r.Relapses++
	} else {
		r.Outage, r.OpenedAt, r.Relapses, r.Reminded = r.Epoch, now, 0, 0
	}
	r.OpenUntil = now.Add(max(c.opening(r.Relapses), c.asked(f.RetryAfter)))
	return r, change
}

// opening is how long the circuit stays open after so many relapses.
func (c Config) opening(relapses int) time.Duration {
	d := c.Recovery
	for ; relapses > 0 && d < MaxOpen; relapses-- {
		d *= 2
	}
	return max(c.Recovery, min(d, MaxOpen))
}

// probeFailed ends a probe with a failure. A real request that failed although
// the cheap one had passed doubles the opening, because otherwise every probe
// interval would burn one contact.
func (r Record) probeFailed(c Config, f Failure, now time.Time) (Record, Change) {
	t, settled := f.Fault.Treatment(), f.Fault.Settle()
	if t.Pauses {
		r, _ = r.pause(c, f, now)
	}
	if !t.Counts {
		return Release(r, f.Permit, now)
	}
	r, change := r.move(Reopened)
	r.Probe, r.LastFault = Lease{}, kept(f.Fault)
	if f.Cheap {
		distance := c.Interval
		if t.Trips {
			distance = AccountInterval
		}
		r.OpenUntil = later(now, f.Began.Add(distance-TickLag))
	} else {
		r.Relapses++
		wait := c.opening(r.Relapses)
		if t.Trips {
			wait = max(wait, AccountInterval)
		}
		r.OpenUntil = now.Add(wait)
	}
	r.OpenUntil = later(r.OpenUntil, later(r.PausedUntil, now.Add(c.asked(settled.RetryAfter))))
	return r, change
}

// close ends an outage: the holder of the probe lease has proved that the
// service works.
func (r Record) close(now time.Time) (Record, Change) {
	r, change := r.move(Proved)
	r.Probe = Lease{}
	return r.closed(now), change
}

// closed clears what only an outage needs. The outage ended at ended.
func (r Record) closed(ended time.Time) Record {
	r.ClosedAt, r.Streak, r.RampStep, r.RampCount = ended, 0, 0, 0
	r.Pauses, r.PausedFrom = 0, time.Time{}
	return r
}

// pause leaves the service alone for as long as it asked, or 1, 2, 4 … 60 s.
// An answer to a request that was under way when the pause began only makes it
// longer if it names a time.
func (r Record) pause(c Config, f Failure, now time.Time) (Record, Change) {
	wait := c.asked(f.Fault.RetryAfter)
	underWay := r.Pauses > 0 && f.Began.Before(r.PausedUntil)
	if wait == 0 {
		if underWay {
			return r, Unchanged
		}
		wait = backoff.Pause(r.Pauses)
	}
	until := now.Add(wait)
	if !until.After(r.PausedUntil) {
		return r, Unchanged
	}
	if r.Pauses == 0 {
		r.PausedFrom = now
	}
	if !underWay {
		r.Pauses++
	}
	r.PausedUntil, r.LastFault = until, kept(f.Fault)
	return r, Throttled
}

// kept is the fault as a record stores it: settled and without its cause.
func kept(f *fault.Fault) *fault.Fault {
	g := *f.Settle()
	g.Cause = nil
	return &g
}

func later(a, b time.Time) time.Time {
	if a.Before(b) {
		return b
	}
	return a
}
