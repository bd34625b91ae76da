package main

import (
	"time"

	"callagent/core/alert"
	"callagent/core/call"
)

// falseTrips counts how often requests to a service that fails now and then
// open the circuit. Every opening is put back, so that one has nothing to do
// with the next.
func falseTrips(at place, seed int, of maker, fails float64, requests int) (openings, sent int) {
	r := newRig(at, seed, of)
	defer r.close()
	r.service.fails = fails
	r.seen.onOpen = r.breakers.putBack
	r.traffic()
	r.until(forever, func() bool { return r.service.sent >= requests })
	return r.seen.openings, r.service.sent
}

// shut is which part of a span a service that fails now and then is left
// alone.
func shut(at place, seed int, of maker, fails float64, span time.Duration) float64 {
	r := newRig(at, seed, of)
	defer r.close()
	r.service.fails = fails
	r.traffic()
	r.until(span, never)
	return r.seen.share()
}

// Times of a service that comes and goes.
const (
	flapFor  = 10 * time.Minute
	flapEnds = time.Hour
	waiting  = 200 // contacts
)

// flap is what became of contacts that were waiting.
type flap struct {
	openings  float64
	told      float64 // notifications about the circuit
	completed float64 // contacts
	failed    float64 // contacts that ended otherwise
	drained   float64 // s until the last contact had its outcome
}

// runFlap has contacts wait for a service that comes and goes.
func runFlap(at place, seed int) flap {
	r := newRig(at, seed, ours)
	defer r.close()
	return flapping(r)
}

// flapping has half of all requests fail for ten minutes. Every call is walked
// through all of its steps.
func flapping(r *rig) flap {
	f := r.breakers.(*fleet)
	for range waiting {
		f.deliver(f.contact(), 0)
	}
	r.service.fails = 0.5
	r.after(flapFor, func() { r.service.fails = 0 })
	r.until(flapEnds, func() bool { return f.ledger.over() == waiting })
	o := flap{drained: r.at.Seconds(), completed: float64(f.ledger.ended[call.Completed])}
	o.failed = float64(f.ledger.over()) - o.completed
	r.until(flapEnds, never) // what people are told afterwards
	o.openings = float64(r.seen.openings)
	for _, kind := range []alert.Kind{alert.CircuitOpened, alert.CircuitUnstable, alert.CircuitStillOpen, alert.CircuitClosed} {
		o.told += float64(r.seen.told[kind])
	}
	return o
}
