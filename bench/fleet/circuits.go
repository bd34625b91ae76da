package main

import (
	"context"

	"callagent/core/agent"
	"callagent/core/breaker"
	"callagent/infra/memory"
)

// counting is the circuits of callagent alone, without agents and ticks, for
// openings that are put back. Every request is a call's first attempt.
type counting struct {
	*rig
	store   *memory.Store
	members []*member
}

func countingOnly(r *rig) breakers {
	c := &counting{rig: r, store: memory.New(memory.Options{Now: r.Now})}
	options := agent.CircuitOptions{
		Store: &circuits{rig: r, Circuits: c.store}, Clock: r, Journal: silent{}, NewID: r.newID,
	}
	for range r.Processes {
		m := &member{timeline: &r.timeline}
		m.circuit = agent.NewCircuit(agent.ElevenLabs, circuitConfig(), options)
		c.members = append(c.members, m)
	}
	return c
}

func (c *counting) arrive(process int) {
	m, ctx := c.members[process], context.Background()
	var permit breaker.Permit
	refusal := breaker.None
	m.alone(func() { permit, refusal = m.circuit.Admit(ctx, "", requestLimit, c.Now()) })
	if refusal != breaker.None {
		c.seen.refused++
		return
	}
	began, works := c.Now(), c.service.works()
	c.service.request(works)
	m.alone(func() {
		if works {
			m.circuit.Succeeded(ctx, permit, c.Now())
			return
		}
		m.circuit.Failed(ctx, agent.Attempt{Permit: permit, Fault: unavailable, Began: began, MayTrip: true}, c.Now())
	})
}

// putBack closes the circuit by the rules, in the store itself.
func (c *counting) putBack() {
	for _, rule := range []func(breaker.Record) (breaker.Record, breaker.Change){
		func(r breaker.Record) (breaker.Record, breaker.Change) { return breaker.ForceClose(r, c.Now()) },
		func(r breaker.Record) (breaker.Record, breaker.Change) { return breaker.Return(r, c.Now()) },
	} {
		stored, err := c.store.Load(context.Background(), agent.ElevenLabs)
		if err == nil {
			stored, _ = rule(stored)
			_, err = c.store.Swap(context.Background(), stored)
		}
		if err != nil {
			panic(err)
		}
	}
	c.seen.becomes(false)
}
