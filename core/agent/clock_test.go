package agent_test

import (
	"context"
	"sync"
	"time"
)

// start is when every test begins: a Monday, 09:00 in UTC.
var start = time.Date(2026, time.March, 2, 9, 0, 0, 0, time.UTC)

// clock stands still until somebody sleeps in it or moves it.
type clock struct {
	mu  sync.Mutex
	now time.Time
}

func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

// Sleep moves the clock, at most to the deadline of a context of WithTimeout.
func (c *clock) Sleep(ctx context.Context, d time.Duration) error {
	if d <= 0 || ctx.Err() != nil {
		return ctx.Err()
	}
	end := c.Now().Add(d)
	if deadline, ok := ctx.Deadline(); ok && deadline.Before(end) {
		end = deadline
	}
	c.to(end)
	return ctx.Err()
}

// WithTimeout ends the context when the clock has reached the deadline.
func (c *clock) WithTimeout(ctx context.Context, d time.Duration) (context.Context, context.CancelFunc) {
	until := c.Now().Add(d)
	if outer, ok := ctx.Deadline(); ok && outer.Before(until) {
		until = outer
	}
	return timed{Context: ctx, clock: c, until: until}, func() {}
}

// to moves the clock forward; an earlier time moves nothing.
func (c *clock) to(t time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if t.After(c.now) {
		c.now = t
	}
}

// timed is a context with a deadline of the virtual clock.
type timed struct {
	context.Context
	clock *clock
	until time.Time
}

func (c timed) Deadline() (time.Time, bool) { return c.until, true }

func (c timed) Err() error {
	if err := c.Context.Err(); err != nil {
		return err
	}
	if !c.clock.Now().Before(c.until) {
		return context.DeadlineExceeded
	}
	return nil
}
