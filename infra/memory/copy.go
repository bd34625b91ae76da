package memory

import (
	"maps"
	"slices"
	"time"

	"callagent/core/breaker"
)

// utc is the time as a store gives it back: in UTC, without monotonic reading.
func utc(t time.Time) time.Time { return t.Round(0).UTC() }

// copyRecord copies everything that the record refers to. The cause of the
// last fault is an error of this process and is not kept.
func copyRecord(r breaker.Record) breaker.Record {
	r = r.UTC()
	if r.LastFault != nil {
		f := *r.LastFault
		f.Cause = nil
		r.LastFault = &f
	}
	return r
}

// Clone is a second store with the same content and a clock of its own. What
// happens to one is not seen in the other.
func (s *Store) Clone(now func() time.Time) *Store {
	c := New(Options{Now: now, Visibility: s.visibility})
	s.ledger.copyTo(&c.ledger)
	s.circuits.copyTo(&c.circuits)
	s.pace.mu.Lock()
	maps.Copy(c.last, s.last)
	s.pace.mu.Unlock()
	s.queue.copyTo(&c.queue)
	s.outbox.copyTo(&c.outbox)
	return c
}

func (l *ledger) copyTo(to *ledger) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for k, c := range l.calls {
		to.calls[k] = c.Clone()
	}
	maps.Copy(to.sids, l.sids)
	for hash, n := range l.numbers {
		n.dialled = maps.Clone(n.dialled)
		to.numbers[hash] = n
	}
}

func (c *circuits) copyTo(to *circuits) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for service := range c.records {
		to.records[service] = c.load(service)
	}
}

func (q *queue) copyTo(to *queue) {
	q.mu.Lock()
	defer q.mu.Unlock()
	to.sent, to.dead = q.sent, slices.Clone(q.dead)
	for _, m := range q.messages {
		copied := *m
		to.messages = append(to.messages, &copied)
	}
}

func (o *outbox) copyTo(to *outbox) {
	o.mu.Lock()
	defer o.mu.Unlock()
	for name, c := range o.channels {
		to.channels[name] = &channel{
			undelivered: slices.Clone(c.undelivered), raised: maps.Clone(c.raised), groups: maps.Clone(c.groups),
		}
	}
}
