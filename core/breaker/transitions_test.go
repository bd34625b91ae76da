package breaker

import "testing"

var states = []State{Closed, Open, HalfOpen}

func changes() []Change {
	all := make([]Change, len(changeNames))
	for i := range all {
		all[i] = Change(i)
	}
	return all
}

// Every pair of a state and a change is a row of the table, or is refused as
// stale and leaves the record alone.
func TestEveryPairIsListedOrStale(t *testing.T) {
	listed := 0
	for _, from := range states {
		for _, c := range changes() {
			before := Record{Service: "llm", State: from, Version: 7, Epoch: 3, Streak: 2}
			after, got := before.move(c)
			row, known := rowOf(from, c)
			if !known {
				if got != Stale || after != before {
					t.Errorf("%s in %s: %s, %+v; want stale and no change", c, from, got, after)
				}
				continue
			}
			listed++
			want := before
			want.State, want.Epoch = row.To, before.Epoch+1
			if got != c || after != want {
				t.Errorf("%s in %s: %s, %+v; want %+v", c, from, got, after, want)
			}
		}
	}
	if listed != len(Transitions) {
		t.Errorf("%d of the table's %d rows were reached: some row is listed twice", listed, len(Transitions))
	}
}

func rowOf(from State, c Change) (Transition, bool) {
	for _, row := range Transitions {
		if row.From == from && row.Change == c {
			return row, true
		}
	}
	return Transition{}, false
}

// What is no transition has no row, and every transition has one.
func TestTheTableHoldsTransitionsOnly(t *testing.T) {
	for _, c := range changes() {
		rows := 0
		for _, from := range states {
			if _, known := rowOf(from, c); known {
				rows++
			}
		}
		if transition := c >= Tripped; transition != (rows > 0) {
			t.Errorf("%s has %d rows", c, rows)
		}
	}
	for _, row := range Transitions {
		if row.Why == "" {
			t.Errorf("%s → %s by %s gives no reason", row.From, row.To, row.Change)
		}
	}
}

func TestOnlyUnchangedAndStaleWriteNothing(t *testing.T) {
	for _, c := range changes() {
		if got, want := c.Writes(), c != Unchanged && c != Stale; got != want {
			t.Errorf("%s: Writes() = %t, want %t", c, got, want)
		}
	}
}

func TestNames(t *testing.T) {
	seen := map[string]bool{}
	for _, c := range changes() {
		if c.String() == "" || seen[c.String()] {
			t.Errorf("change %d is called %q", c, c)
		}
		seen[c.String()] = true
	}
	for got, want := range map[string]string{
		Closed.String():       "CLOSED",
		Open.String():         "OPEN",
		HalfOpen.String():     "HALF_OPEN",
		State(3).String():     "INVALID",
		State(255).String():   "INVALID",
		None.String():         "none",
		CircuitOpen.String():  "circuit open",
		ProbeRunning.String(): "probe running",
		Paused.String():       "paused",
	} {
		if got != want {
			t.Errorf("a name is %q, want %q", got, want)
		}
	}
}
