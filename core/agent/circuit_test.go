package agent_test

import (
	"context"
	"fmt"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"callagent/core/agent"
	"callagent/core/breaker"
	"callagent/core/call"
	"callagent/infra/memory"
)

// shared is a circuit store that counts and can be made to hang.
type shared struct {
	agent.Circuits
	clock       *clock
	silent      atomic.Bool
	loads       atomic.Int64
	swaps, lost atomic.Int64
	loses       func(n int64) bool // the answer of the nth swap is lost; nil: none
	race        func()             // happens before each swap; nil: nothing
}

func (s *shared) Load(ctx context.Context, service string) (breaker.Record, error) {
	s.loads.Add(1)
	if s.silent.Load() {
		return breaker.Record{}, s.clock.Sleep(ctx, time.Hour)
	}
	return s.Circuits.Load(ctx, service)
}

func (s *shared) Swap(ctx context.Context, r breaker.Record) (breaker.Record, error) {
	n := s.swaps.Add(1)
	if s.silent.Load() {
		return breaker.Record{}, s.clock.Sleep(ctx, time.Hour)
	}
	if s.race != nil {
		s.race()
	}
	stored, err := s.Circuits.Swap(ctx, r)
	if err != nil {
		s.lost.Add(1)
	}
	if s.loses != nil && s.loses(n) {
		return breaker.Record{}, errSilent
	}
	return stored, err
}

// process is one process's view of the circuit.
func (s *shared) process(name string, journal *events) *agent.Circuit {
	var n atomic.Int64
	return agent.NewCircuit(agent.ElevenLabs, breaker.DefaultConfig(), agent.CircuitOptions{
		Store: s, Clock: s.clock, Journal: journal,
		NewID: func() string { return fmt.Sprintf("%s-%d", name, n.Add(1)) },
	})
}

func newShared() *shared {
	c := &clock{now: start}
	return &shared{Circuits: memory.New(memory.Options{Now: c.Now}), clock: c}
}

// fails is a request that fails now, with the permit of a healthy circuit.
func fails(t *testing.T, c *agent.Circuit, now time.Time) breaker.Change {
	t.Helper()
	_, change := c.Failed(t.Context(), agent.Attempt{Fault: faults["503"], Began: now, MayTrip: true}, now)
	return change
}

// together runs f in many goroutines at once.
func together(n int, f func(i int)) {
	var all sync.WaitGroup
	for i := range n {
		all.Go(func() { f(i) })
	}
	all.Wait()
}

func TestReadsAreAtMostOnePerServiceProcessAndSecond(t *testing.T) {
	s := newShared()
	c := s.process("p", &events{})
	for second := range 3 {
		for range 4 {
			together(50, func(int) {
				p, refusal := c.Admit(t.Context(), "a", time.Second, s.clock.Now())
				if refusal != breaker.None || p.Unowned {
					t.Errorf("%+v, %s", p, refusal)
				}
				c.Succeeded(t.Context(), p, s.clock.Now())
			})
			s.clock.to(s.clock.Now().Add(249 * time.Millisecond))
		}
		if n := s.loads.Load(); n != int64(second)+1 {
			t.Fatalf("%d reads in second %d", n, second+1)
		}
		s.clock.to(start.Add(time.Duration(second+1) * time.Second))
	}
	if n := s.swaps.Load(); n != 0 {
		t.Errorf("%d writes", n)
	}
}

func TestTheEmergencyStopHoldsWhileTheStoreIsSilent(t *testing.T) {
	s := newShared()
	c := s.process("p", &events{})
	c.Change(t.Context(), func(r breaker.Record) (breaker.Record, breaker.Change) {
		return breaker.ForceOpen(r, s.clock.Now())
	})
	s.silent.Store(true)
	s.clock.to(s.clock.Now().Add(time.Hour))
	if p, refusal := c.Admit(t.Context(), "a", time.Second, s.clock.Now()); refusal != breaker.CircuitOpen {
		t.Errorf("%+v, %s", p, refusal)
	}
}

func TestAnOpenCircuitIsShutForAsLongAsItsRecordIsTrusted(t *testing.T) {
	s := newShared()
	c := s.process("p", &events{})
	shut := func() bool { return c.Shut(s.clock.Now().UnixNano()) }
	move := func(rule func(breaker.Record, time.Time) breaker.Record) {
		c.Change(t.Context(), func(r breaker.Record) (breaker.Record, breaker.Change) {
			return rule(r, s.clock.Now()), breaker.Noted
		})
	}
	if c.Admit(t.Context(), "a", time.Second, s.clock.Now()); shut() {
		t.Error("a closed circuit is shut")
	}
	move(func(r breaker.Record, now time.Time) breaker.Record {
		r.State, r.OpenUntil = breaker.Open, now.Add(time.Hour)
		return r
	})
	s.clock.to(s.clock.Now().Add(agent.CacheFor - 1))
	if !shut() {
		t.Error("an open circuit is not shut")
	}
	s.clock.to(s.clock.Now().Add(1))
	if shut() {
		t.Error("a record is trusted for more than its time")
	}
	if _, refusal := c.Admit(t.Context(), "a", time.Second, s.clock.Now()); refusal != breaker.CircuitOpen || !shut() {
		t.Errorf("read again, it is refused with %s, shut %t", refusal, shut())
	}
	move(func(r breaker.Record, _ time.Time) breaker.Record {
		r.State = breaker.HalfOpen
		return r
	})
	if shut() {
		t.Error("a half-open circuit is shut")
	}
}

func TestIfTheCircuitStoreIsUnreachableCallsProceedAndTheJournalSaysSo(t *testing.T) {
	s, journal := newShared(), &events{}
	c := s.process("p", journal)
	s.silent.Store(true)
	for round := range 3 {
		began := s.clock.Now()
		together(50, func(int) {
			p, refusal := c.Admit(t.Context(), "a", time.Second, s.clock.Now())
			if refusal != breaker.None || !p.Unowned {
				t.Errorf("%+v, %s", p, refusal)
			}
			c.Failed(t.Context(), agent.Attempt{Permit: p, Fault: faults["503"], Began: began, MayTrip: true}, s.clock.Now())
		})
		if waited := s.clock.Now().Sub(began); waited != agent.StoreTimeout {
			t.Errorf("50 requests waited %s for the store", waited)
		}
		if n := s.loads.Load(); n != int64(round)+1 {
			t.Errorf("%d reads of a silent store", n)
		}
		s.clock.to(s.clock.Now().Add(agent.CacheFor))
	}
	if n := journal.count("circuit_store_silent"); n != 1 {
		t.Errorf("the journal says so %d times", n)
	}
	s.silent.Store(false)
	for range 2 {
		if p, _ := c.Admit(t.Context(), "a", time.Second, s.clock.Now()); p.Unowned {
			t.Error("the store is back and nobody asks it")
		}
		s.clock.to(s.clock.Now().Add(agent.CacheFor))
	}
	s.silent.Store(true)
	c.Admit(t.Context(), "a", time.Second, s.clock.Now())
	if n := journal.count("circuit_store_silent"); n != 2 {
		t.Errorf("of a second silence the journal knows %d", n-1)
	}
}

func TestACancelledCallerIsNoSilentStore(t *testing.T) {
	s, journal := newShared(), &events{}
	c := s.process("p", journal)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	c.Admit(ctx, "a", time.Second, s.clock.Now())
	if p, _ := c.Admit(t.Context(), "a", time.Second, s.clock.Now()); p.Unowned || journal.count("circuit_store_silent") != 0 {
		t.Errorf("%+v after %v", p, journal.all())
	}
}

func TestAStoppingProcessStillReportsWhatHappened(t *testing.T) {
	s := newShared()
	c := s.process("p", &events{})
	c.Admit(t.Context(), "a", time.Second, s.clock.Now())
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, change := c.Failed(ctx, agent.Attempt{Fault: faults["503"], Began: start}, start); change != breaker.Counted {
		t.Errorf("the failure is %s", change)
	}
	if change := c.Succeeded(ctx, breaker.Permit{}, start.Add(1)); change != breaker.Cleared {
		t.Errorf("the success is %s", change)
	}
}

func TestAWriteWhoseAnswerWasLostIsRecognised(t *testing.T) {
	s := newShared()
	c := s.process("p", &events{})
	s.loses = func(int64) bool { return true }
	for want := 1; want <= 3; want++ {
		change := fails(t, c, s.clock.Now())
		if got := c.Seen().Streak; got != want {
			t.Fatalf("%d failures count %d (%s)", want, got, change)
		}
		if tripped := change == breaker.Tripped; tripped != (want == 3) {
			t.Errorf("failure %d: %s", want, change)
		}
	}
}

func TestAWriteThatWasOverwrittenMeanwhileIsReportedOnceMore(t *testing.T) {
	s := newShared()
	a, b := s.process("a", &events{}), s.process("b", &events{})
	fails(t, b, s.clock.Now())
	fails(t, a, s.clock.Now())
	again := false
	s.loses = func(n int64) bool {
		if again {
			return false
		}
		again = true
		fails(t, b, s.clock.Now()) // after a's write, before a looks for it
		return true
	}
	s.clock.to(s.clock.Now().Add(time.Millisecond))
	fails(t, a, s.clock.Now())
	if r := a.Seen(); r.State != breaker.Open {
		t.Errorf("four failures and %+v", r)
	}
}

func TestAHalfDeadStoreDelaysAReportByTwoTimeLimitsAtMost(t *testing.T) {
	s := newShared()
	c := s.process("p", &events{})
	fails(t, c, s.clock.Now())
	began := s.clock.Now()
	s.race = func() { s.clock.to(s.clock.Now().Add(agent.StoreTimeout)) } // too late to be stored
	fails(t, c, began)
	if took := s.clock.Now().Sub(began); took != 2*agent.StoreTimeout {
		t.Errorf("it took %s", took)
	}
}

func TestFiftyFailuresAtOnceTripOnceWithFewConflicts(t *testing.T) {
	s := newShared()
	c := s.process("p", &events{})
	s.race = func() { // lets the others catch up
		for range 100 {
			runtime.Gosched()
		}
	}
	var trips atomic.Int64
	together(50, func(int) {
		if fails(t, c, s.clock.Now()) == breaker.Tripped {
			trips.Add(1)
		}
	})
	if trips.Load() != 1 || s.swaps.Load() != 3 || s.lost.Load() != 0 {
		t.Errorf("%d trips, %d writes, %d conflicts", trips.Load(), s.swaps.Load(), s.lost.Load())
	}
}

func TestALostRaceGetsTheCurrentRecordAndDecidesAgain(t *testing.T) {
	s := newShared()
	var trips atomic.Int64
	together(8, func(i int) {
		c := s.process(fmt.Sprint("p", i), &events{})
		if fails(t, c, s.clock.Now()) == breaker.Tripped {
			trips.Add(1)
		}
	})
	r, err := s.Circuits.Load(t.Context(), agent.ElevenLabs)
	if err != nil || trips.Load() != 1 || r.State != breaker.Open || r.Streak != 3 {
		t.Errorf("%d trips, %+v, %v", trips.Load(), r, err)
	}
}

func TestAReleasedCallIsNeverRefusedOnACachedCircuitOlderThanItsRelease(t *testing.T) {
	w := newWorld(t)
	w.services.on(agent.ElevenLabs, script{verb: "speak", fault: faults["503"], to: start.Add(5 * time.Second)})
	w.enqueue(3)
	w.ticks = false
	w.run(20 * time.Second)
	if got := w.states(); got != "parked parked parked" {
		t.Fatalf("the calls are %s", got)
	}
	other := agent.New(w.options("other"))
	if r, _ := other.Circuit(agent.ElevenLabs).Look(t.Context(), w.clock.Now()); r.State != breaker.Open {
		t.Fatalf("the other process sees %s", r.State)
	}
	w.agent.Tick(w.ctx) // hands the lease over, less than a second later
	w.agent = other
	w.run(900 * time.Millisecond)
	heir := 0
	for _, c := range w.calls() {
		if c.State == call.Waiting {
			heir++
		}
	}
	if r := w.record(agent.ElevenLabs); heir != 1 || r.State != breaker.Closed {
		t.Errorf("the calls are %s, the circuit %s", w.states(), r.State)
	}
}

func TestASuccessCostsNoStoreOperationAndNoMemory(t *testing.T) {
	s := newShared()
	c := s.process("p", &events{})
	ctx, now := t.Context(), s.clock.Now()
	c.Admit(ctx, "a", time.Second, now)
	before := s.loads.Load() + s.swaps.Load()
	allocs := testing.AllocsPerRun(100, func() {
		p, _ := c.Admit(ctx, "a", time.Second, now)
		c.Succeeded(ctx, p, now)
	})
	if used := s.loads.Load() + s.swaps.Load() - before; allocs != 0 || used != 0 {
		t.Errorf("%g allocations, %d store operations", allocs, used)
	}
}

func TestARejectionCostsNoStoreOperationAndNoMemory(t *testing.T) {
	s, c, now := rejecting(t)
	before := s.loads.Load() + s.swaps.Load()
	allocs := testing.AllocsPerRun(100, func() {
		if _, refusal := c.Admit(t.Context(), "a", time.Second, now); refusal != breaker.CircuitOpen {
			t.Error(refusal)
		}
	})
	if used := s.loads.Load() + s.swaps.Load() - before; allocs != 0 || used != 0 {
		t.Errorf("%g allocations, %d store operations", allocs, used)
	}
}

// rejecting is a circuit that is open and was just read.
func rejecting(t testing.TB) (*shared, *agent.Circuit, time.Time) {
	s := newShared()
	c := s.process("p", &events{})
	c.Change(t.Context(), func(r breaker.Record) (breaker.Record, breaker.Change) { return breaker.ForceOpen(r, start) })
	return s, c, s.clock.Now()
}

// BenchmarkCircuitSuccess is what every request pays in ordinary times.
func BenchmarkCircuitSuccess(b *testing.B) {
	s := newShared()
	c := s.process("p", &events{})
	ctx, now := b.Context(), s.clock.Now()
	b.ReportAllocs()
	for b.Loop() {
		p, _ := c.Admit(ctx, "a", time.Second, now)
		c.Succeeded(ctx, p, now)
	}
}

// BenchmarkCircuitReject is what a request pays that is not sent.
func BenchmarkCircuitReject(b *testing.B) {
	_, c, now := rejecting(b)
	ctx := b.Context()
	b.ReportAllocs()
	for b.Loop() {
		c.Admit(ctx, "a", time.Second, now)
	}
}
