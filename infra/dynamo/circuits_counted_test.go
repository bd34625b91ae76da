//go:build integration

package dynamo_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"callagent/core/agent"
	"callagent/core/breaker"
	"callagent/docs/docstest"
)

// counting is a small fleet whose operations are counted: a process, one more,
// and one on a server that refuses without the item.
type counting struct {
	*testing.T
	p, other, bare *process
	permit         breaker.Permit
}

// admit asks for one request.
func (c *counting) admit(p *process, want breaker.Refusal) {
	c.Helper()
	var refusal breaker.Refusal
	if c.permit, refusal = p.Admit(c.Context(), p.name, time.Second, time.Now()); refusal != want {
		c.Errorf("refused: %s, want %s", refusal, want)
	}
}

// expect reports a change that is not the one that the scenario is about.
func (c *counting) expect(got, want breaker.Change) {
	c.Helper()
	if got != want {
		c.Errorf("it was %s, want %s", got, want)
	}
}

func (c *counting) succeed(p *process, want breaker.Change) {
	c.Helper()
	c.expect(p.Succeeded(c.Context(), c.permit, time.Now()), want)
}

func (c *counting) fail(p *process, want breaker.Change) {
	c.Helper()
	c.expect(p.fails(c.Context(), c.permit), want)
}

// lease is what a tick does before its health check.
func (c *counting) lease(p *process) {
	c.Helper()
	newest(c.T, p)
	_, change := p.Change(c.Context(), func(r breaker.Record) (breaker.Record, breaker.Change) {
		return breaker.TakeProbe(r, p.name, time.Second, time.Now())
	})
	c.expect(change, breaker.Leased)
	c.admit(p, breaker.None)
}

func (c *counting) handOver(from, to *process) {
	c.Helper()
	_, change := from.Change(c.Context(), func(r breaker.Record) (breaker.Record, breaker.Change) {
		return breaker.HandOver(r, c.permit, to.name, time.Second, time.Now())
	})
	c.expect(change, breaker.HandedOver)
}

// counted gives the operations since the last time.
func (c *counting) counted() (reads, writes int) {
	for _, p := range []*process{c.p, c.other, c.bare} {
		r, w := p.wire.counted()
		reads, writes = reads+r, writes+w
	}
	return reads, writes
}

// scenario is one line of the table in docs/dynamodb.md.
type scenario struct {
	what          string
	before        func(c *counting) // is not counted; nil: nothing
	do            func(c *counting)
	reads, writes int
}

// reopened trips the circuit and lets its opening pass.
func reopened(c *counting) {
	trip(c.T, c.p)
	time.Sleep(10 * time.Millisecond)
}

var scenarios = []scenario{
	{"the first request of a process", nil, func(c *counting) { c.admit(c.p, breaker.None) }, 1, 0},
	{"a hundred requests that succeed, within a second", nil, func(c *counting) {
		for range 100 {
			c.admit(c.p, breaker.None)
			c.succeed(c.p, breaker.Unchanged)
		}
	}, 0, 0},
	{"fifty requests at once, a second later", func(c *counting) { time.Sleep(agent.CacheFor) }, func(c *counting) {
		all := make([]*process, crowd)
		for i := range all {
			all[i] = c.p
		}
		atOnce(all, func(p *process) { p.Admit(c.Context(), p.name, time.Second, time.Now()) })
	}, 1, 0},
	{"a failure", nil, func(c *counting) { c.fail(c.p, breaker.Counted) }, 0, 1},
	{"the success that ends a streak", nil, func(c *counting) { c.succeed(c.p, breaker.Cleared) }, 0, 1},
	{"a failure that loses one race", func(c *counting) {
		c.admit(c.other, breaker.None)
		c.fail(c.other, breaker.Counted)
	}, func(c *counting) { c.fail(c.p, breaker.Counted) }, 0, 2},
	{"the same on a server that refuses without the item", func(c *counting) {
		c.admit(c.bare, breaker.None)
		c.fail(c.p, breaker.Counted)
	}, func(c *counting) { c.fail(c.bare, breaker.Counted) }, 1, 2},
	{"the failure that trips", func(c *counting) { newest(c.T, c.p) }, func(c *counting) { c.fail(c.p, breaker.Tripped) }, 0, 1},
	{"a hundred rejections, within a second", nil, func(c *counting) {
		for range 100 {
			c.admit(c.p, breaker.CircuitOpen)
		}
	}, 0, 0},
	{"a health check that fails", nil, func(c *counting) {
		c.lease(c.p)
		now := time.Now()
		_, change := c.p.Failed(c.Context(), agent.Attempt{Permit: c.permit, Fault: unavailable, Began: now, Cheap: true}, now)
		c.expect(change, breaker.Reopened)
	}, 1, 2},
	{"a health check that closes", nil, func(c *counting) {
		c.lease(c.p)
		c.succeed(c.p, breaker.Proved)
	}, 1, 2},
	{"a health check, and a real request that closes", reopened, func(c *counting) {
		c.lease(c.p)
		c.handOver(c.p, c.other)
		newest(c.T, c.other) // a released call is never refused on an older record
		c.admit(c.other, breaker.None)
		c.succeed(c.other, breaker.Proved)
	}, 2, 3},
	{"a success that took longer than a second", func(c *counting) {
		c.admit(c.other, breaker.None)
		time.Sleep(agent.CacheFor)
	}, func(c *counting) { c.succeed(c.other, breaker.Unchanged) }, 1, 0},
}

func TestCountedOperationsOfTheCircuits(t *testing.T) {
	cfg := fleetConfig(3)
	cfg.Recovery, cfg.Interval, cfg.Settle = time.Millisecond, time.Millisecond, patient // it is the fifth failure that trips
	table := circuitsTable(t)
	start := func() *process { return join(endpoint(t), table, agent.ElevenLabs, cfg, patient) }
	c := &counting{T: t, p: start(), other: start(), bare: start()}
	c.bare.wire.trip = withoutItem
	var lines strings.Builder
	lines.WriteString("| what happens | reads | writes |\n|---|---|---|\n")
	for _, s := range scenarios {
		if s.before != nil {
			s.before(c)
			c.counted()
		}
		s.do(c)
		reads, writes := c.counted()
		fmt.Fprintf(&lines, "| %s | %d | %d |\n", s.what, reads, writes)
		if reads != s.reads || writes != s.writes {
			t.Errorf("%s: %d reads and %d writes, want %d and %d", s.what, reads, writes, s.reads, s.writes)
		}
	}
	t.Logf("\n%s", &lines)
	docstest.Part(t, "dynamodb.md", "circuits", lines.String())
}
