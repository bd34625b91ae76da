package world

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"time"

	"callagent/core/agent"
	"callagent/core/call"
)

// message is one on the queue.
type message struct {
	id       int
	key      call.Key
	body     []byte
	due      time.Duration // hidden until then
	sent     time.Time
	receives int
	poison   bool // no contact: nobody can work it
}

// delivery is the id of the message's latest delivery.
func (m *message) delivery() string { return fmt.Sprintf("%d.%d", m.id, m.receives) }

// Enqueue puts contacts on the queue, as somebody outside would.
func (w *World) Enqueue(delay time.Duration, contacts ...call.Contact) {
	for _, c := range contacts {
		body, err := json.Marshal(c)
		if err != nil {
			panic(err) // a contact is plain data
		}
		w.contacts[c.Key()] = true
		w.post(delay, c.Key(), body)
	}
}

// EnqueuePoison puts a message on the queue that is no contact.
func (w *World) EnqueuePoison(body string) {
	w.post(0, call.Key{}, []byte(body)).poison = true
	w.poison++
}

func (w *World) post(delay time.Duration, key call.Key, body []byte) *message {
	w.messages++
	m := &message{id: w.messages, key: key, body: bytes.Clone(body), due: w.now + delay, sent: w.Now()}
	w.queue = append(w.queue, m)
	return m
}

// sender is the queue as the agent reaches it.
type sender struct{ p *Process }

func (s sender) Send(ctx context.Context, delay time.Duration, bodies ...[]byte) error {
	w := s.p.world
	return do(ctx, use{p: s.p, port: Queue, menu: writes, what: "queue: send"}, func(ctx context.Context) error {
		if err := ctx.Err(); err != nil {
			return err
		}
		for _, body := range bodies {
			var c call.Contact
			_ = json.Unmarshal(body, &c) // the agent's own
			w.post(max(0, delay), c.Key(), body)
		}
		return nil
	})
}

// ticker sends ticks as the agent reaches it.
type ticker struct{ p *Process }

func (t ticker) SendTicks(ctx context.Context, delays []time.Duration) error {
	w := t.p.world
	return do(ctx, use{p: t.p, port: Ticks, menu: writes, what: "ticks: send"}, func(ctx context.Context) error {
		for _, d := range delays {
			w.comes(tick{at: w.now + d})
		}
		return nil
	})
}

// visible lists the messages that can be received now, the longest due first.
func (w *World) visible() []*message {
	w.ready = w.ready[:0]
	for _, m := range w.queue {
		if m.due > w.now {
			continue
		}
		i := len(w.ready)
		w.ready = append(w.ready, m)
		for ; i > 0 && w.ready[i-1].due > m.due; i-- {
			w.ready[i-1], w.ready[i] = m, w.ready[i-1]
		}
	}
	return w.ready
}

// reach is how many messages compete for being received next.
const reach = 4

// The fates of a message that is being received. It may only vanish when the
// ledger has its call: before, the queue is the only place that knows it, and
// SQS does not lose what it has taken.
var fates = []string{"hidden meanwhile", "delivered twice", "delayed", "lost"}

// receive takes a message for a process; nil when it vanishes on the way.
func (w *World) receive(p *Process) *message {
	ready := w.visible()
	w.words = w.words[:0]
	for _, m := range ready[:min(len(ready), reach)] {
		w.words = append(w.words, m.key.Contact)
	}
	m := ready[w.pick(Point{Kind: Deliver, Process: p.Name, What: "receive", Options: w.words})]
	n := len(fates)
	if w.calls[m.key] == nil {
		n--
	}
	switch w.pick(Point{Kind: Receive, Process: p.Name, What: m.key.Contact, Options: fates[:n]}) {
	case 1:
		m.receives++
		w.duplicates++
		twin := *m // its delivery id stays good for the one that is taken
		w.messages++
		m.id, m.due = w.messages, w.now
		return &twin
	case 2:
		m.due = w.now + w.Visibility
		return nil
	case 3:
		w.lost++
		w.drop(m)
		return nil
	}
	m.receives++
	m.due = w.now + w.Visibility
	taken := *m
	return &taken
}

// drop removes a message.
func (w *World) drop(m *message) {
	for i, other := range w.queue {
		if other.id == m.id {
			w.queue = append(w.queue[:i], w.queue[i+1:]...)
			return
		}
	}
}

// delivered finds the message of a delivery; nil when there is none or it was
// delivered again since.
func (w *World) delivered(taken *message) *message {
	for _, m := range w.queue {
		if m.id == taken.id && m.receives == taken.receives {
			return m
		}
	}
	return nil
}

// work has a process work one message.
func (p *Process) work(m *message) func(ctx context.Context) {
	return func(ctx context.Context) {
		p.world.working(p, m.key)
		v := p.agent.Handle(ctx, agent.Message{ID: m.delivery(), Body: m.body, Receives: m.receives, Sent: m.sent})
		what := "queue: " + [...]string{"done", "again", "bury"}[v.Do]
		_ = do(context.Background(), use{p: p, port: Queue, menu: settling, what: what}, func(context.Context) error {
			p.settle(m, v)
			return nil
		})
	}
}

// settle does with a message what the verdict says.
func (p *Process) settle(taken *message, v agent.Verdict) {
	w := p.world
	m := w.delivered(taken)
	if v.Do == agent.Reject && !taken.poison {
		w.violate("a contact is rejected: %s", v.Reason)
	}
	switch {
	case m == nil: // it was delivered again meanwhile
	case v.Do == agent.Again:
		m.due = w.now + max(0, v.At.Sub(p.clockAt(w.now))) // a delay is all that a queue is told
	default:
		w.drop(m)
	}
	if v.Do == agent.Reject {
		w.buried++
	}
}
