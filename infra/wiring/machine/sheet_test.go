package machine

import (
	"strings"
	"testing"

	"callagent/localstack/simulator"
)

func tab(t *testing.T, sim *simulator.Simulator, title string) [][]string {
	t.Helper()
	for _, tab := range sim.Tabs() {
		if tab.Title == title {
			return tab.Rows
		}
	}
	t.Fatalf("the sheet has no tab %s", title)
	return nil
}

// When a run has ended staff see all of it, each event once, in the store's
// order, and how things stand.
func TestTheSheetHasEveryEventWhenARunHasEnded(t *testing.T) {
	w := newWorld(t, "", simulator.Fault{Service: "sheets", Answer: "503", For: 5e9})
	app := w.open()
	defer closeApp(t, app)
	w.enqueue(app, 3)
	if _, err := app.Run(t.Context(), t.Context(), forever); err != nil {
		t.Fatal(err)
	}
	stored, err := app.Store.Events(t.Context(), 0, 10_000)
	if err != nil {
		t.Fatal(err)
	}
	rows := tab(t, w.sim, "Log")[1:]
	if len(rows) > len(stored) || len(rows) < len(stored)-2 { // what the last flush itself journals comes with the next run
		t.Fatalf("%d rows for %d events", len(rows), len(stored))
	}
	for i, row := range rows {
		if line := strings.Join(row, " "); !strings.Contains(line, stored[i].Message) {
			t.Errorf("row %d is %q, want event %q", i+1, line, stored[i].Message)
		}
		if line := strings.Join(row, " "); strings.Contains(line, "+1500555") {
			t.Errorf("row %d has a full phone number", i+1)
		}
	}
	if status := tab(t, w.sim, "Status"); len(status) < 6 || !strings.Contains(strings.Join(status[1], " "), "CLOSED") {
		t.Errorf("status %v", status)
	}
}
