package cli

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"os"
	"os/user"
	"time"

	"callagent/core/agent"
	"callagent/core/breaker"
	"callagent/core/fault"
	"callagent/core/journal"
	"callagent/infra/clock"
	"callagent/infra/settings"
	"callagent/infra/wiring"
)

// circuitCommand shows circuits, or overrides one.
type circuitCommand struct {
	Service string `arg:"" optional:"" help:"llm, elevenlabs, twilio or crm; all of them without it."`
	Action  string `arg:"" optional:"" help:"open stops all requests to it (the emergency stop), close lets all pass even while they fail, auto gives it back to its rules."`
	JSON    bool   `help:"Print one JSON document." name:"json"`
}

// circuitState is one service's circuit; its JSON form is stable.
type circuitState struct {
	Service     string       `json:"service"`
	State       string       `json:"state"`                 // CLOSED, OPEN or HALF_OPEN (one test request is under way)
	Forced      string       `json:"forced,omitempty"`      // "open" or "close" while an operator holds it there
	Since       time.Time    `json:"since,omitzero"`        // when it opened or closed; absent when it never opened
	NextTest    time.Time    `json:"next_test,omitzero"`    // when an open one is tested; absent when it is forced
	PausedUntil time.Time    `json:"paused_until,omitzero"` // until when the provider asked to be left alone
	Failures    int          `json:"failures"`              // in a row
	Parked      int          `json:"parked"`                // calls that wait for it to close
	LastFault   *fault.Fault `json:"last_fault,omitempty"`  // retry_after is in nanoseconds
}

// circuitReport is what the command prints as JSON.
type circuitReport struct {
	Changed  bool           `json:"changed"` // an override was asked for and was not in force before
	Circuits []circuitState `json:"circuits"`
}

// override is what an operator can do to a circuit.
type override struct {
	rule   func(breaker.Record, time.Time) (breaker.Record, breaker.Change)
	forced breaker.Forced // what the record says afterwards
	event  string         // in the journal
	is     string         // continues "the circuit of twilio is"
	means  func(breaker.Record) string
}

// Actions by their names on the command line.
const (
	openAction  = "open"
	closeAction = "close"
	autoAction  = "auto"
)

var overrides = map[string]override{
	openAction: {breaker.ForceOpen, breaker.ForcedOpen, "circuit_forced_open", "forced open", func(r breaker.Record) string {
		return "no request is sent there and nothing tests it; calls that need it are set aside until `callagent circuit " + r.Service + " auto`"
	}},
	closeAction: {breaker.ForceClose, breaker.ForcedClosed, "circuit_forced_closed", "forced closed", func(r breaker.Record) string {
		return "every request is sent, however many fail, until `callagent circuit " + r.Service + " auto`"
	}},
	autoAction: {breaker.Return, breaker.Automatic, "circuit_returned", "automatic", func(r breaker.Record) string {
		if r.State == breaker.Closed {
			return "requests are sent, and it opens by itself when they fail"
		}
		return "it is tested as soon as its time has come, and closes by itself when the service works"
	}},
}

// Run is the command.
func (c *circuitCommand) Run(g *grammar, w World) error {
	services := settings.ServiceNames()
	if c.Service != "" {
		if err := oneOf("service", c.Service, services); err != nil {
			return err
		}
		services = []string{c.Service}
	}
	if c.Action != "" {
		if err := oneOf("action", c.Action, []string{openAction, closeAction, autoAction}); err != nil {
			return err
		}
	}
	return withStore(g, w, false, func(ctx context.Context, store wiring.Store, s settings.Settings) error {
		var done overridden
		if c.Action != "" {
			var err error
			if done, err = overrides[c.Action].apply(ctx, store, c.Service, s.Services[c.Service].Circuit); err != nil {
				return err
			}
		}
		states, err := readCircuits(ctx, store, services)
		switch {
		case err != nil:
			return err
		case c.JSON:
			return printJSON(w.Out, circuitReport{Changed: done.changed, Circuits: states})
		case c.Action != "":
			_, err := fmt.Fprintln(w.Out, done.sentence)
			return err
		}
		return printCircuits(w.Out, states)
	})
}

// overridden says what an override did.
type overridden struct {
	changed  bool
	sentence string
}

// apply overrides the service's circuit and puts that in the journal, also
// when it changed nothing.
func (o override) apply(ctx context.Context, store wiring.Store, service string, cfg breaker.Config) (overridden, error) {
	now := (&clock.Clock{}).Now()
	circuit := agent.NewCircuit(service, cfg, agent.CircuitOptions{
		Store: store, Clock: &clock.Clock{}, NewID: rand.Text, Journal: deaf{}, Timeout: 10 * time.Second,
	})
	var before *breaker.Record
	after, change := circuit.Change(ctx, func(r breaker.Record) (breaker.Record, breaker.Change) {
		before = &r
		return o.rule(r, now)
	})
	if before == nil || after.Forced != o.forced {
		return overridden{}, fmt.Errorf("the store did not answer: the circuit of %s is as it was, try again", service)
	}
	was, did := forcedWord(*before), "made it "+o.is
	done := overridden{changed: change.Writes(), sentence: fmt.Sprintf("The circuit of %s is %s now (it was %s): %s.", service, o.is, was, o.means(after))}
	if !done.changed {
		did = "asked for it to be " + o.is + ", which it was already"
		done.sentence = fmt.Sprintf("The circuit of %s was %s already: %s.", service, o.is, o.means(after))
	}
	err := store.Append(ctx, []journal.Entry{{
		Time: now, Level: journal.Warning, Service: service, Event: o.event, Circuit: after.State.String(),
		Message: fmt.Sprintf("Operator %s %s; the circuit was %s.", operator(), did, was),
	}})
	if err != nil {
		err = fmt.Errorf("%s But the journal does not say so: %w", done.sentence, err)
	}
	return done, err
}

// deaf is a journal for a process that says everything itself.
type deaf struct{}

func (deaf) Write(journal.Entry) {}

// operator names whoever runs the command.
func operator() string {
	if u, err := user.Current(); err == nil {
		return u.Username
	}
	return fmt.Sprintf("with user id %d", os.Getuid())
}

// forcedWord is a record's state, and who holds it there.
func forcedWord(r breaker.Record) string {
	if r.Forced == breaker.Automatic {
		return r.State.String()
	}
	return r.State.String() + " (forced)"
}

// readCircuits reads the circuits of the services as they are now.
func readCircuits(ctx context.Context, store wiring.Store, services []string) ([]circuitState, error) {
	parked, err := store.ParkedFor(ctx)
	if err != nil {
		return nil, err
	}
	now := (&clock.Clock{}).Now()
	var states []circuitState
	for _, name := range services {
		r, err := store.Load(ctx, name)
		if err != nil {
			return nil, err
		}
		s := stateOf(r, now)
		s.Parked = parked[name]
		states = append(states, s)
	}
	return states, nil
}

// stateOf describes a record as it stands at now.
func stateOf(r breaker.Record, now time.Time) circuitState {
	s := circuitState{
		Service: r.Service, State: r.State.String(), Since: r.ClosedAt, Failures: r.Streak, LastFault: r.LastFault,
		Forced: map[breaker.Forced]string{breaker.ForcedOpen: openAction, breaker.ForcedClosed: closeAction}[r.Forced],
	}
	switch {
	case r.State == breaker.HalfOpen:
		s.Since, s.NextTest = r.OpenedAt, r.Probe.Until
	case r.State == breaker.Open:
		s.Since = r.OpenedAt
		if r.Forced == breaker.Automatic {
			s.NextTest = r.OpenUntil
		}
	}
	if r.PausedUntil.After(now) {
		s.PausedUntil = r.PausedUntil
	}
	return s
}

// printCircuits writes a table for people.
func printCircuits(w io.Writer, states []circuitState) (err error) {
	t := newTable(w, "SERVICE", "CIRCUIT", "SINCE", "FAILURES", "NEXT TEST", "PARKED", "LAST FAULT")
	defer func() { err = errors.Join(err, t.Close()) }()
	for _, s := range states {
		state, last := s.State, ""
		if s.Forced != "" {
			state += " (forced)"
		}
		if !s.PausedUntil.IsZero() {
			state += ", paused until " + instant(s.PausedUntil)
		}
		if s.LastFault != nil {
			last = s.LastFault.Error()
		}
		t.row(s.Service, state, instant(s.Since), s.Failures, instant(s.NextTest), s.Parked, last)
	}
	return nil
}
