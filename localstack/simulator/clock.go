package simulator

import (
	"context"
	"time"
)

// Clock is the time that the simulated providers live in.
type Clock interface {
	// Now is the current simulated time. It never runs backwards.
	Now() time.Time
	// Sleep waits for d of simulated time or until ctx is done, and returns
	// the context's error.
	Sleep(ctx context.Context, d time.Duration) error
}

// wallClock is the clock of those who bring none.
type wallClock struct{}

func (wallClock) Now() time.Time { return time.Now() }

func (wallClock) Sleep(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
