package main

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"callagent/docs/docstest"
)

// TestThePageShowsTheFigures compares docs/fleet.md with the results that are
// kept. make fleet writes those, make diagrams the page.
func TestThePageShowsTheFigures(t *testing.T) {
	data, err := os.ReadFile("../fleet.json")
	if err != nil {
		t.Fatal(err)
	}
	var r report
	if err := json.Unmarshal(data, &r); err != nil {
		t.Fatal(err)
	}
	docstest.Part(t, "fleet.md", "outages", outagePage(r))
	docstest.Part(t, "fleet.md", "faults", faultPage(r))
	docstest.Part(t, "fleet.md", "flapping", flapPage(r))
	docstest.Part(t, "fleet.md", "summary", fmt.Sprintf("%d seeds, an hour with %d of them:\n\n    %s\n", r.Seeds, r.Hours, r.summary()))
}

func TestWhatIsWrittenCanBeReadAgain(t *testing.T) {
	r := report{
		Seeds: 3, Hours: 1,
		Outages: []outageRow{{place: place{Processes: 50, Rate: 10}, Who: mine, Closed: figures{1, 2, 3, 4}}, {Who: "Powertools"}},
		Faults:  []faultRow{{Fails: 0.05, FalseTrips: map[string]float64{mine: 0.5}}},
		Flaps:   []flapRow{{Told: figures{Most: 4}}},
	}
	path := filepath.Join(t.TempDir(), "fleet.json")
	if err := r.write(path); err != nil {
		t.Fatal(err)
	}
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var again report
	if err := json.Unmarshal(data, &again); err != nil || !reflect.DeepEqual(again, r) {
		t.Errorf("%+v, %v, want %+v", again, err, r)
	}
}

func outagePage(r report) string {
	var b strings.Builder
	b.WriteString("| processes, calls/s | dead for | | calls until OPEN | + 6 s | notifications, most | s to CLOSED | s to the first call | healthy calls rejected |\n|---|---|---|---|---|---|---|---|---|\n")
	for _, o := range r.Outages {
		if o.Takes == 0 {
			fmt.Fprintf(&b, "| %d, %g | %s | %s | %s | %s | %.0f | %s | %s | %s |\n", o.Processes, o.Rate, brief(o.Dead), o.Who,
				whole(o.Before), whole(o.Within), o.Told.Most, tenths(o.Closed), tenths(o.Resumed), whole(o.Rejected))
		}
	}
	return b.String()
}

func faultPage(r report) string {
	var b strings.Builder
	b.WriteString("| processes, calls/s | fails |")
	for _, what := range []string{"openings", "shut"} {
		for _, c := range contestants {
			b.WriteString(" " + what + ": " + c.name + " |")
		}
	}
	b.WriteString("\n|---|---|" + strings.Repeat("---|", 2*len(contestants)) + "\n")
	for _, f := range r.Faults {
		if f.Takes != time.Second {
			continue
		}
		fmt.Fprintf(&b, "| %d, %g | %.0f %% |", f.Processes, f.Rate, f.Fails*100)
		for _, c := range contestants {
			fmt.Fprintf(&b, " %.2f |", f.FalseTrips[c.name])
		}
		for _, c := range contestants {
			fmt.Fprintf(&b, " %.1f %% |", f.Shut[c.name]*100)
		}
		b.WriteString("\n")
	}
	return b.String()
}

func flapPage(r report) string {
	var b strings.Builder
	b.WriteString("| processes | requests of | openings | notifications | contacts completed, least | failed, most | s until all are done |\n|---|---|---|---|---|---|---|\n")
	for _, f := range r.Flaps {
		fmt.Fprintf(&b, "| %d | %s | %s / %.0f | %s / %.0f | %.0f | %.0f | %s / %.0f |\n", f.Processes, brief(f.Takes),
			whole(f.Openings), f.Openings.Most, whole(f.Told), f.Told.Most, f.Completed.Least, f.Failed.Most, whole(f.Drained), f.Drained.Most)
	}
	return b.String()
}
