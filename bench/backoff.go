package main

import (
	"math/rand/v2"
	"testing"
	"time"

	cenkalti "github.com/cenkalti/backoff/v5"

	"callagent/core/backoff"
)

// retries is how many delays are asked for in a row.
const retries = 3

func backoffDelay() comparison {
	return comparison{
		name: "backoff_delay",
		note: "One of the three delays of a step, its random number included.",
		contestants: []contestant{
			benchmark(ours, retries, func(b *testing.B) {
				p := backoff.Default()
				b.ReportAllocs()
				var waited time.Duration
				for b.Loop() {
					for n := range retries {
						waited = p.Delay(n, rand.Float64())
					}
				}
				positive(b, waited)
			}),
			benchmark("cenkalti", retries, func(b *testing.B) {
				p := cenkalti.NewExponentialBackOff()
				p.InitialInterval, p.Multiplier, p.RandomizationFactor = 5*time.Second, 2, 0.2
				b.ReportAllocs()
				var waited time.Duration
				for b.Loop() {
					p.Reset()
					for range retries {
						waited = p.NextBackOff()
					}
				}
				positive(b, waited)
			}),
		},
	}
}

// positive uses the last delay, so that the compiler cannot leave it out.
func positive(b *testing.B, d time.Duration) {
	if d <= 0 {
		b.Errorf("the last delay is %s", d)
	}
}
