package sheets_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	api "google.golang.org/api/sheets/v4"

	"callagent/core/journal"
)

// insert puts an empty column before a place.
func insert(sheet, at int64) *api.Request {
	return &api.Request{InsertDimension: &api.InsertDimensionRequest{Range: &api.DimensionRange{
		SheetId: sheet, Dimension: "COLUMNS", StartIndex: at, EndIndex: at + 1}, InheritFromBefore: at > 0}}
}

// cell writes a text by hand.
func cell(sheet, row, column int64, text string) *api.Request {
	return &api.Request{UpdateCells: &api.UpdateCellsRequest{Fields: "userEnteredValue", Start: &api.GridCoordinate{SheetId: sheet, RowIndex: row, ColumnIndex: column},
		Rows: []*api.RowData{{Values: []*api.CellData{{UserEnteredValue: &api.ExtendedValue{StringValue: &text}}}}}}}
}

func drop(sheet, at int64) *api.Request {
	return &api.Request{DeleteDimension: &api.DeleteDimensionRequest{Range: &api.DimensionRange{
		SheetId: sheet, Dimension: "COLUMNS", StartIndex: at, EndIndex: at + 1}}}
}

func sortBy(sheet, column int64, order string) *api.Request {
	return &api.Request{SortRange: &api.SortRangeRequest{
		Range: &api.GridRange{SheetId: sheet, StartRowIndex: 1}, SortSpecs: []*api.SortSpec{{DimensionIndex: column, SortOrder: order}}}}
}

// Staff sort the Log, give it columns of their own at both ends and in the
// middle, rename it and delete what they do not need; rows go on to come, and
// each value stands under its header.
func TestStaffChangeTheLog(t *testing.T) {
	w := start(t)
	b := w.book()
	w.append(b, message("1", entries(0, 5)...))
	log := w.id("Log")
	w.do(sortBy(log, 0, "DESCENDING"), insert(log, 0), insert(log, 4), insert(log, 17), cell(log, 0, 0, "Done?"), cell(log, 0, 4, "Who"),
		cell(log, 2, 0, "yes"), drop(log, 12),
		&api.Request{UpdateSheetProperties: &api.UpdateSheetPropertiesRequest{Properties: &api.SheetProperties{SheetId: log, Title: "Protokoll"}, Fields: "title"}})
	w.append(b, message("2", entries(5, 5)...))
	rows := w.rows("Protokoll")
	want := []string{"Done?", "Time", "Level", "Service", "Who", "Event", "Message", "Retry count", "Circuit state", "Contact", "Campaign", "Call", "Fault", "Fault class", "Status", "Duration (ms)"}
	if !slices.Equal(rows[0], want) {
		t.Errorf("the header is %q, want %q", rows[0], want)
	}
	var got []string
	for _, row := range rows[1:] {
		got = append(got, fmt.Sprint(row[0], "|", row[2], "|", row[3], "|", row[4], "|", row[5], "|", row[6], "|", row[8]))
	}
	line := func(done string, n int) string {
		return fmt.Sprintf("%s|INFO|ElevenLabs||step_done|event %d|CLOSED", done, n)
	}
	expected := []string{line("", 4), line("yes", 3), line("", 2), line("", 1), line("", 0), line("", 5), line("", 6), line("", 7), line("", 8), line("", 9)}
	if !slices.Equal(got, expected) {
		t.Errorf("the rows are %q\nwant %q", got, expected)
	}
}

// A tab that is deleted comes back with what is new.
func TestStaffDeleteTheLog(t *testing.T) {
	w := start(t)
	b := w.book()
	w.append(b, message("1", entry(noon, 0)))
	w.do(&api.Request{DeleteSheet: &api.DeleteSheetRequest{SheetId: w.id("Log")}})
	w.append(b, message("1", entry(noon, 0)), message("2", entry(noon, 1)))
	if got := w.column("Log", "Message"); !slices.Equal(got, []string{"event 1"}) {
		t.Errorf("the Log has %q", got)
	}
}

// One that is deleted at the very moment of a write comes back too.
func TestStaffDeleteTheLogDuringAWrite(t *testing.T) {
	w := start(t)
	p := w.proxy()
	b := w.open(p.config())
	w.append(b, message("1", entry(noon, 0)))
	p.before(func() { w.do(&api.Request{DeleteSheet: &api.DeleteSheetRequest{SheetId: w.id("Log")}}) })
	w.append(b, message("2", entry(noon, 1)))
	if got := w.column("Log", "Message"); !slices.Equal(got, []string{"event 1"}) {
		t.Errorf("the Log has %q", got)
	}
}

// A copy of a spreadsheet has the tabs without what is attached to them: the
// columns are known by their headers.
func TestColumnsWithoutPins(t *testing.T) {
	w := start(t)
	w.append(w.book(), message("1", entry(noon, 0)))
	log := w.id("Log")
	w.do(insert(log, 1), &api.Request{DeleteDeveloperMetadata: &api.DeleteDeveloperMetadataRequest{DataFilter: &api.DataFilter{
		DeveloperMetadataLookup: &api.DeveloperMetadataLookup{MetadataKey: "callagent.column"}}}})
	w.append(w.book(), message("2", entry(noon, 1)))
	w.once(2)
	if n := len(w.look().Sheets); n != 4 {
		t.Errorf("%d tabs, want 4", n)
	}
}

// A tab that staff duplicated has the same metadata on its columns; ours goes by
// its own.
func TestADuplicateOfTheLog(t *testing.T) {
	w := start(t)
	b := w.book()
	w.append(b, message("1", entry(noon, 0)))
	w.do(&api.Request{CreateDeveloperMetadata: &api.CreateDeveloperMetadataRequest{DeveloperMetadata: &api.DeveloperMetadata{
		MetadataKey: "callagent.column", MetadataValue: "message", Visibility: "DOCUMENT",
		Location: &api.DeveloperMetadataLocation{DimensionRange: &api.DimensionRange{Dimension: "COLUMNS", StartIndex: 1, EndIndex: 2}}}}})
	w.append(b, message("2", entry(noon, 1)))
	w.once(2)
}

// story is an outage as the journal tells it.
func story() []journal.Entry {
	failed := journal.Entry{Time: noon, Level: journal.Error, Service: "elevenlabs", Event: "request_failed"}
	throttled := journal.Entry{Time: noon, Level: journal.Warning, Service: "llm", Event: "request_failed"}
	return []journal.Entry{
		{Time: noon, Event: "call_completed"}, failed, failed, throttled,
		{Time: noon.Add(20 * time.Minute), Level: journal.Warning, Service: "elevenlabs", Event: "probe_failed"},
		{Time: noon.Add(20 * time.Minute), Event: "call_failed"}, {Time: noon.Add(29 * time.Minute), Event: "call_unknown"},
		{Time: noon.Add(31 * time.Minute), Event: "call_expired"}, {Time: noon.Add(31 * time.Minute), Event: "call_completed"},
	}
}

// The charts count what the Log has, also when several processes write in
// turn, and show the day that ends with the newest quarter.
func TestCharts(t *testing.T) {
	w := start(t)
	w.do(&api.Request{UpdateSpreadsheetProperties: &api.UpdateSpreadsheetPropertiesRequest{
		Properties: &api.SpreadsheetProperties{TimeZone: "Asia/Kolkata"}, Fields: "timeZone"}})
	first, second := w.book(), w.book()
	w.append(first, message("1", story()...))
	w.append(second, message("2", story()...), message("1", story()...))
	w.append(first, message("3", entry(noon, 0)))
	w.append(first, message("4", journal.Entry{Time: noon.Add(2 * time.Minute), Event: "call_completed"}))
	rows := w.rows("Charts")
	want := [][]string{
		{"Quarter of an hour", "Completed", "Failed", "Unknown", "Expired", "Script service (LLM)", "ElevenLabs", "Twilio", "CRM"},
		{"2026-03-01 17:30", "3", "0", "0", "0", "0", "4", "0", "0"},
		{"2026-03-01 17:45", "0", "2", "2", "0", "0", "2", "0", "0"},
		{"2026-03-01 18:00", "2", "0", "0", "2", "0", "0", "0", "0"},
	}
	if len(rows) != 97 {
		t.Fatalf("%d rows, want 97", len(rows))
	}
	if got := append(rows[:1:1], rows[94:]...); !slices.EqualFunc(got, want, slices.Equal) {
		t.Errorf("the charts show %q\nwant %q", got, want)
	}
	w.append(first, message("5", journal.Entry{Time: noon.Add(24 * time.Hour), Event: "call_completed"}))
	if got := w.rows("Charts")[1]; !slices.Equal(got, []string{"2026-03-01 17:45", "0", "2", "2", "0", "0", "2", "0", "0"}) {
		t.Errorf("a day later they begin with %q", got)
	}
}
