package backoff_test

import (
	"math/big"
	"testing"
	"time"

	"pgregory.net/rapid"

	"callagent/core/backoff"
)

// oracle works a delay out from its definition, in numbers that neither round
// visibly nor overflow, and without any shortcut.
func oracle(p backoff.Policy, n int, u float64) time.Duration {
	number := func(f float64) *big.Float { return new(big.Float).SetPrec(2000).SetFloat64(f) }
	d := new(big.Float).SetPrec(2000).SetInt64(int64(p.Initial))
	for range n {
		d.Mul(d, number(p.Factor))
	}
	d.Mul(d, number(1).Add(number(1), number(0).Mul(number(p.Jitter), number(u))))
	limit := new(big.Float).SetInt64(int64(p.Max))
	if d.Cmp(limit) >= 0 {
		return p.Max
	}
	whole, _ := d.Int64()
	return time.Duration(whole)
}

// near allows for what a float64 loses in a hundred multiplications.
func near(a, b time.Duration) bool {
	gap := max(a-b, b-a)
	return gap <= 1 || float64(gap) <= 1e-13*float64(max(a, b))
}

// policies draws any policy that Validate accepts.
func policies() *rapid.Generator[backoff.Policy] {
	return rapid.Custom(func(t *rapid.T) backoff.Policy {
		initial := rapid.Int64Range(0, int64(forever)).Draw(t, "initial")
		return backoff.Policy{
			MaxRetries: rapid.IntRange(0, 100).Draw(t, "max_retries"),
			Initial:    time.Duration(initial),
			Factor:     rapid.Float64Range(1, 100).Draw(t, "factor"),
			Max:        time.Duration(rapid.Int64Range(initial, int64(forever)).Draw(t, "max")),
			Jitter:     rapid.Float64Range(0, 1).Draw(t, "jitter"),
		}
	})
}

func draws() *rapid.Generator[float64] { return rapid.Float64Range(0, almost) }

func checkDelay(t *rapid.T) {
	p, u := policies().Draw(t, "policy"), draws().Draw(t, "u")
	n := rapid.IntRange(0, 100).Draw(t, "n")
	if err := p.Validate(); err != nil {
		t.Fatalf("a policy in range is refused: %v", err)
	}
	got := p.Delay(n, u)
	if want := oracle(p, n, u); !near(got, want) {
		t.Fatalf("Delay(%d, %v) = %d ns, by its definition %d ns", n, u, got, want)
	}
	if got > p.Max {
		t.Fatalf("Delay(%d, %v) = %s is above the cap %s", n, u, got, p.Max)
	}
	if floor := p.Delay(n, 0); got < floor {
		t.Fatalf("jitter %v shortens the delay from %s to %s", u, floor, got)
	}
	if next := p.Delay(n+1, u); next < got {
		t.Fatalf("retry %d waits %s, less than the %s of the one before", n+1, next, got)
	}
	if got < p.Initial && !near(got, p.Initial) {
		t.Fatalf("Delay(%d, %v) = %s is less than the initial delay %s", n, u, got, p.Initial)
	}
}

func TestDelayIsItsDefinition(t *testing.T) { rapid.Check(t, checkDelay) }

func FuzzDelay(f *testing.F) { f.Fuzz(rapid.MakeFuzz(checkDelay)) }

func TestMoreJitterNeverWaitsLess(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p, n := policies().Draw(t, "policy"), rapid.IntRange(0, 100).Draw(t, "n")
		u, v := draws().Draw(t, "u"), draws().Draw(t, "v")
		if less, more := p.Delay(n, min(u, v)), p.Delay(n, max(u, v)); less > more {
			t.Fatalf("a draw of %v waits %s, the greater draw %v only %s", min(u, v), less, max(u, v), more)
		}
	})
}

func TestAfterIsNeverShorterThanAsked(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p, n, u := policies().Draw(t, "policy"), rapid.IntRange(0, 100).Draw(t, "n"), draws().Draw(t, "u")
		asked := time.Duration(rapid.Int64Range(0, int64(forever)).Draw(t, "asked"))
		if got, own := p.After(n, u, asked), p.Delay(n, u); got < asked || got < own || got != asked && got != own {
			t.Fatalf("After = %s, want the longer of %s and %s", got, asked, own)
		}
	})
}

// A pause is 1 s, doubled for each throttled answer before, and a minute at most.
func TestPauseIsItsDefinition(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(0, 200).Draw(t, "n")
		seconds := 1
		for range n {
			seconds = min(2*seconds, 60)
		}
		if got := backoff.Pause(n); got != time.Duration(seconds)*time.Second {
			t.Fatalf("Pause(%d) = %s, want %d s", n, got, seconds)
		}
	})
}

func TestPauseNeverShrinks(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(-10, 1<<30).Draw(t, "n")
		if a, b := backoff.Pause(n), backoff.Pause(n+1); a < time.Second || b < a || b > backoff.MaxPause {
			t.Fatalf("Pause(%d) = %s, Pause(%d) = %s", n, a, n+1, b)
		}
	})
}
