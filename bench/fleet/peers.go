package main

import (
	"time"

	"callagent/core/alert"
)

// powertools is the circuit breaker of AWS Powertools for Lambda (Python), by
// its documentation and with its defaults: each process counts its own failures
// in a row, only changes of state are stored, what was read is trusted for five
// seconds, and one process at a time, chosen by a conditional write, may test an
// open circuit with calls that happen to reach it.
type powertools struct {
	*rig
	stored    shared
	processes []environment
}

const (
	ptFailures  = 5
	ptSuccesses = 3
	ptRecovery  = 30 // s, and how long a prober has the circuit for itself
	ptCache     = 5  // s
)

// shared is the stored state of the circuit. Times are in whole seconds.
type shared struct {
	state    ptState
	openedAt int64
	owner    int // the process that probes, from 1; 0: none
	lease    int64
}

type ptState int

const (
	ptClosed ptState = iota
	ptOpen
	ptHalfOpen
)

// environment is what one process remembers.
type environment struct {
	cached    shared
	until     int64 // when the cached state is out of date
	last      ptState
	failures  int
	successes int
}

func powertoolsPort(r *rig) breakers {
	return &powertools{rig: r, processes: make([]environment, r.Processes)}
}

func (p *powertools) seconds() int64 { return p.Now().Unix() }

func (p *powertools) arrive(process int) {
	e := &p.processes[process]
	state := p.read(e)
	back := state.state == ptClosed && e.last != ptClosed
	if e.last = state.state; back {
		e.failures = 0
	}
	me := process + 1
	switch {
	case state.state == ptClosed:
		p.call(e)
	case state.state == ptHalfOpen && state.owner == me:
		p.probe(e)
	case p.mayTest(state) && p.acquire(e, me, state.openedAt):
		p.probe(e)
	default:
		p.seen.refused++
	}
}

// mayTest: the circuit has been open long enough, or its prober is silent.
func (p *powertools) mayTest(s shared) bool {
	if s.state == ptOpen {
		return p.seconds() >= s.openedAt+ptRecovery
	}
	return p.seconds() >= s.lease
}

// call is a request through a closed circuit.
func (p *powertools) call(e *environment) {
	works := p.service.works()
	p.service.request(works)
	if works {
		e.failures = 0
		return
	}
	if e.failures++; e.failures < ptFailures {
		return
	}
	e.failures = 0
	p.write(e, shared{state: ptOpen, openedAt: p.seconds()})
	p.seen.tell(alert.CircuitOpened)
}

// probe is a request that tests the circuit.
func (p *powertools) probe(e *environment) {
	works := p.service.works()
	p.service.request(works)
	if !works {
		p.write(e, shared{state: ptOpen, openedAt: p.seconds()})
		e.successes = 0
		return
	}
	if e.successes++; e.successes < ptSuccesses {
		return
	}
	e.successes, e.failures = 0, 0
	p.write(e, shared{})
}

// read gives the state as it was at most five seconds ago.
func (p *powertools) read(e *environment) shared {
	if p.seconds() < e.until {
		return e.cached
	}
	p.travel()
	s := p.stored
	p.travel()
	p.keep(e, s)
	return s
}

func (p *powertools) keep(e *environment, s shared) { e.cached, e.until = s, p.seconds()+ptCache }

// write stores a state, whatever is stored.
func (p *powertools) write(e *environment, s shared) {
	p.travel()
	p.store(s)
	p.travel()
	p.keep(e, s)
}

// acquire makes a process the prober, if the state is still what it thinks.
func (p *powertools) acquire(e *environment, me int, openedAt int64) bool {
	p.travel()
	s := p.stored
	won := s.state == ptOpen && s.owner == 0 && s.openedAt == openedAt || s.state == ptHalfOpen && p.seconds() >= s.lease
	if won {
		s = shared{state: ptHalfOpen, openedAt: openedAt, owner: me, lease: p.seconds() + ptRecovery}
		p.store(s)
	}
	p.travel()
	if won {
		p.keep(e, s)
	}
	return won
}

func (p *powertools) store(s shared) {
	p.stored = s
	p.seen.becomes(s.state != ptClosed)
}

func (p *powertools) putBack() {
	p.stored = shared{}
	clear(p.processes)
	p.seen.becomes(false)
}

// counters are circuits in memory that count failures in a row. Each serves
// some of the processes, knows of every result at once and needs no store.
type counters struct {
	*rig
	all []counter
}

// counter opens after three failures in a row for ten seconds. The next call
// then tests the service; its end closes the circuit or opens it again.
type counter struct {
	failures   int
	open       bool
	until      time.Duration
	testing    bool
	generation int // results from before the last change are ignored
}

const (
	counterFailures = 3
	counterRecovery = 10 * time.Second
)

// exact is one counter for all processes: what could be known at best.
func exact(r *rig) breakers { return &counters{r, make([]counter, 1)} }

// perProcess is a counter in each process, of which the others know nothing.
func perProcess(r *rig) breakers {
	r.seen.circuits = r.Processes
	return &counters{r, make([]counter, r.Processes)}
}

func (c *counters) arrive(process int) {
	one := &c.all[process%len(c.all)]
	test := one.open && !one.testing && c.at >= one.until
	if one.open && !test {
		c.seen.refused++
		return
	}
	one.testing = test
	generation, works := one.generation, c.service.works()
	c.service.request(works)
	switch {
	case generation != one.generation:
	case works && test:
		*one = counter{generation: generation + 1}
		c.seen.closed()
	case works:
		one.failures = 0
	case test:
		one.testing, one.until = false, c.at+counterRecovery
	default:
		c.count(one)
	}
}

func (c *counters) count(one *counter) {
	if one.failures++; one.failures == counterFailures {
		*one = counter{open: true, until: c.at + counterRecovery, generation: one.generation + 1}
		c.seen.tell(alert.CircuitOpened)
		c.seen.opened()
	}
}

func (c *counters) putBack() {
	for i := range c.all {
		if c.all[i].open {
			c.all[i] = counter{generation: c.all[i].generation + 1}
			c.seen.closed()
		}
	}
}
