package main

import (
	"context"
	"iter"
	"time"
)

// epoch is when every timeline begins: a Monday, 09:00 in UTC.
var epoch = time.Date(2026, time.March, 2, 9, 0, 0, 0, time.UTC)

// timeline is virtual time, an agent.Clock. Whatever was put on it runs in
// order, one at a time and each until it sleeps, so that the outcome depends
// on nothing but what was put there. It is not safe for concurrent use.
type timeline struct {
	at      time.Duration // since epoch
	queue   appointments
	running *routine
	idle    []*routine
	all     []*routine
}

// routine is something that can sleep in the midst of its work.
type routine struct {
	work   func()
	resume func() (struct{}, bool)
	end    func()
	pause  func(struct{}) bool
}

// over unwinds what still sleeps when its timeline ends.
type over struct{}

// after has f run after a delay.
func (t *timeline) after(d time.Duration, f func()) {
	t.queue.push(appointment{at: t.at + max(0, d), work: f})
}

// Now is the virtual time.
func (t *timeline) Now() time.Time { return epoch.Add(t.at) }

// Sleep pauses what is running. Nothing here is cancelled.
func (t *timeline) Sleep(_ context.Context, d time.Duration) error {
	t.pass(d)
	return nil
}

func (t *timeline) pass(d time.Duration) {
	if d > 0 {
		t.wake(t.running, d)
		t.rest()
	}
}

// WithTimeout gives the context as it is: nothing here outlasts its limit.
func (t *timeline) WithTimeout(ctx context.Context, _ time.Duration) (context.Context, context.CancelFunc) {
	return ctx, func() {}
}

// rest pauses what is running until it is woken.
func (t *timeline) rest() {
	if !t.running.pause(struct{}{}) {
		panic(over{})
	}
}

// wake has a resting routine go on after a delay.
func (t *timeline) wake(r *routine, d time.Duration) {
	t.queue.push(appointment{at: t.at + d, sleeper: r})
}

// together runs all at once, from now on, and rests until the last has ended.
func (t *timeline) together(all ...func()) {
	waits, left := t.running, len(all)
	for _, f := range all {
		t.after(0, func() {
			f()
			if left--; left == 0 {
				t.wake(waits, 0)
			}
		})
	}
	t.rest()
}

// until runs the timeline to a moment, or until done reports true.
func (t *timeline) until(end time.Duration, done func() bool) {
	for len(t.queue.heap) > 0 && t.queue.heap[0].at <= end && !done() {
		next := t.queue.pop()
		t.at = next.at
		t.running = next.sleeper
		if next.sleeper == nil {
			t.running = t.routine()
			t.running.work = next.work
		}
		t.running.resume()
	}
}

// never is for a timeline that runs to a moment, forever for one that does not.
func never() bool { return false }

const forever = time.Duration(1<<63 - 1)

// close ends what still sleeps.
func (t *timeline) close() {
	for _, r := range t.all {
		r.end()
	}
}

// routine is one that has nothing to do.
func (t *timeline) routine() *routine {
	if n := len(t.idle); n > 0 {
		r := t.idle[n-1]
		t.idle = t.idle[:n-1]
		return r
	}
	r := &routine{}
	r.resume, r.end = iter.Pull(func(yield func(struct{}) bool) {
		defer unwound()
		r.pause = yield
		for {
			r.work()
			t.idle = append(t.idle, r)
			if !yield(struct{}{}) {
				return
			}
		}
	})
	t.all = append(t.all, r)
	return r
}

// unwound stops the panic that ended a sleeper.
func unwound() {
	if cause := recover(); cause != nil && cause != (over{}) {
		panic(cause)
	}
}

// appointment is what happens at a moment: new work, or a sleeper that goes on.
type appointment struct {
	at      time.Duration
	number  int64 // keeps the order of those at the same moment
	work    func()
	sleeper *routine
}

func (a appointment) before(b appointment) bool {
	return a.at < b.at || a.at == b.at && a.number < b.number
}

// appointments is a heap, the earliest first.
type appointments struct {
	heap   []appointment
	number int64
}

func (q *appointments) push(a appointment) {
	q.number++
	a.number = q.number
	q.heap = append(q.heap, a)
	for i := len(q.heap) - 1; i > 0; {
		up := (i - 1) / 2
		if !q.heap[i].before(q.heap[up]) {
			return
		}
		q.heap[i], q.heap[up] = q.heap[up], q.heap[i]
		i = up
	}
}

func (q *appointments) pop() appointment {
	first, last := q.heap[0], len(q.heap)-1
	q.heap[0] = q.heap[last]
	q.heap[last] = appointment{} // what it held may be forgotten
	q.heap = q.heap[:last]
	for i := 0; ; {
		least := i
		for _, child := range [...]int{2*i + 1, 2*i + 2} {
			if child < last && q.heap[child].before(q.heap[least]) {
				least = child
			}
		}
		if least == i {
			return first
		}
		q.heap[i], q.heap[least] = q.heap[least], q.heap[i]
		i = least
	}
}
