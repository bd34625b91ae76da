package main

import (
	"context"
	"errors"
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

func TestOnlyAScheduledTickFails(t *testing.T) {
	wrong := errors.New("the set-up is wrong")
	h := handler{func(context.Context, bool) error { return wrong }}
	if err := h.handle(t.Context(), eventtest.Read[event](t, "valid")); err != wrong {
		t.Errorf("a scheduled tick ends with %v", err)
	}
	if err := h.handle(t.Context(), eventtest.Read[event](t, "batch-of-ten")); err != nil {
		t.Errorf("ticks that were called for would be repeated: %v", err)
	}
}
