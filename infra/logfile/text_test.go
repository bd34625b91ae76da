package logfile

import (
	"os"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"callagent/core/journal"
)

var start0 = time.Date(2026, 11, 22, 9, 0, 0, 0, time.UTC)

// outage is the required scenario as the journal tells it: ElevenLabs answers
// 503 to the first contact until its retries are spent, then comes back.
func outage() []journal.Entry {
	at := func(seconds float64, l journal.Level, service, circuit, contact string, retry int, event, message string) journal.Entry {
		e := journal.Entry{Time: start0.Add(time.Duration(seconds * float64(time.Second))), Level: l, Service: service,
			Circuit: circuit, Contact: contact, Event: event, Message: message}
		if contact != "" {
			e.Retry, e.CallID, e.Campaign = &retry, "default/"+contact, "default"
		}
		return e
	}
	const down = "transient: elevenlabs: service_unavailable (503): Service Unavailable"
	took := func(e journal.Entry, ms int64) journal.Entry { e.Duration = ms; return e }
	return []journal.Entry{
		took(at(0.8, journal.Info, "llm", "CLOSED", "c-001", 0, "step_done", "script done"), 812),
		took(at(1.1, journal.Error, "elevenlabs", "CLOSED", "c-001", 0, "request_failed", down), 240),
		at(1.1, journal.Warning, "elevenlabs", "CLOSED", "c-001", 1, "retry_scheduled", "Retry 1 of 3 in 5.3s."),
		took(at(6.7, journal.Error, "elevenlabs", "CLOSED", "c-001", 1, "request_failed", down), 231),
		at(6.7, journal.Warning, "elevenlabs", "CLOSED", "c-001", 2, "retry_scheduled", "Retry 2 of 3 in 10.9s."),
		took(at(17.9, journal.Error, "elevenlabs", "CLOSED", "c-001", 2, "request_failed", down), 228),
		at(17.9, journal.Warning, "elevenlabs", "CLOSED", "c-001", 3, "retry_scheduled", "Retry 3 of 3 in 22.4s."),
		took(at(40.5, journal.Error, "elevenlabs", "CLOSED", "c-001", 3, "request_failed", down), 236),
		at(40.5, journal.Error, "elevenlabs", "OPEN", "c-001", 3, "retries_spent", "Retries spent (3 of 3): elevenlabs: service_unavailable (503): Service Unavailable"),
		at(40.5, journal.Error, "elevenlabs", "OPEN", "", 0, "circuit_opened", "Circuit OPEN for 10s: no request is sent before the next health check."),
		at(40.6, journal.Warning, "elevenlabs", "OPEN", "c-001", 0, "call_parked", "Skipped, next contact. Set aside: elevenlabs is down."),
		at(40.7, journal.Warning, "elevenlabs", "OPEN", "c-002", 0, "call_parked", "Skipped, next contact. Set aside: the circuit of elevenlabs is open."),
		at(40.8, journal.Warning, "elevenlabs", "OPEN", "c-003", 0, "call_parked", "Skipped, next contact. Set aside: the circuit of elevenlabs is open."),
		at(50.6, journal.Warning, "elevenlabs", "OPEN", "", 0, "circuit_reopened", "Circuit stays OPEN, next health check in 5s."),
		at(55.9, journal.Info, "elevenlabs", "HALF_OPEN", "", 0, "probe_passed", "The health check passed."),
		at(56.4, journal.Info, "elevenlabs", "CLOSED", "", 0, "circuit_closed", "Circuit CLOSED: calls that were set aside are released."),
		took(at(56.4, journal.Info, "elevenlabs", "CLOSED", "c-001", 0, "step_done", "speech done"), 410),
		at(71.8, journal.Info, "twilio", "CLOSED", "c-001", 0, "answer_received", "The provider reports: answered."),
		at(72.0, journal.Info, "", "", "c-001", 0, "call_completed", "Completed: answered"),
		at(72.1, journal.Error, "twilio", "CLOSED", "c-004", 0, "call_failed", "Failed, next contact: the number\ndoes not exist"),
		at(72.2, journal.Error, "", "", "", 0, "ledger_silent", "The ledger does not answer: nothing is dialled, the message goes back."),
	}
}

func TestAnOutageReadsAtAGlance(t *testing.T) {
	var got strings.Builder
	for _, e := range outage() {
		got.WriteString(Text(e) + "\n")
	}
	want, err := os.ReadFile("testdata/outage.log")
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(string(want), got.String()); d != "" {
		t.Errorf("testdata/outage.log (-want +got):\n%s", d)
	}
}

func TestTextIsOneLineAndKeepsTheColumns(t *testing.T) {
	e := outage()[2]
	e.Message = "a\nb\r\tc\x1b[31md\u2028e"
	text := Text(e)
	if strings.ContainsAny(text, "\n\r\t\x1b\u2028") {
		t.Errorf("%q has control characters", text)
	}
	column := strings.Index(text, "..")
	for _, e := range outage() {
		if mark := marks[e.Event]; mark != "" && strings.Index(Text(e), " "+mark+" ") != column-1 {
			t.Errorf("the mark is not in column %d of %q", column, Text(e))
		}
	}
}
