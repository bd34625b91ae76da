package sheets_test

import (
	"fmt"
	"slices"
	"testing"

	api "google.golang.org/api/sheets/v4"
)

// The Log keeps the newest events, and up to a fiftieth more until the next
// batch of old ones is deleted.
func TestOldRowsAreDeleted(t *testing.T) {
	const keep, each = 2500, 50
	w := start(t)
	c := w.config()
	c.KeepRows = keep
	b := w.open(c)
	for i := range 53 {
		w.append(b, message(fmt.Sprint(i), entries(each*i, each)...))
		rows := len(w.rows("Log")) - 1
		if all := each * (i + 1); rows < min(all, keep) || rows > min(all, keep+keep/50) {
			t.Errorf("%d rows stay of %d", rows, all)
		}
	}
	got := w.column("Log", "Message")
	if got[len(got)-1] != "event 2649" || got[0] != fmt.Sprintf("event %d", 2650-len(got)) {
		t.Errorf("from %q to %q of %d", got[0], got[len(got)-1], len(got))
	}
}

// Unless the settings say otherwise these are 50,000: with a thousand more the
// Book does not look for old rows, with one more than that it does. How many
// there are its own marks say.
func TestFiftyThousandRowsStay(t *testing.T) {
	w := start(t)
	b := w.book()
	w.append(b, message("0", entry(noon, 0)))
	w.do(&api.Request{CreateDeveloperMetadata: &api.CreateDeveloperMetadataRequest{DeveloperMetadata: &api.DeveloperMetadata{
		MetadataId: 1_000_000_001, MetadataKey: "callagent.mark", MetadataValue: `{"r":50998}`, Visibility: "DOCUMENT",
		Location: &api.DeveloperMetadataLocation{Spreadsheet: true},
	}}})
	for i, want := range []bool{false, false, true} {
		before := w.requests("values")
		w.append(b, message(fmt.Sprint(i+1), entry(noon, i+1)))
		if looked := w.requests("values") > before; looked != want {
			t.Errorf("with %d rows, looked for old ones: %t", 50_999+i, looked)
		}
	}
}

// The rows that go are the oldest by their time, however staff have sorted.
func TestOldRowsOfASortedLog(t *testing.T) {
	w := start(t)
	c := w.config()
	c.KeepRows = 100
	b := w.open(c)
	w.append(b, message("1", entries(0, 101)...))
	w.do(&api.Request{SortRange: &api.SortRangeRequest{
		Range: &api.GridRange{SheetId: w.id("Log"), StartRowIndex: 1}, SortSpecs: []*api.SortSpec{{SortOrder: "DESCENDING"}}}})
	if got := w.column("Log", "Message")[0]; got != "event 100" {
		t.Fatalf("the Log begins with %q: it is not sorted", got)
	}
	w.append(b, message("2", entries(101, 49)...))
	got := w.column("Log", "Message")
	if len(got) != 100 || slices.Contains(got, "event 49") || !slices.Contains(got, "event 50") || got[99] != "event 149" {
		t.Errorf("%d rows, from %q to %q", len(got), got[0], got[len(got)-1])
	}
}

// Rows without a time were written by staff and stay the longest.
func TestRowsOfStaffStay(t *testing.T) {
	w := start(t)
	c := w.config()
	c.KeepRows = 50
	b := w.open(c)
	w.append(b, message("1", entries(0, 50)...))
	log := w.id("Log")
	w.do(&api.Request{InsertDimension: &api.InsertDimensionRequest{Range: &api.DimensionRange{SheetId: log, Dimension: "ROWS", StartIndex: 10, EndIndex: 11}}},
		cell(log, 10, 4, "asked the provider"))
	w.append(b, message("2", entries(50, 30)...))
	got := w.column("Log", "Message")
	if len(got) != 50 || got[0] != "asked the provider" || got[1] != "event 31" {
		t.Errorf("the Log has %q", got)
	}
}
