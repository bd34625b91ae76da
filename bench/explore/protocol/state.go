package protocol

import (
	"context"
	"slices"
	"time"

	"callagent/core/agent"
	"callagent/core/breaker"
	"callagent/core/call"
	"callagent/infra/memory"
)

// state is everything at one moment. It is never changed: a step works on a
// copy, and copies a part before it changes it.
type state struct {
	now        time.Time
	store      *memory.Store
	messages   []message
	rings      []ring
	underWay   []request // dials whose answer was lost and that may still be executed
	workers    []worker
	current    int // the worker whose turn it is; nobody: all have stopped
	deviations uint8
	facts      []facts // of each call
	opened     []int64 // epochs of openings that the journal told of
	jobs       int     // begun so far
}

const nobody = -1

// message is a wake-up on the queue.
type message struct {
	call     int
	due      time.Time // hidden until then
	receives int
}

// ring is a call that the provider executed.
type ring struct {
	call    int
	attempt string
	at      time.Time
	told    bool // its callback was sent
}

func (r ring) end() time.Time { return r.at.Add(ringFor) }

// request is a dial that may be executed until by.
type request struct {
	call    int
	attempt string
	by      time.Time
}

// worker is one worker and its job. The zero worker is idle.
type worker struct {
	job   job
	jobs  int // so far
	call  int // whose message or callback it is
	ring  int // whose callback it is
	began time.Time
	tag   int // receives of the message, so that an old delivery settles nothing
	log   []reply
	trail uint64 // hash of the log
	asks  ask    // the operation that it does next
	stuck bool   // it was stopped between two operations
}

// job is what a worker is at.
type job uint8

const (
	idle job = iota
	handling
	ticking
	calling // a callback
)

// facts are what nobody in the system knows of a call, kept to judge by.
type facts struct {
	dials     uint8     // requests that may have rung
	refused   bool      // its first dial was refused
	failed    time.Time // when a request was refused
	notBefore time.Time // no request before that, since it is stored
	holds     bool      // it has its number
}

// key, and the call of a key.
func (m *Model) key(i int) call.Key { return m.Calls[i].Key() }

func (m *Model) index(k call.Key) int {
	return slices.IndexFunc(m.Calls, func(c call.Contact) bool { return c.Key() == k })
}

// call reads a call; false when it has no record.
func (m *Model) call(s *state, i int) (call.Call, bool) {
	c, err := s.store.Get(context.Background(), m.key(i))
	return c, err == nil
}

func (s *state) circuit(service string) breaker.Record {
	r, _ := s.store.Load(context.Background(), service)
	return r
}

// copy is a state that a step may change, but for what it shares: see write.
func (s *state) copy() *state {
	c := *s
	c.messages = slices.Clone(s.messages)
	c.rings = slices.Clone(s.rings)
	c.underWay = slices.Clone(s.underWay)
	c.workers = slices.Clone(s.workers)
	c.facts = slices.Clone(s.facts)
	c.opened = slices.Clip(s.opened)
	return &c
}

// write gives a store that may be changed.
func (s *state) write() *memory.Store {
	now := s.now
	s.store = s.store.Clone(func() time.Time { return now })
	return s.store
}

// receive hides a message, and gives the work on it.
func (s *state) receive(at int) worker {
	q := &s.messages[at]
	q.due, q.receives = s.now.Add(hiddenFor), q.receives+1
	return worker{job: handling, call: q.call, tag: q.receives}
}

// reports reports whether the provider has the end of a ring to tell.
func (m *Model) reports(s *state, r ring) bool {
	return m.Callbacks && !r.told && !s.now.Before(r.end())
}

// report sends the callback of a ring, and gives the work on it.
func (s *state) report(n int) worker {
	s.rings[n].told = true
	return worker{job: calling, call: s.rings[n].call, ring: n}
}

// arrives has the provider execute a dial that was under way, and gives its id.
func (s *state) arrives(at int) string {
	u := s.underWay[at]
	s.underWay = slices.Delete(s.underWay, at, at+1)
	return s.execute(u.call, u.attempt)
}

// resting reports whether no worker is in the middle of something.
func (s *state) resting() bool {
	for _, w := range s.workers {
		if w.job != idle {
			return false
		}
	}
	return true
}

// free is an idle worker; nobody when there is none.
func (s *state) free() int {
	return slices.IndexFunc(s.workers, func(w worker) bool { return w.job == idle })
}

// number asks the store who has the call's number, by a write that takes it and
// is refused in any case, because it wants to keep a record that does not exist.
func (m *Model) number(s *state, i int) (holder call.Key) {
	probe := call.Call{Key: call.Key{Campaign: "nobody's", Contact: "probe"}, Number: hash(m.Calls[i].Phone)}
	err := s.store.Put(context.Background(), call.Write{Call: probe, Number: call.TakeNumber, Keep: &probe})
	if taken, busy := err.(*agent.TakenError); busy {
		return taken.By
	}
	return call.Key{}
}

func hash(phone string) string { return "number " + phone }
