package main

import (
	"time"

	"callagent/core/alert"
)

// Times of an outage. The service is healthy first, so that every process
// knows it as such.
const (
	warmUp      = 5 * time.Second
	looksAfter  = 6 * time.Second // longer than anybody trusts what was read
	healsWithin = 10 * time.Second
	outageEnds  = 2 * time.Hour // what has not happened by then never does
)

// outage is what one outage cost.
type outage struct {
	before   float64 // requests that reached the dead service before it was left alone
	answered float64 // of them those whose failure was known by then
	within   float64 // requests that reached it until six seconds later
	told     float64 // notifications until then
	closed   float64 // s from healed to CLOSED
	resumed  float64 // s from healed to the first request of a call
	rejected float64 // healthy calls that were not let through, until six seconds after the close
}

// runOutage has a service die, and come back so long after the circuit opened
// or up to healsWithin later, so that nothing knows the moment.
func runOutage(at place, seed int, of maker, dead time.Duration) outage {
	r := newRig(at, seed, of)
	defer r.close()
	s := &r.service
	r.traffic()
	r.until(warmUp+at.Takes+r.between(0, time.Second), never)

	s.fails = 1
	sent, failed := s.sent, s.failed
	r.until(outageEnds, func() bool { return r.seen.open > 0 })
	var o outage
	opened := r.at
	o.before, o.answered = float64(s.sent-sent), float64(s.failed-failed)
	r.until(opened+looksAfter, never)
	o.within, o.told = float64(s.sent-sent), float64(r.seen.told[alert.CircuitOpened])

	healed := opened + dead + r.between(0, healsWithin)
	r.until(healed, never)
	s.fails = 0
	sent = s.sent
	refused := r.seen.refused
	r.until(healed+outageEnds, func() bool { return s.sent > sent })
	o.resumed = (r.at - healed).Seconds()
	r.until(healed+outageEnds, func() bool { return r.seen.open == 0 })
	o.closed = (r.at - healed).Seconds()
	r.until(r.at+looksAfter, never)
	o.rejected = float64(r.seen.refused - refused)
	return o
}
