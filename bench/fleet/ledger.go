package main

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"strings"
	"time"

	"callagent/core/agent"
	"callagent/core/call"
)

// calls is everything that agents ask of a ledger.
type calls interface {
	agent.Ledger
	agent.Backlog
	agent.Blocklist
}

// ledger keeps the calls of a fleet, for runs with more of them than the store
// of tests is made for. Every contact has a number of its own, no answer is
// lost and no callback comes, so no condition but the version can fail.
// Histories are not kept.
type ledger struct {
	calls  map[call.Key]*call.Call
	due    map[call.Key]*call.Call
	parked map[string][]parked // by service, the longest parked first
	ended  map[call.State]int
}

// parked is a call as it was set aside. It is out of date when the call has
// gone on since.
type parked struct {
	call   *call.Call
	number int
	since  time.Time
}

func (p parked) compare(q parked) int {
	return cmp.Or(p.since.Compare(q.since), strings.Compare(p.call.Key.String(), q.call.Key.String()))
}

func newLedger() *ledger {
	return &ledger{
		calls: map[call.Key]*call.Call{}, due: map[call.Key]*call.Call{},
		parked: map[string][]parked{}, ended: map[call.State]int{},
	}
}

// over counts the calls that have their outcome.
func (l *ledger) over() int {
	n := 0
	for _, calls := range l.ended {
		n += calls
	}
	return n
}

// Get reads one call.
func (l *ledger) Get(_ context.Context, k call.Key) (call.Call, error) {
	if c, found := l.calls[k]; found {
		return *c, nil
	}
	return call.Call{}, agent.ErrNotFound
}

// Put stores a call if nobody was faster.
func (l *ledger) Put(_ context.Context, w call.Write) error {
	c := w.Call
	stored, found := l.calls[c.Key]
	if !found {
		stored = &call.Call{}
		l.calls[c.Key] = stored
	}
	if stored.Version != c.Version {
		return agent.ErrConflict
	}
	if c.State.Final() && !stored.State.Final() {
		l.ended[c.State]++
	}
	c.Version++
	c.History = nil
	aside := c.Park.Service != "" && c.Park.Number != stored.Park.Number
	*stored = c
	if aside {
		l.park(parked{stored, c.Park.Number, c.Park.Since})
	}
	if c.Due.IsZero() {
		delete(l.due, c.Key)
	} else {
		l.due[c.Key] = stored
	}
	return nil
}

// park puts a call at its place, which is near the end.
func (l *ledger) park(p parked) {
	all := l.parked[p.call.Park.Service]
	at := len(all)
	for at > 0 && all[at-1].compare(p) > 0 {
		at--
	}
	l.parked[p.call.Park.Service] = slices.Insert(all, at, p)
}

// Due lists the calls that somebody must look at by t.
func (l *ledger) Due(_ context.Context, t time.Time, limit int) ([]call.Call, error) {
	var found []call.Call
	for _, c := range l.due {
		if !c.Due.After(t) {
			found = append(found, *c)
		}
	}
	slices.SortFunc(found, func(a, b call.Call) int {
		return cmp.Or(a.Due.Compare(b.Due), strings.Compare(a.Key.String(), b.Key.String()))
	})
	return found[:min(limit, len(found))], nil
}

// Parked lists the calls that wait for a service's circuit.
func (l *ledger) Parked(_ context.Context, service string, unsent time.Time, limit int) ([]call.Call, error) {
	var found []call.Call
	waiting := slices.DeleteFunc(l.parked[service], func(p parked) bool {
		return p.call.Park.Service != service || p.call.Park.Number != p.number
	})
	l.parked[service] = waiting
	for _, p := range waiting {
		if len(found) == limit {
			break
		}
		if unsent.IsZero() || !p.call.Park.SentAt.After(unsent) {
			found = append(found, *p.call)
		}
	}
	return found, nil
}

// Stamp notes when a parked call was sent a wake-up.
func (l *ledger) Stamp(_ context.Context, c call.Call, at time.Time) error {
	stored, found := l.calls[c.Key]
	if !found || stored.State != c.State || stored.Park.Number != c.Park.Number {
		return agent.ErrConflict
	}
	stored.Park.SentAt = at
	return nil
}

// errCallback: nobody reports on a dial by itself here.
var errCallback = errors.New("the fleet has no callbacks")

// Answer is for callbacks.
func (l *ledger) Answer(context.Context, call.Key, string, call.Answer) (call.Call, error) {
	return call.Call{}, errCallback
}

// Owner is for dials whose answer was lost.
func (l *ledger) Owner(context.Context, string) (call.Key, error) {
	return call.Key{}, agent.ErrNotFound
}

// Blocked finds nobody on the do-not-call list.
func (l *ledger) Blocked(context.Context, string) (bool, error) { return false, nil }

// Block and Unblock are for operators.
func (l *ledger) Block(context.Context, string) error   { return errOperator }
func (l *ledger) Unblock(context.Context, string) error { return errOperator }

// errOperator: nobody keeps a do-not-call list here.
var errOperator = errors.New("the fleet has no operator")

// media forgets what it is given.
type media struct{}

func (media) Put(_ context.Context, name, _ string, _ []byte) (string, error) { return name, nil }
func (media) Get(context.Context, string) ([]byte, error)                     { return []byte("Hello."), nil }
func (media) Link(_ context.Context, ref string) (string, error) {
	return "https://media.invalid/" + ref, nil
}
