package dashboard

import (
	"context"
	"sync"
	"time"
)

// reading is something of the store that is read again when it is older than
// age, once for all who ask at the same time. It is safe for concurrent use.
type reading[T any] struct {
	age     time.Duration
	read    func(context.Context) (T, error)
	mu      sync.Mutex
	running chan struct{} // closed when the read that goes on is over; nil for none
	began   time.Time     // when the last read began
	known   known[T]
}

// known is what was read last.
type known[T any] struct {
	Value T
	At    time.Time // of Value; zero when nothing was ever read
	Err   error     // of a later read that failed
}

const (
	moment    = 10 * time.Millisecond // how long a page waits for what it knows an older value of
	readLimit = 30 * time.Second
)

// get gives what is known, read anew if it is too old. A page that knows a
// value of not long ago does not wait for a slow store beyond soon, and none
// waits beyond late. What is known may be nothing: At is zero then, and Err
// need not be set.
func (r *reading[T]) get(ctx context.Context, soon, late time.Time) known[T] {
	running, enough := r.begin()
	if running == nil {
		return r.last()
	}
	if enough {
		late = soon
	}
	patience := time.NewTimer(time.Until(late))
	defer patience.Stop()
	select {
	case <-running:
	case <-patience.C:
	case <-ctx.Done():
	}
	return r.last()
}

func (r *reading[T]) last() known[T] {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.known
}

// begin starts a read if one is due and gives the one that goes on. enough: the
// value that is known is not much too old.
func (r *reading[T]) begin() (running chan struct{}, enough bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	now := time.Now()
	if r.running == nil && now.Sub(r.began) >= r.age {
		r.began, r.running = now, make(chan struct{})
		go r.run(r.running)
	}
	return r.running, now.Sub(r.known.At) < 5*r.age
}

// run reads. It belongs to no request: others wait for it too.
func (r *reading[T]) run(done chan struct{}) {
	defer close(done)
	ctx, cancel := context.WithTimeout(context.Background(), readLimit)
	defer cancel()
	began := time.Now()
	value, err := r.read(ctx)
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.running != done {
		return // something was changed since it began
	}
	r.running = nil
	if r.known.Err = err; err == nil {
		r.known.Value, r.known.At = value, began
	}
}

// expire makes the next get read again: something was changed.
func (r *reading[T]) expire() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.running, r.began, r.known.At = nil, time.Time{}, time.Time{}
}
