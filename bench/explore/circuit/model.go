// Package circuit explores the shared circuit: three processes, each with its
// cached record, its latest success and a request under way, and the ticks that
// run in them, over the pure rules of core/breaker and the compare-and-swap of
// the in-memory store. The driver does the duties of core/agent's Circuit and
// probe; a record in it is a value, so a state is one too.
package circuit

import (
	"fmt"
	"time"

	"callagent/core/breaker"
	"callagent/core/fault"
)

// Budget is how much of what costs states may happen in one run.
type Budget struct {
	Requests uint8 // requests of calls and ticks
	Crashes  uint8 // processes that die
	Lost     uint8 // store answers that are lost, reports that are given up, requests sent blindly
	Operator uint8 // overrides
}

// Model is one configuration.
type Model struct {
	Name     string
	Config   breaker.Config
	Limit    time.Duration // of every request
	Outcomes []Outcome     // of a call's request
	Cheap    []Outcome     // of a tick's request
	Budget   Budget
	Clocks   []time.Duration // how fast each process's clock is; nil: all are right
	Open     bool            // it begins with a circuit that may be probed at once
	Depth    int             // steps from the start; 0: until there is no further state
}

// reportFor is how long a report may take to reach the store.
const reportFor = 2 * second

// Starts is one healthy circuit, or one that is open.
func (m *Model) Starts() []state {
	s := state{truth: truth{opened: unset, success: unset}}
	s.stored = record{version: 1}.tidied()
	s.stored.closedAt, s.stored.pausedUntil, s.stored.noiseAt = unset, unset, unset
	for i := range s.procs {
		s.procs[i].age, s.procs[i].success = old, unset
	}
	if m.Open {
		s.stored.state, s.stored.openUntil = breaker.Open, 0
		s.truth.opened = -second
	}
	return []state{s}
}

// clock is what the clock of a process shows, as the rules are told.
func (m *Model) clock(i int, at instant) time.Time {
	if i < len(m.Clocks) {
		return at.time().Add(m.Clocks[i])
	}
	return at.time()
}

func (m *Model) limit() instant { return span(m.Limit) }

// faults are what a failed request shows.
var faults = map[Outcome]*fault.Fault{
	First:    {Kind: fault.ServiceUnavailable, Status: 503},
	Retry:    {Kind: fault.ServiceUnavailable, Status: 503},
	Contact:  {Class: fault.Permanent, Kind: fault.InvalidRequest, Scope: fault.Contact, Status: 400},
	Account:  {Class: fault.Permanent, Kind: fault.Authentication, Scope: fault.Account, Status: 401},
	Throttle: {Kind: fault.Throttled, Status: 429},
}

// String tells of the configuration and its bounds.
func (m *Model) String() string {
	b, depth := m.Budget, ""
	if m.Depth > 0 {
		depth = fmt.Sprintf(", %d steps", m.Depth)
	}
	return fmt.Sprintf("%s: requests %d, crashes %d, lost answers %d, overrides %d%s", m.Name, b.Requests, b.Crashes, b.Lost, b.Operator, depth)
}
