package sheets_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	api "google.golang.org/api/sheets/v4"

	"callagent/core/journal"
)

// The first write makes three tabs beside those of staff, ready to read.
func TestTheTabs(t *testing.T) {
	w := start(t)
	w.append(w.book(), message("1", entry(noon, 0)))
	var titles []string
	tabs := map[string]*api.Sheet{}
	for _, s := range w.look().Sheets {
		titles = append(titles, s.Properties.Title)
		tabs[s.Properties.Title] = s
	}
	if want := []string{"Sheet1", "Log", "Status", "Charts"}; !slices.Equal(titles, want) {
		t.Fatalf("tabs %q, want %q", titles, want)
	}
	log := tabs["Log"]
	if log.Properties.GridProperties.FrozenRowCount != 1 || log.BasicFilter == nil {
		t.Error("the Log's header is not frozen, or has no filter")
	}
	var words []string
	for _, r := range log.ConditionalFormats {
		words = append(words, r.BooleanRule.Condition.Values[0].UserEnteredValue)
	}
	if want := []string{"CLOSED", "HALF_OPEN", "OPEN", "WARNING", "ERROR"}; !slices.Equal(words, want) {
		t.Errorf("the Log colours %q, want %q", words, want)
	}
	if n := len(tabs["Charts"].Charts); n != 2 {
		t.Errorf("%d charts, want 2", n)
	}
	if n := w.writes(); n != 2 {
		t.Errorf("%d writes for the tabs and one event, want 2", n)
	}
}

// A second process finds the tabs.
func TestTheTabsAreMadeOnce(t *testing.T) {
	w := start(t)
	w.append(w.book(), message("1", entry(noon, 0)))
	w.append(w.book(), message("2", entry(noon, 1)))
	w.once(2)
	s := w.look()
	if len(s.Sheets) != 4 {
		t.Errorf("%d tabs, want 4", len(s.Sheets))
	}
	for _, tab := range s.Sheets {
		if tab.Properties.Title == "Log" && len(tab.ConditionalFormats) != 5 {
			t.Errorf("%d rules, want 5", len(tab.ConditionalFormats))
		}
	}
}

func TestARow(t *testing.T) {
	w := start(t)
	w.do(&api.Request{UpdateSpreadsheetProperties: &api.UpdateSpreadsheetPropertiesRequest{
		Properties: &api.SpreadsheetProperties{TimeZone: "Europe/Berlin"}, Fields: "timeZone"}})
	retry := 0
	w.append(w.book(), message("1",
		journal.Entry{Time: noon.Add(1500 * time.Millisecond), Level: journal.Error, Service: "elevenlabs", Event: "request_failed",
			Message: "503", Retry: &retry, Circuit: "HALF_OPEN", CallID: "spring/c-001", Contact: "c-001", Campaign: "spring", Step: "speech",
			Kind: "service_unavailable", Class: "transient", Status: 503, Duration: 12},
		journal.Entry{Time: noon, Event: "call_failed", Message: `=HYPERLINK("http://example.com")`, Contact: "=1+1"}))
	rows := w.rows("Log")
	want := [][]string{
		{"Time", "Level", "Service", "Event", "Message", "Retry count", "Circuit state", "Contact", "Campaign", "Call", "Step", "Fault", "Fault class", "Status", "Duration (ms)"},
		{"2026-03-01 13:00:01", "ERROR", "ElevenLabs", "request_failed", "503", "0", "HALF_OPEN", "c-001", "spring", "spring/c-001", "speech", "service_unavailable", "transient", "503", "12"},
		{"2026-03-01 13:00:00", "INFO", "", "call_failed", `=HYPERLINK("http://example.com")`, "", "", "=1+1"},
	}
	if !slices.EqualFunc(rows, want, slices.Equal) {
		t.Errorf("the Log is %q\nwant %q", rows, want)
	}
}

// Times are numbers, so that sorting and filtering by date work.
func TestTimesAreNumbers(t *testing.T) {
	w := start(t)
	w.append(w.book(), message("1", entry(noon, 0)))
	v, err := w.staff.Spreadsheets.Values.Get(w.env["SHEETS_SPREADSHEET_ID"], "Log!A2:A").ValueRenderOption("UNFORMATTED_VALUE").Do()
	if err != nil {
		t.Fatal(err)
	}
	if got := v.Values[0][0]; got != 46082.5 {
		t.Errorf("noon of 1 March 2026 is %v, want 46082.5", got)
	}
}

func TestALongText(t *testing.T) {
	w := start(t)
	w.append(w.book(), message("1", journal.Entry{Time: noon, Message: strings.Repeat("ü", 60_000)}))
	if got := []rune(w.column("Log", "Message")[0]); len(got) != 2000 || got[1999] != '…' {
		t.Errorf("the text has %d characters", len(got))
	}
}

// What does not fit into one write goes in several, in order.
func TestALargeMessage(t *testing.T) {
	w := start(t)
	b := w.book()
	w.append(b, message("1", entries(0, 700)...), message("2", entries(700, 700)...), message("3", entries(1400, 1200)...))
	w.once(2600)
	if n := w.writes(); n != 4 {
		t.Errorf("%d writes, want 4: the tabs and three messages", n)
	}
	if got := w.column("Log", "Message"); got[0] != "event 0" || got[2599] != "event 2599" {
		t.Errorf("from %q to %q", got[0], got[2599])
	}
}

// A tab of staff that has our name stays theirs.
func TestATitleThatIsTaken(t *testing.T) {
	w := start(t)
	w.do(&api.Request{AddSheet: &api.AddSheetRequest{Properties: &api.SheetProperties{Title: "Log"}}})
	w.append(w.book(), message("1", entry(noon, 0)))
	if got := w.rows("Log"); len(got) != 0 {
		t.Errorf("the tab of staff has %q", got)
	}
	if got := w.column("Log 2", "Message"); !slices.Equal(got, []string{"event 0"}) {
		t.Errorf("our tab has %q", got)
	}
}
