package agent_test

import (
	"context"
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"callagent/core/agent"
	"callagent/core/breaker"
	"callagent/core/call"
	"callagent/core/health"
)

// within has the process of a world end after a time, as a function does.
func (w *world) within(d time.Duration) context.Context {
	ctx, _ := w.clock.WithTimeout(w.ctx, d)
	return ctx
}

// handleWithin works contact 1 in a process that ends after a time.
func (w *world) handleWithin(d time.Duration) agent.Verdict {
	w.t.Helper()
	body, err := json.Marshal(contact(1))
	if err != nil {
		w.t.Fatal(err)
	}
	return w.agent.Handle(w.within(d), agent.Message{Body: body})
}

func TestNoStepStartsThatCouldNotEndBeforeTheProcessMust(t *testing.T) {
	const limit = 10 * time.Second // of every request
	const enough = limit + agent.DeadlineMargin
	for _, c := range []struct {
		left time.Duration // of the process when the message arrives
		want []string      // requests sent
	}{
		{enough - 1, nil},
		{enough, []string{"script"}},
		{enough + 200*time.Millisecond, []string{"script", "speak"}},
		{enough + 400*time.Millisecond, []string{"script", "speak", "dial"}},
		{2 * enough, []string{"script", "speak", "dial"}},
	} {
		w := newWorld(t)
		v := w.handleWithin(c.left)
		var sent []string
		for _, r := range w.services.requests {
			sent = append(sent, r.verb)
		}
		if !slices.Equal(sent, c.want) {
			t.Errorf("with %s left it sends %v, want %v", c.left, sent, c.want)
		}
		if len(c.want) == 3 {
			continue
		}
		if v.Do != agent.Again || v.At.After(w.clock.Now()) || v.State != call.Waiting {
			t.Errorf("with %s left the verdict is %+v, want again at once", c.left, v)
		}
		if got := w.call(1); got.Retries > 0 || got.Takeovers > 0 || got.SpentParks > 0 || got.Intent != nil {
			t.Errorf("running out of time is held against the call: %+v", got)
		}
	}
}

func TestADialIsWithdrawnWhenStoringItsIntentTookTheTimeOfTheRequest(t *testing.T) {
	w := newWorld(t)
	takes := func(use string) meddling {
		if n := len(w.services.requests); n == 2 && strings.HasPrefix(use, "ledger: put") {
			w.clock.to(w.clock.Now().Add(time.Second))
		}
		return none
	}
	w.ports.meddle = takes
	w.handleWithin(10*time.Second + agent.DeadlineMargin + 1500*time.Millisecond)
	if n := w.dials(); n != 0 {
		t.Errorf("%d dials", n)
	}
	if c := w.call(1); c.Intent != nil || c.State != call.Waiting {
		t.Errorf("the call is %s with intent %v", c.State, c.Intent)
	}
}

// calledFor are the ticks that an agent called for.
type calledFor struct {
	times int
	err   error
}

func (c *calledFor) SendTicks(_ context.Context, delays []time.Duration) error {
	if slices.Equal(delays, health.Ticks()) {
		c.times++
	}
	return c.err
}

// withTicks gives every process of a world ticks that it has to call for.
func withTicks(t *testing.T) (*world, *calledFor) {
	ticks := &calledFor{}
	return newWorld(t, func(o *agent.Options) { o.Ticks = ticks }), ticks
}

func TestTheWinnerOfATripCallsForTicks(t *testing.T) {
	w, ticks := withTicks(t)
	w.services.on(agent.ElevenLabs, script{times: 8, fault: faults["503"]})
	w.enqueue(3)
	w.run(time.Hour)
	opened := w.events.count("circuit_opened")
	if opened == 0 || ticks.times != opened {
		t.Errorf("%d trips, ticks called for %d times", opened, ticks.times)
	}
}

func TestAScheduledTickCallsForMoreOnlyWhileThereIsWorkForThem(t *testing.T) {
	now := start
	for name, c := range map[string]struct {
		record breaker.Record
		parked bool
		want   int
	}{
		"all is well":         {breaker.Record{}, false, 0},
		"open":                {breaker.Record{State: breaker.Open, OpenUntil: now}, false, 1},
		"half open":           {breaker.Record{State: breaker.HalfOpen}, false, 1},
		"forced open":         {breaker.Record{State: breaker.Open, Forced: breaker.ForcedOpen}, true, 0},
		"closed, with parked": {breaker.Record{ClosedAt: now}, true, 1},
	} {
		t.Run(name, func(t *testing.T) {
			w, ticks := withTicks(t)
			c.record.Service = agent.ElevenLabs
			if _, err := w.store.Swap(w.ctx, c.record); err != nil {
				t.Fatal(err)
			}
			if c.parked {
				k := call.Call{Key: keyOf(1), Contact: contact(1), CreatedAt: now}
				if err := w.store.Put(w.ctx, call.Write{Call: k.ForCircuit(agent.ElevenLabs, now, "a test")}); err != nil {
					t.Fatal(err)
				}
			}
			w.agent.Ahead(w.ctx)
			if ticks.times != c.want {
				t.Errorf("called for %d times, want %d", ticks.times, c.want)
			}
		})
	}
}

func TestTicksThatCannotBeCalledForAreInTheJournal(t *testing.T) {
	w, ticks := withTicks(t)
	ticks.err = errors.New("no queue")
	if _, err := w.store.Swap(w.ctx, breaker.Record{Service: agent.LLM, State: breaker.Open}); err != nil {
		t.Fatal(err)
	}
	w.agent.Ahead(w.ctx)
	if n := w.events.count("ticks_not_sent"); n != 1 {
		t.Errorf("the journal says so %d times", n)
	}
}

func TestWhatAPersonHasToMendIsInTheJournal(t *testing.T) {
	w := newWorld(t, func(o *agent.Options) {
		o.Ledger = unready{o.Ledger}
	})
	if v := w.handleWithin(time.Hour); v.Do != agent.Again || since(v.At) != agent.SilentLedger {
		t.Errorf("verdict %+v", v)
	}
	entries := w.events.all()
	if len(entries) != 1 || entries[0].Event != "ledger_silent" {
		t.Fatalf("journal: %+v", entries)
	}
	if got := entries[0].Message; got != "The ledger does not answer: nothing is dialled, the message goes back. Create the table." {
		t.Errorf("the journal says %q", got)
	}
}

// unready is a ledger without its table.
type unready struct{ agent.Ledger }

func (unready) Get(context.Context, call.Key) (call.Call, error) {
	return call.Call{}, &agent.SetupError{Remedy: "Create the table.", Cause: errors.New("no such table")}
}

// With ten thousand contacts on the queue a wake-up would come when the lease
// is long over.
func TestTheHeirOfAProbeIsWorkedByTheTickItself(t *testing.T) {
	w := newWorld(t, func(o *agent.Options) { o.WorksHeirs = true })
	w.services.on(agent.ElevenLabs, script{times: 8, fault: faults["503"]})
	w.enqueue(3)
	for w.record(agent.ElevenLabs).State != breaker.Open {
		w.run(5 * time.Second)
	}
	w.drain() // nobody works the queue any more
	for range 20 {
		w.clock.to(w.clock.Now().Add(tickEvery))
		w.agent.Tick(w.ctx)
	}
	if s := w.record(agent.ElevenLabs).State; s != breaker.Closed {
		t.Errorf("the circuit is %s", s)
	}
	if n := w.dials(); n != 1 {
		t.Errorf("%d calls were dialled by ticks, want the heir's", n)
	}
}

// drain takes everything off the queue.
func (w *world) drain() {
	w.t.Helper()
	messages, err := w.store.Receive(w.ctx, 100, nil)
	if err != nil {
		w.t.Fatal(err)
	}
	for _, m := range messages {
		if err := w.store.Done(w.ctx, m.ID); err != nil {
			w.t.Fatal(err)
		}
	}
}
