package main

import (
	"slices"
	"strings"
	"testing"
	"time"

	"callagent/core/journal"
)

// A run that does not bear out what the page claims makes no page.
func TestClaimsAreChecked(t *testing.T) {
	_, sound := read(t)
	o, err := sound.outage()
	if err != nil {
		t.Fatal(err)
	}
	during := o.Opened.Add(3 * time.Second)
	for _, c := range []struct {
		what, want string
		change     func(*trail)
	}{
		{"a dial while the circuit is open", "1 requests to twilio while the circuit was open, 0 were health checks", func(t *trail) {
			t.requests = append(t.requests, request{At: during, Service: "twilio", Route: "create", Status: 201})
		}},
		{"a request that is no health check", "requests to elevenlabs while the circuit was open", func(t *trail) {
			t.requests = append(t.requests, request{At: during, Service: "elevenlabs", Route: "speech", Status: 503, Fault: "503"})
		}},
		{"a retry that comes too early", "20s are due", func(t *trail) {
			last := slices.IndexFunc(t.journal, func(e journal.Entry) bool { return e.Event == "retries_spent" }) - 1
			t.journal = slices.Clone(t.journal)
			t.journal[last].Time = t.journal[last].Time.Add(-5 * time.Second)
		}},
		{"a retry less", "2 retries instead of 3", func(t *trail) {
			i := slices.IndexFunc(t.journal, func(e journal.Entry) bool { return e.Event == "request_failed" })
			t.journal = slices.Delete(slices.Clone(t.journal), i, i+1)
		}},
		{"a phone that rang twice", "rang up to 2 times", func(t *trail) { t.MostRings = 2 }},
		{"a contact that was lost", "of 12 contacts 11 were completed", func(t *trail) { t.Summary.Completed-- }},
		{"a silent channel", "the channels received", func(t *trail) {
			t.Alerts = slices.DeleteFunc(slices.Clone(t.Alerts), func(n notice) bool { return n.Channel == "telegram" })
		}},
		{"an alert that came twice", "was told twice", func(t *trail) { t.Alerts = append(slices.Clone(t.Alerts), t.Alerts[0]) }},
		{"no outage", "the log shows no outage", func(t *trail) { t.journal = t.journal[:5] }},
		{"an empty sheet", "the sheet is empty", func(t *trail) { t.log = nil }},
	} {
		other := sound
		c.change(&other)
		if _, err := other.outage(); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %q", c.what, err, c.want)
		}
	}
}
