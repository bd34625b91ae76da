// Package memory keeps the stores in plain maps. It is the reference for what
// the ports of core/agent mean, the store of tests and of the simulator, and
// it forgets everything when the process ends.
//
// Values are copied on their way in and out, so nobody can change what is
// stored without asking. All methods are safe for concurrent use and fail only
// for the reasons that the ports name, or with the context's error.
package memory

import (
	"time"

	"callagent/core/agent"
)

// Options changes what a store assumes. The zero value has the defaults.
type Options struct {
	// Now is the clock; nil is time.Now.
	Now func() time.Time
	// Visibility is how long a received message stays hidden; 0 is 15 min.
	Visibility time.Duration
}

// Store holds everything that the agent remembers.
type Store struct {
	ledger
	circuits
	pace
	queue
	outbox
}

var _ interface {
	agent.Ledger
	agent.Backlog
	agent.Register
	agent.Blocklist
	agent.Circuits
	agent.Pace
	agent.Queue
	agent.Outbox
} = (*Store)(nil)

// New returns an empty store.
func New(o Options) *Store {
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Visibility == 0 {
		o.Visibility = 15 * time.Minute
	}
	s := &Store{
		ledger:   newLedger(o.Now),
		circuits: newCircuits(),
		pace:     newPace(),
		queue:    queue{now: o.Now, visibility: o.Visibility},
		outbox:   newOutbox(),
	}
	s.queue.known = s.ledger.has
	return s
}
