// Package clock tells the time and waits, at the pace of the wall clock or
// faster, so that a scenario of hours plays in seconds with every configured
// duration left as it is.
package clock

import (
	"context"
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"
)

// Clock is a source of time. The zero Clock and a nil *Clock are the wall
// clock. It never changes after [New] and is safe for concurrent use.
//
// A clock of [New] never runs backwards, whatever happens to the wall clock,
// but its times carry no monotonic reading: compare them with each other, not
// with [time.Now].
type Clock struct {
	start time.Time // what the clock showed at origin; zero: the wall clock
	// origin carries the monotonic reading that elapsed time is measured from.
	origin time.Time
	speed  float64
}

// New returns a clock that shows start now and runs speed times as fast as the
// wall clock from here on. A zero start is the current time; a speed that is
// not a positive number is 1. New(time.Time{}, 1) is the wall clock.
func New(start time.Time, speed float64) *Clock {
	if !sensible(speed) {
		speed = 1
	}
	if start.IsZero() && speed == 1 {
		return &Clock{}
	}
	origin := time.Now()
	if start.IsZero() {
		start = origin
	}
	return &Clock{start: start.Round(0).UTC(), origin: origin, speed: speed}
}

// Parse returns the clock that several processes of one rehearsal share: text
// is a moment and a speed, "2026-11-22T10:00:00Z,20". The clock agreed with the
// wall clock at that moment and has run so many times as fast ever since,
// whenever it was made. Text "" is the wall clock.
func Parse(text string) (*Clock, error) {
	if text == "" {
		return &Clock{}, nil
	}
	moment, factor, _ := strings.Cut(text, ",")
	epoch, err := time.Parse(time.RFC3339, moment)
	speed, unclear := strconv.ParseFloat(factor, 64)
	if err != nil || unclear != nil || !sensible(speed) {
		return nil, fmt.Errorf("clock %q is no moment and speed: write it like 2026-11-22T10:00:00Z,20", text)
	}
	origin := time.Now()
	passed := times(origin.Round(0).Sub(epoch), speed)
	return &Clock{start: epoch.Add(passed).UTC(), origin: origin, speed: speed}, nil
}

// sensible reports a speed that a clock can run at.
func sensible(speed float64) bool { return speed > 0 && !math.IsInf(speed, 1) }

func (c *Clock) wall() bool { return c == nil || c.start.IsZero() }

// Now is the current time of this clock, in UTC.
func (c *Clock) Now() time.Time {
	if c.wall() {
		return time.Now().UTC()
	}
	return c.start.Add(times(time.Since(c.origin), c.speed))
}

// Scale gives the real time that d of this clock takes.
func (c *Clock) Scale(d time.Duration) time.Duration {
	if c.wall() {
		return d
	}
	return times(d, 1/c.speed)
}

// Sleep waits until d has passed on this clock or ctx is done, whichever comes
// first, and returns the context's error. A d of zero or less does not wait.
func (c *Clock) Sleep(ctx context.Context, d time.Duration) error {
	if d <= 0 || ctx.Err() != nil {
		return ctx.Err()
	}
	timer := time.NewTimer(c.Scale(d))
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// WithTimeout is [context.WithTimeout] for d of this clock. The context's own
// Deadline is in real time.
func (c *Clock) WithTimeout(ctx context.Context, d time.Duration) (context.Context, context.CancelFunc) {
	return context.WithTimeout(ctx, c.Scale(d))
}

// After is [time.After] for d of this clock. What arrives is a signal: the
// time it carries is real time.
func (c *Clock) After(d time.Duration) <-chan time.Time {
	return time.After(c.Scale(d))
}

// times multiplies and stays within what a duration can hold.
func times(d time.Duration, factor float64) time.Duration {
	if factor == 1 {
		return d
	}
	switch f := float64(d) * factor; {
	case f >= math.MaxInt64:
		return math.MaxInt64
	case f <= math.MinInt64:
		return math.MinInt64
	default:
		return time.Duration(math.Round(f))
	}
}
