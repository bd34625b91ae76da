// Package world runs a whole fleet of agents in virtual time, deterministically:
// the real core/agent over stores in memory, against providers that a Chooser
// makes fail. Each process works in a coroutine that gives way before and after
// each use of a port, and the Chooser decides at every such point who goes on
// and what goes wrong. The same choices give the same history.
//
// The world checks what callagent promises at every write and every request,
// see [World.Violations]. What it takes for granted is said there too.
package world

import (
	"context"
	"fmt"
	"io"
	"math"
	"runtime/debug"
	"time"

	"callagent/core/agent"
	"callagent/core/breaker"
	"callagent/core/call"
	"callagent/core/health"
	"callagent/infra/memory"
)

// Options are what a World is made of. The zero value of each field but the
// Chooser makes sense.
type Options struct {
	Chooser  Chooser
	Workers  int             // processes that work the queue; 0: 3
	Keepers  int             // processes for ticks, callbacks and alerts; 0: 1
	Skews    []time.Duration // of the processes, workers first; missing: 0
	Contacts []call.Contact  // on the queue from the start

	Skew       time.Duration // agent.Options.Skew
	Settle     time.Duration // of all circuits
	Rate       float64       // of the dial; 0: no limit
	WorksHeirs bool
	NoCRM      bool
	Callbacks  bool          // the provider reports by itself
	Schedule   time.Duration // between two ticks; 0: 5 s; less: none comes by itself
	Phase      time.Duration // before the first tick
	SendsTicks bool          // a trip and a scheduled tick call for more ticks
	Deadline   time.Duration // a process is killed when one job takes so long; 0: never
	Visibility time.Duration // of a received message; 0: 15 min
	Rebirth    time.Duration // before a dead process is replaced
	Latency    time.Duration // of one use of a port
	ListingLag time.Duration // before the provider's list shows a call
	// ProviderSkew is how fast the provider's clock is.
	ProviderSkew time.Duration
	// Silent reports whether a port does not answer at all now; nil: they do.
	Silent func(p Port) bool
	// Random is for jitter; nil: always one half.
	Random func() float64
	// Adjust changes the options of every agent; nil for not at all.
	Adjust func(o *agent.Options)
	// Trace takes one line for each thing that happens; nil for none.
	Trace io.Writer
}

// World is a fleet and everything around it. Make one with New and end it with
// Close.
type World struct {
	Options

	now       time.Duration
	store     *memory.Store
	media     *memory.Media
	processes []*Process
	running   *Process

	queue    []*message
	messages int
	ready    []*message
	ticks    []tick // that have not come yet, or wait for a process
	next     time.Duration
	reports  []report
	late     []lateEffect
	belated  bool // a late effect is under way
	rings    []*ring
	flushing *Process

	turns []turn
	words []string

	truth
	tally
}

// tick is one run of the background work.
type tick struct {
	at        time.Duration
	scheduled bool
}

// report is a callback on its way.
type report struct {
	at   time.Duration
	ring *ring
}

// lateEffect is a write that is executed after its writer gave up.
type lateEffect struct {
	at  time.Duration
	act func()
}

// New makes a world in which nothing has happened.
func New(o Options) *World {
	o.defaults()
	w := &World{Options: o, media: memory.NewMedia(), next: o.Phase}
	w.store = memory.New(memory.Options{Now: w.Now})
	w.truth, w.tally = newTruth(), newTally()
	if o.Schedule < 0 {
		w.next = math.MaxInt64
	}
	for i := range o.Workers + o.Keepers {
		p := &Process{Name: fmt.Sprintf("w%d", i+1), world: w}
		if i >= o.Workers {
			p.Keeps, p.Name = true, fmt.Sprintf("k%d", i-o.Workers+1)
		}
		if i < len(o.Skews) {
			p.Skew = o.Skews[i]
		}
		w.processes = append(w.processes, p)
		p.reborn()
	}
	w.Enqueue(0, o.Contacts...)
	return w
}

func (o *Options) defaults() {
	for _, d := range []struct {
		field *time.Duration
		value time.Duration
	}{{&o.Schedule, health.TickEvery}, {&o.Visibility, 15 * time.Minute}} {
		if *d.field == 0 {
			*d.field = d.value
		}
	}
	if o.Workers == 0 {
		o.Workers = 3
	}
	if o.Keepers == 0 {
		o.Keepers = 1
	}
	if o.Random == nil {
		o.Random = func() float64 { return 0.5 }
	}
}

// Close ends all processes. A world must be closed, or their coroutines stay.
func (w *World) Close() {
	for _, p := range w.processes {
		if p.busy {
			p.halt()
		}
	}
}

// recovered ends the coroutine of a process that died.
func (w *World) recovered(p *Process) {
	switch cause := recover().(type) {
	case nil:
	case death:
		p.dead = true
	default:
		p.dead = true
		w.violate("a process panics: %v\n%s", cause, debug.Stack())
	}
}

// inside checks that nothing but the process whose turn it is reaches the
// world: core/agent starts no goroutine.
func (w *World) inside(p *Process, what string) {
	if w.running != p {
		w.violate("%s is used by %s out of its turn", what, p.Name)
	}
}

// later has a write executed after its writer gave up.
func (w *World) later(u use, act func()) {
	w.late = append(w.late, lateEffect{w.now + 2*time.Second, func() {
		if w.Trace != nil {
			w.tracef("%-4s   %s is executed after all", u.p.Name, u.what)
		}
		w.belated = true
		act()
		w.belated = false
	}})
}

// waiting is how many ticks may wait for a process; more are dropped, as they
// would find nothing left to do.
const waiting = 40

var tickWords = []string{"comes", "is lost", "comes twice"}

// comes puts a tick where processes find it, in the order of their times.
func (w *World) comes(t tick) {
	if len(w.ticks) >= waiting {
		return
	}
	for range [...]int{1, 0, 2}[w.pick(Point{Kind: Tick, What: "tick", Options: tickWords})] {
		i := len(w.ticks)
		w.ticks = append(w.ticks, t)
		for ; i > 0 && w.ticks[i-1].at > t.at; i-- {
			w.ticks[i-1], w.ticks[i] = t, w.ticks[i-1]
		}
	}
}

func (w *World) takeTick() tick {
	t := w.ticks[0]
	w.ticks = w.ticks[1:]
	return t
}

// report puts a callback on its way, in the order of their times.
func (w *World) report(r *ring, at time.Duration) {
	i := len(w.reports)
	w.reports = append(w.reports, report{at, r})
	for ; i > 0 && w.reports[i-1].at > at; i-- {
		w.reports[i-1], w.reports[i] = report{at, r}, w.reports[i-1]
	}
}

func (w *World) takeReport() *ring {
	r := w.reports[0]
	w.reports = w.reports[1:]
	return r.ring
}

// tick has a process run the background work, as a function or a ticker would.
func (p *Process) tick(t tick) func(ctx context.Context) {
	return func(ctx context.Context) {
		p.world.working(p, call.Key{})
		if t.scheduled && p.world.SendsTicks {
			p.agent.Ahead(ctx)
		}
		p.agent.Tick(ctx)
		p.flush(ctx)
	}
}

// channel is the one way to people that a world has.
const channel = "email"

// flush delivers alerts, unless somebody else does.
func (p *Process) flush(ctx context.Context) {
	w := p.world
	if w.flushing != nil {
		return
	}
	w.flushing = p
	_, _ = p.dispatcher.Flush(ctx, channel, false)
	w.release(p)
}

// release ends the right to deliver alerts of a process.
func (w *World) release(p *Process) {
	if w.flushing == p {
		w.flushing = nil
	}
}

// hear has a process take a callback.
func (p *Process) hear(r *ring) func(ctx context.Context) {
	return func(ctx context.Context) {
		w := p.world
		w.working(p, r.key)
		l := w.reading(r)
		if err := p.agent.Callback(ctx, r.key, r.attempt, l); err != nil {
			w.countName(unheard)
		} else if l.Final() {
			w.heard[r.key] = true
		}
	}
}

// Circuit is the stored record of a service.
func (w *World) Circuit(service string) breaker.Record {
	return w.circuits[serviceOf(service)].record
}

// Call is the stored record of a call; the zero call when there is none.
func (w *World) Call(k call.Key) call.Call { return w.stored(k).Call }
