package agent_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"callagent/core/call"
	"callagent/core/journal"
)

// checkRequest holds at every request: a stored step is never requested again,
// no dial leaves without a stored intent, and the lease outlasts a paid
// request's time limit by 10 s.
func (w *world) checkRequest(service, verb, contact string) {
	key := call.Key{Campaign: "spring", Contact: contact}
	c, err := w.store.Get(context.Background(), key)
	if err != nil || w.rerings {
		return // a probe, or perhaps the contact of another campaign
	}
	short := c.Lease.Until.Before(w.clock.Now().Add(10*time.Second + call.LeaseMargin))
	wrong := map[string]bool{
		"script": c.Script != "" || short,
		"speak":  c.Speech != "" || c.Script == "" || short,
		"dial":   c.SID != "" || c.Intent == nil || w.clock.Now().Add(10*time.Second).After(c.Intent.Deadline),
		"look":   c.State.Final(),
		"list":   c.State.Final() || c.SID != "",
		"record": c.Recorded != call.Pending || short,
	}
	if wrong[verb] {
		w.t.Errorf("%s %s for %s does not go with what is stored: %s, version %d, %s", service, verb, contact, c.State, c.Version, history(c))
	}
}

// checkAlways holds what holds in every test: no contact is rung twice, and
// nothing secret is told.
func (w *world) checkAlways() {
	for who, n := range w.services.rung() {
		if n > 1 && !w.rerings {
			w.t.Errorf("%s was rung %d times", who, n)
		}
	}
	for _, e := range w.events.all() {
		w.checkPrivate(fmt.Sprintf("%+v", e))
	}
	for _, a := range w.alerts() {
		w.checkPrivate(fmt.Sprintf("%+v", a))
	}
}

func (w *world) checkPrivate(text string) {
	if tells(text) {
		w.t.Errorf("this tells a secret or a number: %s", text)
	}
}

// tells reports whether a text holds what must not be told.
func tells(text string) bool {
	return strings.Contains(text, plantedPhone[1:]) || strings.Contains(text, plantedSecret)
}

// since is how far an instant lies after the start.
func since(t time.Time) time.Duration { return t.Sub(start) }

// diff reports the first lines in which two texts differ.
func diff(t *testing.T, what string, got, want []string) {
	t.Helper()
	for i := range max(len(got), len(want)) {
		g, w := "(nothing)", "(nothing)"
		if i < len(got) {
			g = got[i]
		}
		if i < len(want) {
			w = want[i]
		}
		if g != w {
			t.Errorf("%s, entry %d of %d:\n got %s\nwant %s", what, i+1, len(want), g, w)
			return
		}
	}
}

// history is what happened to a call, in one line.
func history(c call.Call) string {
	var lines []string
	for _, e := range c.History {
		lines = append(lines, fmt.Sprintf("%s %s", since(e.At).Round(time.Second), e.What))
	}
	return strings.Join(lines, "; ")
}

// events is a journal that keeps everything.
type events struct {
	mu      sync.Mutex
	entries []journal.Entry
}

func (e *events) Write(entry journal.Entry) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.entries = append(e.entries, entry)
}

func (e *events) all() []journal.Entry {
	e.mu.Lock()
	defer e.mu.Unlock()
	return slices.Clone(e.entries)
}

// count counts the entries with an event.
func (e *events) count(event string) int {
	n := 0
	for _, entry := range e.all() {
		if entry.Event == event {
			n++
		}
	}
	return n
}
