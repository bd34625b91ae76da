package clock_test

import (
	"context"
	"errors"
	"math"
	"testing"
	"testing/synctest"
	"time"

	"callagent/infra/clock"
)

var noon = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

func TestRunsAtItsSpeed(t *testing.T) {
	for _, tc := range []struct {
		name  string
		clock func() *clock.Clock
		real  time.Duration // what a sleep of one minute takes
	}{
		{"nil", func() *clock.Clock { return nil }, time.Minute},
		{"zero", func() *clock.Clock { return &clock.Clock{} }, time.Minute},
		{"wall", func() *clock.Clock { return clock.New(time.Time{}, 1) }, time.Minute},
		{"fast from now", func() *clock.Clock { return clock.New(time.Time{}, 60) }, time.Second},
		{"fast from noon", func() *clock.Clock { return clock.New(noon, 60) }, time.Second},
		{"same pace from noon", func() *clock.Clock { return clock.New(noon, 1) }, time.Minute},
		{"slow", func() *clock.Clock { return clock.New(noon, 0.5) }, 2 * time.Minute},
		{"no speed", func() *clock.Clock { return clock.New(noon, math.NaN()) }, time.Minute},
		{"endless speed", func() *clock.Clock { return clock.New(noon, math.Inf(1)) }, time.Minute},
		{"backward", func() *clock.Clock { return clock.New(noon, -3) }, time.Minute},
	} {
		t.Run(tc.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				c := tc.clock()
				before, began := c.Now(), time.Now()
				if err := c.Sleep(t.Context(), time.Minute); err != nil {
					t.Fatal(err)
				}
				if got := time.Since(began); got != tc.real {
					t.Errorf("a minute took %v, want %v", got, tc.real)
				}
				if got := c.Now().Sub(before); got != time.Minute {
					t.Errorf("the clock moved %v, want 1m", got)
				}
				if got := c.Scale(time.Minute); got != tc.real {
					t.Errorf("Scale(1m) = %v, want %v", got, tc.real)
				}
			})
		})
	}
}

func TestShowsItsStart(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		if got := clock.New(noon, 10).Now(); !got.Equal(noon) {
			t.Errorf("shows %v, want %v", got, noon)
		}
		for _, speed := range []float64{1, 10} {
			if got := clock.New(time.Time{}, speed).Now(); !got.Equal(time.Now()) {
				t.Errorf("speed %v shows %v, want %v", speed, got, time.Now())
			}
		}
	})
}

func TestSleepEndsWithItsContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := clock.New(noon, 60)
		ctx, cancel := c.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		began := time.Now()
		if err := c.Sleep(ctx, time.Hour); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("error %v, want deadline exceeded", err)
		}
		if got := time.Since(began); got != time.Second {
			t.Errorf("took %v, want 1s", got)
		}
		if err := c.Sleep(ctx, 0); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("sleep of nothing: error %v, want deadline exceeded", err)
		}
	})
}

func TestSleepOfNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		began := time.Now()
		for _, d := range []time.Duration{0, -time.Hour} {
			if err := (&clock.Clock{}).Sleep(t.Context(), d); err != nil {
				t.Errorf("Sleep(%v): %v", d, err)
			}
		}
		if got := time.Since(began); got != 0 {
			t.Errorf("took %v, want 0", got)
		}
	})
}

func TestAfter(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		began := time.Now()
		<-clock.New(noon, 10).After(time.Minute)
		if got := time.Since(began); got != 6*time.Second {
			t.Errorf("took %v, want 6s", got)
		}
	})
}

func TestScaleStaysInRange(t *testing.T) {
	slow := clock.New(noon, 1e-9)
	if got := slow.Scale(math.MaxInt64); got != math.MaxInt64 {
		t.Errorf("got %v, want the longest duration", got)
	}
	if got := slow.Scale(math.MinInt64); got != math.MinInt64 {
		t.Errorf("got %v, want the shortest duration", got)
	}
}

// Clocks of one text agree, whenever they were made.
func TestParsedClocksAgree(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		text := time.Now().Add(-time.Minute).UTC().Format(time.RFC3339) + ",20"
		parse := func() *clock.Clock {
			c, err := clock.Parse(text)
			if err != nil {
				t.Fatal(err)
			}
			return c
		}
		first := parse()
		if got, want := time.Until(first.Now()), 19*time.Minute; got != want {
			t.Errorf("a minute after the moment it is %s ahead, want %s", got, want)
		}
		if err := first.Sleep(t.Context(), time.Hour); err != nil {
			t.Fatal(err)
		}
		if second := parse(); !second.Now().Equal(first.Now()) {
			t.Errorf("one says %s, the other %s", first.Now(), second.Now())
		}
	})
}

func TestParse(t *testing.T) {
	wall, err := clock.Parse("")
	if err != nil || wall.Scale(time.Minute) != time.Minute {
		t.Errorf("an empty text gives %v, %v; want the wall clock", wall, err)
	}
	for _, text := range []string{"20", "now,20", "2026-11-22T10:00:00Z", "2026-11-22T10:00:00Z,", "2026-11-22T10:00:00Z,0",
		"2026-11-22T10:00:00Z,-1", "2026-11-22T10:00:00Z,fast", "2026-11-22T10:00:00Z,+Inf", "2026-11-22T10:00:00Z,NaN", "2026-11-22T10:00:00Z,2,3"} {
		if c, err := clock.Parse(text); err == nil {
			t.Errorf("Parse(%q) gives a clock that shows %s", text, c.Now())
		}
	}
}
