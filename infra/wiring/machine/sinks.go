package machine

import (
	"context"
	"sync"
	"sync/atomic"
	"time"

	"callagent/core/alert"
	"callagent/core/journal"
	"callagent/infra/logfile"
	"callagent/infra/sqlite"
)

// sinks is the journal of a process: the log files, the store's list of events
// and whoever watches.
type sinks struct {
	log   *logfile.Log
	watch func(journal.Entry)
	store *sqlite.Store

	storing sync.Mutex // held while events are on their way into the store

	mu      sync.Mutex
	waiting []journal.Entry
	stop    chan struct{}
	done    chan struct{}
}

// storeEvery is how often waiting events go to the store, in one write.
const storeEvery = 250 * time.Millisecond

// mostWaiting bounds the events that wait; the files have them all.
const mostWaiting = 10_000

func openSinks(o Options, store *sqlite.Store) *sinks {
	s := &sinks{
		watch: o.Watch, store: store,
		stop: make(chan struct{}), done: make(chan struct{}),
	}
	l := o.Settings.Log
	s.log = logfile.Open(logfile.Options{
		JSONPath: l.File, TextPath: l.ReadableFile, MaxSizeMB: l.MaxSizeMB, MaxFiles: l.MaxFiles, OnError: o.Complain,
	})
	go s.feed()
	return s
}

// Write takes an event. It never waits.
func (s *sinks) Write(e journal.Entry) {
	s.log.Write(e)
	if s.watch != nil {
		s.watch(e)
	}
	s.mu.Lock()
	if len(s.waiting) < mostWaiting {
		s.waiting = append(s.waiting, e)
	}
	s.mu.Unlock()
}

// feed moves waiting events into the store.
func (s *sinks) feed() {
	defer close(s.done)
	tick := time.NewTicker(storeEvery)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
			s.flush()
		case <-s.stop:
			s.flush()
			return
		}
	}
}

// flush has every event that was written before it in the store when it
// returns, whoever brought it there.
func (s *sinks) flush() {
	s.storing.Lock()
	defer s.storing.Unlock()
	s.mu.Lock()
	entries := s.waiting
	s.waiting = nil
	s.mu.Unlock()
	if len(entries) == 0 {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	_ = s.store.Append(ctx, entries) // the files have them; a full disk is reported there
}

func (s *sinks) close() error {
	close(s.stop)
	<-s.done
	return s.log.Close()
}

// Tally counts the alerts that a process raised, each once.
type Tally struct {
	mu  sync.Mutex
	ids map[string]alert.Kind
}

func (t *Tally) add(a alert.Alert) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.ids == nil {
		t.ids = map[string]alert.Kind{}
	}
	t.ids[a.ID] = a.Kind
}

// Count is the number of different alerts.
func (t *Tally) Count() int {
	t.mu.Lock()
	defer t.mu.Unlock()
	return len(t.ids)
}

// raiser is the outbox with a tally.
type raiser struct {
	store *sqlite.Store
	tally *Tally
}

// Raise keeps the alert and counts it.
func (r raiser) Raise(ctx context.Context, channels []string, a alert.Alert) error {
	if err := r.store.Raise(ctx, channels, a); err != nil {
		return err
	}
	r.tally.add(a)
	return nil
}

// flag goes up once.
type flag struct{ v atomic.Bool }

func (f *flag) up() bool { return f.v.Load() }
func (f *flag) raise()   { f.v.Store(true) }

// Line is an event as one line for people.
func Line(e journal.Entry) string { return logfile.Text(e) }
