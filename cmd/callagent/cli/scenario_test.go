package cli

import (
	"bytes"
	"encoding/json"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"callagent/core/journal"
	"callagent/localstack/simulator"
)

// rehearsal is one scenario played to its end.
type rehearsal struct {
	summary summary
	report  simulator.Report
	journal []journal.Entry
	text    string // app.log
}

// rehearse plays a built-in scenario twenty times as fast, in a folder of its
// own, and expects the exit status.
func rehearse(t *testing.T, name string, status int) rehearsal {
	t.Helper()
	dir := t.TempDir()
	t.Chdir(dir)
	var out, errs bytes.Buffer
	w := World{In: strings.NewReader(""), Out: &out, Err: &errs, Env: func(string) (string, bool) { return "", false }}
	if got := Run([]string{"simulate", "--scenario", name, "--speed", "20", "--json", "--report", "report.json"}, w); got != status {
		t.Fatalf("exit status %d, want %d: %s", got, status, errs.String())
	}
	var r rehearsal
	decode(t, out.Bytes(), &r.summary)
	decode(t, read(t, "report.json"), &r.report)
	for line := range strings.Lines(string(read(t, "app_logs.json"))) {
		var e journal.Entry
		decode(t, []byte(line), &e)
		r.journal = append(r.journal, e)
	}
	r.text = string(read(t, "app.log"))
	return r
}

func read(t *testing.T, file string) []byte {
	t.Helper()
	data, err := os.ReadFile(filepath.Clean(file))
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func decode(t *testing.T, data []byte, to any) {
	t.Helper()
	if err := json.NewDecoder(bytes.NewReader(data)).Decode(to); err != nil && err != io.EOF {
		t.Fatalf("%v in %s", err, data)
	}
}

// Every built-in scenario ends as its own file expects, which simulate itself
// checks; the summary says the same.
func TestScenarios(t *testing.T) {
	for _, name := range scenarioNames() {
		t.Run(name, func(t *testing.T) {
			s, _, err := findScenario(name)
			if err != nil {
				t.Fatal(err)
			}
			r := rehearse(t, name, s.Expect["exit"])
			if wrong := r.summary.differs(s.Expect); len(wrong) > 0 {
				t.Error(wrong)
			}
			if max := r.summary.MaxRings; max != 1 {
				t.Errorf("a contact was rung %d times", max)
			}
		})
	}
}

// The required scenario of the source documents: what the log shows, in this
// order, and what ElevenLabs saw.
func TestElevenLabs503FollowsTheSourceDocuments(t *testing.T) {
	r := rehearse(t, "elevenlabs-503", ok)
	first := ""
	find := func(from int, what string, is func(journal.Entry) bool) int {
		t.Helper()
		for i := from; i < len(r.journal); i++ {
			if is(r.journal[i]) {
				return i
			}
		}
		t.Fatalf("after entry %d the log does not show: %s", from, what)
		return 0
	}
	event := func(name string) func(journal.Entry) bool {
		return func(e journal.Entry) bool {
			return e.Event == name && e.Service == "elevenlabs" && (first == "" || e.Contact == "" || e.Contact == first)
		}
	}
	at := find(0, "503 seen and called transient", func(e journal.Entry) bool {
		return event("request_failed")(e) && e.Status == 503 && e.Class == "transient"
	})
	first = r.journal[at].Contact
	failed := r.journal[at].Time
	for _, wait := range []time.Duration{5 * time.Second, 10 * time.Second, 20 * time.Second} {
		at = find(at+1, "a retry is scheduled", event("retry_scheduled"))
		at = find(at+1, "the retry fails", event("request_failed"))
		if waited := r.journal[at].Time.Sub(failed); waited < wait {
			t.Errorf("waited %s, at least %s are due", waited, wait)
		}
		failed = r.journal[at].Time
	}
	at = find(at+1, "retries spent", event("retries_spent"))
	at = find(at+1, "alert", event("alert_raised"))
	at = find(at+1, "circuit OPEN", event("circuit_opened"))
	opened := r.journal[at].Time
	at = find(at+1, "the call is set aside", event("call_parked"))
	if !strings.Contains(r.journal[at].Message, "Skipped, next contact") {
		t.Errorf("a reader does not see that the next contact is taken: %q", r.journal[at].Message)
	}
	find(at+1, "the next contact is taken", func(e journal.Entry) bool { return e.Contact != "" && e.Contact != first })
	at = find(at+1, "circuit CLOSED", event("circuit_closed"))
	closed := r.journal[at].Time
	find(at+1, "calls are released", event("calls_released"))

	probes := 0
	for _, q := range r.report.Requests {
		if q.Service == "elevenlabs" && q.At.After(opened) && q.At.Before(closed) {
			probes++
		}
	}
	if most := int(closed.Sub(opened)/(4*time.Second)) + 2; probes == 0 || probes > most {
		t.Errorf("%d requests reached ElevenLabs while the circuit was open for %s, at most %d are probes", probes, closed.Sub(opened), most)
	}
	toldOn := []int{len(r.report.Email), len(r.report.Telegram), len(r.report.Webhooks)}
	if slices.Min(toldOn) == 0 {
		t.Errorf("email, telegram and webhook received %v messages", toldOn)
	}
}

// Completed during the outage, recorded after it.
func TestCRMDownDelaysOnlyTheRecord(t *testing.T) {
	r := rehearse(t, "crm-down", ok)
	var closed time.Time
	completed := 0
	for _, e := range r.journal {
		switch {
		case e.Event == "circuit_closed" && e.Service == "crm":
			closed = e.Time
		case e.Event == "call_completed" && closed.IsZero():
			completed++
		}
	}
	if completed != 12 || closed.IsZero() {
		t.Errorf("%d of 12 calls were completed before the CRM came back", completed)
	}
	if len(r.report.CRM) == 0 {
		t.Error("nothing was recorded")
	}
}
