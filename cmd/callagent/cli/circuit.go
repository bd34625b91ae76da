package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/user"

	"callagent/core/breaker"
	"callagent/core/journal"
	"callagent/infra/clock"
	"callagent/infra/operator"
	"callagent/infra/settings"
	"callagent/infra/wiring"
)

// circuitCommand shows circuits, or overrides one.
type circuitCommand struct {
	Service string          `arg:"" optional:"" help:"llm, elevenlabs, twilio or crm; all of them without it."`
	Action  operator.Action `arg:"" optional:"" help:"open stops all requests to it (the emergency stop), close lets all pass even while they fail, auto gives it back to its rules."`
	JSON    bool            `help:"Print one JSON document." name:"json"`
}

// circuitReport is what the command prints as JSON.
type circuitReport struct {
	Changed  bool               `json:"changed"` // an override was asked for and was not in force before
	Circuits []operator.Circuit `json:"circuits"`
}

// means continues "The circuit of twilio is forced open:" for each action.
var means = map[operator.Action]func(breaker.Record) string{
	operator.Open: func(r breaker.Record) string {
		return "no request is sent there and nothing tests it; calls that need it are set aside until `callagent circuit " + r.Service + " auto`"
	},
	operator.Close: func(r breaker.Record) string {
		return "every request is sent, however many fail, until `callagent circuit " + r.Service + " auto`"
	},
	operator.Auto: func(r breaker.Record) string {
		if r.State == breaker.Closed {
			return "requests are sent, and it opens by itself when they fail"
		}
		return "it is tested as soon as its time has come, and closes by itself when the service works"
	},
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
		if err := oneOf("action", c.Action, operator.Actions()); err != nil {
			return err
		}
	}
	return withStore(g, w, false, func(ctx context.Context, store wiring.Store, s settings.Settings) error {
		changed, sentence := false, ""
		if c.Action != "" {
			var err error
			if changed, sentence, err = c.override(ctx, store, s.Services[c.Service].Circuit); err != nil {
				return err
			}
		}
		states, err := readCircuits(ctx, store, services)
		switch {
		case err != nil:
			return err
		case c.JSON:
			return printJSON(w.Out, circuitReport{Changed: changed, Circuits: states})
		case c.Action != "":
			_, err := fmt.Fprintln(w.Out, sentence)
			return err
		}
		return printCircuits(w.Out, states)
	})
}

// override carries out the action and says what it did.
func (c *circuitCommand) override(ctx context.Context, store wiring.Store, cfg breaker.Config) (changed bool, sentence string, err error) {
	done, err := operating(store).Override(ctx, c.Service, c.Action, cfg)
	if err != nil {
		return false, "", err
	}
	means := means[c.Action](done.After)
	sentence = fmt.Sprintf("The circuit of %s is %s now (it was %s): %s.", c.Service, c.Action.Makes(), done.Was, means)
	if !done.Changed {
		sentence = fmt.Sprintf("The circuit of %s was %s already: %s.", c.Service, c.Action.Makes(), means)
	}
	if done.Unnoted != nil {
		err = fmt.Errorf("%s But %w", sentence, unnoted(done.Unnoted))
	}
	return done.Changed, sentence, err
}

// operating is whoever runs the command, at work.
func operating(store wiring.Store) operator.Operator {
	return operator.Operator{Name: userName(), Store: store, Clock: &clock.Clock{}}
}

// note puts what the operator did into the journal; did continues "Operator
// ada".
func note(ctx context.Context, store wiring.Store, event, did string) error {
	if err := operating(store).Note(ctx, journal.Entry{Level: journal.Warning, Event: event}, did); err != nil {
		return unnoted(err)
	}
	return nil
}

// unnoted is the error of a journal that did not take an entry.
func unnoted(err error) error { return fmt.Errorf("the journal does not say so: %w", err) }

// userName names whoever runs the command.
func userName() string {
	if u, err := user.Current(); err == nil {
		return u.Username
	}
	return fmt.Sprintf("with user id %d", os.Getuid())
}

// readCircuits reads the circuits of the services as they are now.
func readCircuits(ctx context.Context, store wiring.Store, services []string) ([]operator.Circuit, error) {
	parked, err := store.ParkedFor(ctx)
	if err != nil {
		return nil, err
	}
	return operator.Circuits(ctx, store, services, parked, (&clock.Clock{}).Now())
}

// printCircuits writes a table for people.
func printCircuits(w io.Writer, states []operator.Circuit) (err error) {
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
