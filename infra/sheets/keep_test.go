package sheets_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	api "google.golang.org/api/sheets/v4"

	"callagent/core/journal"
)

// The Log keeps 50,000 events, the newest, and up to a fiftieth more until the
// next batch of old ones is deleted.
func TestOldRowsAreDeleted(t *testing.T) {
	w := start(t)
	b := w.book()
	for i := range 53 {
		thousand := make([]journal.Entry, 1000)
		for j := range thousand {
			n := 1000*i + j
			thousand[j] = journal.Entry{Time: noon.Add(time.Duration(n) * time.Second), Message: fmt.Sprintf("event %d", n)}
		}
		w.append(b, message(fmt.Sprint(i), thousand...))
	}
	got := w.column("Log", "Message")
	if len(got) < 50_000 || len(got) > 51_000 {
		t.Errorf("%d rows stay", len(got))
	}
	if got[len(got)-1] != "event 52999" || got[0] != fmt.Sprintf("event %d", 53_000-len(got)) {
		t.Errorf("from %q to %q of %d", got[0], got[len(got)-1], len(got))
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
