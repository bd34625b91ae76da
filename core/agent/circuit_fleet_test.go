package agent_test

import (
	"context"
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"callagent/core/agent"
	"callagent/core/breaker"
)

// member is a process of a large fleet, whose circuit a few failures do not
// trip.
func member(s *shared, store agent.Circuits, name string) *agent.Circuit {
	var n atomic.Int64
	cfg := breaker.DefaultConfig()
	cfg.Threshold = 1000
	return agent.NewCircuit(agent.ElevenLabs, cfg, agent.CircuitOptions{
		Store: store, Clock: s.clock, Journal: &events{},
		NewID: func() string { return fmt.Sprintf("%s-%d", name, n.Add(1)) },
	})
}

func streak(t *testing.T, s *shared) int {
	t.Helper()
	r, err := s.Circuits.Load(t.Context(), agent.ElevenLabs)
	if err != nil {
		t.Fatal(err)
	}
	return r.Streak
}

func TestAFailureIsCountedThatLosesFortyNineRaces(t *testing.T) {
	s := newShared()
	a, b := member(s, s, "a"), member(s, s.Circuits, "b")
	others := 49
	s.race = func() {
		if others > 0 {
			others--
			fails(t, b, s.clock.Now())
		}
	}
	fails(t, a, s.clock.Now())
	if n := streak(t, s); n != 50 {
		t.Errorf("%d of 50 are counted", n)
	}
}

// Two processes see the failure that trips; the write of one is stored first.
func TestOnlyTheWinnerOfARaceTrips(t *testing.T) {
	s := newShared()
	a, b := s.process("a", &events{}), s.process("b", &events{})
	fails(t, a, s.clock.Now())
	fails(t, a, s.clock.Now())
	var first breaker.Change
	s.race = func() {
		s.race = nil
		first = fails(t, b, s.clock.Now())
	}
	if second := fails(t, a, s.clock.Now()); first != breaker.Tripped || second == breaker.Tripped {
		t.Errorf("%s, then %s", first, second)
	}
}

// late stores the first swap only when the second one comes.
type late struct {
	agent.Circuits
	swaps int
	first breaker.Record
}

func (l *late) Swap(ctx context.Context, r breaker.Record) (breaker.Record, error) {
	switch l.swaps++; l.swaps {
	case 1:
		l.first = r
		return breaker.Record{}, errSilent
	case 2:
		if _, err := l.Circuits.Swap(ctx, l.first); err != nil {
			return breaker.Record{}, err
		}
	}
	return l.Circuits.Swap(ctx, r)
}

func TestAWriteThatIsStoredAfterItWasGivenUpCountsOnce(t *testing.T) {
	s := newShared()
	fails(t, member(s, &late{Circuits: s}, "a"), s.clock.Now())
	if n := streak(t, s); n != 1 {
		t.Errorf("one failure made a streak of %d", n)
	}
}

func TestAnOldRecordIsNoReasonToStaySilent(t *testing.T) {
	s := newShared()
	a, b := s.process("a", &events{}), s.process("b", &events{})
	between := func() { // a failure between two retries
		a.Failed(t.Context(), agent.Attempt{Fault: faults["503"], Began: s.clock.Now()}, s.clock.Now())
	}
	for range 5 {
		between()
	}
	s.clock.to(s.clock.Now().Add(2 * time.Second))
	p, _ := b.Admit(t.Context(), "b", time.Second, s.clock.Now())
	if change := b.Succeeded(t.Context(), p, s.clock.Now()); change != breaker.Cleared {
		t.Fatal(change)
	}
	s.clock.to(s.clock.Now().Add(time.Second))
	between()
	if n := streak(t, s); n != 1 {
		t.Errorf("a streak of %d, want 1", n)
	}
}

func TestReadingsThatAFasterClockAsksForAreShared(t *testing.T) {
	s := newShared()
	c := s.process("p", &events{})
	together(50, func(int) { c.Look(t.Context(), s.clock.Now().Add(breaker.Skew)) })
	if n := s.loads.Load(); n != 1 {
		t.Errorf("%d reads", n)
	}
}
