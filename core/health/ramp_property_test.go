package health_test

import (
	"testing"
	"time"

	"pgregory.net/rapid"

	"callagent/core/health"
)

// However the ticks fall, and although the clocks of those who run them are up
// to two seconds apart, no step of the ramp releases more than its allowance.
func TestAnySplitOfTicksKeepsTheRamp(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		r, now := closed(), closedAt
		released := map[int]int{}
		for range rapid.IntRange(1, 80).Draw(t, "ticks") {
			now = now.Add(rapid.SampledFrom([]time.Duration{0, 100 * time.Millisecond, time.Second, 4 * time.Second}).Draw(t, "later"))
			clock := now.Add(time.Duration(rapid.IntRange(-2000, 2000).Draw(t, "skew")) * time.Millisecond)
			before := r
			var n int
			r, n = health.Release(r, rapid.IntRange(0, 2000).Draw(t, "want"), clock)
			if n == 0 && r != before {
				t.Fatalf("nothing was released, yet the record changed to %+v", r)
			}
			if r.RampStep < before.RampStep {
				t.Fatalf("from step %d back to %d", before.RampStep, r.RampStep)
			}
			released[r.RampStep] += n
			if allowed := 10 << min(r.RampStep, 30); released[r.RampStep] > allowed {
				t.Fatalf("step %d released %d, allowed are %d", r.RampStep, released[r.RampStep], allowed)
			}
		}
	})
}

// With a tick each second, and more calls than may go, each step is used up.
func TestTheRampIsUsedUp(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		r, left := closed(), rapid.IntRange(1, 3000).Draw(t, "parked")
		sum := 0
		for second := range 60 {
			var n int
			r, n = health.Release(r, min(left, 1000), closedAt.Add(time.Duration(second)*time.Second))
			left -= n
			sum += n
			if step := second / 5; left > 0 && second%5 == 4 && sum != 10*(1<<(step+1)-1) {
				t.Fatalf("after step %d %d are released", step, sum)
			}
		}
		if left != 0 {
			t.Fatalf("%d are left after a minute", left)
		}
	})
}
