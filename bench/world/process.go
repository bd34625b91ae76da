package world

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"time"

	"callagent/core/agent"
	"callagent/core/call"
)

// Process is one process of the fleet, with its own clock and its own memory
// of the circuits. It does one thing at a time, in a coroutine that gives way
// at each use of a port. When it dies or stops another one takes its place.
type Process struct {
	Name string
	Skew time.Duration // how fast its clock is
	// Keeps: it runs ticks, takes callbacks and delivers alerts, instead of
	// working the queue.
	Keeps bool

	world      *World
	agent      *agent.Agent
	dispatcher *agent.Dispatcher
	born       int // how many processes had this place before, this one included
	ids        int
	stopping   bool // asked to stop
	cut        bool // made to stop
	down       time.Duration

	// The job under way.
	busy   bool
	dying  bool
	dead   bool
	wake   time.Duration // when it goes on
	ends   time.Duration // when it is killed; 0: never
	doing  string        // for the list of turns
	resume func() (struct{}, bool)
	halt   func()
	yield  func(struct{}) bool

	seen   observed
	untold []string // openings that it has to tell of for somebody else
}

// death is what a dying process panics with.
type death struct{}

// errSilent is what a port says that does not answer.
var errSilent = errors.New("no answer")

// Holder names the process in leases: w1.3 is the third in its place.
func (p *Process) Holder() string { return fmt.Sprintf("%s.%d", p.Name, p.born) }

// Agent is the agent of the present process.
func (p *Process) Agent() *agent.Agent { return p.agent }

// reborn puts a new process in the place.
func (p *Process) reborn() {
	p.born++
	p.ids, p.seen = 0, observed{}
	p.stopping, p.cut, p.dying, p.dead, p.busy = false, false, false, false, false
	p.world.release(p)
	p.agent, p.dispatcher = p.world.assemble(p)
}

// newID is never the same twice in a world.
func (p *Process) newID() string {
	p.ids++
	return fmt.Sprintf("%s-%d", p.Holder(), p.ids)
}

// begin starts a job.
func (p *Process) begin(what string, job func(ctx context.Context)) {
	p.busy, p.wake, p.doing = true, p.world.now, what
	if p.ends = 0; p.world.Deadline > 0 {
		p.ends = p.world.now + p.world.Deadline
	}
	p.resume, p.halt = iter.Pull(func(yield func(struct{}) bool) {
		p.yield = yield
		defer p.world.recovered(p)
		ctx := context.Context(life{context.Background(), p})
		if p.ends > 0 {
			ctx = timed{ctx, p, p.clockAt(p.ends)}
		}
		job(ctx)
	})
	p.goOn()
}

// goOn runs the process until it gives way or is done.
func (p *Process) goOn() {
	w := p.world
	if p.ends > 0 && w.now >= p.ends {
		w.countName(killed)
		p.dying = true
	}
	w.running = p
	_, more := p.resume()
	w.running = nil
	if more {
		return
	}
	p.busy = false
	w.left(p)
	if p.dead || p.stopping || p.cut {
		if p.dead {
			p.down = w.now + w.Rebirth
		}
		p.reborn()
	}
}

// stand gives way until the given time.
func (p *Process) stand(until time.Duration) {
	p.wake = until
	if !p.yield(struct{}{}) || p.dying {
		panic(death{})
	}
}

// die ends the process here and now.
func (p *Process) die() {
	p.world.crashes++
	p.dead = true
	panic(death{})
}

// use goes through a port, or what the chooser makes of it.
type use struct {
	p       *Process
	port    Port
	menu    *menu
	what    string
	service string   // of a circuit or provider
	key     call.Key // of a write of the ledger
}

// through does one use of a port. The process gives way before and after it.
func through[T any](ctx context.Context, u use, act func(ctx context.Context) (T, error)) (T, error) {
	p, w := u.p, u.p.world
	w.inside(p, u.what)
	p.doing = u.what
	p.stand(w.now + w.Latency/2)
	var zero T
	i := w.pick(Point{Kind: Use, Process: p.Name, What: u.what, Options: u.menu.words, Port: u.port, Menu: u.menu.values, Service: u.service})
	did := u.menu.values[i]
	if !w.before(ctx, u, did) {
		return zero, errSilent
	}
	v, err := zero, error(nil)
	switch did {
	case Late:
		w.later(u, func() { _, _ = act(context.Background()) })
		err = errSilent
	default:
		if did == Conflict {
			w.rival(u)
		}
		v, err = act(ctx)
	}
	if errors.Is(err, agent.ErrConflict) {
		w.conflicts++
	}
	if w.Trace != nil {
		w.traceUse(u, err)
	}
	if err := w.after(ctx, u, did); err != nil {
		return zero, err
	}
	return v, err
}

// rival has somebody else write first, as a process might that is not in the
// world: it stores a circuit, or a call that nobody works on, as it is.
func (w *World) rival(u use) {
	ctx := context.Background()
	if u.port == Circuits {
		r, err := w.store.Load(ctx, u.service)
		if err == nil && r.Version > 0 {
			r.Writer = ""
			r, _ = w.store.Swap(ctx, r)
			w.circuits[serviceOf(u.service)].record = r
		}
		return
	}
	c, err := w.store.Get(ctx, u.key)
	if err != nil || c.State != call.Waiting && c.State != call.Parked || w.store.Put(ctx, call.Write{Call: c}) != nil {
		return
	}
	w.changed(standing{p: u.p}, u.key)
}

// do is through for a port without a result.
func do(ctx context.Context, u use, act func(ctx context.Context) error) error {
	_, err := through(ctx, u, func(ctx context.Context) (struct{}, error) { return struct{}{}, act(ctx) })
	return err
}

// before is what happens before a use has its effect. It reports false when
// the use fails here.
func (w *World) before(ctx context.Context, u use, did Meddling) bool {
	p := u.p
	silent := w.Silent != nil && w.Silent(u.port)
	if silent {
		w.countName(silence(u.port))
	}
	if did != None || silent {
		w.broke(p)
	}
	switch did {
	case Refuse:
		return false
	case DieBefore:
		p.die()
	case PauseBefore:
		p.stand(p.pause(ctx, u, did))
	case Stop:
		p.stopping = true
	case Cut:
		p.stopping, p.cut = true, true
	}
	return !silent
}

// after is what happens between the effect of a use and its answer.
func (w *World) after(ctx context.Context, u use, did Meddling) error {
	p := u.p
	if did != None {
		w.broke(p)
	}
	switch did {
	case DieAfter:
		p.die()
	case PauseAfter:
		p.stand(p.pause(ctx, u, did))
		if shortPauses(u.port) < len(pauses) && u.port != Provider && ctx.Err() != nil {
			return ctx.Err() // the answer came after the time limit
		}
	}
	p.stand(w.now + w.Latency - w.Latency/2)
	switch {
	case did == Lose:
		return errSilent
	case did == OwnConflict:
		return agent.ErrConflict
	}
	return nil
}

// The pauses, the short ones for ports between a check of the lease and the
// request that it protects.
var (
	pauses     = []time.Duration{200 * time.Millisecond, time.Second, 3 * time.Second, 15 * time.Second, 50 * time.Second, 4 * time.Minute}
	pauseWords = []string{"200 ms", "1 s", "3 s", "15 s", "50 s", "4 min"}
)

// shortPauses is how many of the pauses a port may have that stands between a
// check of the lease and the request: the lease outlasts that by 10 s, clocks
// differ by up to 2 s, and no store can close the gap for longer ones.
func shortPauses(p Port) int {
	switch p {
	case Provider, Circuits, Pace:
		return 2
	}
	return len(pauses)
}

// pause is when a pause ends that the chooser picks. Nobody waits for a store
// beyond the time limit, but a process may be frozen with the answer in hand.
func (p *Process) pause(ctx context.Context, u use, did Meddling) time.Duration {
	n := shortPauses(u.port)
	i := p.world.pick(Point{Kind: Pause, Process: p.Name, What: u.what, Options: pauseWords[:n], Port: u.port})
	if did == PauseAfter && n == len(pauses) {
		return p.world.now + pauses[i]
	}
	return p.until(ctx, pauses[i])
}
