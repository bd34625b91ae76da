package operator

import (
	"context"
	"crypto/rand"
	"fmt"
	"time"

	"callagent/core/agent"
	"callagent/core/breaker"
	"callagent/core/fault"
	"callagent/core/journal"
)

// Circuit is how one service's circuit stands; its JSON form is stable.
type Circuit struct {
	Service     string       `json:"service"`
	State       string       `json:"state"`                 // CLOSED, OPEN or HALF_OPEN (one test request is under way)
	Forced      Action       `json:"forced,omitempty"`      // Open or Close while an operator holds it there
	Since       time.Time    `json:"since,omitzero"`        // when it opened or closed; absent when it never opened
	NextTest    time.Time    `json:"next_test,omitzero"`    // when an open one is tested; absent when it is forced
	PausedUntil time.Time    `json:"paused_until,omitzero"` // until when the provider asked to be left alone
	Failures    int          `json:"failures"`              // in a row
	Parked      int          `json:"parked"`                // calls that wait for it to close
	LastFault   *fault.Fault `json:"last_fault,omitempty"`  // retry_after is in nanoseconds
}

// Circuits reads the circuits of the services as they stand at now. parked
// counts the calls that wait for each.
func Circuits(ctx context.Context, store agent.Circuits, services []string, parked map[string]int, now time.Time) ([]Circuit, error) {
	var circuits []Circuit
	for _, name := range services {
		r, err := store.Load(ctx, name)
		if err != nil {
			return nil, err
		}
		c := circuitOf(r, now)
		c.Parked = parked[name]
		circuits = append(circuits, c)
	}
	return circuits, nil
}

func circuitOf(r breaker.Record, now time.Time) Circuit {
	c := Circuit{
		Service: r.Service, State: r.State.String(), Since: r.ClosedAt, Failures: r.Streak, LastFault: r.LastFault,
		Forced: map[breaker.Forced]Action{breaker.ForcedOpen: Open, breaker.ForcedClosed: Close}[r.Forced],
	}
	switch {
	case r.State == breaker.HalfOpen:
		c.Since, c.NextTest = r.OpenedAt, r.Probe.Until
	case r.State == breaker.Open:
		c.Since = r.OpenedAt
		if r.Forced == breaker.Automatic {
			c.NextTest = r.OpenUntil
		}
	}
	if r.PausedUntil.After(now) {
		c.PausedUntil = r.PausedUntil
	}
	return c
}

// Action is what an operator can do to a circuit.
type Action string

// The actions.
const (
	Open  Action = "open"  // the emergency stop: no request is sent
	Close Action = "close" // every request is sent, however many fail
	Auto  Action = "auto"  // its rules decide again
)

// Actions lists them.
func Actions() []Action { return []Action{Open, Close, Auto} }

// override is how an action is carried out and told.
type override struct {
	rule   func(breaker.Record, time.Time) (breaker.Record, breaker.Change)
	forced breaker.Forced // what the record says afterwards
	event  string         // in the journal
	is     string
}

var overrides = map[Action]override{
	Open:  {rule: breaker.ForceOpen, forced: breaker.ForcedOpen, event: "circuit_forced_open", is: "forced open"},
	Close: {rule: breaker.ForceClose, forced: breaker.ForcedClosed, event: "circuit_forced_closed", is: "forced closed"},
	Auto:  {rule: breaker.Return, forced: breaker.Automatic, event: "circuit_returned", is: "automatic"},
}

// Makes continues the sentence "The circuit is".
func (a Action) Makes() string { return overrides[a].is }

// Overridden says what an override did.
type Overridden struct {
	Changed bool   // it was not in force before
	Was     string // the state before, and whether it was forced
	After   breaker.Record
	// Unnoted is why the journal does not say so; nil when it does.
	Unnoted error
}

// Override carries out one of the Actions and puts that in the journal, also
// when it changes nothing.
func (o Operator) Override(ctx context.Context, service string, a Action, cfg breaker.Config) (Overridden, error) {
	do, now := overrides[a], o.now()
	circuit := agent.NewCircuit(service, cfg, agent.CircuitOptions{
		Store: o.Store, Clock: o.Clock, NewID: rand.Text, Journal: deaf{}, Timeout: 10 * time.Second,
	})
	var before *breaker.Record
	after, change := circuit.Change(ctx, func(r breaker.Record) (breaker.Record, breaker.Change) {
		before = &r
		return do.rule(r, now)
	})
	if before == nil || after.Forced != do.forced {
		return Overridden{}, fmt.Errorf("the store did not answer: the circuit of %s is as it was, try again", service)
	}
	done := Overridden{Changed: change.Writes(), Was: stateWord(*before), After: after}
	did := "made it " + do.is
	if !done.Changed {
		did = "asked for it to be " + do.is + ", which it was already"
	}
	e := journal.Entry{Level: journal.Warning, Service: service, Event: do.event, Circuit: after.State.String()}
	done.Unnoted = o.Note(ctx, e, did+"; the circuit was "+done.Was)
	return done, nil
}

// stateWord is a record's state, and whether an operator holds it there.
func stateWord(r breaker.Record) string {
	if r.Forced == breaker.Automatic {
		return r.State.String()
	}
	return r.State.String() + " (forced)"
}

// deaf is a journal for a process that says everything itself.
type deaf struct{}

func (deaf) Write(journal.Entry) {}
