package world

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"callagent/core/alert"
	"callagent/core/breaker"
	"callagent/core/call"
	"callagent/core/fault"
)

// truth is what somebody knows who sees every write and every request.
type truth struct {
	contacts map[call.Key]bool
	calls    map[call.Key]*stored
	order    []*stored           // in the order of their first claims
	numbers  map[string]call.Key // who holds each number
	attempts map[string]intent
	dials    map[string][]*dial // by campaign and number
	circuits [4]circuit
	openings []string       // alerts that have to be raised
	told     map[string]int // deliveries of each alert
	kept     map[string]bool
	heard    map[call.Key]bool // whose final callback was taken
	repeats  bool              // an alert may have been delivered twice: something broke while it was
}

func newTruth() truth {
	return truth{
		contacts: map[call.Key]bool{}, calls: map[call.Key]*stored{},
		numbers: map[string]call.Key{}, attempts: map[string]intent{}, dials: map[string][]*dial{},
		told: map[string]int{}, kept: map[string]bool{}, heard: map[call.Key]bool{},
	}
}

// stored is a call in the ledger.
type stored struct {
	call.Call
	past  []version     // the last 10 s of it, the present one included
	asked time.Duration // when the wait is over that its last failure asked for
	due   time.Duration // its due time, by the clock of whoever set it
}

// version is a call as it was from a moment on.
type version struct {
	at   time.Duration
	call call.Call
}

// none is a call that is not in the ledger.
var none stored

// stored finds a call; one with nothing in it when there is none.
func (w *World) stored(k call.Key) *stored {
	if s := w.calls[k]; s != nil {
		return s
	}
	return &none
}

// intent is a stored promise to dial.
type intent struct {
	key  call.Key
	at   time.Duration // when it was stored
	lost bool          // something broke while its holder had it
}

// observed is what the world knows of a process and of what it is doing.
type observed struct {
	key      call.Key         // the call that it works on
	trouble  bool             // something went wrong in this job
	silent   [4]time.Duration // until when it leaves the circuit store alone
	read     [4]time.Duration // until when it believes a circuit that it read
	admitted [4]admission
	ended    [4]ending
}

// admission is a request's permit, as far as it can be seen.
type admission struct {
	epoch int64 // of the stored record
	lease *lease
	blind bool
}

// ending is how a request ended.
type ending struct {
	at    time.Duration
	fault *fault.Fault
	verb  string
	who   string
}

// standing is a process as it was when it sent a write.
type standing struct {
	p      *Process
	at     time.Duration
	holder string
	seen   observed
}

func (p *Process) standing() standing { return standing{p, p.world.now, p.Holder(), p.seen} }

// working notes what a process begins to do.
func (w *World) working(p *Process, k call.Key) {
	p.seen.key, p.seen.trouble = k, false
}

// left checks what a process leaves behind at the end of a job.
func (w *World) left(p *Process) {
	w.hushed(p)
	if p.dead {
		w.crashes++
		w.doubt(p)
		w.repeats = w.repeats || w.flushing == p
		return
	}
	for i, e := range p.seen.ended {
		r, a := w.circuits[i].record, p.seen.admitted[i]
		if e.fault != nil && e.fault.Treatment().FailsCall && a.lease != nil && !p.seen.trouble &&
			r.State == breaker.HalfOpen && r.Epoch == a.lease.epoch && r.Probe.Holder == e.who {
			w.violate("a contact fault keeps the probe of %s", r.Service)
		}
	}
	p.seen.ended, p.seen.admitted = [4]ending{}, [4]admission{}
}

// broke notes that something goes wrong in the job of a process.
func (w *World) broke(p *Process) {
	p.seen.trouble = true
	w.repeats = w.repeats || w.flushing == p
	w.doubt(p)
}

// doubt notes that something broke while the process had a stored intent in
// its hands, so that nobody may ever know whether it rang.
func (w *World) doubt(p *Process) {
	c := w.stored(p.seen.key)
	if c.Intent != nil && c.SID == "" {
		w.lose(c.Intent.Attempt)
	}
}

func (w *World) lose(attempt string) {
	i := w.attempts[attempt]
	i.lost = true
	w.attempts[attempt] = i
}

// wrote notes a write of the ledger.
func (w *World) wrote(by standing, wr call.Write) {
	k := wr.Call.Key
	if i := wr.Call.Intent; i != nil {
		if _, known := w.attempts[i.Attempt]; !known {
			w.attempts[i.Attempt] = intent{key: k, at: w.now, lost: by.seen.trouble || w.belated}
		}
	}
	switch wr.Number {
	case call.TakeNumber:
		if other, held := w.numbers[wr.Call.Number]; held && other != k {
			w.violate("%s takes a number that %s holds", k, other)
		}
		w.numbers[wr.Call.Number] = k
	case call.FreeNumber, call.WithdrawNumber:
		if w.numbers[wr.Call.Number] == k {
			delete(w.numbers, wr.Call.Number)
		}
	}
	w.changed(by, k)
}

// changed checks a call that was written.
func (w *World) changed(by standing, k call.Key) {
	c, err := w.store.Get(context.Background(), k)
	if err != nil {
		w.violate("%s is gone: %v", k, err)
		return
	}
	s := w.calls[k]
	if s == nil {
		s = &stored{}
		w.calls[k], w.order = s, append(w.order, s)
	}
	old := s.Call
	s.follow(c, w.now)
	if w.Trace != nil {
		w.tracef("%-4s   %s: %s", by.p.Name, k.Contact, describe(c))
	}
	w.checkChange(old, c)
	w.checkEnd(old, c)
	s.wait(by, old)
	w.checkDue(s, by, old)
	w.checkPark(by, old, c)
}

// follow notes a version of the call.
func (s *stored) follow(c call.Call, now time.Duration) {
	s.Call = c
	oldest := lags[len(lags)-1]
	for len(s.past) > 1 && s.past[1].at <= now-oldest {
		s.past = s.past[1:]
	}
	s.past = append(s.past, version{now, c})
}

// describe is a call in one line.
func describe(c call.Call) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s, version %d", c.State, c.Version)
	for _, part := range []struct {
		name string
		is   bool
	}{{"script", c.Script != ""}, {"speech", c.Speech != ""}, {"intent", c.Intent != nil}, {"sid", c.SID != ""}, {"answer", c.Answered()}} {
		if part.is {
			b.WriteString(", " + part.name)
		}
	}
	if !c.Due.IsZero() {
		fmt.Fprintf(&b, ", due %s", c.Due.Sub(Start).Round(time.Millisecond))
	}
	if c.Park.Service != "" {
		b.WriteString(", parked for " + c.Park.Service)
	}
	if c.Recorded != "" {
		b.WriteString(", recorded " + string(c.Recorded))
	}
	if n := len(c.History); n > 0 {
		b.WriteString(" (" + c.History[n-1].What + ")")
	}
	return b.String()
}

// lags are how old an index may be that a tick reads.
var (
	lags     = []time.Duration{0, time.Second, 10 * time.Second}
	lagWords = []string{"up to date", "1 s old", "10 s old"}
)

// indexed lists the calls as an index shows them, in the order given.
func (w *World) indexed(p *Process, what string, match func(c *call.Call) bool, less func(a, b call.Call) int, limit int) []call.Call {
	asOf := w.now - lags[w.pick(Point{Kind: Lag, Process: p.Name, What: what, Options: lagWords, Port: Backlog})]
	var found []call.Call
	for _, s := range w.order {
		c := &s.Call
		if asOf != w.now {
			c = s.asOf(asOf)
		}
		if c != nil && match(c) {
			found = append(found, *c)
		}
	}
	slices.SortStableFunc(found, less)
	return found[:min(limit, len(found))]
}

// asOf is the call as it was at a time; nil when there was none.
func (s *stored) asOf(at time.Duration) *call.Call {
	for i := len(s.past) - 1; i >= 0; i-- {
		if s.past[i].at <= at {
			return &s.past[i].call
		}
	}
	return nil
}

func (w *World) due(ctx context.Context, p *Process, t time.Time, limit int) ([]call.Call, error) {
	return w.indexed(p, "backlog: due",
		func(c *call.Call) bool { return !c.Due.IsZero() && !c.Due.After(t) },
		func(a, b call.Call) int { return a.Due.Compare(b.Due) }, limit), ctx.Err()
}

func (w *World) parked(ctx context.Context, p *Process, service string, unsent time.Time, limit int) ([]call.Call, error) {
	return w.indexed(p, "backlog: parked",
		func(c *call.Call) bool {
			return c.Park.Service == service && (unsent.IsZero() || !c.Park.SentAt.After(unsent))
		},
		func(a, b call.Call) int { return a.Park.Since.Compare(b.Park.Since) }, limit), ctx.Err()
}

// raised and notified note what reaches the outbox and the people.
func (w *World) raised(a alert.Alert) { w.kept[a.ID] = true }

func (w *World) notified(m alert.Message) {
	for _, a := range m.Alerts {
		w.told[a.ID]++
	}
}

// Rest reports whether nothing is left to do: no message, no job, and every
// contact's call at its end.
func (w *World) Rest() bool {
	if len(w.queue) > 0 || len(w.late) > 0 {
		return false
	}
	for _, p := range w.processes {
		if p.busy {
			return false
		}
	}
	for k := range w.contacts {
		if !w.stored(k).settled() {
			return false
		}
	}
	return true
}

// settled reports whether a call needs nobody any more.
func (s *stored) settled() bool {
	c := &s.Call
	return c.State.Final() && c.Due.IsZero() && c.Park.Service == "" && c.Notice == "" && c.Recorded != call.Pending
}
