package agent

import (
	"context"
	"errors"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"callagent/core/breaker"
	"callagent/core/fault"
	"callagent/core/journal"
)

// Times of the shared circuit.
const (
	CacheFor     = time.Second            // a read record is trusted this long
	StoreTimeout = 300 * time.Millisecond // the shared store's time limit
	SuspectsTrip = 5                      // contacts in a row before a suspect fault is the account's
	mostTries    = 1000                   // lost races before a report is given up, whatever the clock says
	grain        = time.Millisecond       // successes closer together count as one moment
)

// Circuit is one service's shared circuit as this process uses it: the rules
// of package breaker over a store, with a cache of one second. It is safe for
// concurrent use. When the store cannot be reached requests are admitted.
type Circuit struct {
	name string
	cfg  breaker.Config
	CircuitOptions

	view        atomic.Pointer[view]
	shut        atomic.Int64 // Unix ns until when every request is refused; 0: it depends
	reading     sync.Mutex   // one reader at a time, so a second costs one read
	writing     sync.Mutex   // one writer at a time, so the process does not race itself
	lastSuccess atomic.Int64 // Unix ns, known to the grain; 0: none yet
	silent      atomic.Int64 // Unix ns until when the store is left alone

	doubtful  atomic.Bool // there are suspects
	mu        sync.Mutex
	suspects  []string  // different contacts in a row with a suspect fault
	suspected time.Time // when the first of them showed it
	blind     bool      // the store's silence has been reported
}

// CircuitOptions are what a Circuit needs besides its rules.
type CircuitOptions struct {
	Store   Circuits
	Clock   Clock
	NewID   func() string
	Journal Journal
	Timeout time.Duration // the store's time limit; 0: StoreTimeout
}

// view is one reading of the record. The zero view is out of date.
type view struct {
	until  time.Time // how long it may be used
	read   time.Time
	record breaker.Record

	// What nearly every request is told, worked out beforehand, and until when
	// (Unix ns).
	plain   int64 // 0: it depends on who asks
	epoch   int64 // of the permit, when there is one
	refusal breaker.Refusal
	calm    int64 // a success changes nothing; 0: it may
}

// shut is until when the view refuses every request; 0: it depends.
func (v *view) shut() int64 {
	if v.refusal == breaker.CircuitOpen {
		return v.plain
	}
	return 0
}

func newView(r breaker.Record, read time.Time) *view {
	v := &view{until: read.Add(CacheFor), read: read, record: r}
	until := v.until.UnixNano()
	switch {
	case r.State == breaker.Open:
		v.plain, v.refusal = until, breaker.CircuitOpen
	case r.State == breaker.Closed && !read.Before(r.PausedUntil):
		v.plain, v.epoch = until, r.Epoch
	}
	if r.Streak == 0 && r.Pauses == 0 {
		v.calm = until
	}
	return v
}

// NewCircuit returns the circuit of a service. It does no I/O.
func NewCircuit(name string, cfg breaker.Config, o CircuitOptions) *Circuit {
	if o.Timeout == 0 {
		o.Timeout = StoreTimeout
	}
	c := &Circuit{name: name, cfg: cfg, CircuitOptions: o}
	c.view.Store(&view{record: breaker.Record{Service: name}})
	return c
}

// Seen is the record that this process last read or wrote; a closed circuit
// before the first.
func (c *Circuit) Seen() breaker.Record { return c.view.Load().record }

// Look gives the record as it is known to be since the given moment, or for at
// most a second. It reports false when the store did not answer; it is then
// left alone for a second, so that its silence costs everybody one time limit.
func (c *Circuit) Look(ctx context.Context, since time.Time) (breaker.Record, bool) {
	if now := c.Clock.Now(); since.After(now) {
		since = now // a faster clock's time: a reading that begins now is new enough
	}
	if r, ok := c.cached(since); ok {
		return r, true
	}
	c.reading.Lock()
	defer c.reading.Unlock()
	if r, ok := c.cached(since); ok {
		return r, true
	}
	if c.leftAlone() {
		return breaker.Record{Service: c.name}, false
	}
	return c.load(ctx)
}

func (c *Circuit) cached(since time.Time) (breaker.Record, bool) {
	if v := c.view.Load(); c.Clock.Now().Before(v.until) && !v.read.Before(since) {
		return v.record, true
	}
	return breaker.Record{}, false
}

// leftAlone reports whether the store was silent a moment ago.
func (c *Circuit) leftAlone() bool { return c.Clock.Now().UnixNano() < c.silent.Load() }

// load reads the store.
func (c *Circuit) load(ctx context.Context) (breaker.Record, bool) {
	limited, cancel := c.Clock.WithTimeout(ctx, c.Timeout)
	defer cancel()
	began := c.Clock.Now()
	r, err := c.Store.Load(limited, c.name)
	if err == nil {
		c.sees(r, began)
		return r, true
	}
	if ctx.Err() == nil {
		c.silent.Store(c.Clock.Now().Add(CacheFor).UnixNano())
		c.sayBlind()
	}
	return breaker.Record{Service: c.name}, false
}

// sees keeps a record as the newest known, unless a newer one is known.
func (c *Circuit) sees(r breaker.Record, at time.Time) {
	v := newView(r, at)
	for {
		old := c.view.Load()
		if old.record.Version > r.Version {
			return
		}
		if c.view.CompareAndSwap(old, v) {
			break
		}
	}
	c.silent.Store(0)
	c.mu.Lock()
	c.blind = false
	c.shut.Store(c.view.Load().shut())
	c.mu.Unlock()
}

// Shut reports whether the circuit is known to be open at a moment (Unix ns),
// so that every request is refused: a single load, for the many calls that an
// outage turns away. When it does not, Admit decides.
func (c *Circuit) Shut(now int64) bool { return now < c.shut.Load() }

// Admit asks for one request of at most limit in the name of who, at now.
func (c *Circuit) Admit(ctx context.Context, who string, limit time.Duration, now time.Time) (breaker.Permit, breaker.Refusal) {
	if v := c.view.Load(); now.UnixNano() < v.plain {
		return breaker.Permit{Epoch: v.epoch}, v.refusal
	}
	return c.decide(ctx, who, limit, now)
}

// decide asks the rules about one request.
func (c *Circuit) decide(ctx context.Context, who string, limit time.Duration, now time.Time) (breaker.Permit, breaker.Refusal) {
	r, known := c.Look(ctx, time.Time{})
	if !known && c.Seen().Forced == breaker.ForcedOpen { // the emergency stop outlasts a silent store
		return breaker.Permit{}, breaker.CircuitOpen
	}
	if !known {
		return breaker.Permit{Unowned: true}, breaker.None
	}
	if r.State == breaker.HalfOpen && r.Probe.Holder == who {
		r = c.extend(ctx, r, who, limit, now)
	}
	return breaker.Admit(r, who, limit, now)
}

// extend takes the lease of a prober whose earlier steps took long for longer.
func (c *Circuit) extend(ctx context.Context, r breaker.Record, who string, limit time.Duration, now time.Time) breaker.Record {
	if !now.Add(limit).After(r.Probe.Until) {
		return r
	}
	r, _ = c.Change(ctx, func(r breaker.Record) (breaker.Record, breaker.Change) {
		return breaker.Extend(r, who, limit, now)
	})
	return r
}

// Succeeded reports a request that worked and ended at now. In ordinary times
// it costs no store operation.
func (c *Circuit) Succeeded(ctx context.Context, p breaker.Permit, now time.Time) breaker.Change {
	ended := now.UnixNano()
	if ended-c.lastSuccess.Load() > int64(grain) {
		c.lastSuccess.Store(ended)
	}
	if c.doubtful.Load() {
		c.forgetSuspects()
	}
	if ended < c.view.Load().calm && !p.Probe {
		return breaker.Unchanged
	}
	return c.report(ctx, p, now)
}

// report weighs a success that may have something to change.
func (c *Circuit) report(ctx context.Context, p breaker.Permit, now time.Time) breaker.Change {
	c.lastSuccess.Store(max(now.UnixNano(), c.lastSuccess.Load()))
	if p.Unowned {
		return breaker.Stale
	}
	if _, known := c.Look(ctx, time.Time{}); !known && !p.Probe {
		return breaker.Unchanged
	}
	_, change := c.Change(ctx, func(r breaker.Record) (breaker.Record, breaker.Change) {
		return breaker.Success(r, p, now)
	})
	return change
}

// Attempt is a failed request for Failed.
type Attempt struct {
	Permit  breaker.Permit
	Fault   *fault.Fault
	Began   time.Time
	MayTrip bool
	Cheap   bool
}

// Failed reports a request that failed at now, and gives the record as it is
// afterwards and what changed. Whoever is told of a transition is its winner.
func (c *Circuit) Failed(ctx context.Context, f Attempt, now time.Time) (breaker.Record, breaker.Change) {
	last := c.lastSuccess.Load()
	failure := breaker.Failure{Permit: f.Permit, Fault: f.Fault, Began: f.Began, MayTrip: f.MayTrip, Cheap: f.Cheap}
	if last != 0 {
		failure.LastSuccess = time.Unix(0, last)
	}
	return c.Change(ctx, func(r breaker.Record) (breaker.Record, breaker.Change) {
		return breaker.Fail(r, c.cfg, failure, now)
	})
}

// Released reports a request that proved nothing: never sent, or cancelled.
func (c *Circuit) Released(ctx context.Context, p breaker.Permit, now time.Time) {
	if !p.Probe {
		return
	}
	c.Change(ctx, func(r breaker.Record) (breaker.Record, breaker.Change) {
		return breaker.Release(r, p, now)
	})
}

// Suspect weighs a contact fault that may be the account's: it is escalated
// from the moment on that several different contacts have shown one, until a
// request succeeds or the circuit closes.
func (c *Circuit) Suspect(f *fault.Fault, contact string) *fault.Fault {
	if !f.Suspect {
		return f
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.Seen().ClosedAt.After(c.suspected) {
		c.suspects = nil
	}
	if len(c.suspects) == 0 {
		c.suspected = c.Clock.Now()
		c.doubtful.Store(true)
	}
	if len(c.suspects) < SuspectsTrip && !slices.Contains(c.suspects, contact) {
		c.suspects = append(c.suspects, contact)
	}
	if len(c.suspects) < SuspectsTrip {
		return f
	}
	return f.Escalate()
}

func (c *Circuit) forgetSuspects() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.suspects = nil
	c.doubtful.Store(false)
}

// Change applies a rule to the newest record and stores the outcome; a lost
// race gets the current record and decides again. When the store cannot be
// reached the change is given up and reported as Unchanged, and so is one that
// has lost races for two time limits. It outlives a cancelled context, because
// what happened has to be reported. All its tries carry one nonce: one that
// was stored after it was given up is still known as one's own.
func (c *Circuit) Change(ctx context.Context, rule func(breaker.Record) (breaker.Record, breaker.Change)) (breaker.Record, breaker.Change) {
	ctx = context.WithoutCancel(ctx)
	c.writing.Lock()
	defer c.writing.Unlock()
	began := c.Clock.Now()
	r, known := c.newest(ctx)
	if !known {
		return r, breaker.Unchanged
	}
	nonce := ""
	for tries := 0; tries < mostTries && c.Clock.Now().Sub(began) < 2*c.Timeout; tries++ {
		next, change := rule(r)
		if !change.Writes() {
			if fresh, known := c.Look(ctx, time.Time{}); known && fresh.Version != r.Version {
				r = fresh // nothing to write is no race that an old record could lose
				continue
			}
			return r, change
		}
		if c.leftAlone() {
			break
		}
		if nonce == "" {
			nonce = c.NewID()
		}
		next.Service, next.Writer = c.name, nonce
		stored, err := c.swap(ctx, next)
		if err == nil {
			return stored, change
		}
		if !errors.Is(err, ErrConflict) {
			break
		}
		r = stored
	}
	return r, breaker.Unchanged
}

// newest is the last record that was seen, or read now when there is none. A
// rule that decides on an old one loses the race and decides again.
func (c *Circuit) newest(ctx context.Context) (breaker.Record, bool) {
	if v := c.view.Load(); !v.until.IsZero() {
		return v.record, true
	}
	return c.Look(ctx, time.Time{})
}

// swap stores a record and gives what is stored afterwards. A write whose
// answer was lost is recognised by its nonce; ErrConflict means that what is
// stored is somebody else's.
func (c *Circuit) swap(ctx context.Context, next breaker.Record) (breaker.Record, error) {
	limited, cancel := c.Clock.WithTimeout(ctx, c.Timeout)
	defer cancel()
	began := c.Clock.Now()
	stored, err := c.Store.Swap(limited, next)
	switch {
	case err == nil:
		next.Version++
		c.sees(next, began)
		return next, nil
	case errors.Is(err, ErrConflict):
		c.sees(stored, began)
	default:
		var known bool
		if stored, known = c.load(ctx); !known {
			return stored, err
		}
	}
	if stored.Writer == next.Writer {
		return stored, nil
	}
	return stored, ErrConflict
}

// sayBlind reports once that the store is silent.
func (c *Circuit) sayBlind() {
	c.mu.Lock()
	said := c.blind
	c.blind = true
	c.mu.Unlock()
	if !said {
		c.Journal.Write(journal.Entry{Time: c.Clock.Now(), Level: journal.Error, Service: c.name, Event: "circuit_store_silent",
			Message: "The circuit store does not answer: requests go on without it until it does."})
	}
}
