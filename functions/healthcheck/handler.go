package main

import "context"

// handler tells a tick of the schedule from one that was called for; see
// [cloud.Process.Tick].
type handler struct {
	tick func(ctx context.Context, scheduled bool) error
}

// event is what tells a batch of messages from everything else: its records.
// What they say does not matter, so a batch of ticks is one.
type event struct {
	Records []struct{} `json:"Records"`
}

// handle runs one tick. It fails only when the set-up is wrong and the schedule
// asked: ticks that were called for are not repeated, because the next one does
// all that they would have done.
func (h handler) handle(ctx context.Context, e event) error {
	scheduled := len(e.Records) == 0
	if err := h.tick(ctx, scheduled); scheduled {
		return err
	}
	return nil
}
