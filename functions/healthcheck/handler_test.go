package main

import (
	"context"
	"slices"
	"testing"

	"callagent/functions/internal/eventtest"
)

// ticks are those that ran: true for a scheduled one.
type ticks []bool

func (t *ticks) Tick(_ context.Context, scheduled bool) error {
	*t = append(*t, scheduled)
	return nil
}

func TestABatchIsOneTickThatWasCalledFor(t *testing.T) {
	for name, want := range map[string]ticks{"valid": {true}, "malformed": {true}, "batch-of-ten": {false}, "duplicate": {false}} {
		var got ticks
		err := handler{got.Tick}.handle(t.Context(), eventtest.Read[event](t, name))
		if err != nil || !slices.Equal(got, want) {
			t.Errorf("%s: ticks %v, error %v, want %v", name, got, err, want)
		}
	}
}
