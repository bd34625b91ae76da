package main

import (
	"context"
	"errors"
	"testing"
	"time"

	eapache "github.com/eapache/go-resiliency/breaker"
	"github.com/failsafe-go/failsafe-go"
	"github.com/failsafe-go/failsafe-go/circuitbreaker"
	"github.com/sony/gobreaker/v2"

	"callagent/core/agent"
	"callagent/core/breaker"
	"callagent/core/journal"
	"callagent/infra/clock"
	"callagent/infra/memory"
)

const (
	threshold = 3
	recovery  = time.Hour // nothing recovers while it is measured
)

var errDown = errors.New("down")

// works is a request that succeeds, fails one that does not.
func works() error { return nil }
func fails() error { return errDown }

// silent is a journal that nobody reads.
type silent struct{}

func (silent) Write(journal.Entry) {}

// newCircuit is the circuit as the agent makes it: a record in a store, which
// is read again every second.
func newCircuit(c *clock.Clock, open bool) *agent.Circuit {
	config := breaker.Config{Threshold: threshold, Recovery: recovery, Interval: time.Hour}
	made := agent.NewCircuit("twilio", config, agent.CircuitOptions{
		Store: memory.New(memory.Options{}), Clock: c, Journal: silent{}, NewID: func() string { return "writer" },
	})
	if open {
		made.Change(context.Background(), func(r breaker.Record) (breaker.Record, breaker.Change) {
			return breaker.ForceOpen(r, c.Now())
		})
	}
	return made
}

const circuitNote = "Ours is the object that the agent calls, over a store that is read again every second, with the time passed in (read from the clock for every block of 1,024 requests)."

// block is how many requests are sent in a row, so that neither the clock,
// which costs many times what a breaker does, nor the benchmark's own loop is
// what is measured.
const block = 1024

// The breakers of the comparison, each with the way in which its users send a
// block of requests that work through one, closed or open. It gives the number
// of those that were refused.
var breakers = []struct {
	name string
	make func(open bool) (requests func() int)
}{
	{ours, func(open bool) func() int {
		ticking := &clock.Clock{}
		c := newCircuit(ticking, open)
		ctx := context.Background()
		return func() (refused int) {
			now := ticking.Now()
			instant := now.UnixNano()
			for range block {
				if c.Shut(instant) {
					refused++
					continue
				}
				permit, refusal := c.Admit(ctx, "default/c-1", 30*time.Second, now)
				if refusal != breaker.None {
					refused++
				} else {
					c.Succeeded(ctx, permit, now)
				}
			}
			return refused
		}
	}},
	{"eapache", func(open bool) func() int {
		c := eapache.New(threshold, 1, recovery)
		for range failures(open) {
			_ = c.Run(fails)
		}
		return func() (refused int) {
			for range block {
				if c.Run(works) != nil {
					refused++
				}
			}
			return refused
		}
	}},
	{"gobreaker", func(open bool) func() int {
		c := gobreaker.NewCircuitBreaker[struct{}](gobreaker.Settings{
			Timeout:     recovery,
			ReadyToTrip: func(c gobreaker.Counts) bool { return c.ConsecutiveFailures >= threshold },
		})
		for range failures(open) {
			_, _ = c.Execute(nothing(fails))
		}
		work := nothing(works)
		return func() (refused int) {
			for range block {
				if _, err := c.Execute(work); err != nil {
					refused++
				}
			}
			return refused
		}
	}},
	{"failsafe", func(open bool) func() int {
		c := failsafe.With(circuitbreaker.NewBuilder[struct{}]().WithFailureThreshold(threshold).WithDelay(recovery).Build())
		for range failures(open) {
			_, _ = c.Get(nothing(fails))
		}
		work := nothing(works)
		return func() (refused int) {
			for range block {
				if _, err := c.Get(work); err != nil {
					refused++
				}
			}
			return refused
		}
	}},
}

// failures is how often a breaker has to fail to be open.
func failures(open bool) int {
	if open {
		return threshold
	}
	return 0
}

func nothing(f func() error) func() (struct{}, error) {
	return func() (struct{}, error) { return struct{}{}, f() }
}

// contest makes every breaker a contestant.
func contest(open bool, run func(b *testing.B, requests func())) []contestant {
	want := 0
	if open {
		want = block
	}
	var all []contestant
	for _, one := range breakers {
		all = append(all, benchmark(one.name, block, func(b *testing.B) {
			requests := one.make(open)
			b.ReportAllocs()
			run(b, func() {
				if refused := requests(); refused != want {
					b.Errorf("%d of %d requests were refused", refused, block)
				}
			})
		}))
	}
	return all
}

func serially(b *testing.B, requests func()) {
	for b.Loop() {
		requests()
	}
}

func inParallel(b *testing.B, requests func()) {
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			requests()
		}
	})
}

func breakerSuccess() comparison {
	return comparison{
		name: "breaker_success", contestants: contest(false, serially),
		note: "One request is admitted and its success reported. " + circuitNote,
	}
}

func breakerSuccessParallel() comparison {
	return comparison{
		name: "breaker_success_parallel", contestants: contest(false, inParallel),
		note: "The same from all cores at once, on one breaker.",
	}
}

func breakerReject() comparison {
	return comparison{
		name: "breaker_reject", contestants: contest(true, serially),
		note: "One request is refused by an open breaker. " + circuitNote,
	}
}
