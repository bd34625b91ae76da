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

// After a close at most five results that may trip can fail before the circuit
// is open again, whoever reports them and however close together.
func TestAtMostFiveFailuresReopen(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		c := breaker.DefaultConfig()
		c.Settle = time.Second
		r, now := breaker.Record{Epoch: 9, ClosedAt: start}, start
		for n := 1; ; n++ {
			now = now.Add(time.Duration(rapid.IntRange(0, 2000).Draw(t, "ms")) * time.Millisecond)
			r, _ = breaker.Fail(r, c, breaker.Failure{Permit: breaker.Permit{Epoch: 9}, Fault: unavailable, MayTrip: true}, now)
			if r.State == breaker.Open {
				return
			}
			if n == 5 {
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
