package protocol

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"callagent/bench/explore/search"
	"callagent/core/agent"
	"callagent/core/breaker"
	"callagent/core/call"
	"callagent/core/health"
)

// Steps gives everything that can happen in a state.
func (m *Model) Steps(s *state, take func(search.Step[*state])) {
	emit := func(next *state, broken, who, what string) {
		if broken == "" && next.resting() {
			broken = m.drains(next)
		}
		take(search.Step[*state]{Next: next, Broken: broken, Tell: func() string {
			return fmt.Sprintf("%6s  %-8s %s", s.now.Sub(start), who, what)
		}})
	}
	if s.current != nobody {
		m.goOn(s, s.current, emit)
		if m.may(s, Preempt) {
			next := s.copy()
			next.deviations++
			next.workers[s.current].stuck = true
			next.current = nobody
			take(search.Step[*state]{Next: next, Tell: func() string {
				return fmt.Sprintf("%6s  %-8s %s", s.now.Sub(start), name(s.current), "is stopped before it "+s.workers[s.current].asks.what)
			}})
		}
		return
	}
	for i, w := range s.workers {
		if w.stuck {
			m.goOn(s, i, emit)
		}
	}
	m.begin(s, emit)
	m.provider(s, emit)
	m.wait(s, emit)
}

type yield func(next *state, broken, who, what string)

func name(i int) string { return fmt.Sprintf("worker %d", i+1) }

// ways lists how an operation may be done.
func (m *Model) ways(s *state, o op) []Deviation {
	all := [...][]Deviation{
		write:    {Silent, LostReply, Crash},
		dialling: {LostReply, Crash, NotSent, Ambiguous, Refused},
		reading:  {Silent, Crash},
		telling:  {Silent, Crash},
	}[o]
	ways := []Deviation{""}
	for _, d := range all {
		if m.may(s, d) {
			ways = append(ways, d)
		}
	}
	return ways
}

// goOn does the next operation of a worker, in every way that it may go.
func (m *Model) goOn(s *state, i int, emit yield) {
	asks := s.workers[i].asks
	for _, way := range m.ways(s, asks.op) {
		next := s.copy()
		if way != "" {
			next.deviations++
		}
		next.current = i
		m.wakes(next, i)
		r := m.work(next, i, way)
		emit(next, r.broken, name(i), fmt.Sprintf("%s: %s%s", asks.what, r.told, r.ending()))
	}
}

// wakes ends the stop of a worker. Where it was stopped matters for a dial alone:
// whether the time left is enough is asked right before the request leaves, so
// the stop lies before that; no store can do anything about one after it.
func (m *Model) wakes(s *state, i int) {
	w := &s.workers[i]
	w.stuck = false
	if last := len(w.log) - 1; w.asks.op == dialling && w.log[last].at.Before(m.clock(i, s.now)) {
		w.log = slices.Clone(w.log)
		w.log[last].at = m.clock(i, s.now)
	}
}

// work runs a worker's job up to the next operation that is a step of its own.
// The first one is done if there is a way to do it.
func (m *Model) work(s *state, i int, way Deviation) (r *run) {
	w := &s.workers[i]
	r = &run{m: m, s: s, me: i, way: way, goes: w.asks.op != none, begins: w.asks.op == none, had: len(w.log), now: m.clock(i, w.began)}
	defer func() {
		switch cut := recover().(type) {
		case nil:
		case stops:
			w.asks = cut.asks
		case killed:
			s.workers[i] = worker{jobs: w.jobs}
			s.current = nobody
		default:
			panic(cut)
		}
	}()
	a := agent.New(r.options())
	switch w.job {
	case handling:
		body, _ := json.Marshal(m.contact(w.call))
		m.settle(s, i, a.Handle(context.Background(), agent.Message{Body: body}), r)
	case ticking:
		a.Tick(context.Background())
	case calling:
		ring := s.rings[w.ring]
		if err := a.Callback(context.Background(), m.key(ring.call), ring.attempt, m.look(s, w.ring)); err != nil {
			s.rings[w.ring].told = false // the provider sends it again
		}
	}
	s.workers[i] = worker{jobs: w.jobs}
	s.current = nobody
	r.ended = true
	return r
}

// ending tells that a job is over, and with which verdict.
func (r *run) ending() string {
	switch {
	case r.verdict != "":
		return "; " + r.verdict
	case r.ended:
		return "; it is done"
	}
	return ""
}

// settle does with the message what the verdict says.
func (m *Model) settle(s *state, i int, v agent.Verdict, r *run) {
	w := s.workers[i]
	at := slices.IndexFunc(s.messages, func(q message) bool { return q.call == w.call && q.receives == w.tag })
	switch {
	case v.Do == agent.Again:
		r.verdict = fmt.Sprintf("the message comes again at %s", max(v.At.Sub(start), 0))
		if at >= 0 {
			s.messages[at].due = v.At
		}
	case v.Do == agent.Reject:
		r.breaks("a contact was rejected: %s", v.Reason)
	default:
		r.verdict = "the message is done"
		if at >= 0 {
			s.messages = slices.Delete(s.messages, at, at+1)
		}
	}
}

// begin gives a message, a callback or a tick to a worker that is free.
func (m *Model) begin(s *state, emit yield) {
	i := s.free()
	if i < 0 {
		return
	}
	given := map[int]bool{}
	for at, q := range s.messages {
		if q.due.After(s.now) || given[q.call] {
			continue
		}
		given[q.call] = true // copies of a message that are due are alike
		m.receive(s, at, i, emit)
	}
	for n, r := range s.rings {
		if m.reports(s, r) {
			next := s.copy()
			next.workers[i] = next.report(n)
			m.starts(next, i, emit, "a callback tells of "+sid(n))
		}
	}
	next := s.copy()
	next.workers[i] = worker{job: ticking, call: nobody}
	m.starts(next, i, emit, "a tick begins")
}

// receive gives a message to a worker, or loses or doubles it.
func (m *Model) receive(s *state, at, i int, emit yield) {
	q := s.messages[at]
	what := "the message of " + m.key(q.call).String()
	next := s.copy()
	next.workers[i] = next.receive(at)
	m.starts(next, i, emit, "receives "+what)
	if _, known := m.call(s, q.call); known && m.may(s, LostMsg) {
		next := s.copy()
		next.deviations++
		next.messages = slices.Delete(next.messages, at, at+1)
		emit(next, "", "queue", "loses "+what)
	}
	if m.may(s, Duplicate) {
		next := s.copy()
		next.deviations++
		next.messages = append(next.messages, message{call: q.call, due: s.now, receives: 100})
		emit(next, "", "queue", "has "+what+" twice")
	}
}

// starts begins a job, up to its first operation.
func (m *Model) starts(next *state, i int, emit yield, what string) {
	w := &next.workers[i]
	w.jobs, w.began = next.jobs, next.now
	next.jobs++
	next.current = i
	r := m.work(next, i, "")
	emit(next, r.broken, name(i), what+r.ending())
}

// provider executes the dials that are still under way.
func (m *Model) provider(s *state, emit yield) {
	for at, u := range s.underWay {
		next := s.copy()
		id := next.arrives(at)
		emit(next, "", "provider", fmt.Sprintf("executes the dial for %s: %s", m.key(u.call), id))
	}
}

// wait lets time pass until the next moment at which something may change.
func (m *Model) wait(s *state, emit yield) {
	d := m.next(s)
	if d.IsZero() || d.Sub(start) > m.Horizon || s.overdue() != nobody {
		return
	}
	next := s.copy()
	if m.due(s) {
		if !m.may(s, Late) {
			return
		}
		next.deviations++
	}
	next.now = d
	emit(next, "", "", fmt.Sprintf("%s later", d.Sub(s.now)))
}

// due reports whether anything is due now.
func (m *Model) due(s *state) bool {
	for _, q := range s.messages {
		if !q.due.After(s.now) {
			return true
		}
	}
	for _, r := range s.rings {
		if m.reports(s, r) {
			return true
		}
	}
	return s.overdue() != nobody
}

// overdue is the dial that the provider has to execute before time passes;
// nobody when there is none.
func (s *state) overdue() int {
	return slices.IndexFunc(s.underWay, func(u request) bool { return !u.by.After(s.now) })
}

// next is the first moment after now at which something may change; zero for
// none.
func (m *Model) next(s *state) time.Time {
	var first time.Time
	add := func(t time.Time) {
		if t.After(s.now) && !t.IsZero() && (first.IsZero() || t.Before(first)) {
			first = t
		}
	}
	for _, q := range s.messages {
		add(q.due)
	}
	for _, r := range s.rings {
		add(r.end())
	}
	for _, u := range s.underWay {
		add(u.by)
	}
	for i := range m.Calls {
		if c, known := m.call(s, i); known {
			m.moments(c, add)
		}
	}
	for _, name := range agent.Services() {
		r := s.circuit(name)
		add(r.OpenUntil)
		add(r.Probe.Until.Add(3 * time.Second))
	}
	return first
}

// moments are those at which a call changes by itself.
func (m *Model) moments(c call.Call, add func(time.Time)) {
	settled := c.State.Final() && c.Due.IsZero() && c.Park.Service == ""
	if settled {
		return
	}
	for _, t := range []time.Time{c.Due, c.Lease.Until, c.Park.Until} {
		if !t.IsZero() {
			add(t.Add(breaker.Skew))
			add(t.Add(health.Overdue))
		}
	}
	if !c.Park.SentAt.IsZero() {
		add(c.Park.SentAt.Add(health.StampFor))
	}
	if c.Intent != nil {
		add(c.Intent.Deadline.Add(call.ListAfter + breaker.Skew))
	}
	if !c.State.Final() && !c.Contact.ExpiresAt.IsZero() {
		add(c.Contact.ExpiresAt)
	}
}
