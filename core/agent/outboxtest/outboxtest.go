// Package outboxtest is the conformance suite of the outboxes of alerts:
// whatever implements the port has to pass it. Each subtest is one sentence of
// the port's contract.
package outboxtest

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"callagent/core/agent"
	"callagent/core/alert"
)

// Harness is one outbox for one subtest, with nothing in it.
type Harness struct {
	Outbox agent.Outbox
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
		{"Raise", raiseCases},
		{"Delivered", deliveredCases},
		{"Groups", groupCases},
	} {
		t.Run(group.name, func(t *testing.T) {
			for _, c := range group.cases {
				t.Run(c.says, func(t *testing.T) {
					h := open(t)
					c.check(&bench{T: t, Outbox: h.Outbox, ctx: t.Context(), h: h})
				})
			}
		})
	}
}

// testCase is one sentence of the contract and the check that it holds.
type testCase struct {
	says  string
	check func(b *bench)
}

// bench is an outbox with the few steps that most checks are made of.
type bench struct {
	*testing.T
	agent.Outbox
	ctx context.Context
	h   Harness
}

var noon = time.Date(2026, 3, 1, 12, 0, 0, 123456789, time.UTC)

// full is an alert in which every field is set.
func full(id string) alert.Alert {
	return alert.Alert{
		ID: id, Kind: alert.CallFailed, Severity: alert.Critical, Service: "llm", Campaign: "spring",
		CallID: "spring/ada", At: noon, Title: "title", What: "what", Reason: "reason", Effect: "effect", Agent: "agent", You: "you",
	}
}

// raise keeps an alert.
func (b *bench) raise(id string, channels ...string) {
	b.Helper()
	if err := b.Raise(b.ctx, channels, full(id)); err != nil {
		b.Fatalf("raise: %v", err)
	}
}

// delivered marks ids as delivered in a group.
func (b *bench) delivered(channel, key string, g alert.Group, ids ...string) {
	b.Helper()
	if err := b.Delivered(b.ctx, channel, ids, key, g); err != nil {
		b.Fatalf("delivered: %v", err)
	}
}

// waiting lists the ids that a channel has not delivered.
func (b *bench) waiting(channel string, limit int) []string {
	b.Helper()
	ids := []string{}
	for _, a := range b.undelivered(channel, limit) {
		ids = append(ids, a.ID)
	}
	return ids
}

// undelivered lists the alerts that a channel has not delivered.
func (b *bench) undelivered(channel string, limit int) []alert.Alert {
	b.Helper()
	if b.h.CatchUp != nil {
		b.h.CatchUp()
	}
	alerts, err := b.Undelivered(b.ctx, channel, limit)
	if err != nil {
		b.Fatalf("undelivered: %v", err)
	}
	return alerts
}

// groups reads a channel's groups.
func (b *bench) groups(channel string) map[string]alert.Group {
	b.Helper()
	groups, err := b.Groups(b.ctx, channel)
	if err != nil {
		b.Fatalf("groups: %v", err)
	}
	return groups
}

// same fails when what is there is not what should be.
func (b *bench) same(what string, got, want any) {
	b.Helper()
	if diff := cmp.Diff(want, got); diff != "" {
		b.Errorf("%s (-want +got):\n%s", what, diff)
	}
}

var raiseCases = []testCase{
	{"every field comes back", func(b *bench) {
		b.raise("a", "email")
		b.same("alerts", b.undelivered("email", 10), []alert.Alert{full("a")})
	}},
	{"the fixture sets every field", func(b *bench) {
		v := reflect.ValueOf(full("a"))
		for i := range v.NumField() {
			if v.Field(i).IsZero() {
				b.Errorf("%s is not set: the check before this one cannot see it", v.Type().Field(i).Name)
			}
		}
	}},
	{"times come back in UTC without monotonic reading", func(b *bench) {
		a := full("a")
		a.At = time.Now().In(time.FixedZone("UTC+2", 2*60*60))
		if err := b.Raise(b.ctx, []string{"email"}, a); err != nil {
			b.Fatal(err)
		}
		if got, want := b.undelivered("email", 1)[0].At, a.At.Round(0).UTC(); got != want {
			b.Errorf("at %#v, want %#v", got, want)
		}
	}},
	{"an alert is kept for each of the channels", func(b *bench) {
		b.raise("a", "email", "telegram")
		b.same("email", b.waiting("email", 10), []string{"a"})
		b.same("telegram", b.waiting("telegram", 10), []string{"a"})
		b.same("webhook", b.waiting("webhook", 10), []string{})
	}},
	{"an alert for no channel is no error", func(b *bench) {
		b.raise("a")
		b.same("email", b.waiting("email", 10), []string{})
	}},
	{"alerts are listed in the order they were raised", func(b *bench) {
		for _, id := range []string{"c", "a", "d", "b"} {
			b.raise(id, "email")
		}
		b.same("all", b.waiting("email", 10), []string{"c", "a", "d", "b"})
		b.same("the first two", b.waiting("email", 2), []string{"c", "a"})
	}},
	{"an id that was raised before is dropped", func(b *bench) {
		b.raise("a", "email")
		again := full("a")
		again.What = "something else"
		if err := b.Raise(b.ctx, []string{"email"}, again); err != nil {
			b.Fatal(err)
		}
		b.same("alerts", b.undelivered("email", 10), []alert.Alert{full("a")})
	}},
	{"an id that was delivered is dropped too", func(b *bench) {
		b.raise("a", "email")
		b.delivered("email", "group", alert.Group{}, "a")
		b.raise("a", "email")
		b.same("email", b.waiting("email", 10), []string{})
	}},
	{"it is dropped only on the channel that knows it", func(b *bench) {
		b.raise("a", "email")
		b.raise("a", "email", "telegram")
		b.same("email", b.waiting("email", 10), []string{"a"})
		b.same("telegram", b.waiting("telegram", 10), []string{"a"})
	}},
	{"one of many of the same id is kept", func(b *bench) {
		var all sync.WaitGroup
		for range 50 {
			all.Go(func() {
				if err := b.Raise(b.ctx, []string{"email", "telegram"}, full("a")); err != nil {
					b.Errorf("raise: %v", err)
				}
			})
		}
		all.Wait()
		b.same("email", b.waiting("email", 10), []string{"a"})
		b.same("telegram", b.waiting("telegram", 10), []string{"a"})
	}},
	{"alerts that are told one by one come before those of groups", func(b *bench) {
		b.raise("a", "email")
		alone := full("b")
		alone.Kind, alone.CallID = alert.CircuitOpened, ""
		if err := b.Raise(b.ctx, []string{"email"}, alone); err != nil {
			b.Fatal(err)
		}
		b.same("email", b.waiting("email", 10), []string{"b", "a"})
		b.same("the first", b.waiting("email", 1), []string{"b"})
	}},
	{"a raise whose context is over keeps nothing", func(b *bench) {
		ctx, cancel := context.WithCancel(b.ctx)
		cancel()
		if err := b.Raise(ctx, []string{"email"}, full("a")); !errors.Is(err, context.Canceled) {
			b.Errorf("error is %v, want %v", err, context.Canceled)
		}
		b.same("email", b.waiting("email", 10), []string{})
	}},
}

var deliveredCases = []testCase{
	{"what is delivered is not listed any more", func(b *bench) {
		for _, id := range []string{"a", "b", "c"} {
			b.raise(id, "email")
		}
		b.delivered("email", "group", alert.Group{}, "a", "c")
		b.same("email", b.waiting("email", 10), []string{"b"})
	}},
	{"the limit counts what is listed", func(b *bench) {
		b.raise("a", "email")
		b.raise("b", "email")
		b.delivered("email", "group", alert.Group{}, "a")
		b.same("email", b.waiting("email", 1), []string{"b"})
	}},
	{"other channels have still to deliver it", func(b *bench) {
		b.raise("a", "email", "telegram")
		b.delivered("email", "group", alert.Group{}, "a")
		b.same("telegram", b.waiting("telegram", 10), []string{"a"})
	}},
	{"an id that is not there is no error", func(b *bench) {
		b.raise("a", "email")
		b.delivered("email", "group", alert.Group{Sent: 1}, "nobody")
		b.same("email", b.waiting("email", 10), []string{"a"})
	}},
	{"a thousand alerts are one digest", func(b *bench) {
		var ids []string
		for i := range 1000 {
			ids = append(ids, fmt.Sprint(i))
			b.raise(ids[i], "email")
		}
		b.same("waiting", b.waiting("email", 2000), ids)
		b.delivered("email", "group", alert.Group{}, ids...)
		b.same("waiting", b.waiting("email", 2000), []string{})
	}},
}

var groupCases = []testCase{
	{"a channel has no groups at first", func(b *bench) {
		b.same("groups", len(b.groups("email")), 0)
	}},
	{"the group's new state comes with the delivery", func(b *bench) {
		b.raise("a", "email")
		want := alert.Group{LastSent: noon, Sent: 2}
		b.delivered("email", "call_failed/spring", want, "a")
		b.same("groups", b.groups("email"), map[string]alert.Group{"call_failed/spring": want})
	}},
	{"the newest state counts", func(b *bench) {
		b.delivered("email", "group", alert.Group{LastSent: noon, Sent: 5})
		want := alert.Group{LastSent: noon.Add(time.Hour), Sent: 1}
		b.delivered("email", "group", want)
		b.same("groups", b.groups("email"), map[string]alert.Group{"group": want})
	}},
	{"alerts that are told one by one leave no group", func(b *bench) {
		b.raise("a", "email")
		b.delivered("email", "", alert.Group{}, "a")
		b.same("email", b.waiting("email", 10), []string{})
		b.same("groups", len(b.groups("email")), 0)
	}},
	{"a state that became empty is empty", func(b *bench) {
		b.delivered("email", "group", alert.Group{LastSent: noon, Sent: 5})
		b.delivered("email", "group", alert.Group{})
		b.same("groups", b.groups("email"), map[string]alert.Group{"group": {}})
	}},
	{"groups and channels do not touch each other", func(b *bench) {
		one, two := alert.Group{Sent: 1}, alert.Group{Sent: 2}
		b.delivered("email", "one", one)
		b.delivered("email", "two", two)
		b.delivered("telegram", "one", two)
		b.same("email", b.groups("email"), map[string]alert.Group{"one": one, "two": two})
		b.same("telegram", b.groups("telegram"), map[string]alert.Group{"one": two})
	}},
	{"times come back in UTC without monotonic reading", func(b *bench) {
		now := time.Now().In(time.FixedZone("UTC+2", 2*60*60))
		b.delivered("email", "group", alert.Group{LastSent: now})
		if got, want := b.groups("email")["group"].LastSent, now.Round(0).UTC(); got != want {
			b.Errorf("last sent %#v, want %#v", got, want)
		}
	}},
	{"what the caller does to the groups changes nothing", func(b *bench) {
		b.delivered("email", "group", alert.Group{Sent: 1})
		b.groups("email")["group"] = alert.Group{Sent: 9}
		b.same("groups", b.groups("email"), map[string]alert.Group{"group": {Sent: 1}})
	}},
}
