package cloudlog

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"callagent/core/journal"
)

var noon = time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)

// outage is what the journal of one invocation says while a service fails.
func outage() []journal.Entry {
	of := func(l journal.Level, service, circuit, contact, event, message string) journal.Entry {
		e := journal.Entry{Time: noon, Level: l, Service: service, Circuit: circuit, Event: event, Message: message}
		if contact != "" {
			retry := 3
			e.Retry, e.Contact, e.Campaign, e.CallID = &retry, contact, "spring", "spring/"+contact
		}
		return e
	}
	released := of(journal.Info, "llm", "CLOSED", "", "calls_released", "7 calls released, 3 still set aside.")
	released.Count = 7
	return []journal.Entry{
		of(journal.Info, "llm", "CLOSED", "c-001", "step_done", "script done"),
		of(journal.Error, "elevenlabs", "CLOSED", "c-001", "request_failed", "transient: elevenlabs: service_unavailable (503)"),
		of(journal.Error, "elevenlabs", "CLOSED", "c-001", "retries_spent", "Retries spent (3 of 3)."),
		of(journal.Error, "elevenlabs", "OPEN", "", "circuit_opened", "Circuit OPEN for 10s."),
		of(journal.Warning, "elevenlabs", "OPEN", "c-001", "call_parked", "Skipped, next contact."),
		of(journal.Warning, "elevenlabs", "OPEN", "c-002", "call_parked", "Skipped, next contact."),
		of(journal.Error, "twilio", "CLOSED", "c-003", "call_failed", "Failed, next contact: +1********06 does not exist"),
		of(journal.Info, "", "", "c-004", "call_completed", "Completed: answered"),
		released,
		of(journal.Info, "email", "", "", "alert_sent", "Told by email: ElevenLabs is down"),
		of(journal.Warning, "telegram", "", "", "alert_failed", "Alerts by telegram fail and are sent again later."),
		of(journal.Info, "", "", "c-005", "call_waits", "Waits 5s."),
	}
}

// open makes a journal whose clock stands still.
func open() (*Journal, *bytes.Buffer) {
	var out bytes.Buffer
	return New(Options{Out: &out, Function: "call", Now: func() time.Time { return noon }}), &out
}

func TestAnInvocation(t *testing.T) {
	j, out := open()
	for _, e := range outage() {
		j.Write(e)
	}
	j.CircuitOpen("twilio", false)
	j.Flush()
	want, err := os.ReadFile("testdata/invocation.log")
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(strings.Split(string(want), "\n"), strings.Split(out.String(), "\n")); d != "" {
		t.Errorf("testdata/invocation.log (-want +got):\n%s", d)
	}
	out.Reset()
	j.Flush()
	if out.Len() > 0 {
		t.Errorf("nothing was written since, but it prints %s", out)
	}
}

// valid checks a line by the rules of the embedded metric format and returns
// the values of its metrics.
func valid(line []byte) (map[string]float64, error) {
	var (
		root   map[string]any
		format struct {
			Metadata *struct {
				Timestamp         *int64
				CloudWatchMetrics []struct {
					Namespace  string
					Dimensions [][]string
					Metrics    []struct{ Name, Unit string }
				}
			} `json:"_aws"`
		}
	)
	if err := errors.Join(json.Unmarshal(line, &root), json.Unmarshal(line, &format)); err != nil {
		return nil, err
	}
	if format.Metadata == nil || format.Metadata.Timestamp == nil || len(format.Metadata.CloudWatchMetrics) != 1 {
		return nil, errors.New("it has no metadata")
	}
	d, values := format.Metadata.CloudWatchMetrics[0], map[string]float64{}
	switch {
	case len(line) > 256<<10:
		return nil, errors.New("it is too long")
	case len(d.Namespace) < 1 || len(d.Namespace) > 1024:
		return nil, errors.New("it has no namespace")
	case len(d.Dimensions) != 1 || len(d.Dimensions[0]) > 30:
		return nil, errors.New("it has not one set of dimensions")
	case len(d.Metrics) < 1 || len(d.Metrics) > 100:
		return nil, fmt.Errorf("it has %d metrics", len(d.Metrics))
	}
	for _, name := range d.Dimensions[0] {
		if value, ok := root[name].(string); !ok || value == "" || len(value) > 1024 || len(name) < 1 || len(name) > 250 {
			return nil, fmt.Errorf("dimension %q is %q", name, value)
		}
	}
	for _, m := range d.Metrics {
		value, ok := root[m.Name].(float64)
		if !ok || len(m.Name) < 1 || len(m.Name) > 1024 || m.Unit != "Count" && m.Unit != "None" {
			return nil, fmt.Errorf("metric %q is %v %s", m.Name, root[m.Name], m.Unit)
		}
		values[m.Name] = value
	}
	if extra := len(root) - 1 - len(d.Dimensions[0]) - len(d.Metrics); extra != 0 {
		return nil, fmt.Errorf("%d members are neither dimension nor metric", extra)
	}
	return values, nil
}

// flushed gives the lines of the next Flush.
func flushed(j *Journal, out *bytes.Buffer) [][]byte {
	out.Reset()
	j.Flush()
	return slices.Collect(bytes.Lines(out.Bytes()))
}

func TestMetricsAreInTheEmbeddedMetricFormat(t *testing.T) {
	j, out := open()
	for event := range counters {
		j.Write(journal.Entry{Time: noon, Event: event, Service: "twilio", CallID: "spring/c-001", Contact: "c-001", Message: "+15005550006"})
		j.Write(journal.Entry{Time: noon, Event: event}) // it has no service
	}
	for event := range gauges {
		j.Write(journal.Entry{Time: noon, Event: event, Service: "crm"})
	}
	lines := flushed(j, out)
	seen := map[string]bool{}
	for _, line := range lines {
		values, err := valid(line)
		if err != nil {
			t.Errorf("%v: %s", err, line)
		}
		if _, alone := values["ColdStart"]; alone && len(values) > 1 {
			t.Errorf("a cold start is not in a line of its own: %s", line)
		}
		for name := range values {
			seen[name] = true
		}
		for _, private := range []string{"c-001", "spring", "5005550006"} {
			if bytes.Contains(line, []byte(private)) {
				t.Errorf("a line of metrics has %q: %s", private, line)
			}
		}
	}
	for _, all := range counters {
		for _, c := range all {
			if !seen[c.name] {
				t.Errorf("%s is not printed", c.name)
			}
		}
	}
	if !seen["CircuitOpen"] || !seen["ColdStart"] {
		t.Errorf("printed are %v", seen)
	}
}

func TestTheCheckOfTheFormatBites(t *testing.T) {
	const good = `{"A":1,"service":"llm","_aws":{"Timestamp":1,"CloudWatchMetrics":[{"Namespace":"n","Dimensions":[["service"]],"Metrics":[{"Name":"A","Unit":"Count"}]}]}}`
	if _, err := valid([]byte(good)); err != nil {
		t.Fatal(err)
	}
	for _, change := range [][2]string{
		{`"A":1,`, ``}, {`"A":1`, `"A":"1"`}, {`"service":"llm"`, `"service":""`}, {`"service":"llm",`, ``}, {`"Timestamp":1,`, ``},
		{`"Namespace":"n",`, ``}, {`"Unit":"Count"`, `"Unit":"Calls"`}, {`"Dimensions":[["service"]]`, `"Dimensions":[]`},
		{`"A":1`, `"A":1,"call_id":"x"`}, {`{"Name":"A","Unit":"Count"}`, ``}, {`_aws`, `aws`},
	} {
		bad := strings.Replace(good, change[0], change[1], 1)
		if _, err := valid([]byte(bad)); bad == good || err == nil {
			t.Errorf("it takes %s", bad)
		}
	}
}

func TestAGaugeIsTheLastMeasure(t *testing.T) {
	j, out := open()
	j.Flush() // the cold start
	for _, c := range []struct {
		events []string
		want   float64
	}{
		{[]string{"circuit_opened"}, 1},
		{[]string{"circuit_opened", "circuit_closed"}, 0},
		{[]string{"circuit_closed", "circuit_reopened"}, 1},
	} {
		for _, event := range c.events {
			j.Write(journal.Entry{Time: noon, Event: event, Service: "llm", Count: 5})
		}
		if values, err := valid(flushed(j, out)[0]); err != nil || values["CircuitOpen"] != c.want {
			t.Errorf("%v gives %v, %v", c.events, values, err)
		}
	}
}

func TestEventsOfTheTablesAreEventsOfTheJournal(t *testing.T) {
	page, err := os.ReadFile("../../docs/logs.md")
	if err != nil {
		t.Fatal(err)
	}
	check := func(event string) {
		if !strings.Contains(string(page), "`"+event+"`") {
			t.Errorf("docs/logs.md knows no event %q", event)
		}
	}
	for event := range counters {
		check(event)
	}
	for event := range gauges {
		check(event)
	}
}

// lines is a writer that keeps what each write brought.
type lines []string

// Write takes one line.
func (l *lines) Write(p []byte) (int, error) {
	*l = append(*l, string(p))
	return len(p), nil
}

func TestManyWritersKeepLinesWhole(t *testing.T) {
	const writers, each = 16, 100
	var out lines
	j := New(Options{Out: &out})
	var all sync.WaitGroup
	for w := range writers {
		all.Go(func() {
			for n := range each {
				j.Write(journal.Entry{Time: noon, Event: "call_parked", Message: fmt.Sprint(w, n)})
				j.CircuitOpen("llm", true)
			}
		})
	}
	all.Wait()
	if got := j.Take(); len(got) != writers*each || len(out) != writers*each {
		t.Errorf("%d entries kept in %d lines, want %d", len(got), len(out), writers*each)
	}
	out = nil
	j.Flush()
	if len(out) != 3 {
		t.Fatalf("%d lines of metrics: %q", len(out), out)
	}
	whole := regexp.MustCompile(`^\{.*\}\n$`)
	for _, line := range out {
		if !whole.MatchString(line) || !json.Valid([]byte(line)) {
			t.Errorf("no whole line: %q", line)
		}
	}
	if values, err := valid([]byte(out[0])); err != nil || values["CallsParked"] != writers*each {
		t.Errorf("%v, %v", values, err)
	}
}

func TestTakeGivesWhatIsNew(t *testing.T) {
	j, _ := open()
	for _, e := range outage() {
		j.Write(e)
	}
	if d := cmp.Diff(outage(), j.Take()); d != "" {
		t.Errorf("taken (-want +got):\n%s", d)
	}
	if got := j.Take(); len(got) != 0 {
		t.Errorf("taken again: %v", got)
	}
	for range mostKept + 1 {
		j.Write(journal.Entry{Time: noon})
	}
	if got := j.Take(); len(got) != mostKept {
		t.Errorf("%d entries are kept", len(got))
	}
}

// brokenPipe takes nothing.
type brokenPipe struct{}

// Write fails.
func (brokenPipe) Write([]byte) (int, error) { return 0, errors.New("broken pipe") }

func TestALogThatCannotBeWrittenHoldsUpNothing(t *testing.T) {
	j := New(Options{Out: brokenPipe{}})
	j.Write(outage()[0])
	j.Flush()
	if len(j.Take()) != 1 {
		t.Error("the entry is lost for the queue too")
	}
}
