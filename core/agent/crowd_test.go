package agent_test

import (
	"encoding/json"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"callagent/core/agent"
)

// TestManyWorkersOfTwoProcessesRingEverybodyOnce lets eight goroutines of two
// agents work one queue with every message doubled, through an outage.
func TestManyWorkersOfTwoProcessesRingEverybodyOnce(t *testing.T) {
	const contacts = 40
	w := newWorld(t, func(o *agent.Options) {
		for name, p := range o.Policies {
			p.AtOnce = 2
			o.Policies[name] = p
		}
	})
	w.services.on(agent.ElevenLabs, script{verb: "speak", fault: faults["503"], to: start.Add(40 * time.Second)})
	w.enqueue(contacts)
	w.enqueue(contacts)
	agents := []*agent.Agent{w.agent, agent.New(w.options("other"))}
	for round := 0; !w.settled() || round == 0; round++ {
		if round > 2000 {
			t.Fatalf("the calls are %s", w.states())
		}
		together(8, func(i int) { drain(t, w, agents[i%2]) })
		w.clock.to(w.clock.Now().Add(time.Second))
		if round%5 == 0 {
			together(2, func(i int) { agents[i].Tick(w.ctx) })
		}
	}
	if got := strings.Count(w.states(), "completed"); got != contacts {
		t.Errorf("%d completed: %s", got, w.states())
	}
	if n := len(w.services.rung()); n != contacts {
		t.Errorf("%d were rung", n)
	}
	told := w.told()
	if n := len(told); n == 0 || n != len(slices.Compact(slices.Sorted(slices.Values(told)))) {
		t.Errorf("people were told %v", told)
	}
}

// drain works everything that is due.
func drain(t *testing.T, w *world, a *agent.Agent) {
	for {
		ms, err := w.store.Receive(t.Context(), 1, nil)
		if err != nil || len(ms) == 0 {
			return
		}
		v := a.Handle(w.ctx, ms[0])
		if v.Do == agent.Again {
			err = w.store.Again(t.Context(), ms[0].ID, v.At)
		} else {
			err = w.store.Done(t.Context(), ms[0].ID)
		}
		if err != nil {
			t.Error(err)
		}
	}
}

func TestAtOnceBoundsTheRequestsInFlight(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, func(o *agent.Options) {
			p := o.Policies[agent.ElevenLabs]
			p.AtOnce = 3
			o.Policies[agent.ElevenLabs] = p
		})
		var inFlight atomic.Int64
		answer := make(chan struct{})
		w.services.on(agent.ElevenLabs, script{verb: "speak", during: func() { inFlight.Add(1); <-answer }})
		var all sync.WaitGroup
		for i := range 6 {
			body, err := json.Marshal(contact(i + 1))
			if err != nil {
				t.Fatal(err)
			}
			all.Go(func() { w.agent.Handle(w.ctx, agent.Message{Body: body}) })
		}
		synctest.Wait()
		if n := inFlight.Load(); n != 3 {
			t.Errorf("%d requests at once", n)
		}
		close(answer)
		all.Wait()
		if n := inFlight.Load(); n != 6 {
			t.Errorf("%d requests in all", n)
		}
	})
}
