package main

import (
	"math/rand/v2"
	"strconv"
	"time"

	"callagent/core/alert"
)

// storeTakes is how long a request to the shared store takes, there and back,
// give or take a fifth.
const storeTakes = 5 * time.Millisecond

// place is where something is measured.
type place struct {
	Processes int           `json:"processes"`
	Rate      float64       `json:"calls_per_second"`
	Takes     time.Duration `json:"request_ns"` // every request, good or bad
}

// breakers is what stands between a fleet of processes and a service: one kind
// of circuit breaker in all of them.
type breakers interface {
	// arrive is a new call in a process, in a routine of its own.
	arrive(process int)
	// putBack forgets an opening, as if it had not happened.
	putBack()
}

// maker makes a kind of breakers for a rig.
type maker func(r *rig) breakers

// rig is one run: a service that many processes call, and what was seen.
type rig struct {
	timeline
	place
	*rand.Rand
	service  service
	seen     seen
	breakers breakers
	ids      int
}

// newRig is a run with nothing but healthy requests so far. The seed decides
// everything that happens.
func newRig(at place, seed int, of maker) *rig {
	r := &rig{place: at, Rand: rand.New(rand.NewPCG(uint64(seed), uint64(at.Processes)))}
	r.service = service{rig: r}
	r.seen = seen{timeline: &r.timeline, circuits: 1, told: map[alert.Kind]int{}}
	r.breakers = of(r)
	return r
}

// traffic has calls arrive from now on, at random moments and in random
// processes.
func (r *rig) traffic() {
	wait := time.Duration(r.ExpFloat64() / r.Rate * float64(time.Second))
	r.after(wait, func() {
		r.traffic()
		r.breakers.arrive(r.IntN(r.Processes))
	})
}

// travel is the way to the store or back.
func (r *rig) travel() {
	r.pass(time.Duration((0.8 + 0.4*r.Float64()) * float64(storeTakes/2)))
}

// newID is never the same twice.
func (r *rig) newID() string {
	r.ids++
	return strconv.Itoa(r.ids)
}

// between is a random duration.
func (r *rig) between(least, most time.Duration) time.Duration {
	return least + time.Duration(r.Float64()*float64(most-least))
}

// service is what all processes call. What becomes of a request is decided
// when it is sent.
type service struct {
	rig    *rig
	fails  float64 // how likely a request fails
	sent   int     // requests of calls; cheap health checks are not counted
	failed int     // of them that have ended badly
}

// works draws whether the next request works.
func (s *service) works() bool { return s.rig.Float64() >= s.fails }

// request sends the request of a call and waits for its end.
func (s *service) request(works bool) {
	s.sent++
	s.rig.pass(s.rig.Takes)
	if !works {
		s.failed++
	}
}

// seen is what people and measurements see of the circuits: one for the fleet,
// or one for each process.
type seen struct {
	*timeline
	circuits int
	open     int // circuits that are not closed
	openings int
	told     map[alert.Kind]int
	refused  int // calls that were not let through when they came
	onOpen   func()

	since time.Duration
	shut  time.Duration // all circuits' time, not closed, together
}

// tell counts a notification.
func (s *seen) tell(kind alert.Kind) { s.told[kind]++ }

// becomes is for breakers that share one circuit.
func (s *seen) becomes(open bool) {
	switch {
	case open && s.open == 0:
		s.opened()
	case !open && s.open > 0:
		s.closed()
	}
}

func (s *seen) opened() {
	s.tally()
	s.open++
	s.openings++
	if s.onOpen != nil {
		s.onOpen()
	}
}

func (s *seen) closed() {
	s.tally()
	s.open--
}

func (s *seen) tally() {
	s.shut += time.Duration(s.open) * (s.at - s.since)
	s.since = s.at
}

// share is which part of the time so far a circuit was not closed.
func (s *seen) share() float64 {
	s.tally()
	return float64(s.shut) / float64(s.at) / float64(s.circuits)
}
