package cli

import (
	"bytes"
	"encoding/json"
	"fmt"
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
}

// rehearse plays a scenario twenty times as fast, in a folder of its own, and
// expects the exit status and nothing to complain about.
func rehearse(t *testing.T, name string, status int) rehearsal {
	t.Helper()
	dir := t.TempDir()
	file := func(name string) string { return filepath.Join(dir, name) }
	logs := fmt.Sprintf("[log]\nfile = %q\nreadable_file = %q\n", file("app_logs.json"), file("app.log"))
	if err := os.WriteFile(file("callagent.toml"), []byte(logs), 0o600); err != nil {
		t.Fatal(err)
	}
	var out, errs bytes.Buffer
	w := World{In: strings.NewReader(""), Out: &out, Err: &errs, Env: func(string) (string, bool) { return "", false }}
	args := []string{"simulate", "--scenario", name, "--speed", "20", "--json", "--settings", file("callagent.toml"), "--report", file("report.json")}
	if got := Run(args, w); got != status {
		t.Fatalf("exit status %d, want %d: %s", got, status, errs.String())
	}
	if strings.Contains(errs.String(), "did not end as expected") {
		t.Error(errs.String())
	}
	var r rehearsal
	decode(t, out.Bytes(), &r.summary)
	decode(t, read(t, file("report.json")), &r.report)
	for line := range strings.Lines(string(read(t, file("app_logs.json")))) {
		var e journal.Entry
		decode(t, []byte(line), &e)
		r.journal = append(r.journal, e)
	}
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

// particulars is what some scenarios have to show besides their summary.
var particulars = map[string]func(*testing.T, rehearsal){
	"elevenlabs-503": followsTheSourceDocuments,
	"crm-down":       delaysOnlyTheRecord,
	"wrong-key":      tellsAtOnceAndAsksRarely,
	"throttled":      keepsThePause,
	"dial-500":       burnsAFew,
	"night":          ringsNobodyAtNight,
}

// Every built-in scenario ends as its own file expects, which simulate itself
// checks, and rings nobody twice.
func TestScenarios(t *testing.T) {
	for _, name := range scenarioNames() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s, _, err := findScenario(name)
			if err != nil {
				t.Fatal(err)
			}
			r := rehearse(t, name, s.Expect.Numbers["exit"].Least)
			if most := r.summary.MaxRings; most > 1 {
				t.Errorf("a contact was rung %d times", most)
			}
			if show := particulars[name]; show != nil {
				show(t, r)
			}
		})
	}
}

// when is the time of the first event of a service; zero if there is none.
func (r rehearsal) when(event, service string) time.Time {
	for _, e := range r.journal {
		if e.Event == event && e.Service == service {
			return e.Time
		}
	}
	return time.Time{}
}

func (r rehearsal) count(event, service string) int {
	n := 0
	for _, e := range r.journal {
		if e.Event == event && e.Service == service {
			n++
		}
	}
	return n
}

// requests are those that a service got, of one kind.
func (r rehearsal) requests(service, route string) []simulator.Request {
	return slices.DeleteFunc(slices.Clone(r.report.Requests), func(q simulator.Request) bool {
		return q.Service != service || q.Route != route
	})
}

// The required scenario of the source documents: what the log shows, in this
// order, and what ElevenLabs saw.
func followsTheSourceDocuments(t *testing.T, r rehearsal) {
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
func delaysOnlyTheRecord(t *testing.T, r rehearsal) {
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

// Every channel hears of a wrong key at once, and the key is not tried
// by contact after contact.
func tellsAtOnceAndAsksRarely(t *testing.T, r rehearsal) {
	refused := r.when("request_failed", "elevenlabs")
	for _, channel := range []string{"email", "telegram", "webhook"} {
		if told := r.when("alert_sent", channel); told.IsZero() || told.Sub(refused) > time.Minute {
			t.Errorf("%s was told %s after the first refusal", channel, told.Sub(refused))
		}
	}
	if n := len(r.requests("elevenlabs", "speech")); n > 4+3 {
		t.Errorf("%d requests were sent with a wrong key: 4 may be in flight, then only tests", n)
	}
	if len(r.summary.Waiting) != 1 || !strings.Contains(r.summary.Waiting[0], "12 for ElevenLabs") {
		t.Errorf("the run ends and says %q", r.summary.Waiting)
	}
}

// While the LLM asks for ten seconds nobody sends it anything, no retry is used
// up, and Twilio is dialled at its pace.
func keepsThePause(t *testing.T, r rehearsal) {
	asked := r.requests("llm", "completions")
	first := asked[0].At
	for _, q := range asked {
		if since := q.At.Sub(first); since > 2*time.Second && since < 10*time.Second {
			t.Errorf("a request came %s after the LLM asked for 10 s", since)
		}
	}
	for _, service := range []string{"llm", "elevenlabs", "twilio"} {
		if n := r.count("retry_scheduled", service); n > 0 {
			t.Errorf("%s: %d retries were used up", service, n)
		}
		if n := r.count("service_paused", service); n == 0 {
			t.Errorf("%s was never left alone", service)
		}
	}
	dials := r.requests("twilio", "create")
	if took := dials[len(dials)-1].At.Sub(dials[0].At); took < time.Duration(len(dials)-2)*time.Second {
		t.Errorf("%d dials in %s", len(dials), took)
	}
}

// Each real test that fails burns one contact and doubles the distance to the
// next; besides that only what was in flight at the trip is unknown.
func burnsAFew(t *testing.T, r rehearsal) {
	var failed []time.Time
	for _, e := range r.journal {
		if e.Event == "circuit_reopened" && e.Service == "twilio" {
			failed = append(failed, e.Time)
		}
	}
	const threshold, workers = 3, 8
	if most := threshold + workers + len(failed); r.summary.Unknown > most {
		t.Errorf("%d are unknown, at most %d after %d failed tests", r.summary.Unknown, most, len(failed))
	}
	for i, floor := 1, 20*time.Second; i < len(failed); i, floor = i+1, 2*floor {
		if gap := failed[i].Sub(failed[i-1]); gap < floor {
			t.Errorf("the next contact was risked after %s, not %s", gap, floor)
		}
	}
}

// Where it is night at the start the phone rings from nine o'clock on.
func ringsNobodyAtNight(t *testing.T, r rehearsal) {
	opens := time.Date(2026, 11, 23, 8, 0, 0, 0, time.UTC)
	early := 0
	for _, c := range r.report.Calls {
		if c.Created.Before(opens) {
			early++
		}
	}
	if early != 3 || len(r.report.Calls) != 8 {
		t.Errorf("%d of %d calls were made before nine, 3 of 8 may be", early, len(r.report.Calls))
	}
	if n := len(r.requests("elevenlabs", "speech")); n != 8 {
		t.Errorf("%d recordings were paid for", n)
	}
}
