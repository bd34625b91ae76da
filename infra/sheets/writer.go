package sheets

import (
	"context"
	"reflect"
	"time"

	"callagent/core/agent"
	"callagent/core/backoff"
	"callagent/core/fault"
	"callagent/core/journal"
	"callagent/infra/clock"
)

// Events is where a Writer reads: a store's journal.
type Events interface {
	// Events lists entries after a place, the oldest first.
	Events(ctx context.Context, after int64, limit int) ([]journal.Stored, error)
}

// WriterConfig says what a Writer writes. Book, Events and Origin are needed.
type WriterConfig struct {
	Book   *Book
	Events Events
	// Origin is the store's own short name, never another store's; see
	// [Book.AppendStored].
	Origin string
	// Status reads how things stand; nil leaves the Status tab alone.
	Status func(context.Context) (Status, error)
	Clock  agent.Clock // nil means the wall clock
	// Trouble is told when the sheet stops being written, once for each kind of
	// fault, and with nil when it is written again; nil tells nobody. It must
	// not wait.
	Trouble func(error)
}

// The times of a Writer.
const (
	writeEvery  = 5 * time.Second  // how often it looks for new events
	statusEvery = 10 * time.Second // how often the Status may change
	statusFresh = time.Minute      // how old an unchanged Status may get
	writeLimit  = 2 * time.Minute  // for one round
)

// rest is how long a Writer waits after a fault.
var rest = backoff.Policy{Initial: writeEvery, Factor: 2, Max: time.Minute}

// Writer brings a store's events into a Book, from where the sheet says that
// it ends. What cannot be written stays in the store and is written later. It
// is not safe for concurrent use.
type Writer struct {
	c        WriterConfig
	placed   bool // after is what the sheet says
	after    int64
	status   Status // the last one written
	statusAt time.Time
	failures int    // in a row
	told     string // the trouble that is known
}

// NewWriter returns a Writer.
func NewWriter(c WriterConfig) *Writer {
	if c.Clock == nil {
		c.Clock = &clock.Clock{}
	}
	return &Writer{c: c}
}

// Run writes until ctx is done.
func (w *Writer) Run(ctx context.Context) {
	for {
		wait := writeEvery
		if err := w.round(ctx); err != nil && ctx.Err() == nil {
			wait = rest.After(w.failures, 0, fault.From(service, err).RetryAfter)
			w.failures++
		} else {
			w.failures = 0
		}
		if w.c.Clock.Sleep(ctx, wait) != nil {
			return
		}
	}
}

// Flush writes what the store has now, and the Status, without waiting for
// their time: the last thing to do after Run.
func (w *Writer) Flush(ctx context.Context) error {
	w.statusAt = time.Time{}
	return w.round(ctx)
}

// round writes what is new, and tells of trouble.
func (w *Writer) round(ctx context.Context) error {
	limited, cancel := w.c.Clock.WithTimeout(ctx, writeLimit)
	defer cancel()
	err := w.events(limited)
	if err == nil {
		err = w.now(limited)
	}
	if ctx.Err() == nil {
		w.tell(err)
	}
	return err
}

// events writes the events that the sheet lacks.
func (w *Writer) events(ctx context.Context) error {
	for {
		events, err := w.c.Events.Events(ctx, w.after, mostRows)
		if err != nil || len(events) == 0 {
			return err
		}
		if !w.placed {
			place, err := w.c.Book.Place(ctx, w.c.Origin)
			if err != nil {
				return err
			}
			w.placed, w.after = true, max(w.after, place)
			continue
		}
		if err := w.c.Book.AppendStored(ctx, w.c.Origin, events); err != nil {
			return err
		}
		w.after = events[len(events)-1].Seq
		if len(events) < mostRows { // what came meanwhile is the next round's
			return nil
		}
	}
}

// now writes the Status when it is time: when it has changed, or has not been
// written for a while.
func (w *Writer) now(ctx context.Context) error {
	at := w.c.Clock.Now()
	if w.c.Status == nil || at.Sub(w.statusAt) < statusEvery {
		return nil
	}
	s, err := w.c.Status(ctx)
	if err != nil {
		return err
	}
	same := s
	same.At = w.status.At
	if reflect.DeepEqual(same, w.status) && at.Sub(w.statusAt) < statusFresh {
		return nil
	}
	if err := w.c.Book.Status(ctx, s); err != nil {
		return err
	}
	w.status, w.statusAt = s, at
	return nil
}

// tell passes trouble on when it is news.
func (w *Writer) tell(err error) {
	news := ""
	if err != nil {
		news = fault.From(service, err).Kind.String()
	}
	if news != w.told && w.c.Trouble != nil {
		w.c.Trouble(err)
	}
	w.told = news
}
