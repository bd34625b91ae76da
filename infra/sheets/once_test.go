package sheets_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"sync"
	"testing"
	"time"

	"callagent/core/breaker"
	"callagent/core/fault"
	"callagent/infra/sheets"
	"callagent/localstack/simulator"
)

func (w *world) fail(faults ...simulator.Fault) {
	w.t.Helper()
	for i := range faults {
		faults[i].Service = "sheets"
	}
	if err := w.AddFaults(faults...); err != nil {
		w.t.Fatal(err)
	}
}

// faultOf is the fault of an error that must be one.
func faultOf(t *testing.T, err error) *fault.Fault {
	t.Helper()
	var f *fault.Fault
	if !errors.As(err, &f) {
		t.Fatalf("%v is no fault", err)
	}
	if f.Service != "sheets" {
		t.Errorf("the fault is one of %q", f.Service)
	}
	return f
}

func TestALostAnswer(t *testing.T) {
	w := start(t)
	b := w.book()
	w.append(b, message("0", entry(noon, 0)))
	w.fail(simulator.Fault{Route: "batchUpdate", Answer: "lost_answer"})
	m := message("1", entry(noon, 1))
	if f := faultOf(t, b.Append(t.Context(), m)); f.Class != fault.Transient || f.Kind != fault.Network {
		t.Errorf("a lost answer is %v", f)
	}
	w.once(2) // it was written
	w.ClearFaults()
	before := w.writes()
	w.append(b, m)
	w.append(w.book(), m) // and another process
	w.once(2)
	if n := w.writes() - before; n != 0 {
		t.Errorf("%d writes for a message that was there", n)
	}
}

// A request that got stuck on the way is sent again, and then arrives after
// all: Google refuses it.
func TestALateWrite(t *testing.T) {
	w := start(t)
	p := w.proxy()
	b := w.open(p.config())
	w.append(b, message("0", entry(noon, 0)))
	late := p.holdOne()
	if f := faultOf(t, b.Append(t.Context(), message("1", entry(noon, 1)))); f.Kind != fault.Network {
		t.Errorf("a connection that broke is %v", f)
	}
	w.append(b, message("1", entry(noon, 1)))
	if status := late(); status != 400 {
		t.Errorf("the late write is answered with %d", status)
	}
	w.once(2)
}

// Another writer is faster with the same message, and with another one.
func TestALostRace(t *testing.T) {
	w := start(t)
	p := w.proxy()
	b, other := w.open(p.config()), w.book()
	w.append(b, message("0", entry(noon, 0)))
	p.before(func() { w.append(other, message("1", entry(noon, 1)), message("2", entry(noon, 2))) })
	w.append(b, message("1", entry(noon, 1)), message("3", entry(noon, 3)))
	w.once(4)
	refused := 0
	for _, r := range w.Requests() {
		if r.Status == 400 {
			refused++
		}
	}
	if refused != 1 {
		t.Errorf("%d requests were refused, want 1", refused)
	}
}

func TestRedelivery(t *testing.T) {
	w := start(t)
	b := w.book()
	first, second := message("1", entries(0, 5)...), message("2", entries(5, 5)...)
	w.append(b, first, first)
	w.append(b, second, first)
	w.append(w.book(), first, second)
	w.once(10)
}

// A message is remembered for as long as 300 writes with one message each.
func TestHowLongAMessageIsKnown(t *testing.T) {
	w := start(t)
	b := w.book()
	for i := range 310 {
		w.append(b, message(fmt.Sprint(i), entry(noon, i)))
	}
	w.append(b, message("11", entry(noon, 11)))
	w.once(310)
	metadata := w.look().DeveloperMetadata
	marks, characters := 0, 0
	for _, m := range metadata {
		if m.MetadataKey == "callagent.mark" {
			marks++
			characters += len(m.MetadataKey) + len(m.MetadataValue)
		}
	}
	if marks < 299 || marks > 301 || characters > 15_000 {
		t.Errorf("%d marks of %d characters", marks, characters)
	}
}

// However many messages a write has, the marks stay within what Google keeps.
func TestManyMessagesAWrite(t *testing.T) {
	w := start(t)
	b := w.book()
	var batch []sheets.Message
	for i := range 3000 {
		batch = append(batch, message(fmt.Sprintf("message-%d", i), entry(noon, i)))
	}
	w.append(b, batch...)
	w.append(b, batch[2000:]...)
	w.once(3000)
	if n := w.writes(); n != 31 {
		t.Errorf("%d writes, want 31: the tabs and 30 times 100 messages", n)
	}
}

// Two processes that were both told to write the same, at the same time, while
// answers are lost and requests fail.
func TestTwoWriters(t *testing.T) {
	w := start(t)
	w.fail(simulator.Fault{Answer: "503", Rate: 0.1}, simulator.Fault{Route: "batchUpdate", Answer: "lost_answer", Rate: 0.1})
	var group sync.WaitGroup
	for range 2 {
		b := w.book()
		group.Go(func() {
			for i := range 40 {
				m := message(fmt.Sprint(i), entries(10*i, 10)...)
				for b.Append(t.Context(), m) != nil {
					w.later(time.Second)
				}
			}
		})
	}
	group.Wait()
	w.ClearFaults()
	w.once(400)
	if n := len(w.look().Sheets); n != 4 {
		t.Errorf("%d tabs, want 4", n)
	}
}

// What has to be read before a write fails too, and nothing is lost or counted
// twice by that.
func TestReadsFail(t *testing.T) {
	w := start(t)
	c := w.config()
	c.KeepRows = 10
	b := w.open(c)
	w.append(b, message("1", story()...))
	for _, route := range []string{"get", "search", "values"} {
		b := w.open(c)
		w.fail(simulator.Fault{Route: route, Answer: "503"})
		if f := faultOf(t, b.Append(t.Context(), message(route, story()...))); f.Kind != fault.ServiceUnavailable {
			t.Errorf("a failed %s is %v", route, f)
		}
		if _, err := b.Place(t.Context(), "a"); route == "search" && faultOf(t, err).Kind != fault.ServiceUnavailable {
			t.Errorf("without the marks the place is %v", err)
		}
		w.ClearFaults()
		w.append(b, message(route, story()...))
	}
	if got := w.column("Log", "Event"); len(got) != 10 {
		t.Errorf("the Log has %d rows, want 10", len(got))
	}
	if rows := w.rows("Charts"); !slices.Equal(rows[94], []string{"2026-03-01 12:00", "4", "0", "0", "0", "0", "8", "0", "0"}) {
		t.Errorf("the charts show %q", rows[94])
	}
}

// A request that takes too long, and one that nobody waits for any more, are
// told apart.
func TestTimeLimits(t *testing.T) {
	w := start(t)
	b := w.book()
	w.fail(simulator.Fault{Route: "batchUpdate", Answer: "timeout"})
	short, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if f := faultOf(t, b.Append(short, message("1", entry(noon, 0)))); f.Kind != fault.Timeout || !errors.Is(f, context.DeadlineExceeded) {
		t.Errorf("a request without an answer is %v", f)
	}
	w.clock.hasty = true
	if f := faultOf(t, b.Append(t.Context(), message("1", entry(noon, 0)))); f.Kind != fault.Timeout {
		t.Errorf("a request that nobody bounds is %v", f)
	}
	w.clock.hasty = false
	over, stop := context.WithCancel(t.Context())
	stop()
	if f := faultOf(t, b.Append(over, message("1", entry(noon, 0)))); !errors.Is(f, context.Canceled) {
		t.Errorf("a canceled request is %v", f)
	}
	w.ClearFaults()
	w.append(b, message("1", entry(noon, 0)))
	w.once(1)
}

// Whoever waits for the one before is bound by a time limit of its own.
func TestWaitingForATurn(t *testing.T) {
	w := start(t)
	p := w.proxy()
	b := w.open(p.config())
	arrived := make(chan struct{})
	p.next(func(_ http.ResponseWriter, r *http.Request, _ []byte) bool {
		close(arrived)
		<-r.Context().Done()
		return true
	})
	long, end := context.WithCancel(t.Context())
	done := make(chan error)
	go func() { done <- b.Append(long, message("1", entry(noon, 0))) }()
	<-arrived
	over, cancel := context.WithTimeout(t.Context(), 0)
	defer cancel()
	for _, ask := range []func() error{
		func() error { return b.Append(over, message("2", entry(noon, 1))) },
		func() error { return b.Status(over, standing(breaker.Open)) },
		func() error { _, err := b.Place(over, "a"); return err },
		func() error { _, err := b.Check(over); return err },
	} {
		if err := ask(); !errors.Is(err, context.DeadlineExceeded) || faultOf(t, err).Kind != fault.Timeout {
			t.Errorf("waiting for one's turn ends with %v", err)
		}
	}
	end()
	if err := <-done; !errors.Is(err, context.Canceled) {
		t.Errorf("the one before it ends with %v", err)
	}
}

// 10,000 events while one request in ten is throttled, one in ten meets a
// server that is down and one answer in ten is lost.
func TestTenThousandEvents(t *testing.T) {
	w := start(t)
	w.fail(simulator.Fault{Answer: "429", Rate: 0.1}, simulator.Fault{Answer: "503", Rate: 0.1},
		simulator.Fault{Route: "batchUpdate", Answer: "lost_answer", Rate: 0.1})
	b := w.book()
	began := w.clock.Now()
	const events, each = 10_000, 20
	queue := make([]sheets.Message, 0, events/each)
	for i := range events / each {
		queue = append(queue, message(fmt.Sprint(i), entries(each*i, each)...))
	}
	for part := range slices.Chunk(queue, 10) { // as a queue delivers them
		for err := b.Append(t.Context(), part...); err != nil; err = b.Append(t.Context(), part...) {
			w.later(max(time.Second, faultOf(t, err).RetryAfter))
		}
	}
	took := w.clock.Now().Sub(began)
	w.ClearFaults()
	w.once(events)
	if n := w.writes(); n > 120 {
		t.Errorf("%d write requests, want at most 120", n)
	}
	met := map[int]int{}
	for _, r := range w.Requests() {
		met[r.Status]++
	}
	if met[429] < 10 || met[503] < 10 || met[0] < 3 { // an answer that was lost has no status
		t.Errorf("the faults that were met are too few: requests by status %v", met)
	}
	t.Logf("%d events in %d write requests and %s of the test's clock; requests by status %v", events, w.writes(), took.Round(time.Second), met)
}

// A quota answer makes the Book wait, as long as Google asks and longer each
// time; nothing is sent in between and nothing is lost.
func TestThrottled(t *testing.T) {
	w := start(t)
	b := w.book()
	w.append(b, message("0", entry(noon, 0)))
	w.fail(simulator.Fault{Route: "batchUpdate", Answer: "429"})
	var waits []time.Duration
	for range 8 {
		f := faultOf(t, b.Append(t.Context(), message("1", entry(noon, 1))))
		if f.Kind != fault.Throttled || f.Class != fault.Transient || f.Code != "RATE_LIMIT_EXCEEDED" {
			t.Fatalf("a 429 is %v", f)
		}
		waits = append(waits, f.RetryAfter)
		sent := len(w.Requests())
		if f := faultOf(t, b.Append(t.Context(), message("1", entry(noon, 1)))); f.Kind != fault.Throttled || len(w.Requests()) != sent {
			t.Fatalf("a request was sent in the pause, or it ended with %v", f)
		}
		w.later(f.RetryAfter)
	}
	want := []time.Duration{1, 2, 4, 8, 16, 32, 60, 60}
	for i := range want {
		want[i] *= time.Second
	}
	if !slices.Equal(waits, want) {
		t.Errorf("waits %v, want %v", waits, want)
	}
	w.ClearFaults()
	w.append(b, message("1", entry(noon, 1)))
	w.once(2)
	w.fail(simulator.Fault{Route: "search", Answer: "429", RetryAfter: "17"})
	if f := faultOf(t, b.Append(t.Context(), message("2", entry(noon, 2)))); f.RetryAfter != 17*time.Second {
		t.Errorf("Retry-After 17 makes a wait of %s", f.RetryAfter)
	}
}

// An account has 60 reads and 60 writes a minute, and a Book leaves a second
// between two writes.
func TestThePace(t *testing.T) {
	w := start(t)
	b := w.book()
	for i := range 130 {
		w.append(b, message(fmt.Sprint(i), entry(noon, i)))
	}
	w.once(130)
	var last time.Time
	for _, r := range w.Requests() {
		if r.Route != "batchUpdate" {
			continue
		}
		if since := r.At.Sub(last); since < time.Second {
			t.Errorf("two writes within %s", since)
		}
		last = r.At
	}
	if took := w.clock.Now().Sub(noon); took > 160*time.Second {
		t.Errorf("131 writes took %s", took)
	}
}
