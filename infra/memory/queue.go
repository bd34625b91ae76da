package memory

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"slices"
	"sync"
	"time"

	"callagent/core/agent"
	"callagent/core/call"
)

// queue is the messages in the order they were sent, and the dead letters.
type queue struct {
	now        func() time.Time
	visibility time.Duration
	known      func(key string) bool // whether the ledger has the call

	mu       sync.Mutex
	sent     int
	messages []*message
	dead     []DeadLetter
}

type message struct {
	number   int
	key      string
	body     []byte
	due      time.Time // hidden until then
	sent     time.Time
	begun    bool // its call has a record, or it came back
	receives int
}

// delivery is the id of the message's latest delivery.
func (m *message) delivery() string { return fmt.Sprintf("%d.%d", m.number, m.receives) }

// DeadLetter is a message that nobody will receive again.
type DeadLetter struct {
	Body     []byte
	Reason   string
	Receives int
	At       time.Time // when it was buried
}

// Send puts messages on the queue, all of them.
func (q *queue) Send(ctx context.Context, delay time.Duration, bodies ...[]byte) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	now := utc(q.now())
	for _, body := range bodies {
		q.sent++
		key := call.KeyOf(body)
		q.messages = append(q.messages, &message{
			number: q.sent, key: key, body: bytes.Clone(body), due: now.Add(delay), sent: now, begun: q.known(key),
		})
	}
	return nil
}

// Receive takes messages in the order of their due times, those of calls that
// were begun first.
func (q *queue) Receive(ctx context.Context, limit int, only []string) ([]agent.Message, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	now := q.now()
	var due []*message
	for _, m := range q.messages {
		if !m.due.After(now) && (only == nil || slices.Contains(only, m.key)) {
			due = append(due, m)
		}
	}
	slices.SortStableFunc(due, func(a, b *message) int {
		return cmp.Or(last(a.begun)-last(b.begun), a.due.Compare(b.due), cmp.Compare(a.number, b.number))
	})
	var received []agent.Message
	for _, m := range due[:min(limit, len(due))] {
		m.due = utc(now.Add(q.visibility))
		m.receives++
		received = append(received, agent.Message{ID: m.delivery(), Body: bytes.Clone(m.body), Receives: m.receives, Sent: m.sent})
	}
	return received, nil
}

// Done removes a message. An id of an earlier delivery changes nothing, here
// and in the two methods below.
func (q *queue) Done(ctx context.Context, id string) error {
	return q.change(ctx, id, q.remove)
}

// Again makes a message due at the time.
func (q *queue) Again(ctx context.Context, id string, at time.Time) error {
	return q.change(ctx, id, func(i int) { q.messages[i].due, q.messages[i].begun = utc(at), true })
}

// Bury moves a message to the dead letters.
func (q *queue) Bury(ctx context.Context, id, reason string) error {
	return q.change(ctx, id, func(i int) {
		m := q.messages[i]
		q.dead = append(q.dead, DeadLetter{Body: m.body, Reason: reason, Receives: m.receives, At: utc(q.now())})
		q.remove(i)
	})
}

// change calls do with the index of the message whose latest delivery is id.
func (q *queue) change(ctx context.Context, id string, do func(i int)) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	i := slices.IndexFunc(q.messages, func(m *message) bool { return m.receives > 0 && m.delivery() == id })
	if i >= 0 {
		do(i)
	}
	return nil
}

func (q *queue) remove(i int) { q.messages = slices.Delete(q.messages, i, i+1) }

// DeadLetters lists the dead letters, the newest first.
func (q *queue) DeadLetters(ctx context.Context, limit int) ([]DeadLetter, error) {
	q.mu.Lock()
	defer q.mu.Unlock()
	dead := slices.Clone(q.dead)
	slices.Reverse(dead)
	dead = dead[:min(limit, len(dead))]
	for i := range dead {
		dead[i].Body = bytes.Clone(dead[i].Body)
	}
	return dead, ctx.Err()
}

// Pending counts the messages that can be received now and those that cannot
// yet, and says when the first of the latter can; zero when there is none.
func (q *queue) Pending(ctx context.Context) (visible, hidden int, next time.Time, err error) {
	q.mu.Lock()
	defer q.mu.Unlock()
	now := q.now()
	for _, m := range q.messages {
		if !m.due.After(now) {
			visible++
			continue
		}
		hidden++
		if next.IsZero() || m.due.Before(next) {
			next = m.due
		}
	}
	return visible, hidden, next, ctx.Err()
}

// last sorts what is not first behind what is.
func last(first bool) int {
	if first {
		return 0
	}
	return 1
}
