package sheets_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"callagent/core/breaker"
	"callagent/core/fault"
	"callagent/core/journal"
	"callagent/infra/sheets"
	"callagent/localstack/simulator"
)

// store is a journal that has its entries when their time has come, and that
// stops the Writer at the end.
type store struct {
	clock   *clock
	entries []journal.Entry
	end     time.Time
	stop    context.CancelFunc
	seen    []time.Time // when each entry was known to be written
	given   int         // entries that were read
}

func (s *store) Events(_ context.Context, after int64, limit int) ([]journal.Stored, error) {
	now := s.clock.Now()
	for int64(len(s.seen)) < after {
		s.seen = append(s.seen, now)
	}
	if now.After(s.end) {
		s.stop()
	}
	var found []journal.Stored
	for i := int(after); i < len(s.entries) && len(found) < limit && !s.entries[i].Time.After(now); i++ {
		found = append(found, journal.Stored{Seq: int64(i) + 1, Entry: s.entries[i]})
	}
	s.given += len(found)
	return found, nil
}

// run lets a Writer work for a while and flushes it.
func (w *world) run(b *sheets.Book, entries []journal.Entry, d time.Duration, more func(*sheets.WriterConfig)) *store {
	w.t.Helper()
	ctx, stop := context.WithCancel(w.t.Context())
	defer stop()
	s := &store{clock: w.clock, entries: entries, end: w.clock.Now().Add(d), stop: stop}
	c := sheets.WriterConfig{Book: b, Events: s, Origin: "a1b2c3d4", Clock: w.clock}
	if more != nil {
		more(&c)
	}
	writer := sheets.NewWriter(c)
	writer.Run(ctx)
	if err := writer.Flush(w.t.Context()); err != nil {
		w.t.Fatal(err)
	}
	return s
}

// In normal running a row is in the sheet 15 s after its event.
func TestRowsReachTheSheetSoon(t *testing.T) {
	w := start(t)
	w.later(time.Second)
	s := w.run(w.book(), entries(0, 600), 11*time.Minute, func(c *sheets.WriterConfig) {
		c.Status = func(context.Context) (sheets.Status, error) {
			now := standing(breaker.State(w.clock.Now().Second() / 20 % 2)) // changes all the time
			now.At = w.clock.Now()
			return now, nil
		}
	})
	w.once(600)
	for i, seen := range s.seen {
		if late := seen.Sub(s.entries[i].Time); late > 15*time.Second {
			t.Errorf("event %d was written after %s", i, late)
		}
	}
	if n := w.writes(); n > 200 {
		t.Errorf("%d writes in 11 minutes", n)
	}
}

// A sheet that is down for an hour delays rows and loses none; it is told of
// once, and once when it is over.
func TestAnHourWithoutTheSheet(t *testing.T) {
	w := start(t)
	w.fail(simulator.Fault{From: 10 * time.Minute, For: time.Hour, Answer: "503"})
	var told []error
	w.run(w.book(), entries(0, 4500), 80*time.Minute, func(c *sheets.WriterConfig) {
		c.Trouble = func(err error) { told = append(told, err) }
	})
	w.once(4500)
	if len(told) != 2 || fault.From("", told[0]).Kind != fault.ServiceUnavailable || told[1] != nil {
		t.Errorf("told %q", told)
	}
	during := 0
	for _, r := range w.Requests() {
		if r.Status == 503 {
			during++
		}
	}
	if during < 10 || during > 80 {
		t.Errorf("%d requests in the hour", during)
	}
}

// A process that starts again goes on where the sheet ends, also when it never
// saw the answer to the last write.
func TestAWriterGoesOn(t *testing.T) {
	w := start(t)
	all := entries(0, 100)
	for i := range all {
		all[i].Time = noon
	}
	w.run(w.book(), all[:40], time.Minute, nil)
	w.fail(simulator.Fault{Route: "batchUpdate", Answer: "lost_answer", For: 10 * time.Second})
	w.run(w.book(), all, time.Minute, nil)
	w.run(w.book(), all, time.Minute, nil)
	w.once(100)
	b := w.book()
	if at, err := b.Place(t.Context(), "a1b2c3d4"); at != 100 || err != nil {
		t.Errorf("the store's place is %d, %v", at, err)
	}
	if at, err := b.Place(t.Context(), "another"); at != 0 || err != nil {
		t.Errorf("another store's place is %d, %v", at, err)
	}
}

// It does not read the whole store again for that.
func TestAWriterSkipsWhatIsThere(t *testing.T) {
	w := start(t)
	all := entries(0, 2500)
	for i := range all {
		all[i].Time = noon
	}
	w.run(w.book(), all, time.Minute, nil)
	if s := w.run(w.book(), all, time.Minute, nil); s.given > 1000 {
		t.Errorf("%d entries were read", s.given)
	}
	w.once(2500)
}

// Two processes that write the same store, as when one is thought dead.
func TestTwoWritersOfOneStore(t *testing.T) {
	w := start(t)
	all := entries(0, 50)
	var stored []journal.Stored
	for i, e := range all {
		stored = append(stored, journal.Stored{Seq: int64(i) + 1, Entry: e})
	}
	p := w.proxy()
	b, other := w.open(p.config()), w.book()
	w.append(b, message("the tabs"))
	p.before(func() {
		if err := other.AppendStored(t.Context(), "a1b2c3d4", stored[:30]); err != nil {
			t.Error(err)
		}
	})
	if err := b.AppendStored(t.Context(), "a1b2c3d4", stored); err != nil {
		t.Fatal(err)
	}
	w.once(50)
}

// Eight stores' places are remembered; those of one that writes stay.
func TestPlacesOfManyStores(t *testing.T) {
	w := start(t)
	b := w.book()
	names := strings.Split("abcdefghij", "")
	for i, name := range append(names, names[9]) {
		if err := b.AppendStored(t.Context(), name, []journal.Stored{{Seq: int64(10 + i), Entry: entry(noon, i)}}); err != nil {
			t.Fatal(err)
		}
	}
	for i, name := range names {
		want := int64(10 + i)
		switch {
		case i == 9:
			want = 20
		case i < 2:
			want = 0
		}
		if at, err := b.Place(t.Context(), name); at != want || err != nil {
			t.Errorf("the place of %s is %d, %v, want %d", name, at, err, want)
		}
	}
}

// A Status that does not change is written once a minute, and one that cannot
// be read is trouble.
func TestStatusOfAWriter(t *testing.T) {
	w := start(t)
	broken := errors.New("the store is shut")
	var told []error
	began := w.clock.Now()
	w.run(w.book(), nil, 10*time.Minute, func(c *sheets.WriterConfig) {
		c.Trouble = func(err error) { told = append(told, err) }
		c.Status = func(context.Context) (sheets.Status, error) {
			if at := w.clock.Now().Sub(began); at > 5*time.Minute && at < 6*time.Minute {
				return sheets.Status{}, broken
			}
			s := standing(breaker.Closed)
			s.At = w.clock.Now()
			return s, nil
		}
	})
	if n := w.writes(); n < 9 || n > 13 {
		t.Errorf("%d writes in ten minutes", n)
	}
	if len(told) != 2 || !errors.Is(told[0], broken) || told[1] != nil {
		t.Errorf("told %q", told)
	}
}

// Flush writes everything at once: the last state of things counts.
func TestFlush(t *testing.T) {
	w := start(t)
	state := breaker.Open
	s := &store{clock: w.clock, entries: entries(0, 1500), end: noon.Add(time.Hour)}
	for i := range s.entries {
		s.entries[i].Time = noon
	}
	writer := sheets.NewWriter(sheets.WriterConfig{Book: w.book(), Events: s, Origin: "a1b2c3d4", Clock: w.clock,
		Status: func(context.Context) (sheets.Status, error) { return standing(state), nil }})
	for _, state = range []breaker.State{breaker.Open, breaker.Closed} {
		if err := writer.Flush(t.Context()); err != nil {
			t.Fatal(err)
		}
		if got := w.column("Status", "State")[1]; got != state.String() {
			t.Errorf("the state is %q, want %s", got, state)
		}
	}
	w.once(1500)
	if took := w.clock.Now().Sub(noon); took > 10*time.Second {
		t.Errorf("it took %s", took)
	}
}
