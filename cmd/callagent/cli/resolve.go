package cli

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"callagent/core/agent"
	"callagent/core/call"
	"callagent/core/journal"
	"callagent/infra/clock"
	"callagent/infra/settings"
	"callagent/infra/wiring"
)

// resolveCommand settles a call that ended unknown.
type resolveCommand struct {
	ID string `arg:"" name:"call" help:"campaign/contact_id, or the contact_id alone if it is in one campaign only."`
	As string `arg:"" help:"rang completes it, redial calls once more, drop gives it up."`
}

// resolution is one thing that a person can say of an unknown call.
type resolution struct {
	rule  func(c call.Call, now time.Time) (call.Write, bool)
	did   string // in the journal: "Operator … that it rang."
	means string // continues "spring/c-001 is"
}

// Resolutions by their names on the command line.
const (
	rang   = "rang"
	redial = "redial"
	drop   = "drop"
)

var resolutions = map[string]resolution{
	rang: {
		rule:  alone(call.Call.Rang),
		did:   "says that it rang",
		means: "completed now, with the result rang: the CRM is told when callagent runs",
	},
	redial: {
		rule:  orderAgain,
		did:   "orders it to be called once more",
		means: "on the queue again: callagent rings once more when it runs, and keeps the call before it as %s",
	},
	drop: {
		rule:  alone(call.Call.Dropped),
		did:   "drops it",
		means: "failed now: it is not called again",
	},
}

// alone makes a write of a rule that needs nothing but the record.
func alone(rule func(call.Call, time.Time) (call.Call, bool)) func(call.Call, time.Time) (call.Write, bool) {
	return func(c call.Call, now time.Time) (call.Write, bool) {
		c, may := rule(c, now)
		return call.Write{Call: c}, may
	}
}

// orderAgain is the write that puts the next round in the place of a call.
func orderAgain(c call.Call, now time.Time) (call.Write, bool) {
	next, kept, may := c.Again(now)
	return call.Write{Call: next, Keep: &kept}, may
}

// Run is the command.
func (c *resolveCommand) Run(g *grammar, w World) error {
	if err := oneOf("answer", c.As, []string{rang, redial, drop}); err != nil {
		return err
	}
	return withStore(g, w, false, func(ctx context.Context, store wiring.Store, _ settings.Settings) error {
		found, err := findCall(ctx, store, c.ID)
		if err != nil {
			return err
		}
		sentence, err := resolutions[c.As].apply(ctx, store, found.Key)
		if err != nil {
			return err
		}
		_, err = fmt.Fprintln(w.Out, sentence)
		return err
	})
}

// changes is how often a change is tried when others write the call meanwhile.
const changes = 5

// apply settles the call in one write, wakes it and puts that in the journal.
func (r resolution) apply(ctx context.Context, store wiring.Store, k call.Key) (string, error) {
	now := (&clock.Clock{}).Now()
	done, err := change(ctx, store, k, func(c call.Call) (call.Write, error) {
		done, may := r.rule(c, now)
		if c.State != call.Unknown || !may {
			return done, cannotResolve(c)
		}
		return done, nil
	})
	if err != nil {
		return "", err
	}
	means := r.means
	if done.Keep != nil {
		means = fmt.Sprintf(means, done.Keep.Key)
	}
	sentence := fmt.Sprintf("%s is %s.", k, means)
	if !done.Call.Due.IsZero() {
		if err := wake(ctx, store, done.Call); err != nil {
			return "", fmt.Errorf("%s But the queue did not take its message (%w): a running callagent finds it within minutes", sentence, err)
		}
	}
	err = note(ctx, store, journal.Entry{
		Time: now, Event: "call_resolved", CallID: k.String(), Contact: k.Contact, Campaign: k.Campaign,
		Message: fmt.Sprintf("Operator %s %s; the call was unknown.", operator(), r.did),
	})
	if err != nil {
		err = fmt.Errorf("%s But %w", sentence, err)
	}
	return sentence, err
}

// cannotResolve says why a call cannot be settled by a person.
func cannotResolve(c call.Call) error {
	if c.Key.Kept() {
		return fmt.Errorf("%s is kept from an earlier round and stays as it is", c.Key)
	}
	how := string(c.State)
	if c.Result != "" {
		how += " (" + string(c.Result) + ")"
	}
	return fmt.Errorf("%s is %s: only a call that ended unknown is resolved, and `callagent retry` calls again after other ends", c.Key, how)
}

// change makes one write of a call, deciding again when somebody else wrote it
// meanwhile.
func change(ctx context.Context, ledger agent.Ledger, k call.Key, decide func(call.Call) (call.Write, error)) (call.Write, error) {
	for range changes {
		c, err := ledger.Get(ctx, k)
		if err != nil {
			return call.Write{}, err
		}
		w, err := decide(c)
		if err != nil {
			return w, err
		}
		if err = ledger.Put(ctx, w); !errors.Is(err, agent.ErrConflict) {
			return w, err
		}
	}
	return call.Write{}, fmt.Errorf("%s changes all the time and was left as it is: try again", k)
}

// wake puts a message on the queue that says "look at this call".
func wake(ctx context.Context, q sender, c call.Call) error {
	body, err := json.Marshal(c.Contact)
	if err != nil {
		return err
	}
	return q.Send(ctx, 0, body)
}

// note puts what an operator did into the journal.
func note(ctx context.Context, store wiring.Store, e journal.Entry) error {
	e.Level = journal.Warning
	if err := store.Append(ctx, []journal.Entry{e}); err != nil {
		return fmt.Errorf("the journal does not say so: %w", err)
	}
	return nil
}
