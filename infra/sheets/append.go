package sheets

import (
	"context"

	"callagent/core/journal"
)

// Message is one journal message: the events of one invocation, and the unit
// of de-duplication.
type Message struct {
	ID      string // the queue's id or another that stays the same when it is delivered again
	Entries []journal.Entry
}

// The bounds of one write. What is longer goes in several writes.
const (
	mostRows     = 1000 // well below the 2 MB that Google recommends
	mostMessages = 100
)

// Append writes the events of messages, in their order, and leaves out the
// messages that are in the sheet already. After an error any of them may have
// been written; ask for the same again.
func (b *Book) Append(ctx context.Context, messages ...Message) error {
	for len(messages) > 0 {
		n, rows := 0, 0
		for n < len(messages) && n < mostMessages && (n == 0 || rows+len(messages[n].Entries) <= mostRows) {
			rows += len(messages[n].Entries)
			n++
		}
		part := messages[:n]
		if err := b.add(ctx, func(s state) addition { return s.withoutKnown(part) }); err != nil {
			return err
		}
		messages = messages[n:]
	}
	return nil
}

// AppendStored writes the events of a store, in the order of their Seq, and
// leaves out those up to the store's place. origin is the store's own short
// name, the same in every process that reads it. The spreadsheet remembers the
// places of the eight stores that wrote last.
func (b *Book) AppendStored(ctx context.Context, origin string, events []journal.Stored) error {
	for len(events) > 0 {
		part := events[:min(mostRows, len(events))]
		if err := b.add(ctx, func(s state) addition { return s.after(origin, part) }); err != nil {
			return err
		}
		events = events[len(part):]
	}
	return nil
}

// Place is the Seq of the last event of a store that is in the sheet; 0 when
// none is.
func (b *Book) Place(ctx context.Context, origin string) (int64, error) {
	if err := b.enter(ctx); err != nil {
		return 0, err
	}
	defer b.leave()
	s, err := b.look(ctx)
	return s.place(origin), err
}

// add makes one write of what fresh leaves of an addition.
func (b *Book) add(ctx context.Context, fresh func(state) addition) error {
	return b.attempt(ctx, func(ctx context.Context) error { return b.tryAdd(ctx, fresh) })
}

func (b *Book) tryAdd(ctx context.Context, fresh func(state) addition) error {
	s, err := b.look(ctx)
	if err != nil {
		return err
	}
	a := fresh(s)
	if a.empty() {
		return nil
	}
	p, err := b.plan(ctx, s, a)
	if err != nil {
		return err
	}
	if err := b.write(ctx, p.requests); err != nil {
		return err
	}
	b.counts, b.countsAt = p.counts, p.countsAt
	return nil
}
