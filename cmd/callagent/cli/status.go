package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"callagent/core/call"
	"callagent/core/journal"
	"callagent/infra/clock"
	"callagent/infra/operator"
	"callagent/infra/settings"
	"callagent/infra/wiring"
	"callagent/infra/wiring/machine"
)

// statusCommand shows how things stand.
type statusCommand struct {
	JSON bool `help:"Print one JSON document." name:"json"`
}

// status is how things stand; its JSON form is stable.
type status struct {
	At          time.Time          `json:"at"`
	Store       string             `json:"store"`
	Circuits    []operator.Circuit `json:"circuits"` // one for each service, in the order of a call
	Calls       []call.Count       `json:"calls"`    // by campaign, state and result; without contacts that no call has begun for
	Queue       queueState         `json:"queue"`
	DeadLetters int                `json:"dead_letters"` // messages that could not be worked; at most 1,000 are counted
	Events      []journal.Stored   `json:"events"`       // the newest, the oldest of them first
}

// queueState counts messages: contacts that nobody has begun with, and calls
// that are under way.
type queueState struct {
	Visible int       `json:"visible"`       // can be worked now
	Hidden  int       `json:"hidden"`        // are being worked, or wait
	Next    time.Time `json:"next,omitzero"` // when the first hidden one can be worked
}

const (
	eventsShown    = 10
	lettersCounted = 1000
)

// Run is the command.
func (c *statusCommand) Run(g *grammar, w World) error {
	return withStore(g, w, false, func(ctx context.Context, store wiring.Store, s settings.Settings) error {
		now, err := readStatus(ctx, store)
		if err != nil {
			return err
		}
		now.Store = s.Store
		if c.JSON {
			return printJSON(w.Out, now)
		}
		return now.print(w.Out)
	})
}

// readStatus asks the store. The parts are read one after the other, so a
// running agent may change something in between.
func readStatus(ctx context.Context, store wiring.Store) (s status, err error) {
	s = status{At: (&clock.Clock{}).Now(), Calls: []call.Count{}, Events: []journal.Stored{}}
	if s.Circuits, err = readCircuits(ctx, store, settings.ServiceNames()); err != nil {
		return s, err
	}
	counts, err := store.Counts(ctx)
	if err != nil {
		return s, err
	}
	s.Calls = append(s.Calls, counts...)
	if s.Queue.Visible, s.Queue.Hidden, s.Queue.Next, err = store.Pending(ctx); err != nil {
		return s, err
	}
	letters, err := store.DeadLetters(ctx, lettersCounted)
	if err != nil {
		return s, err
	}
	s.DeadLetters = len(letters)
	events, err := store.Latest(ctx, eventsShown)
	s.Events = append(s.Events, events...)
	return s, err
}

// print writes it for people.
func (s status) print(w io.Writer) error {
	if err := printCircuits(w, s.Circuits); err != nil {
		return err
	}
	if err := s.printCalls(w); err != nil {
		return err
	}
	hidden := fmt.Sprintf("%d hidden", s.Queue.Hidden)
	if !s.Queue.Next.IsZero() {
		hidden += ", the first until " + instant(s.Queue.Next)
	}
	letters := fmt.Sprint(s.DeadLetters)
	if s.DeadLetters == lettersCounted {
		letters += " or more"
	}
	_, err := fmt.Fprintf(w, "\nQueue: %d ready, %s. Dead letters: %s.\n", s.Queue.Visible, hidden, letters)
	if err != nil || len(s.Events) == 0 {
		return err
	}
	_, err = fmt.Fprintln(w, "\nLast events:")
	for _, e := range s.Events {
		if err == nil {
			_, err = fmt.Fprintln(w, machine.Line(e.Entry))
		}
	}
	return err
}

func (s status) printCalls(w io.Writer) (err error) {
	if _, err := fmt.Fprintln(w); err != nil {
		return err
	}
	if len(s.Calls) == 0 {
		_, err := fmt.Fprintln(w, "No calls yet.")
		return err
	}
	t := newTable(w, "CAMPAIGN", "STATE", "RESULT", "CALLS")
	defer func() { err = errors.Join(err, t.Close()) }()
	for _, n := range s.Calls {
		calls := fmt.Sprint(n.Calls)
		if n.Kept > 0 {
			calls += fmt.Sprintf(" and %d of earlier rounds", n.Kept)
		}
		t.row(n.Campaign, n.State, n.Result, calls)
	}
	return nil
}
