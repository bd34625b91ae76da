package agent_test

import (
	"testing"
	"time"

	"callagent/core/agent"
	"callagent/core/call"
)

// Changed data count until the intent: also when the message that brings them
// finds the call set aside and is acknowledged.
func TestChangedDataCountUntilTheIntent(t *testing.T) {
	w := newWorld(t)
	w.ticks = false
	forceOpen(t, w, agent.Twilio)
	w.enqueue(1)
	w.run(time.Minute)
	changed := contact(1)
	changed.Name = "Grace"
	w.send(changed)
	w.run(time.Minute)
	if c := w.call(1); c.State != call.Parked || c.Contact.Name != "Grace" {
		t.Errorf("%s for %q", c.State, c.Contact.Name)
	}
}

func TestTheHistoryTellsWhatWasStored(t *testing.T) {
	w := newWorld(t)
	w.enqueue(1)
	w.run(time.Hour)
	var stored []string
	for _, e := range w.call(1).History {
		if e.What == "script stored" || e.What == "speech stored" {
			stored = append(stored, e.What)
		}
	}
	diff(t, "the history", stored, []string{"script stored", "speech stored"})
}
