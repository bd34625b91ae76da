// Package protocol explores how calls are claimed, dialled, parked and released:
// the shipped core/agent over the shipped in-memory store, one store operation
// a step, with every order of the workers and ticks that a bound allows.
//
// A state is a value: the stores, the messages, the provider, and of each
// worker the answers that its ports have given since it took its job. To go on,
// a worker runs its job again from the beginning; the answers that it already
// had are given again, the next operation is done, and at the one after it the
// run is cut off. So the code under test needs no change and no goroutine.
package protocol

import (
	"fmt"
	"slices"
	"time"

	"callagent/core/breaker"
	"callagent/core/call"
	"callagent/infra/memory"
)

// Model is one configuration.
type Model struct {
	Name      string
	Calls     []call.Contact
	Workers   int
	Deviate   uint8         // deviations from the plain course in one run
	Only      []Deviation   // which there may be; nil: all
	Skew      time.Duration // how far the first worker's clock is ahead
	Stagger   time.Duration // how much later than the first the second contact is enqueued
	Expires   bool          // the first contact's time is over soon
	Outage    bool          // the telephony provider refuses each call's first dial, and one failure opens the circuit
	Callbacks bool          // the provider reports the end of a ring
	CRM       bool
	Horizon   time.Duration // no time passes beyond it

	good drained
}

// Deviation is something that the plain course of things does not have. In the
// plain course one worker after another finishes its job, and whatever is due
// is done before time passes.
type Deviation string

// The deviations.
const (
	Preempt   Deviation = "preempt"   // a worker stops between two operations while others go on
	Crash     Deviation = "crash"     // a process dies after an operation
	Silent    Deviation = "silent"    // a store does not do an operation and says nothing
	LostReply Deviation = "lost"      // a store or service does an operation and its answer is lost
	Late      Deviation = "late"      // time passes although something is due
	Duplicate Deviation = "duplicate" // a message comes twice
	LostMsg   Deviation = "message"   // a message is lost
	Ambiguous Deviation = "unclear"   // the provider executes a dial, later, whose request seemed lost
	NotSent   Deviation = "unsent"    // the provider never saw a dial whose answer was lost
	Refused   Deviation = "503"       // a service refuses a request
)

// Times of the world.
const (
	requestLimit = 5 * time.Second  // of every request
	ringFor      = 20 * time.Second // a phone rings and is answered
	hiddenFor    = 2 * time.Minute  // a received message comes again
	executedBy   = 59 * time.Second // after its deadline a request may still be executed
)

// start is when everything begins.
var start = time.Date(2026, time.January, 5, 9, 0, 0, 0, time.UTC)

// Two is two contacts with one number, in campaigns of their own.
func Two() []call.Contact { return []call.Contact{contact("spring", "ada"), contact("autumn", "bob")} }

// One is one contact.
func One() []call.Contact { return Two()[:1] }

// Twins is two contacts with one number in one campaign.
func Twins() []call.Contact {
	return []call.Contact{contact("spring", "ada"), contact("spring", "bob")}
}

// Strangers is two contacts with a number each.
func Strangers() []call.Contact {
	cs := Two()
	cs[1].Phone = "+15005550007"
	return cs
}

func contact(campaign, id string) call.Contact {
	return call.Contact{Campaign: campaign, ID: id, Phone: "+15005550006"}
}

// Starts is every contact on the queue, and nothing else.
func (m *Model) Starts() []*state {
	s := &state{now: start, current: nobody, workers: make([]worker, m.Workers)}
	s.store = memory.New(memory.Options{Now: func() time.Time { return start }})
	s.facts = make([]facts, len(m.Calls))
	for i := range m.Calls {
		s.messages = append(s.messages, message{call: i, due: start.Add(time.Duration(i) * m.Stagger)})
	}
	return []*state{s}
}

func (m *Model) contact(i int) call.Contact {
	c := m.Calls[i]
	if m.Expires && i == 0 {
		c.ExpiresAt = start.Add(40 * time.Second)
	}
	return c
}

func (m *Model) may(s *state, d Deviation) bool {
	return s.deviations < m.Deviate && (m.Only == nil || slices.Contains(m.Only, d))
}

// circuit is the policy: with an outage one failure opens.
func (m *Model) circuit() breaker.Config {
	c := breaker.DefaultConfig()
	if m.Outage {
		c.Threshold = 1
	}
	return c
}

// String tells of the configuration and its bounds.
func (m *Model) String() string {
	return fmt.Sprintf("%s: %d calls, %d workers, %d deviations", m.Name, len(m.Calls), m.Workers, m.Deviate)
}
