//go:build integration

package dynamo_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"callagent/core/breaker"
	"callagent/infra/dynamo"
)

var midday = time.Date(2026, 3, 1, 12, 0, 0, 999999999, time.UTC)

// takes reports whether holder got the lease "email" for a minute.
func takes(t *testing.T, l *dynamo.Lease, holder string, now time.Time) bool {
	t.Helper()
	got, err := l.Take(t.Context(), "email", holder, now, time.Minute)
	if err != nil {
		t.Fatal(err)
	}
	return got
}

func TestALeaseHasOneHolder(t *testing.T) {
	l := dynamo.NewLease(clientAt(endpoint(t), &wire{}), circuitsTable(t))
	over := midday.Add(time.Minute + breaker.Skew)
	for _, step := range []struct {
		what   string
		holder string
		at     time.Time
		want   bool
	}{
		{"a free one is taken", "a", midday, true},
		{"a taken one is not", "b", midday.Add(time.Second), false},
		{"nor at its end, because clocks differ", "b", over, false},
		{"it is when it ended for every clock", "b", over.Add(1), true},
		{"its first holder has lost it", "a", over.Add(2), false},
		{"its holder prolongs it", "b", over.Add(30 * time.Second), true},
		{"so it does not end when it would have", "a", over.Add(time.Minute + 2*breaker.Skew), false},
	} {
		if got := takes(t, l, step.holder, step.at); got != step.want {
			t.Errorf("%s: %t", step.what, got)
		}
	}
}

func TestALeaseIsGivenBackByItsHolderOnly(t *testing.T) {
	l := dynamo.NewLease(clientAt(endpoint(t), &wire{}), circuitsTable(t))
	takes(t, l, "a", midday)
	for _, step := range []struct {
		releases, takes string
		want            bool
	}{{"b", "b", false}, {"a", "b", true}, {"a", "a", false}, {"b", "a", true}} {
		if err := l.Release(t.Context(), "email", step.releases); err != nil {
			t.Fatal(err)
		}
		if got := takes(t, l, step.takes, midday); got != step.want {
			t.Errorf("%s released it, %s got it: %t", step.releases, step.takes, got)
		}
	}
}

func TestLeasesOfDifferentNamesDoNotTouchEachOther(t *testing.T) {
	l := dynamo.NewLease(clientAt(endpoint(t), &wire{}), circuitsTable(t))
	takes(t, l, "a", midday)
	if got, err := l.Take(t.Context(), "sheet", "b", midday, time.Minute); !got || err != nil {
		t.Errorf("%t, %v", got, err)
	}
}

func TestALeaseThatCannotBeAskedForIsNotTaken(t *testing.T) {
	l := dynamo.NewLease(clientAt(endpoint(t), &wire{}), circuitsTable(t))
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if got, err := l.Take(ctx, "email", "a", midday, time.Minute); got || !errors.Is(err, context.Canceled) {
		t.Errorf("%t, %v", got, err)
	}
	if err := l.Release(ctx, "email", "a"); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
}

func TestOneOfFiftyTakesALease(t *testing.T) {
	client, table := clientAt(endpoint(t), &wire{}), circuitsTable(t)
	for run := range runs {
		now := midday.Add(time.Duration(run) * time.Hour) // the one before has run out
		var took atomic.Int64
		var all sync.WaitGroup
		for i := range crowd {
			all.Go(func() {
				if takes(t, dynamo.NewLease(client, table), fmt.Sprint(run, "-", i), now) {
					took.Add(1)
				}
			})
		}
		all.Wait()
		if took.Load() != 1 {
			t.Errorf("%d took it", took.Load())
		}
	}
}
