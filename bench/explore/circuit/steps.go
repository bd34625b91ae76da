package circuit

import (
	"fmt"
	"time"

	"callagent/bench/explore/search"
	"callagent/core/breaker"
)

// yield takes one step: the state after it, the promise that it breaks, and
// what to tell a reader.
type yield func(next state, broken, who, what string, values ...any)

// Steps gives everything that can happen in a state.
func (m *Model) Steps(s state, take func(search.Step[state])) {
	emit := func(next state, broken, who, what string, values ...any) {
		next = next.canonical()
		if broken == "" {
			broken = m.always(next)
		}
		take(search.Step[state]{Next: next, Broken: broken, Tell: func() string {
			return fmt.Sprintf("%7s  %-9s %-62s %s", time.Duration(next.elapsed)*unit, who, fmt.Sprintf(what, values...), next.stored)
		}})
	}
	for i := range s.procs {
		m.process(s, i, emit)
	}
	m.operator(s, emit)
	m.wait(s, emit)
}

// process gives what one process may do.
func (m *Model) process(s state, i int, emit yield) {
	p := s.procs[i]
	switch p.flight.phase {
	case idle:
		m.look(s, i, emit)
		m.call(s, i, emit)
		m.tick(s, i, emit)
		m.inherit(s, i, emit)
	case leased:
		m.probe(s, i, emit)
	case permitted:
		m.send(s, i, emit)
	case sending:
		m.finish(s, i, emit)
	case passed:
		m.prove(s, i, emit)
	case reporting:
		m.report(s, i, emit)
	}
	if s.spent.Crashes < m.Budget.Crashes && (p.flight.phase != idle || p.age < old) {
		next := s
		next.spent.Crashes++
		next.die(i)
		emit(next, "", name(i), "dies")
	}
}

func name(i int) string { return [...]string{"process 1", "process 2", "process 3"}[i] }

// die forgets a process. Its place is taken by a new one, whose name is not
// that of the lease's holder.
func (s *state) die(i int) {
	f := s.procs[i].flight
	if f.probe && f.epoch == 0 {
		s.truth.used = false
	}
	if s.stored.holder == holder(i+1) {
		s.stored.holder = dead
	}
	for j := range s.procs {
		if s.procs[j].cached.holder == holder(i+1) {
			s.procs[j].cached.holder = dead
		}
	}
	s.procs[i] = process{age: old, success: unset}
}

// look reads the record, as every call does before its first step. Only a closed
// one is worth it: by any other a call does nothing at all.
func (m *Model) look(s state, i int, emit yield) {
	if s.procs[i].age < old || s.stored.state != breaker.Closed || s.stored.forced != breaker.Automatic {
		return
	}
	s.load(i)
	emit(s, "", name(i), "reads the record")
}

// seen is the record as the process may use it: for a second, then it is read
// again.
func (s *state) seen(i int) record {
	if s.procs[i].age < old {
		return s.procs[i].cached
	}
	return s.load(i)
}

// call asks for a request of an ordinary call and sends it.
func (m *Model) call(s state, i int, emit yield) {
	if s.spent.Requests == m.Budget.Requests {
		return
	}
	r := s.seen(i)
	p, refusal := breaker.Admit(r.wide(), "somebody", m.Limit, m.clock(i, 0))
	if refusal == breaker.None {
		next := s
		next.spent.Requests++
		next.procs[i].flight = flight{phase: sending, epoch: int8(p.Epoch - epochs), sendBy: unset, began: 0}
		emit(next, m.admitted(s, p), name(i), "sends a request of a call, by a record read %s ago", time.Duration(s.procs[i].age)*unit)
	}
	if s.spent.Lost < m.Budget.Lost {
		next := s
		next.spent.Lost++
		next.spent.Requests++
		next.procs[i].flight = flight{phase: sending, unowned: true, sendBy: unset}
		emit(next, "", name(i), "cannot reach the store and sends a request all the same")
	}
}

// tick tries to win the lease.
func (m *Model) tick(s state, i int, emit yield) {
	if s.spent.Requests == m.Budget.Requests {
		return
	}
	r := s.seen(i)
	taken, change := breaker.TakeProbe(r.wide(), holders[i+1], m.Limit, m.clock(i, 0))
	if !change.Writes() {
		return
	}
	before := s.stored
	stored, won := s.swap(i, taken, r.version)
	if !won {
		emit(s, "", name(i), "a tick wants to probe, but somebody wrote first")
		return
	}
	s.procs[i].flight = flight{phase: leased, cheap: true, sendBy: stored.leaseUntil - m.limit()}
	emit(s, m.wrote(before, s, change, event{}), name(i), "a tick wins the probe lease (%s)", change)
}

// probe sends the tick's request, by the record that its own write gave it.
func (m *Model) probe(s state, i int, emit yield) {
	f := &s.procs[i].flight
	r := record{state: breaker.HalfOpen, epoch: f.epoch, holder: holder(i + 1), leaseUntil: f.sendBy + m.limit(), pausedUntil: unset}
	p, refusal := breaker.Admit(r.wide(), holders[i+1], m.Limit, m.clock(i, 0))
	if refusal != breaker.None {
		*f = flight{}
		emit(s, "", name(i), "its tick is refused: %s", refusal)
		return
	}
	broken := m.admitted(s, p)
	s.spent.Requests++
	s.truth.used = s.truth.used || f.epoch == 0
	*f = flight{phase: sending, probe: p.Probe, cheap: true, epoch: int8(p.Epoch - epochs), sendBy: since(p.SendBy())}
	if broken == "" {
		broken = m.alone(s)
	}
	emit(s, broken, name(i), "its tick sends the cheap request")
}

// inherit has the heir of a lease ask for its request.
func (m *Model) inherit(s state, i int, emit yield) {
	if s.stored.holder != heir || s.spent.Requests == m.Budget.Requests || s.anywhere(func(f flight) bool { return f.probe && !f.cheap }) {
		return
	}
	r, at := s.stored.wide(), m.clock(i, 0)
	if longer, change := breaker.Extend(r, holders[heir], m.Limit, at); change.Writes() && at.Add(m.Limit).After(r.Probe.Until) {
		s.swap(i, longer, s.stored.version)
		r = s.stored.wide()
	}
	s.load(i)
	p, refusal := breaker.Admit(r, holders[heir], m.Limit, at)
	if refusal != breaker.None {
		return
	}
	broken := m.admitted(s, p)
	s.spent.Requests++
	s.truth.used = true
	s.procs[i].flight = flight{phase: permitted, probe: p.Probe, epoch: int8(p.Epoch - epochs), sendBy: since(p.SendBy())}
	emit(s, broken, name(i), "the call that inherited the probe is admitted")
}

func (s *state) anywhere(is func(flight) bool) bool {
	for _, p := range s.procs {
		if p.flight.phase != idle && is(p.flight) {
			return true
		}
	}
	return false
}

// send starts the heir's request, unless it is too late.
func (m *Model) send(s state, i int, emit yield) {
	f := &s.procs[i].flight
	if f.permit().Late(m.clock(i, 0)) {
		f.phase, f.end, f.ended = reporting, Cancel, 0
		emit(s, "", name(i), "is too late to send, and gives the lease back")
		return
	}
	f.phase, f.began = sending, 0
	emit(s, m.alone(s), name(i), "sends the request that tests for real")
}

// finish ends a request.
func (m *Model) finish(s state, i int, emit yield) {
	outcomes := m.Outcomes
	if s.procs[i].flight.cheap {
		outcomes = m.Cheap
	}
	for _, o := range outcomes {
		next := s
		p := &next.procs[i]
		p.flight.end, p.flight.ended, p.flight.phase = o, 0, reporting
		if o == Success && p.flight.cheap {
			p.flight.phase = passed
		} else if o == Success {
			p.success, next.truth.success, next.truth.failures = 0, 0, 0
		}
		emit(next, "", name(i), "its request ends: %s", o)
	}
}

// prove ends a cheap request that passed: a parked call inherits the lease, or
// the success is reported.
func (m *Model) prove(s state, i int, emit yield) {
	closes := s
	p := &closes.procs[i]
	p.flight.phase, p.flight.ended = reporting, 0
	p.success, closes.truth.success, closes.truth.failures = 0, 0, 0
	emit(closes, "", name(i), "nothing is parked: its tick reports the success")

	r := s.seen(i)
	f := s.procs[i].flight
	next, change := breaker.HandOver(r.wide(), f.permit(), holders[heir], m.Limit, m.clock(i, 0))
	if !change.Writes() {
		s.procs[i].flight = flight{}
		emit(s, "", name(i), "cannot hand the lease over: it is not its own any more")
		return
	}
	before := s.stored
	if _, won := s.swap(i, next, r.version); !won {
		emit(s, "", name(i), "wants to hand the lease over, but somebody wrote first")
		return
	}
	s.procs[i].flight = flight{}
	emit(s, m.wrote(before, s, change, event{flight: f}), name(i), "hands the lease over to a call that was parked")
}

// wait lets time pass: a second while a request is under way or a record is
// cached, else until the next moment that changes an answer.
func (m *Model) wait(s state, emit yield) {
	d, soon := m.next(s), s.stored.streakFrom > settled || s.truth.opened > -second
	for _, p := range s.procs {
		f := p.flight
		if f.phase == sending && f.began <= -m.limit() || f.phase == reporting && f.ended <= -reportFor {
			return // it ends first
		}
		soon = soon || p.age < old || f.phase == sending || f.phase == reporting
	}
	if soon {
		d = second
	}
	if d != unset {
		emit(s.aged(d), "", "", "%s later", time.Duration(d)*unit)
	}
}

// next is when a rule would answer somebody otherwise; unset for never.
func (m *Model) next(s state) instant {
	all := s.stored.moments()
	for _, p := range s.procs {
		all = append(all, p.flight.sendBy, p.flight.sendBy+1)
	}
	if ahead := m.fastest(); ahead > 0 {
		for _, i := range all {
			if i != unset {
				all = append(all, max(i, 0)-ahead)
			}
		}
	}
	return first(all)
}

// operator overrides the circuit.
func (m *Model) operator(s state, emit yield) {
	if s.spent.Operator == m.Budget.Operator {
		return
	}
	s.spent.Operator++
	for _, o := range []struct {
		what string
		rule func(breaker.Record, time.Time) (breaker.Record, breaker.Change)
	}{{"forces it open", breaker.ForceOpen}, {"forces it closed", breaker.ForceClose}, {"gives it back", breaker.Return}} {
		after, change := o.rule(s.stored.wide(), now)
		if !change.Writes() {
			continue
		}
		next := s
		next.swap(-1, after, s.stored.version)
		emit(next, m.wrote(s.stored, next, change, event{}), "operator", o.what)
	}
}
