package main

import (
	"bytes"
	"testing"
	"time"

	"callagent/bench/overlay"
	"callagent/bench/world"
	"callagent/core/agent"
)

// once are seeds that broke a promise before the design was mended: a wait cut
// short by a fast clock, an outage that nobody was told of, a look that counted
// toward the dial's circuit, two open circuits that waited for each other, and
// two requests on one probe lease.
var once = []uint64{12, 71, 109, 518, 1493, 63683}

func TestNoPromiseIsBroken(t *testing.T) {
	seeds := uint64(300)
	if testing.Short() {
		seeds = 50
	}
	sum := play(1, seeds, 3)
	for _, number := range once {
		sum.add(run(number, nil))
	}
	for _, r := range sum.failed {
		t.Errorf("seed %d: %s\n%s  again: make soak SEEDS=1 FROM=%d", r.seed, r, tail(r.seed), r.seed)
	}
	if sum.fewest < atLeast || sum.figures.Rings == 0 || sum.figures.Openings == 0 {
		t.Errorf("this tests little: %s, %d rings, %d openings", sum.last(time.Second), sum.figures.Rings, sum.figures.Openings)
	}
}

func TestASeedIsTheSameHistoryEachTime(t *testing.T) {
	for number := range uint64(20) {
		var first, second bytes.Buffer
		run(number, &first)
		run(number, &second)
		if !bytes.Equal(first.Bytes(), second.Bytes()) {
			t.Errorf("seed %d is told in two ways, with %d and %d bytes", number, first.Len(), second.Len())
		}
	}
}

// With the circuit store down and everything else well, nobody has to wait.
func TestIfTheCircuitStoreIsDownCallsGoOn(t *testing.T) {
	w := world.New(world.Options{
		Chooser: world.Calm, Contacts: world.Contacts(20),
		Silent: func(p world.Port) bool { return p == world.Circuits },
	})
	defer w.Close()
	for !w.Rest() && w.Since() < 2*time.Minute {
		w.Step()
	}
	w.Finish()
	for _, v := range w.Violations() {
		t.Error(v)
	}
	if n := w.Outcomes()["completed"]; n != 20 || w.Figures().Rings != 20 {
		t.Errorf("%d of 20 are completed after %s", n, w.Since())
	}
}

func TestIfTheLedgerIsDownNothingIsDialled(t *testing.T) {
	var w *world.World
	down := func() bool { return w.Since() < 10*time.Minute }
	w = world.New(world.Options{
		Chooser: world.Calm, Contacts: world.Contacts(20),
		Silent: func(p world.Port) bool { return p == world.Ledger && down() },
	})
	defer w.Close()
	for down() {
		w.Step()
	}
	if f := w.Figures(); f.Requests != 0 {
		t.Errorf("%d requests without a ledger", f.Requests)
	}
	for !w.Rest() && w.Since() < 15*time.Minute {
		w.Step()
	}
	w.Finish()
	for _, v := range w.Violations() {
		t.Error(v)
	}
}

// Each breakage has to be possible in the code as it is; make soak-broken plays
// them.
func TestBreakagesAreUpToDate(t *testing.T) {
	root, err := overlay.Root()
	if err != nil {
		t.Fatal(err)
	}
	for _, b := range breakages {
		if _, err := overlay.Write(t.TempDir(), root, b.edits...); err != nil {
			t.Errorf("%s: %v", b.what, err)
		}
	}
}

// An agent that retries too soon must not go unseen.
func TestTheWorldSeesABrokenPromise(t *testing.T) {
	for name, initial := range map[string]time.Duration{"as promised": 5 * time.Second, "too soon": time.Second} {
		w := world.New(world.Options{
			Contacts: world.Contacts(3),
			Adjust: func(o *agent.Options) {
				llm := o.Policies[agent.LLM]
				llm.Retry.Initial = initial
				o.Policies[agent.LLM] = llm
			},
			Chooser: world.ChooserFunc(func(p world.Point) int {
				if p.Kind == world.Answer && p.What == "llm: script" && p.Process == "w2" {
					return world.AnswerNamed("503")
				}
				return 0
			}),
		})
		for !w.Rest() && w.Since() < time.Hour && len(w.Violations()) == 0 {
			w.Step()
		}
		if broken := len(w.Violations()) > 0; broken != (name == "too soon") {
			t.Errorf("%s: %v", name, w.Violations())
		}
		w.Close()
	}
}
