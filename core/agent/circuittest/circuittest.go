// Package circuittest is the conformance suite of the stores of circuits and
// of the pace: whatever implements the two ports has to pass it. Each subtest
// is one sentence of the ports' contract.
package circuittest

import (
	"context"
	"errors"
	"reflect"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"callagent/core/agent"
	"callagent/core/breaker"
	"callagent/core/fault"
)

// Store is what the suite tests.
type Store interface {
	agent.Circuits
	agent.Pace
}

// Run runs the suite. open is called once for each subtest, gives a store with
// nothing in it and cleans up after itself.
func Run(t *testing.T, open func(t *testing.T) Store) {
	for _, group := range []struct {
		name  string
		cases []testCase
	}{
		{"Load", loadCases},
		{"Swap", swapCases},
		{"Slot", slotCases},
	} {
		t.Run(group.name, func(t *testing.T) {
			for _, c := range group.cases {
				t.Run(c.says, func(t *testing.T) { c.check(&bench{T: t, Store: open(t), ctx: t.Context()}) })
			}
		})
	}
}

// testCase is one sentence of the contract and the check that it holds.
type testCase struct {
	says  string
	check func(b *bench)
}

// bench is a store with the few steps that most checks are made of.
type bench struct {
	*testing.T
	Store
	ctx context.Context
}

// swap stores a record that must be accepted.
func (b *bench) swap(r breaker.Record) breaker.Record {
	b.Helper()
	stored, err := b.Swap(b.ctx, r)
	if err != nil {
		b.Fatalf("swap: %v", err)
	}
	return stored
}

// load reads a record.
func (b *bench) load(service string) breaker.Record {
	b.Helper()
	r, err := b.Load(b.ctx, service)
	if err != nil {
		b.Fatalf("load: %v", err)
	}
	return r
}

// same fails when what is there is not what should be.
func (b *bench) same(what string, got, want any) {
	b.Helper()
	if diff := cmp.Diff(want, got); diff != "" {
		b.Errorf("%s (-want +got):\n%s", what, diff)
	}
}

// conflict fails unless the swap is refused with the stored record.
func (b *bench) conflict(r, stored breaker.Record) {
	b.Helper()
	got, err := b.Swap(b.ctx, r)
	if !errors.Is(err, agent.ErrConflict) {
		b.Errorf("error is %v, want %v", err, agent.ErrConflict)
	}
	b.same("record given back", got, stored)
	b.same("record stored", b.load(r.Service), stored)
}

var noon = time.Date(2026, 3, 1, 12, 0, 0, 123456789, time.UTC)

// full is a record in which every field is set.
func full() breaker.Record {
	at := func(s int) time.Time { return noon.Add(time.Duration(s) * time.Second) }
	return breaker.Record{
		Service: "llm", State: breaker.HalfOpen, Forced: breaker.ForcedOpen, Epoch: 7,
		Streak: 3, StreakAt: at(1), StreakFrom: at(2), Noise: 12, NoiseAt: at(9),
		Outage: 6, OpenedAt: at(3), OpenUntil: at(4), ClosedAt: at(5), Relapses: 2,
		Probe: breaker.Lease{Holder: "tick-1", Until: at(6)}, Reminded: 4,
		Pauses: 5, PausedFrom: at(7), PausedUntil: at(8),
		RampStep: 9, RampCount: 10, Released: 11,
		LastFault: &fault.Fault{
			Class: fault.Permanent, Kind: fault.QuotaExceeded, Scope: fault.Account, Service: "llm", Status: 429,
			Code: "insufficient_quota", Message: "no credit", RetryAfter: time.Minute, Overload: true, Suspect: true,
		},
		Writer: "nonce-1",
	}
}

var loadCases = []testCase{
	{"a service without a record is closed and has its name", func(b *bench) {
		b.same("record", b.load("llm"), breaker.Record{Service: "llm"})
	}},
	{"every field comes back", func(b *bench) {
		want := full()
		want.Version = 1
		b.same("record given back", b.swap(full()), want)
		b.same("record stored", b.load("llm"), want)
	}},
	{"the fixture sets every field but the version", func(b *bench) {
		v := reflect.ValueOf(full())
		for i := range v.NumField() {
			if name := v.Type().Field(i).Name; v.Field(i).IsZero() && name != "Version" {
				b.Errorf("%s is not set: the check before this one cannot see it", name)
			}
		}
	}},
	{"times come back in UTC without monotonic reading", func(b *bench) {
		r := breaker.Record{Service: "llm", OpenedAt: time.Now().In(time.FixedZone("UTC-5", -5*60*60))}
		want := r.OpenedAt.Round(0).UTC()
		b.swap(r)
		if got := b.load("llm").OpenedAt; got != want {
			b.Errorf("opened at %#v, want %#v", got, want)
		}
	}},
	{"each service has its own record", func(b *bench) {
		want := b.swap(breaker.Record{Service: "llm", Streak: 1})
		b.swap(breaker.Record{Service: "crm", Streak: 2})
		b.same("record", b.load("llm"), want)
	}},
	{"what the caller does to a record changes nothing", func(b *bench) {
		r := full()
		b.swap(r).LastFault.Code = "x"
		r.LastFault.Code = "x"
		b.load("llm").LastFault.Code = "x"
		b.same("code", b.load("llm").LastFault.Code, full().LastFault.Code)
	}},
	{"a load whose context is over gets its error", func(b *bench) {
		ctx, cancel := context.WithCancel(b.ctx)
		cancel()
		if _, err := b.Load(ctx, "llm"); !errors.Is(err, context.Canceled) {
			b.Errorf("error is %v, want %v", err, context.Canceled)
		}
	}},
}

var swapCases = []testCase{
	{"a record is stored with the next version", func(b *bench) {
		first := b.swap(breaker.Record{Service: "llm"})
		b.same("first version", first.Version, int64(1))
		first.Streak = 3
		second := b.swap(first)
		b.same("second version", second.Version, int64(2))
		b.same("record", b.load("llm"), second)
	}},
	{"version 0 is refused when there is a record", func(b *bench) {
		stored := b.swap(full())
		b.conflict(breaker.Record{Service: "llm"}, stored)
	}},
	{"an old version gets the stored record back", func(b *bench) {
		old := b.swap(full())
		changed := old
		changed.Streak++
		stored := b.swap(changed)
		b.conflict(old, stored)
	}},
	{"a version that nobody stored gets the zero record back", func(b *bench) {
		b.conflict(breaker.Record{Service: "llm", Version: 4}, breaker.Record{Service: "llm"})
	}},
	{"a field that became empty is empty", func(b *bench) {
		b.swap(full())
		b.same("record", b.swap(breaker.Record{Service: "llm", Version: 1}), breaker.Record{Service: "llm", Version: 2})
	}},
	{"one of many swaps of the same version wins", func(b *bench) {
		stored := b.swap(breaker.Record{Service: "llm"})
		wins := race(func(i int) bool {
			r := stored
			r.Epoch = int64(i)
			got, err := b.Swap(b.ctx, r)
			if err != nil && (!errors.Is(err, agent.ErrConflict) || got.Version != 2) {
				b.Errorf("%d got %+v, %v; want the record of the winner", i, got, err)
			}
			return err == nil
		})
		if len(wins) != 1 {
			b.Fatalf("%v won, want one", wins)
		}
		b.same("what the winner wrote", b.load("llm").Epoch, int64(wins[0]))
	}},
	{"swaps that decide again lose no count", func(b *bench) {
		race(func(int) bool {
			r, err := b.Load(b.ctx, "llm")
			for err == nil || errors.Is(err, agent.ErrConflict) {
				r.Streak++
				if r, err = b.Swap(b.ctx, r); err == nil {
					return true
				}
			}
			b.Error(err)
			return false
		})
		b.same("streak", b.load("llm").Streak, crowd)
	}},
}
