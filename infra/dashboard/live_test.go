package dashboard_test

import (
	"bufio"
	"context"
	"net/http"
	"strings"
	"testing"
	"time"

	"callagent/core/call"
	"callagent/infra/dashboard"
)

// stream listens for changes until the test ends.
func (d *desk) stream() <-chan string {
	d.t.Helper()
	ctx, cancel := context.WithTimeout(d.t.Context(), 20*time.Second)
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, d.server.URL+"/live", nil)
	must(d.t, err)
	res, err := d.client.Do(r)
	must(d.t, err)
	if kind := res.Header.Get("Content-Type"); res.StatusCode != http.StatusOK || kind != "text/event-stream" {
		d.t.Fatalf("%s %s", res.Status, kind)
	}
	events := make(chan string, 100)
	over := make(chan struct{})
	go func() {
		defer close(over)
		defer close(events)
		var event strings.Builder
		for lines := bufio.NewScanner(res.Body); lines.Scan(); {
			if event.WriteString(lines.Text() + "\n"); lines.Text() == "" {
				events <- event.String()
				event.Reset()
			}
		}
	}()
	d.t.Cleanup(func() { cancel(); res.Body.Close(); <-over })
	return events
}

// events are those of the first seconds.
func (d *desk) events(seconds int) []string {
	d.t.Helper()
	stream := d.stream()
	limit := time.After(time.Duration(seconds) * time.Second)
	var all []string
	for {
		select {
		case e := <-stream:
			all = append(all, e)
		case <-limit:
			return all
		}
	}
}

// await reads events until one has the parts.
func await(t *testing.T, stream <-chan string, parts ...string) {
	t.Helper()
	limit := time.After(5 * time.Second)
	var seen strings.Builder
next:
	for {
		select {
		case <-limit:
			t.Fatalf("no event has %q:\n%s", parts, seen.String())
		case e := <-stream:
			seen.WriteString(e)
			for _, p := range parts {
				if !strings.Contains(e, p) {
					continue next
				}
			}
			return
		}
	}
}

func TestChangesArriveByThemselves(t *testing.T) {
	d := newDesk(t, nil)
	stream := d.stream()
	await(t, stream, "event: hello\n")
	await(t, stream, "event: headline\n", "Everything is working.")
	d.circuit(open(time.Now(), time.Minute))
	await(t, stream, "event: headline\n", "ElevenLabs is not working.")
	await(t, stream, "event: circuits\n", "data-until=")
	d.tell(outage(time.Now())...)
	await(t, stream, "event: events\n", "All 3 retries failed")
	must(t, d.store.Put(t.Context(), call.Write{Call: specimen(101, time.Now())}))
	await(t, stream, "event: people\n", "renewals/c-00101")
}

// Without a choice the chart shows what fits the calls, and the choice above it
// says so.
func TestTheChartsSpanIsNamedWhenItChanges(t *testing.T) {
	d := newDesk(t, func(o *dashboard.Options) { o.Fresh = 100 * time.Millisecond })
	stream := d.stream()
	await(t, stream, "event: spans\n", `aria-current="true">12 hours`)
	must(t, d.store.Put(t.Context(), call.Write{Call: specimen(1, time.Now())}))
	await(t, stream, "event: spans\n", `aria-current="true">2 hours`)
}

// A browser hears only of what changed: a countdown is its own business.
func TestWhatStaysIsNotSentAgain(t *testing.T) {
	d := newDesk(t, nil)
	d.circuit(open(time.Now(), time.Minute))
	sent := map[string]int{}
	for _, e := range d.events(4) {
		name, _, _ := strings.Cut(e, "\n")
		sent[name]++
	}
	for _, name := range []string{"hello", "headline", "circuits", "spans", "campaigns", "events"} {
		if n := sent["event: "+name]; n != 1 {
			t.Errorf("%s was sent %d times in 4 s, want once", name, n)
		}
	}
}
