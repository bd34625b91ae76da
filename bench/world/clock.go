package world

import (
	"context"
	"time"
)

// Start is when every world begins: a Monday, 09:00 in UTC.
var Start = time.Date(2026, time.March, 2, 9, 0, 0, 0, time.UTC)

// Now is the time of the world.
func (w *World) Now() time.Time { return Start.Add(w.now) }

// Since is how old the world is.
func (w *World) Since() time.Duration { return w.now }

// clock is the clock of a process: the world's, fast or slow by its skew.
type clock struct{ p *Process }

func (c clock) Now() time.Time { return c.p.clockAt(c.p.world.now) }

// clockAt is what the process's clock shows at a time of the world.
func (p *Process) clockAt(at time.Duration) time.Time { return Start.Add(at + p.Skew) }

// Sleep lets others go on until the time is over, or the context's.
func (c clock) Sleep(ctx context.Context, d time.Duration) error {
	if d <= 0 || ctx.Err() != nil {
		return ctx.Err()
	}
	c.p.stand(c.p.until(ctx, d))
	return ctx.Err()
}

// until is the time of the world after d, or when the context ends if that is
// sooner.
func (p *Process) until(ctx context.Context, d time.Duration) time.Duration {
	end := p.world.now + d
	if deadline, ok := ctx.Deadline(); ok {
		end = min(end, deadline.Sub(Start)-p.Skew)
	}
	return max(end, p.world.now)
}

// WithTimeout ends the context when the process's clock has reached the end.
func (c clock) WithTimeout(ctx context.Context, d time.Duration) (context.Context, context.CancelFunc) {
	until := c.Now().Add(d)
	if outer, ok := ctx.Deadline(); ok && outer.Before(until) {
		until = outer
	}
	return timed{ctx, c.p, until}, func() {}
}

// timed is a context with a deadline on a process's clock.
type timed struct {
	context.Context
	p     *Process
	until time.Time
}

func (c timed) Deadline() (time.Time, bool) { return c.until, true }

func (c timed) Err() error {
	if err := c.Context.Err(); err != nil {
		return err
	}
	if !(clock{c.p}).Now().Before(c.until) {
		return context.DeadlineExceeded
	}
	return nil
}

// life is the context of a process, which ends when the process is made to
// stop. Done is nil, as nobody in a world waits for it.
type life struct {
	context.Context
	p *Process
}

func (l life) Err() error {
	if l.p.cut {
		return context.Canceled
	}
	return nil
}
