package protocol

import (
	"context"
	"sync"
	"time"
)

var ctx = context.Background()

// drains plays what happens when nothing goes wrong any more: every message is
// worked, ticks come, time passes. It says what is left undone after a day.
// States from which all comes to an end are remembered.
func (m *Model) drains(s *state) string {
	var way []uint64
	for range 2000 {
		print := m.hash(s, false)
		if _, known := m.good.Load(print); known {
			break
		}
		way = append(way, print)
		next := m.fair(s)
		if len(next.messages) == 0 && m.settled(next) == "" {
			break
		}
		if next.now.Sub(start) > 24*time.Hour {
			return m.settled(next)
		}
		s = next
	}
	for _, print := range way {
		m.good.Store(print, nil)
	}
	return ""
}

// memory of the states that drain.
type drained = sync.Map

// fair is the state after everything that is due was done, a tick after that,
// and some time after the tick.
func (m *Model) fair(s *state) *state {
	next := s.copy()
	next.deviations = 0
	for range 100 {
		if !m.due(next) {
			break
		}
		next = m.serve(next)
	}
	next = m.finish(next, worker{job: ticking, call: nobody})
	if m.due(next) {
		return next
	}
	at := m.next(next)
	if limit := next.now.Add(time.Minute); at.IsZero() || at.After(limit) {
		at = limit
	}
	next = next.copy()
	next.now = at
	return next
}

// serve does one thing that is due, to its end.
func (m *Model) serve(s *state) *state {
	if at := s.overdue(); at != nobody {
		next := s.copy()
		next.arrives(at)
		return next
	}
	for at, q := range s.messages {
		if !q.due.After(s.now) {
			next := s.copy()
			return m.finish(next, next.receive(at))
		}
	}
	for n, r := range s.rings {
		if m.reports(s, r) {
			next := s.copy()
			return m.finish(next, next.report(n))
		}
	}
	return s
}

// finish does a whole job, and gives the state, which it changed.
func (m *Model) finish(s *state, w worker) *state {
	s.workers[0] = w
	m.starts(s, 0, func(*state, string, string, string) {}, "")
	for s.workers[0].job != idle {
		m.work(s, 0, "")
	}
	return s
}
