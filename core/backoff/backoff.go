// Package backoff says how long to wait before a request is sent again.
//
// Nothing here holds state: the number of the retry goes in and a duration
// comes out. Randomness is a number in [0, 1) that the caller draws.
package backoff

import (
	"fmt"
	"time"
)

// Policy describes the retries of one service. The zero value never retries;
// [Default] is what the source documents ask for.
type Policy struct {
	MaxRetries int           // retries after the first attempt
	Initial    time.Duration // delay before the first retry, before jitter
	Factor     float64       // each further delay is this many times the one before
	Max        time.Duration // no delay is longer than this, jitter included
	Jitter     float64       // a delay grows by a random share of it, up to this much
}

// Default gives 5, 10 and 20 s, each lengthened by up to a fifth.
func Default() Policy {
	return Policy{MaxRetries: 3, Initial: 5 * time.Second, Factor: 2, Max: time.Minute, Jitter: 0.2}
}

// Validate reports the first value that makes no sense, and what to write
// instead.
func (p Policy) Validate() error {
	switch {
	case p.MaxRetries < 0 || p.MaxRetries > 100:
		return fmt.Errorf("max_retries is %d: use 0 to 100", p.MaxRetries)
	case p.Initial < 0:
		return fmt.Errorf("initial_delay is %s: a delay cannot be negative", p.Initial)
	case !(p.Factor >= 1 && p.Factor <= 100): // also no number at all
		return fmt.Errorf("backoff_factor is %g: use 1 (constant) to 100", p.Factor)
	case p.Max < p.Initial:
		return fmt.Errorf("max_delay is %s, less than initial_delay %s: make it at least as long", p.Max, p.Initial)
	case !(p.Jitter >= 0 && p.Jitter <= 1):
		return fmt.Errorf("jitter is %g: use 0 to 1", p.Jitter)
	}
	return nil
}

// Delay is the wait before retry n, counted from 0:
//
//	min(Max, Initial · Factorⁿ · (1 + Jitter·u))
//
// u is drawn from [0, 1). Jitter only lengthens, so Initial · Factorⁿ is a
// floor wherever Max allows it; the cap comes last and holds always.
func (p Policy) Delay(n int, u float64) time.Duration {
	d, limit := float64(p.Initial)*(1+p.Jitter*u), float64(p.Max)
	if p.Factor > 1 {
		for ; n > 0 && d < limit; n-- {
			d *= p.Factor
		}
	}
	if d >= limit {
		return p.Max
	}
	return time.Duration(d)
}

// After is the wait before retry n when the server asked for retryAfter (0 for
// not at all): the longer of the two. A server's wish is never undercut, not
// even by Max.
func (p Policy) After(n int, u float64, retryAfter time.Duration) time.Duration {
	return max(p.Delay(n, u), retryAfter)
}

// MaxPause is the longest pause after a throttled answer that named no time.
const MaxPause = time.Minute

// Pause is how long a service is left alone after its nth throttled answer in
// a row (counted from 0) that named no time: 1, 2, 4 … 60 s.
func Pause(n int) time.Duration {
	if n < 0 {
		n = 0
	}
	if n > 5 {
		return MaxPause
	}
	return min(time.Second<<n, MaxPause)
}
