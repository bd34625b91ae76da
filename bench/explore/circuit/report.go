package circuit

import (
	"callagent/core/breaker"
)

// event is the report that a write comes from; the zero event is none.
type event struct {
	flight flight
	report bool
}

// report tells the circuit of the end of a request, as agent.Circuit does: the
// rule decides on the record that the process knows, and again on the stored
// one as long as it loses the race.
func (m *Model) report(s state, i int, emit yield) {
	f := s.procs[i].flight
	if s.spent.Lost < m.Budget.Lost {
		next := s
		next.spent.Lost++
		next.procs[i].flight = flight{}
		emit(next, "", name(i), "cannot reach the store and gives its report up")
	}
	if f.unsure && s.stored.writer == uint8(i+1) {
		s.load(i)
		s.done(i)
		emit(s, "", name(i), "reads the record, and knows its own write by its nonce")
		return
	}
	if s.procs[i].age >= old {
		s.load(i)
	}
	m.decide(s, i, emit)
}

func (m *Model) decide(s state, i int, emit yield) {
	f, r := s.procs[i].flight, s.procs[i].cached
	after, change := m.weigh(s, i, r)
	if !change.Writes() {
		s.done(i)
		emit(s, m.heard(s, f), name(i), "reports %s: %s", f.end, change)
		return
	}
	before := s.stored
	stored, won := s.swap(i, after, r.version)
	if !won {
		emit(s, "", name(i), "reports %s, but somebody wrote first", f.end)
		return
	}
	counts := f.end == First || f.end == Retry || f.end == Account
	if counts && stored.epoch == 0 && f.ended > s.truth.success {
		s.truth.failures = min(s.truth.failures+1, uint8(m.Config.Threshold)+2)
	}
	if s.spent.Lost < m.Budget.Lost {
		next := s
		next.spent.Lost++
		next.stored.writer = uint8(i + 1)
		next.procs[i].flight.unsure = true
		next.procs[i].age = old // what the store said was never heard
		emit(next, "", name(i), "reports %s (%s), but never hears the store's answer", f.end, change)
	}
	s.done(i)
	broken := m.wrote(before, s, change, event{flight: f, report: true})
	if broken == "" {
		broken = m.heard(s, f)
	}
	emit(s, broken, name(i), "reports %s: %s", f.end, change)
}

// done ends a request whose report was heard.
func (s *state) done(i int) {
	s.procs[i].flight = flight{}
}

// weigh asks the rule about the end of a request.
func (m *Model) weigh(s state, i int, r record) (breaker.Record, breaker.Change) {
	f := s.procs[i].flight
	ended := m.clock(i, f.ended)
	switch f.end {
	case Success:
		return breaker.Success(r.wide(), f.permit(), ended)
	case Cancel:
		return breaker.Release(r.wide(), f.permit(), ended)
	}
	failure := breaker.Failure{
		Permit: f.permit(), Fault: faults[f.end], Began: m.clock(i, f.began), MayTrip: f.end == First, Cheap: f.cheap,
	}
	if s.procs[i].success != unset {
		failure.LastSuccess = m.clock(i, s.procs[i].success)
	}
	return breaker.Fail(r.wide(), m.Config, failure, ended)
}
