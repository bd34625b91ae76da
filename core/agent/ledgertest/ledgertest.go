// Package ledgertest is the conformance suite of the stores that hold calls
// and numbers: whatever implements the four ports has to pass it, so that the
// agent means the same on one machine and in the cloud. Each subtest is one
// sentence of the ports' contract.
package ledgertest

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"callagent/core/agent"
	"callagent/core/call"
)

// Store is what the suite tests: the four ports over the same calls.
type Store interface {
	agent.Ledger
	agent.Backlog
	agent.Register
	agent.Blocklist
}

// Harness is one store for one subtest, with nothing in it.
type Harness struct {
	Store Store
	// Now is the clock that the store was given.
	Now func() time.Time
	// CatchUp waits until the reads that may lag show every write; nil where
	// none lags.
	CatchUp func()
}

// Run runs the suite. open is called once for each subtest and cleans up after
// itself.
func Run(t *testing.T, open func(t *testing.T) Harness) {
	for _, group := range []struct {
		name  string
		cases []testCase
	}{
		{"Get", getCases},
		{"Put", putCases},
		{"Number", numberCases},
		{"SID", sidCases},
		{"Unanswered", unansweredCases},
		{"Answer", answerCases},
		{"Settle", settleCases},
		{"Due", dueCases},
		{"Parked", parkedCases},
		{"Stamp", stampCases},
		{"Register", registerCases},
		{"Keep", keepCases},
		{"Blocklist", blocklistCases},
		{"Races", raceCases},
	} {
		t.Run(group.name, func(t *testing.T) {
			for _, c := range group.cases {
				t.Run(c.says, func(t *testing.T) { c.check(newBench(t, open(t))) })
			}
		})
	}
}

// testCase is one sentence of the contract and the check that it holds.
type testCase struct {
	says  string
	check func(b *bench)
}

// bench is a store with the few steps that most checks are made of. Its
// methods end the subtest when a step fails that the check is not about.
type bench struct {
	*testing.T
	Store
	ctx context.Context
	h   Harness
}

func newBench(t *testing.T, h Harness) *bench {
	return &bench{T: t, Store: h.Store, ctx: t.Context(), h: h}
}

// catchUp waits for the reads that may lag.
func (b *bench) catchUp() {
	if b.h.CatchUp != nil {
		b.h.CatchUp()
	}
}

// write makes one write that must succeed and returns the record afterwards.
func (b *bench) write(w call.Write) call.Call {
	b.Helper()
	if err := b.Put(b.ctx, w); err != nil {
		b.Fatalf("put %s: %v", w.Call.Key, err)
	}
	return b.read(w.Call.Key)
}

// put stores a record without further conditions.
func (b *bench) put(c call.Call) call.Call {
	b.Helper()
	return b.write(call.Write{Call: c})
}

// take stores a record that takes its number.
func (b *bench) take(c call.Call) call.Call {
	b.Helper()
	return b.write(call.Write{Call: c, Number: call.TakeNumber})
}

// answer stores an answer that must be accepted.
func (b *bench) answer(c call.Call, a call.Answer) call.Call {
	b.Helper()
	got, err := b.Answer(b.ctx, c.Key, c.Intent.Attempt, a)
	if err != nil {
		b.Fatalf("answer %s: %v", c.Key, err)
	}
	return got
}

// read gets a record that must be there.
func (b *bench) read(k call.Key) call.Call {
	b.Helper()
	c, err := b.Get(b.ctx, k)
	if err != nil {
		b.Fatalf("get %s: %v", k, err)
	}
	return c
}

// same fails when what is there is not what should be.
func (b *bench) same(what string, got, want any) {
	b.Helper()
	if diff := cmp.Diff(want, got); diff != "" {
		b.Errorf("%s (-want +got):\n%s", what, diff)
	}
}

// refused fails unless err is the refusal, found by errors.Is.
func (b *bench) refused(err, want error) {
	b.Helper()
	if !errors.Is(err, want) {
		b.Errorf("error is %v, want %v", err, want)
	}
}

// taken fails unless err names the call that stands in the way.
func (b *bench) taken(err error, what agent.TakenWhat, by call.Key) {
	b.Helper()
	var taken *agent.TakenError
	if !errors.As(err, &taken) {
		b.Errorf("error is %v, want a *TakenError", err)
		return
	}
	b.same("who stands in the way", *taken, agent.TakenError{What: what, By: by})
}

// absent fails unless there is no record of the call.
func (b *bench) absent(k call.Key) {
	b.Helper()
	_, err := b.Get(b.ctx, k)
	b.refused(err, agent.ErrNotFound)
}

// unowned fails unless nobody owns the SID.
func (b *bench) unowned(sid string) {
	b.Helper()
	_, err := b.Owner(b.ctx, sid)
	b.refused(err, agent.ErrNotFound)
}

// owner fails unless the call owns the SID.
func (b *bench) owner(sid string, want call.Key) {
	b.Helper()
	got, err := b.Owner(b.ctx, sid)
	if err != nil {
		b.Errorf("owner of %s: %v", sid, err)
		return
	}
	b.same("owner of "+sid, got, want)
}
