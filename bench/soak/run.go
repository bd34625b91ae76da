package main

import (
	"fmt"
	"io"
	"time"

	"callagent/bench/world"
)

// drained is how long after the last fault everything has to have ended.
const drained = 30 * time.Minute

// afterwards is how long the world goes on when all calls have ended, so that
// what is told later is told: a close is told when it has held for two minutes.
const afterwards = 5 * time.Minute

// result is how one seed went.
type result struct {
	seed       uint64
	violations []string
	figures    world.Figures
	counts     map[string]int
	outcomes   map[string]int
	faults     int
	drain      time.Duration // from the last fault to the end of the last call
}

// String is the promise that was broken, or the outcomes.
func (r result) String() string {
	if len(r.violations) > 0 {
		return "BROKEN " + r.violations[0]
	}
	return fmt.Sprintf("all promises held; %v, %d faults", r.outcomes, r.faults)
}

// run plays one seed. Trace takes a line for each thing that happens; nil for
// none.
func run(number uint64, trace io.Writer) result {
	s := newSeed(number)
	s.options.Trace = trace
	w := world.New(s.options)
	s.world = w
	defer w.Close()
	s.prepare()
	s.play(s.faultsEnd, func() bool { return false })
	s.play(s.faultsEnd+drained, w.Rest)
	r := result{seed: number, drain: max(0, w.Since()-s.faultsEnd)}
	s.play(w.Since()+afterwards, func() bool { return false })
	s.play(w.Since()+time.Minute, w.Rest) // a late callback may have come just now
	if len(w.Violations()) == 0 {
		w.Finish()
	}
	r.violations, r.figures, r.counts, r.outcomes, r.faults = w.Violations(), w.Figures(), w.Counts(), w.Outcomes(), s.faults
	if s.faults < atLeast {
		r.violations = append(r.violations, fmt.Sprintf("the simulation has only %d faults", s.faults))
	}
	return r
}

// play lets the world go on until a time, until it is done, or until a promise
// is broken. Whether it is done is asked once a second.
func (s *seed) play(until time.Duration, done func() bool) {
	for asked := s.world.Since(); s.world.Since() < until && len(s.world.Violations()) == 0; s.world.Step() {
		if s.world.Since() < asked {
			continue
		}
		if asked = s.world.Since() + time.Second; done() {
			return
		}
	}
}

// prepare puts messages on the queue: the contacts, all at once or over a
// while, and perhaps a few others.
func (s *seed) prepare() {
	for _, c := range s.contacts() {
		s.world.Enqueue(s.span(0, s.arrive), c)
	}
	if s.chance(0.2) {
		s.world.EnqueuePoison(`{"campaign":"spring","contact_id":"c-001"}`)
	}
	if s.chance(0.2) {
		s.world.Block(world.Contact(1 + s.rng.IntN(20)).Phone)
	}
	if s.chance(0.3) { // the same contact again, later and with other data
		c := world.Contact(1 + s.rng.IntN(20))
		c.Name = "Ada"
		s.world.Enqueue(s.span(0, s.faultsEnd), c)
	}
}
