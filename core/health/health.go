// Package health holds the rules of the background work: how fast parked calls
// are released after an outage, when people are reminded of one, which calls
// are overdue, and when the next ticks come.
//
// Everything a tick does is level-triggered: it looks at what is, not at what
// happened, so a lost or doubled tick changes nothing but time.
package health

import (
	"time"

	"callagent/core/breaker"
)

// The rhythm of the background work.
const (
	RampEvery     = 5 * time.Second       // length of a step of the release ramp
	RampStart     = 10                    // calls released in the first step; each step doubles it
	Overdue       = 2 * time.Minute       // how late a call must be before it is woken
	StampFor      = 5 * time.Minute       // a released call is not released again so soon
	AnnounceFor   = 10 * time.Minute      // how long the alert of a changed circuit is sent again
	HoldsAfter    = breaker.RelapseWithin // a close is told when it has held this long: what opens later is no relapse
	PausedTooLong = 5 * time.Minute       // a pause this long without a success is told
	TickEvery     = 5 * time.Second
	TicksAhead    = 120 * time.Second // a schedule may come this late
)

// Release decides how many of want parked calls may be released now: 10, 20,
// 40 … per 5 s since the circuit closed, however many ticks there are. The
// record counts what was released in the present step and has to be stored
// before the calls are sent.
func Release(r breaker.Record, want int, now time.Time) (breaker.Record, int) {
	if r.State != breaker.Closed || want <= 0 {
		return r, 0
	}
	if r.ClosedAt.IsZero() {
		return r, want
	}
	step := int(max(0, now.Sub(r.ClosedAt)) / RampEvery)
	if step < r.RampStep { // a slower clock than that of the last release
		step = r.RampStep
	}
	if step != r.RampStep {
		r.RampStep, r.RampCount = step, 0
	}
	n := min(want, allowance(step)-r.RampCount)
	if n <= 0 {
		return r, 0
	}
	r.RampCount += n
	r.Released += n
	return r, n
}

// allowance is how many calls a step of the ramp may release.
func allowance(step int) int {
	const most = 1 << 20
	if step >= 16 {
		return most
	}
	return RampStart << step
}

// Spread is the delay of the ith of n wake-ups that a tick sends, so that they
// do not arrive as one burst.
func Spread(i, n int) time.Duration {
	if n < 2 {
		return 0
	}
	return RampEvery * time.Duration(i) / time.Duration(n)
}

// Unsent is the moment before which a release stamp is forgotten: 5 min ago,
// or the last close if that is more recent.
func Unsent(r breaker.Record, now time.Time) time.Time {
	t := now.Add(-StampFor)
	if r.State == breaker.Closed && r.ClosedAt.After(t) {
		return r.ClosedAt
	}
	return t
}

// Remind counts the reminders that an outage is due: after 5, 15 and 60 min
// and every hour from then on. It reports false when people know all there is
// to know; else the record has to be stored before they are told.
func Remind(r breaker.Record, now time.Time) (breaker.Record, bool) {
	if r.State == breaker.Closed {
		return r, false
	}
	due := reminders(now.Sub(r.OpenedAt))
	if due <= r.Reminded {
		return r, false
	}
	r.Reminded = due
	return r, true
}

func reminders(since time.Duration) int {
	n := 0
	for since >= RemindAfter(n+1) {
		n++
	}
	return n
}

// RemindAfter is how long an outage lasts when its nth reminder is due, n
// counted from 1.
func RemindAfter(n int) time.Duration {
	switch n {
	case 1:
		return 5 * time.Minute
	case 2:
		return 15 * time.Minute
	}
	return time.Duration(n-2) * time.Hour
}

// Announce reports whether the present alert of a circuit is to be sent
// (again): while it is not closed, and for a while after it closed. Alerts
// carry derived ids, so sending again is free of consequences.
func Announce(r breaker.Record, now time.Time) bool {
	switch {
	case r.Outage == 0 && r.Pauses == 0:
		return false
	case r.State != breaker.Closed || PauseTooLong(r, now):
		return true
	}
	return now.Sub(r.ClosedAt) < AnnounceFor
}

// PauseTooLong reports whether a service has been throttling for so long
// without a success that people should know.
func PauseTooLong(r breaker.Record, now time.Time) bool {
	return r.Pauses > 0 && now.Before(r.PausedUntil.Add(StampFor)) && now.Sub(r.PausedFrom) >= PausedTooLong
}

// Ticks lists the delays of the tick messages that a scheduled tick or the
// winner of a trip sends: every 5 s, as far ahead as the next schedule may be.
// A tick message sends none, or they would multiply.
func Ticks() []time.Duration {
	var ds []time.Duration
	for d := TickEvery; d <= TicksAhead; d += TickEvery {
		ds = append(ds, d)
	}
	return ds
}
