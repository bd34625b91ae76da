package main

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"testing"

	"callagent/core/journal"
)

// story is what happened in a run, without what chance decides: times, waits
// within their bounds, ids, which contact the outage met, and how many health
// checks failed before one passed. Everything else stands in it word by word and
// in its order; what goes on side by side has an order of its own each.
func story(p parts, t trail) []string {
	o, err := t.outage()
	lines := []string{fmt.Sprintf("claims: %v", err), fmt.Sprintf("summary: %+v, %d phones, %d rings at most", t.Summary, t.Phones, t.MostRings)}
	lines = append(lines, milestones(t.journal)...)
	var log, rows []line
	for _, e := range t.journal {
		log = append(log, line{e.Contact, e.Service, fmt.Sprintf("%s %s retry %s %s %s %s %s %d: %s",
			e.Level, e.Event, retried(e), e.Circuit, e.Step, e.Class, e.Kind, e.Status, e.Message)})
	}
	contact, service := slices.Index(t.log[0], "Contact"), slices.Index(t.log[0], "Service")
	for _, r := range t.log[1:] {
		full := pick(r, upTo(len(t.log[0])))
		rows = append(rows, line{full[contact], full[service], strings.Join(without(full, "Time", "Duration (ms)", t.log[0]), " | ")})
	}
	lines = append(lines, strings.Join(t.log[0], " | "))
	lines = append(lines, threads("log", log, o.Failing)...)
	lines = append(lines, threads("sheet", rows, o.Failing)...)
	for _, r := range t.ending {
		lines = append(lines, "status at the end: "+usual(strings.Join(r, " | ")))
	}
	lines = append(lines, asked(t)...)
	return strings.Split(strings.Join(append(lines, letters(p, t.Alerts)...), "\n"), "\n")
}

// milestones are the events in the order in which each first came, but for
// those that goroutines of their own write down.
func milestones(log []journal.Entry) []string {
	var order []string
	for _, e := range log {
		if beside := []string{"alert_sent", "calls_released"}; !slices.Contains(order, e.Event) && !slices.Contains(beside, e.Event) {
			order = append(order, e.Event)
		}
	}
	return []string{"events in the order of their first time: " + strings.Join(order, ", ")}
}

func retried(e journal.Entry) string {
	if e.Retry == nil {
		return "-"
	}
	return fmt.Sprint(*e.Retry)
}

// without is a row without two of its columns.
func without(row []string, a, b string, head []string) []string {
	var kept []string
	for i, text := range row {
		if head[i] != a && head[i] != b {
			kept = append(kept, text)
		}
	}
	return kept
}

// line is something that was written down about a contact, or of a service.
type line struct{ contact, service, text string }

// threads gives what was written about each contact, and of each service, in
// its order. Contacts that fared alike are told of once.
func threads(where string, lines []line, failing string) []string {
	told := map[string][]string{}
	for _, l := range lines {
		who := l.contact
		switch who {
		case failing:
			who = "the contact that failed"
		case "":
			who = "service " + l.service
		}
		told[who] = append(told[who], usual(contactID.ReplaceAllString(l.text, "CONTACT")))
	}
	alike := map[string]bool{}
	for who, texts := range told {
		if strings.HasPrefix(who, "c-") {
			who = "a contact"
		}
		alike[fmt.Sprintf("%s, %s:\n\t%s", where, who, strings.Join(once(texts), "\n\t"))] = true
	}
	return slices.Sorted(maps.Keys(alike))
}

var contactID = regexp.MustCompile(`\bc-\d{3}\b`)

// once tells a pair of lines that comes again and again a single time.
func once(texts []string) []string {
	for i := 0; i+3 < len(texts); {
		if slices.Equal(texts[i:i+2], texts[i+2:i+4]) {
			texts = slices.Delete(texts, i, i+2)
		} else {
			i++
		}
	}
	return texts
}

// asked counts the requests that had to be made, whatever the pace.
func asked(t trail) []string {
	count := map[string]int{}
	for _, q := range t.requests {
		if slices.Contains(ours, q.Service) && q.Fault == "" && q.Route != "fetch" && q.Service != "elevenlabs" {
			count[fmt.Sprintf("%s %s %d", q.Service, q.Route, q.Status)]++
		}
	}
	return []string{fmt.Sprintf("requests: %v", count)}
}

// letters are the alerts as they came.
func letters(p parts, alerts []notice) []string {
	var all []string
	for _, n := range alerts {
		all = append(all, fmt.Sprintf("%s %q %s:\n%s", n.Channel, n.Title, usual(n.ID), usual(softBreak.ReplaceAllString(string(p[n.File]), ""))))
	}
	return all
}

var softBreak = regexp.MustCompile("=\n")

// chance is what differs between two runs that are told alike.
var chance = []struct {
	was *regexp.Regexp
	is  string
}{
	{regexp.MustCompile(`boundary=\S+|\n--[0-9a-f]{30,}(--)?`), "BOUNDARY"},
	{regexp.MustCompile(`(Signature: |Timestamp: |Content-Length: |Date: ).*`), "${1}…"},
	{regexp.MustCompile(`\d{4}-\d\d-\d\d[T ]\d\d:\d\d(:\d\d)?(\.\d+)?Z?`), "TIME"},
	{regexp.MustCompile(`\b\d\d:\d\d(:\d\d)?\b`), "TIME"},
	{regexp.MustCompile(`\b(\d+h)?(\d+m)?\d+(\.\d+)?m?s\b`), "SOME"},
	{regexp.MustCompile(`\b\d+(\.\d+)? (ms|s|min|h)\b`), "SOME"},
	{regexp.MustCompile(`\b\d+ calls released`), "N calls released"},
	{regexp.MustCompile(`\b\d{1,2} [A-Z][a-z]{2}( \d{4})?\b`), "DAY"},
	{regexp.MustCompile(`"(offset|length)":\d+`), `"$1":N`},
}

// usual replaces what chance decides.
func usual(text string) string {
	for _, c := range chance {
		text = c.was.ReplaceAllString(text, c.is)
	}
	return text
}

func TestStoriesDifferInWhatMatters(t *testing.T) {
	for _, c := range []struct {
		a, b string
		same bool
	}{
		{"Retry 1 of 3 in 5.1s.", "Retry 1 of 3 in 5.987s.", true},
		{"Retry 1 of 3 in 5.1s.", "Retry 2 of 3 in 5.1s.", false},
		{"CLOSED again after 38 s.", "CLOSED again after 1 min.", true},
		{"Circuit OPEN for 10s", "Circuit OPEN", false},
		{"23 Nov 2026 at 03:34 UTC", "1 Dec 2027 at 00:00 UTC", true},
		{"2026-11-23 03:34:37", "2026-11-24 00:00:01", true},
		{"8 calls released, 0 still set aside.", "9 calls released, 0 still set aside.", true},
		{"8 calls released, 0 still set aside.", "8 calls released, 1 still set aside.", false},
		{"12 calls, 12 completed", "12 calls, 11 completed", false},
	} {
		if same := usual(c.a) == usual(c.b); same != c.same {
			t.Errorf("%q and %q are told alike: %v", c.a, c.b, same)
		}
	}
	failed, stays := "failed", "stays open"
	if got := once([]string{"opened", failed, stays, failed, stays, failed, stays, "passed"}); len(got) != 4 {
		t.Errorf("health checks are told as %v", got)
	}
}
