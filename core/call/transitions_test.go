package call

import "testing"

var moves = []Move{Claim, Wait, SetAside, Ask, Complete, Fail, GiveUp, Expire, Evidence, Rerecord, Drop, Order}

func allStates() []State { return append([]State{Queued}, States()...) }

// table is the whole life of a call, written down a second time: for each
// state and each of the moves, in the order of the list above, where it leads.
// A dot is a move that cannot happen.
var table = map[State][12]State{
	//            claim    wait     park    reconcile    complete   fail    give up  expire   evidence   record  drop  order again
	Queued:      {Running, ".", ".", ".", ".", ".", ".", ".", ".", ".", ".", "."},
	Running:     {Running, Waiting, Parked, Reconciling, Completed, Failed, Unknown, Expired, ".", ".", ".", "."},
	Waiting:     {Running, ".", ".", ".", ".", ".", ".", Expired, ".", ".", ".", "."},
	Parked:      {Running, ".", ".", ".", ".", ".", ".", Expired, ".", ".", ".", "."},
	Reconciling: {Running, ".", ".", ".", ".", ".", ".", ".", ".", ".", ".", "."},
	Completed:   {".", ".", ".", ".", ".", ".", ".", ".", ".", Completed, ".", Waiting},
	Failed:      {".", ".", ".", ".", ".", ".", ".", ".", ".", Failed, ".", Waiting},
	Unknown:     {".", ".", ".", ".", ".", ".", ".", ".", Completed, Unknown, Failed, Waiting},
	Expired:     {".", ".", ".", ".", ".", ".", ".", ".", ".", ".", ".", Waiting},
}

func TestEveryMoveInEveryState(t *testing.T) {
	rows := 0
	for _, from := range allStates() {
		for i, m := range moves {
			want, allowed := table[from][i], table[from][i] != "."
			if !allowed {
				want = from
			} else {
				rows++
			}
			if to, ok := from.to(m); to != want || ok != allowed {
				t.Errorf("%q in %q leads to %q, %t; want %q, %t", m, from, to, ok, want, allowed)
			}
			if got := (Call{State: from, Retries: 2}).move(m); got.State != want || got.Retries != 2 {
				t.Errorf("%q makes of %q: %+v; want %q", m, from, got, want)
			}
		}
	}
	if rows != len(Transitions) {
		t.Errorf("the table allows %d moves, Transitions lists %d: some row is there twice", rows, len(Transitions))
	}
}

func TestEveryTransitionGivesAReason(t *testing.T) {
	for _, row := range Transitions {
		if row.Why == "" {
			t.Errorf("%q → %q by %q gives no reason", row.From, row.To, row.Move)
		}
	}
}

func TestOnlyTheClaimMakesACallRunning(t *testing.T) {
	for _, row := range Transitions {
		if row.To == Running && row.Move != Claim {
			t.Errorf("%q makes a call running", row.Move)
		}
	}
}

func TestAFinalStateIsLeftByEvidenceOrAPersonOnly(t *testing.T) {
	for _, row := range Transitions {
		settled := row.From == Unknown && (row.Move == Evidence && row.To == Completed || row.Move == Drop && row.To == Failed)
		ordered := row.Move == Order && row.To == Waiting
		if row.From.Final() && row.To != row.From && !settled && !ordered {
			t.Errorf("%q leaves %q for %q", row.Move, row.From, row.To)
		}
	}
}

func TestFinal(t *testing.T) {
	want := map[State]bool{Completed: true, Failed: true, Unknown: true, Expired: true}
	for _, s := range allStates() {
		if s.Final() != want[s] {
			t.Errorf("%q.Final() = %t", s, s.Final())
		}
	}
}
