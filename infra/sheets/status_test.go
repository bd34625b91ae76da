package sheets_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	api "google.golang.org/api/sheets/v4"

	"callagent/core/breaker"
	"callagent/core/call"
	"callagent/core/fault"
	"callagent/infra/sheets"
)

// standing is how things stand around an outage of ElevenLabs.
func standing(s breaker.State) sheets.Status {
	r := breaker.Record{Service: "elevenlabs", State: s, ClosedAt: noon}
	if s != breaker.Closed {
		r.OpenedAt, r.OpenUntil, r.Streak = noon, noon.Add(10e9), 3
		r.LastFault = &fault.Fault{Service: "elevenlabs", Kind: fault.ServiceUnavailable, Status: 503, Message: "It is down."}
	}
	return sheets.Status{
		At: noon.Add(2e9), Circuits: []breaker.Record{{Service: "llm"}, r}, Parked: map[string]int{"elevenlabs": 9},
		Counts: []call.Count{{Campaign: "spring", State: call.Parked, Calls: 9}, {Campaign: "spring", State: call.Completed, Result: "answered", Calls: 2},
			{Campaign: "spring", State: call.Completed, Result: "busy", Calls: 1}, {Campaign: "winter", State: call.Failed, Calls: 4}, {Campaign: "winter", State: call.Unknown, Calls: 1}},
	}
}

func TestStatus(t *testing.T) {
	w := start(t)
	b := w.book()
	if err := b.Status(t.Context(), standing(breaker.Open)); err != nil {
		t.Fatal(err)
	}
	want := [][]string{
		{"Name", "State", "What it means", "Since", "Failures in a row", "Next try", "Calls set aside", "In progress", "Completed", "Failed", "Unknown", "Expired", "Updated"},
		{"Script service (LLM)", "CLOSED", "Working.", "", "0", "", "0", "", "", "", "", "", "2026-03-01 12:00:02"},
		{"ElevenLabs", "OPEN", "Not working: no request is sent, and it is tested by itself. Calls that need it wait and go on by themselves. Last answer: ElevenLabs is not available (503): It is down.",
			"2026-03-01 12:00:00", "3", "2026-03-01 12:00:10", "9", "", "", "", "", "", "2026-03-01 12:00:02"},
		{"Campaign spring", "RUNNING", "3 of 12 calls begun have ended. 9 set aside: they go on by themselves.", "", "", "", "9", "0", "3", "0", "0", "0", "2026-03-01 12:00:02"},
		{"Campaign winter", "DONE", "5 of 5 calls begun have ended. 1 may have rung and nobody can say: a person has to decide.", "", "", "", "0", "0", "0", "4", "1", "0", "2026-03-01 12:00:02"},
	}
	if got := w.rows("Status"); !slices.EqualFunc(got, want, slices.Equal) {
		t.Errorf("the Status is %q\nwant %q", got, want)
	}
}

// Rows change where they are, with the notes of staff beside them, and where
// staff have sorted them to.
func TestStatusInPlace(t *testing.T) {
	w := start(t)
	b := w.book()
	if err := b.Status(t.Context(), standing(breaker.Open)); err != nil {
		t.Fatal(err)
	}
	status := w.id("Status")
	w.do(insert(status, 0), cell(status, 0, 0, "Note"), cell(status, 2, 0, "called them"), sortBy(status, 1, "ASCENDING"))
	if err := b.Status(t.Context(), standing(breaker.Closed)); err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, row := range w.rows("Status") {
		got = append(got, strings.Join(row[:3], "|"))
	}
	want := []string{"Note|Name|State", "|Campaign spring|RUNNING", "|Campaign winter|DONE", "called them|ElevenLabs|CLOSED", "|Script service (LLM)|CLOSED"}
	if !slices.Equal(got, want) {
		t.Errorf("the Status is %q, want %q", got, want)
	}
	if since := w.column("Status", "Next try")[2]; since != "" {
		t.Errorf("a circuit that is closed is tested at %q", since)
	}
}

// What an operator did, and a pause, are said in words.
func TestStatusInWords(t *testing.T) {
	w := start(t)
	s := standing(breaker.Closed)
	s.Circuits = []breaker.Record{
		{Service: "llm", State: breaker.Open, Forced: breaker.ForcedOpen, OpenUntil: noon.Add(time.Minute)},
		{Service: "elevenlabs", Forced: breaker.ForcedClosed},
		{Service: "twilio", State: breaker.HalfOpen, OpenedAt: noon, OpenUntil: noon},
		{Service: "crm", PausedUntil: noon.Add(time.Minute)},
	}
	if err := w.book().Status(t.Context(), s); err != nil {
		t.Fatal(err)
	}
	states, says, next := w.column("Status", "State"), w.column("Status", "What it means"), w.column("Status", "Next try")
	for i, want := range [][2]string{
		{"OPEN (forced)", "Switched off by an operator"}, {"CLOSED (forced)", "Kept on by an operator"},
		{"HALF_OPEN", "Being tested"}, {"CLOSED", "left alone until 12:01:00"},
	} {
		if states[i] != want[0] || !strings.Contains(says[i], want[1]) {
			t.Errorf("row %d is %q: %q, want %q", i, states[i], says[i], want)
		}
	}
	if next[0] != "" || next[2] != "" {
		t.Errorf("a circuit that an operator holds is tested at %q, and one that is being tested at %q", next[0], next[2])
	}
}

// A Status that staff deleted comes back; one without its names is let be.
func TestStatusThatIsGone(t *testing.T) {
	w := start(t)
	b := w.book()
	if err := b.Status(t.Context(), standing(breaker.Open)); err != nil {
		t.Fatal(err)
	}
	w.do(&api.Request{DeleteSheet: &api.DeleteSheetRequest{SheetId: w.id("Status")}})
	if err := b.Status(t.Context(), standing(breaker.Open)); err != nil {
		t.Fatal(err)
	}
	if got := w.column("Status", "State"); !slices.Equal(got, []string{"CLOSED", "OPEN", "RUNNING", "DONE"}) {
		t.Errorf("the states are %q", got)
	}
	w.do(drop(w.id("Status"), 0))
	before := w.writes()
	if err := b.Status(t.Context(), standing(breaker.Closed)); err != nil || w.writes() != before {
		t.Errorf("without names: %v, %d writes", err, w.writes()-before)
	}
}
