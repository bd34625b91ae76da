package circuit

import (
	"fmt"

	"callagent/core/breaker"
)

// admitted judges a permit that was given just now.
func (m *Model) admitted(s state, p breaker.Permit) string {
	switch {
	case p.Probe && p.Epoch == epochs && s.truth.used:
		return "promise 5: one probe lease admitted a second request"
	case !p.Probe && s.stored.state != breaker.Closed && s.truth.opened <= -second:
		return "promise 5: a request was admitted a second after the circuit had left CLOSED"
	}
	return ""
}

// alone judges whether the probe that is sent now is the only one under way. One
// that ends at this very moment is over.
func (m *Model) alone(s state) string {
	n := 0
	for _, p := range s.procs {
		if p.flight.phase == sending && p.flight.probe && p.flight.began > -m.limit() {
			n++
		}
	}
	if n > 1 {
		return "promise 5: two probes are under way at once"
	}
	return ""
}

// always judges what has to hold in every state.
func (m *Model) always(s state) string {
	r := s.stored
	if len(m.Clocks) == 0 && r.state == breaker.Closed && r.forced == breaker.Automatic && s.truth.failures > r.streak {
		return fmt.Sprintf("promise 5: %d failures after the last success count as a streak of %d", s.truth.failures, r.streak)
	}
	if s.anywhere(func(flight) bool { return true }) {
		return ""
	}
	return m.heals(r)
}

// heard judges the circuit after a report that the store has taken or that has
// nothing to say.
func (m *Model) heard(s state, f flight) string {
	r, present := s.stored, s.stored.forced == breaker.Automatic
	switch {
	case f.end == Contact && f.probe && f.epoch == 0 && r.state == breaker.HalfOpen && s.truth.used:
		return "promise 7: a contact's fault keeps a probe"
	case f.end == Account && present && f.epoch == 0 && !f.unowned && r.state == breaker.Closed && s.truth.failures > 0 && f.ended > s.truth.success:
		return "an account's fault did not open the circuit"
	}
	return ""
}

// wrote judges one stored change.
func (m *Model) wrote(before record, s state, c breaker.Change, e event) string {
	after := s.stored
	if e.report {
		if broken := m.reported(before, after, c, e.flight); broken != "" {
			return broken
		}
	}
	switch {
	case c >= breaker.Tripped && !listed(before, after, c):
		return fmt.Sprintf("no row of the table takes %s to %s by %s", before.state, after.state, c)
	case after.pausedUntil != unset && after.pausedUntil < before.pausedUntil:
		return "promise 8: a pause became shorter"
	case before.state != breaker.Closed && after.state == breaker.Closed && c != breaker.OperatorClosed && c != breaker.Proved:
		return fmt.Sprintf("promise 6: %s closed the circuit", c)
	case c == breaker.Leased && before.openUntil > m.fastest():
		return "promise 8: probed before the opening was over"
	}
	return ""
}

// fastest is how far the fastest clock is ahead.
func (m *Model) fastest() instant {
	ahead := instant(0)
	for _, c := range m.Clocks {
		ahead = max(ahead, span(c))
	}
	return ahead
}

// reported judges a change that comes from the end of a request.
func (m *Model) reported(before, after record, c breaker.Change, f flight) string {
	opening := span(m.Config.Recovery)
	switch {
	case f.unowned || f.epoch != 0:
		return "promise 6: the result of a request from before a transition changed the circuit"
	case f.end == Contact && c != breaker.Released:
		return "promise 7: a contact's fault changed the circuit"
	case c == breaker.Proved && (!f.probe || f.end != Success):
		return "promise 6: something else than the probe's success closed the circuit"
	case c != breaker.Tripped:
		return ""
	case before.forced != breaker.Automatic:
		return "a forced circuit tripped"
	case after.openUntil-f.ended < opening:
		return fmt.Sprintf("promise 8: open for less than %s", m.Config.Recovery)
	case f.end == Account:
		return ""
	case f.end == Retry:
		return "a failure between two retries opened the circuit"
	}
	return m.ripe(before, f)
}

// ripe judges the streak that opened the circuit: long enough, and either old
// enough for everybody to contradict it or longer still.
func (m *Model) ripe(before record, f flight) string {
	n := int(before.streak) + 1
	settle := span(m.Config.Settle)
	if n < m.Config.Threshold || n < m.Config.Threshold+2 && f.ended-before.streakFrom+m.fastest() < settle {
		return fmt.Sprintf("a streak of %d opened the circuit, %s after its first failure", n, (f.ended - before.streakFrom).time().Sub(now))
	}
	return ""
}

func listed(before, after record, c breaker.Change) bool {
	for _, row := range breaker.Transitions {
		if row.From == before.state && row.Change == c && row.To == after.state {
			return true
		}
	}
	return false
}

// heals plays a service that works and a tick at every moment that matters, and
// judges whether the circuit closes: promise 9. What an operator holds open is
// excepted.
func (m *Model) heals(r record) string {
	if r.forced == breaker.ForcedOpen {
		return ""
	}
	for range 12 {
		if r.state == breaker.Closed {
			return ""
		}
		taken, change := breaker.TakeProbe(r.wide(), "healer", m.Limit, now)
		if p, refusal := breaker.Admit(taken, "healer", m.Limit, now); change.Writes() && refusal == breaker.None {
			closed, change := breaker.Success(taken, p, now)
			if change == breaker.Proved {
				r = narrow(closed)
				continue
			}
		}
		d := first(r.moments())
		if d == unset {
			break
		}
		r = r.aged(d)
	}
	return "promise 9: no tick closes the circuit although the service works"
}

// String tells of the record in a trace.
func (r record) String() string {
	text := r.state.String()
	add := func(show bool, format string, values ...any) {
		if show {
			text += fmt.Sprintf(format, values...)
		}
	}
	in := func(i instant) string { return fmt.Sprintf("%+gs", i.time().Sub(now).Seconds()) }
	add(r.forced != breaker.Automatic, " by force")
	add(r.streak > 0, ", streak %d", r.streak)
	add(r.openUntil != unset, ", until %s", in(r.openUntil))
	add(r.holder != nobody, ", %s probes until %s", holders[r.holder], in(r.leaseUntil))
	add(r.pausedUntil > 0, ", paused until %s", in(r.pausedUntil))
	return text
}
