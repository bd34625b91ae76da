package main

import (
	"context"
	"errors"
	"io"
	"strings"
	"testing"
	"time"

	"callagent/core/agent"
	"callagent/core/call"
	"callagent/infra/memory"
)

func TestTheTargetsAreMetInAShortStudy(t *testing.T) {
	r := study{seeds: 2, short: true, progress: io.Discard}.run()
	if err := r.misses(); err != nil {
		t.Error(err)
	}
	if err := r.print(t.Output()); err != nil {
		t.Error(err)
	}
	t.Log(r.summary())
}

func TestAMissedTargetIsNamed(t *testing.T) {
	at := place{Processes: 50, Rate: 10}
	r := report{Outages: []outageRow{{place: at, Who: mine, Answered: figures{Median: 8}, Told: figures{Least: 1, Most: 1}}}}
	err := r.misses()
	want := "50 processes, 10 calls/s, requests of 0 s: calls until OPEN, beyond those in flight, median is 8, wanted 7"
	if err == nil || err.Error() != want {
		t.Errorf("%v, want %s", err, want)
	}
	r.Outages[0].Who = "Powertools"
	if err := r.misses(); err != nil {
		t.Errorf("a peer has targets: %v", err)
	}
}

func TestASeedDecidesEverything(t *testing.T) {
	at := place{Processes: 10, Rate: 10, Takes: time.Second}
	for _, c := range contestants {
		first, again := runOutage(at, 7, c.all, shortOutage), runOutage(at, 7, c.all, shortOutage)
		if first != again {
			t.Errorf("%s: %+v, then %+v", c.name, first, again)
		}
		if other := runOutage(at, 8, c.all, shortOutage); other == first {
			t.Errorf("%s: two seeds with %+v", c.name, first)
		}
	}
}

// agreeing compares the fleet's ledger with the store that says what a ledger
// is, in everything that the agents ask of it.
type agreeing struct {
	*ledger
	oracle *memory.Store
	t      *testing.T
	asked  int
}

func (a *agreeing) same(what string, got, want error) {
	a.asked++
	if !errors.Is(got, want) && !errors.Is(want, got) {
		a.t.Errorf("%s: %v, want %v", what, got, want)
	}
}

func (a *agreeing) sameCalls(what string, got, want []call.Call) {
	if len(got) != len(want) {
		a.t.Errorf("%s: %d calls, want %d", what, len(got), len(want))
		return
	}
	for i := range got {
		g, w := got[i], want[i]
		if g.Key != w.Key || g.State != w.State || g.Version != w.Version || g.Park.Number != w.Park.Number || !g.Park.SentAt.Equal(w.Park.SentAt) {
			a.t.Errorf("%s, call %d: %s %s, version %d, want %s %s, version %d", what, i, g.Key, g.State, g.Version, w.Key, w.State, w.Version)
		}
	}
}

func (a *agreeing) Get(ctx context.Context, k call.Key) (call.Call, error) {
	c, err := a.ledger.Get(ctx, k)
	want, wrong := a.oracle.Get(ctx, k)
	a.same("get", err, wrong)
	a.sameCalls("get", []call.Call{c}, []call.Call{want})
	return c, err
}

func (a *agreeing) Put(ctx context.Context, w call.Write) error {
	err := a.ledger.Put(ctx, w)
	a.same("put", err, a.oracle.Put(ctx, w))
	return err
}

func (a *agreeing) Due(ctx context.Context, at time.Time, limit int) ([]call.Call, error) {
	calls, err := a.ledger.Due(ctx, at, limit)
	want, wrong := a.oracle.Due(ctx, at, limit)
	a.same("due", err, wrong)
	a.sameCalls("due", calls, want)
	return calls, err
}

func (a *agreeing) Parked(ctx context.Context, service string, unsent time.Time, limit int) ([]call.Call, error) {
	calls, err := a.ledger.Parked(ctx, service, unsent, limit)
	want, wrong := a.oracle.Parked(ctx, service, unsent, limit)
	a.same("parked", err, wrong)
	a.sameCalls("parked", calls, want)
	return calls, err
}

func (a *agreeing) Stamp(ctx context.Context, c call.Call, at time.Time) error {
	err := a.ledger.Stamp(ctx, c, at)
	a.same("stamp", err, a.oracle.Stamp(ctx, c, at))
	return err
}

func TestTheLedgerIsTheOneOfTheStores(t *testing.T) {
	a := &agreeing{ledger: newLedger(), t: t}
	r := newRig(place{Processes: 5, Rate: 10, Takes: time.Second}, 3, func(r *rig) breakers {
		a.oracle = memory.New(memory.Options{Now: r.Now})
		return newFleet(r, a.ledger, a)
	})
	defer r.close()
	flapping(r)
	if a.asked < 1000 || a.over() != waiting {
		t.Errorf("%d questions, %d calls ended", a.asked, a.over())
	}
}

func TestWhatSleepsIsWokenInOrder(t *testing.T) {
	var l timeline
	defer l.close()
	var said []string
	say := func(s string) { said = append(said, s) }
	l.after(time.Second, func() {
		say("one")
		l.together(
			func() { l.pass(3 * time.Second); say("slow") },
			func() { l.pass(time.Second); say("fast") },
		)
		say("both")
	})
	l.after(3*time.Second, func() { say("three") })
	l.after(time.Hour, func() { l.pass(time.Hour); say("never") })
	l.until(90*time.Minute, never)
	if got := strings.Join(said, " "); got != "one fast three slow both" {
		t.Error(got)
	}
	if want := epoch.Add(time.Hour); !l.Now().Equal(want) {
		t.Errorf("it is %v, want %v", l.Now(), want)
	}
}

func TestAProcessDoesOneThingAtATime(t *testing.T) {
	var l timeline
	defer l.close()
	m := &member{timeline: &l}
	var ended []time.Duration
	for range 3 {
		l.after(0, func() {
			m.alone(func() { l.pass(time.Second) })
			ended = append(ended, l.at)
		})
	}
	l.until(time.Minute, never)
	if len(ended) != 3 || ended[0] != time.Second || ended[2] != 3*time.Second || m.busy {
		t.Errorf("ended at %v, busy: %v", ended, m.busy)
	}
}

func TestFiguresAreThoseOfTheRanks(t *testing.T) {
	all := make([]int, 100)
	for i := range all {
		all[i] = 100 - i
	}
	if got, want := figuresOf(all, func(n int) float64 { return float64(n) }), (figures{1, 50, 95, 100}); got != want {
		t.Errorf("%+v, want %+v", got, want)
	}
}

var _ calls = (*agreeing)(nil)
var _ agent.Clock = (*timeline)(nil)
