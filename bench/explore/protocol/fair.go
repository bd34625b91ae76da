package protocol

import (
	"context"
	"slices"
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
	next = m.finish(next, func(w *worker) { *w = worker{job: ticking, call: nobody} })
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
		next, u := s.copy(), s.underWay[at]
		next.underWay = slices.Delete(next.underWay, at, at+1)
		next.execute(u.call, u.attempt)
		return next
	}
	for at, q := range s.messages {
		if !q.due.After(s.now) {
			next := s.copy()
			next.messages[at].due, next.messages[at].receives = s.now.Add(hiddenFor), q.receives+1
			return m.finish(next, func(w *worker) { *w = worker{job: handling, call: q.call, tag: q.receives + 1} })
		}
	}
	for n, r := range s.rings {
		if m.Callbacks && !r.told && !s.now.Before(r.end()) {
			next := s.copy()
			next.rings[n].told = true
			return m.finish(next, func(w *worker) { *w = worker{job: calling, call: r.call, ring: n} })
		}
	}
	return s
}

// finish does a whole job.
func (m *Model) finish(s *state, begins func(*worker)) *state {
	next := s.copy()
	begins(&next.workers[0])
	m.starts(next, 0, func(*state, string, string, string) {}, "")
	for next.workers[0].job != idle {
		m.work(next, 0, "")
	}
	return next
}
