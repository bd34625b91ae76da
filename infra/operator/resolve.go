package operator

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"callagent/core/agent"
	"callagent/core/call"
	"callagent/core/journal"
)

// Answer is what a person can say of a call that ended unknown.
type Answer string

// The answers.
const (
	Rang   Answer = "rang"   // completes it
	Redial Answer = "redial" // calls once more
	Drop   Answer = "drop"   // gives it up
)

// Answers lists them.
func Answers() []Answer { return []Answer{Rang, Redial, Drop} }

// resolution is how an answer is carried out and told.
type resolution struct {
	rule func(c call.Call, now time.Time) (call.Write, bool)
	did  string // in the journal: "Operator … says that it rang."
}

var resolutions = map[Answer]resolution{
	Rang:   {alone(call.Call.Rang), "says that it rang"},
	Redial: {OrderAgain, "orders it to be called once more"},
	Drop:   {alone(call.Call.Dropped), "drops it"},
}

// alone makes a write of a rule that needs nothing but the record.
func alone(rule func(call.Call, time.Time) (call.Call, bool)) func(call.Call, time.Time) (call.Write, bool) {
	return func(c call.Call, now time.Time) (call.Write, bool) {
		c, may := rule(c, now)
		return call.Write{Call: c}, may
	}
}

// OrderAgain is the write that puts the next round in the place of a call;
// false when the call cannot be ordered again.
func OrderAgain(c call.Call, now time.Time) (call.Write, bool) {
	next, kept, may := c.Again(now)
	return call.Write{Call: next, Keep: &kept}, may
}

// Resolved says what became of a call. The errors are those of what came after
// the write; nil when there was none.
type Resolved struct {
	Write   call.Write
	Unwoken error // the queue did not take its message
	Unnoted error // the journal does not say so
}

// Resolve settles a call that ended unknown in one write, wakes it and puts
// that in the journal.
func (o Operator) Resolve(ctx context.Context, k call.Key, as Answer) (Resolved, error) {
	r, now := resolutions[as], o.now()
	write, err := Change(ctx, o.Store, k, func(c call.Call) (call.Write, error) {
		write, may := r.rule(c, now)
		if c.State != call.Unknown || !may {
			return write, cannotResolve(c)
		}
		return write, nil
	})
	if err != nil {
		return Resolved{}, err
	}
	done := Resolved{Write: write}
	if !write.Call.Due.IsZero() {
		done.Unwoken = wake(ctx, o.Store, write.Call)
	}
	e := journal.Entry{Level: journal.Warning, Event: "call_resolved", CallID: k.String(), Contact: k.Contact, Campaign: k.Campaign}
	done.Unnoted = o.Note(ctx, e, r.did+"; the call was unknown")
	return done, nil
}

// NotUnknownError says that a call is not one that a person settles.
type NotUnknownError struct {
	Key call.Key
	How string // how it stands: its state and result
}

// Error says how the call stands.
func (e *NotUnknownError) Error() string {
	if e.Key.Kept() {
		return fmt.Sprintf("%s is kept from an earlier round and stays as it is", e.Key)
	}
	return fmt.Sprintf("%s is %s: only a call that ended unknown is resolved, and `callagent retry` calls again after other ends", e.Key, e.How)
}

func cannotResolve(c call.Call) error {
	how := string(c.State)
	if c.Result != "" {
		how += " (" + string(c.Result) + ")"
	}
	return &NotUnknownError{Key: c.Key, How: how}
}

// changes is how often a change is tried when others write the call meanwhile.
const changes = 5

// Change makes one write of a call, deciding again when somebody else wrote it
// meanwhile.
func Change(ctx context.Context, ledger agent.Ledger, k call.Key, decide func(call.Call) (call.Write, error)) (call.Write, error) {
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
func wake(ctx context.Context, q agent.Sender, c call.Call) error {
	body, err := json.Marshal(c.Contact)
	if err != nil {
		return err
	}
	return q.Send(ctx, 0, body)
}
