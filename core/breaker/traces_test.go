package breaker_test

import (
	"testing"
	"time"

	"pgregory.net/rapid"

	"callagent/core/breaker"
)

// burst lets requests that were admitted together fail together, and counts
// what that writes.
func burst(c breaker.Config, requests int, mayTrip bool) (r breaker.Record, trips, writes int) {
	for range requests {
		after, change := breaker.Fail(r, c, breaker.Failure{Fault: unavailable, MayTrip: mayTrip}, start)
		if change == breaker.Tripped {
			trips++
		}
		if change.Writes() {
			writes++
		}
		r = after
	}
	return r, trips, writes
}

func TestFiftyFailuresAtOnceAreOneTripAndFiveWrites(t *testing.T) {
	c := breaker.DefaultConfig()
	c.Settle = time.Second
	if r, trips, writes := burst(c, 50, true); trips != 1 || writes != 5 || r.State != breaker.Open {
		t.Errorf("%d trips, %d writes, %s; want one trip, 5 writes, OPEN", trips, writes, r.State)
	}
}

func TestFiftyFailuresAtOnceOnOneMachineAreThreeWrites(t *testing.T) {
	if _, trips, writes := burst(breaker.DefaultConfig(), 50, true); trips != 1 || writes != 3 {
		t.Errorf("%d trips, %d writes; want one trip, 3 writes", trips, writes)
	}
}

// Without the rule for failures that may not trip, each of the fifty would
// fight for the record.
func TestFiftyFailuresThatMayNotTripAreFiveWrites(t *testing.T) {
	if r, trips, writes := burst(breaker.DefaultConfig(), 50, false); trips != 0 || writes != 5 || r.Streak != 5 {
		t.Errorf("%d trips, %d writes, streak %d; want none, 5, 5", trips, writes, r.Streak)
	}
}

// Counting on one machine is exact: the streak is the number of failures since
// the last success, and it opens at the threshold.
func TestCountingOnOneMachineIsExact(t *testing.T) {
	type step struct{ fails, mayTrip bool }
	steps := rapid.Custom(func(t *rapid.T) step {
		return step{rapid.Bool().Draw(t, "fails"), rapid.Bool().Draw(t, "may trip")}
	})
	rapid.Check(t, func(t *rapid.T) {
		c := breaker.DefaultConfig()
		var r breaker.Record
		var lastSuccess time.Time
		failures, now := 0, start
		for _, s := range rapid.SliceOf(steps).Draw(t, "steps") {
			now = now.Add(time.Second)
			if !s.fails {
				failures, lastSuccess = 0, now
				r, _ = breaker.Success(r, breaker.Permit{}, now)
			} else {
				if s.mayTrip || failures < c.Threshold+2 {
					failures++
				}
				r, _ = breaker.Fail(r, c, breaker.Failure{Fault: unavailable, MayTrip: s.mayTrip, LastSuccess: lastSuccess, Began: now}, now)
			}
			open := s.fails && s.mayTrip && failures >= c.Threshold
			if r.Streak != failures || open != (r.State == breaker.Open) {
				t.Fatalf("after %d failures in a row: streak %d, %s", failures, r.Streak, r.State)
			}
			if open {
				return
			}
		}
	})
}

// ledger counts failures the long way: it keeps every one that counts and when
// each process last succeeded.
type ledger struct {
	failures  []time.Time
	ended     int // the longest streak that a success ended
	succeeded map[int]time.Time
}

// fails adds a failure and reports whether the circuit opens, by the sentences
// of docs/circuit.md.
func (l *ledger) fails(c breaker.Config, process int, mayTrip bool, now time.Time) (opens bool) {
	n := len(l.failures)
	switch {
	case n > 0 && l.succeeded[process].After(l.failures[n-1]):
		l.ended = max(l.ended, n)
		l.failures = []time.Time{now}
	case n >= c.Threshold+2 && !mayTrip: // it says nothing new
		return false
	default:
		l.failures = append(l.failures, now)
	}
	n = len(l.failures)
	old, sure := now.Sub(l.failures[0]) >= c.Settle, c.Threshold+2
	if l.ended >= c.Threshold { // streaks have turned out to mean nothing
		sure = c.Threshold + 7
	}
	return mayTrip && (n >= sure || n >= c.Threshold && old)
}

// succeeds notes a success, which whoever reads the record reports.
func (l *ledger) succeeds(process int, reported bool, now time.Time) {
	l.succeeded[process] = now
	if n := len(l.failures); reported && n > 0 && l.failures[n-1].Before(now) {
		l.ended = max(l.ended, n)
		l.failures = nil
	}
}

// The streak of a fleet is what the long way counts: how long it is, since when
// it lasts, and when it opens the circuit.
func TestTheStreakOfAFleetIsItsDefinition(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		c := breaker.DefaultConfig()
		c.Threshold = rapid.IntRange(1, 5).Draw(t, "threshold")
		c.Settle = rapid.SampledFrom([]time.Duration{0, time.Second, 3 * time.Second}).Draw(t, "settle")
		var r breaker.Record
		l, now := &ledger{succeeded: map[int]time.Time{}}, start
		for range rapid.IntRange(1, 60).Draw(t, "events") {
			now = now.Add(time.Duration(rapid.IntRange(0, 1500).Draw(t, "ms")) * time.Millisecond)
			process := rapid.IntRange(0, 3).Draw(t, "process")
			if rapid.IntRange(0, 4).Draw(t, "kind") == 0 {
				reported := rapid.Bool().Draw(t, "reported")
				l.succeeds(process, reported, now)
				if reported {
					r, _ = breaker.Success(r, breaker.Permit{}, now)
				}
				continue
			}
			mayTrip := rapid.Bool().Draw(t, "may trip")
			lastSuccess := l.succeeded[process]
			opens := l.fails(c, process, mayTrip, now)
			r, _ = breaker.Fail(r, c, breaker.Failure{Fault: unavailable, MayTrip: mayTrip, LastSuccess: lastSuccess, Began: now}, now)
			if opens != (r.State == breaker.Open) {
				t.Fatalf("%s after the failures %s, want open %t", r.State, l.failures, opens)
			}
			if r.Streak != len(l.failures) || !r.StreakFrom.Equal(l.failures[0]) {
				t.Fatalf("a streak of %d since %s, counted %s", r.Streak, r.StreakFrom, l.failures)
			}
			if opens {
				return
			}
		}
	})
}

// After a close at most five results that may trip can fail before the circuit
// is open again, whoever reports them and however close together; ten, if
// longer streaks have meant nothing lately.
func TestAtMostFiveFailuresReopenOrTenIfNoisy(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		c := breaker.DefaultConfig()
		c.Settle = time.Second
		r, now := breaker.Record{Epoch: 9, ClosedAt: start}, start
		most := 5
		if rapid.Bool().Draw(t, "noisy") {
			r.Noise, r.NoiseAt, most = rapid.IntRange(3, 20).Draw(t, "noise"), start, 10
		}
		for n := 1; ; n++ {
			now = now.Add(time.Duration(rapid.IntRange(0, 2000).Draw(t, "ms")) * time.Millisecond)
			r, _ = breaker.Fail(r, c, breaker.Failure{Permit: breaker.Permit{Epoch: 9}, Fault: unavailable, MayTrip: true}, now)
			if r.State == breaker.Open {
				return
			}
			if n == most {
				t.Fatalf("still %s after %d failures: %+v", r.State, n, r)
			}
		}
	})
}

// A service that throttles everybody for minutes is asked about once a pause,
// although many long requests are under way all the time.
func TestThrottlingThatLastsIsMetWithLongerPauses(t *testing.T) {
	const took = 10 * time.Second
	var r breaker.Record
	var underWay []time.Time // when each began
	pauses := 0
	for now := start; now.Before(start.Add(10 * time.Minute)); now = now.Add(time.Second) {
		if len(underWay) < 4 {
			if _, refusal := breaker.Admit(r, "call", took, now); refusal == breaker.None {
				underWay = append(underWay, now)
			}
		}
		if len(underWay) > 0 && now.Sub(underWay[0]) >= took {
			f := faults["429"]
			after, change := breaker.Fail(r, breaker.DefaultConfig(), breaker.Failure{Fault: &f, Began: underWay[0]}, now)
			if r, underWay = after, underWay[1:]; change.Writes() {
				pauses++
			}
		}
	}
	if r.Pauses != pauses || pauses < 7 || pauses > 15 {
		t.Errorf("%d pauses, %d in a row; want them all in a row, and about ten in ten minutes", pauses, r.Pauses)
	}
}
