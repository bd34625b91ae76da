package agent_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"hash/fnv"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"go.uber.org/goleak"

	"callagent/core/agent"
	"callagent/core/alert"
	"callagent/core/backoff"
	"callagent/core/breaker"
	"callagent/core/call"
	"callagent/infra/memory"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// What must never be seen in a journal or an alert. Every number that is
// called begins with plantedPhone, every silent store says plantedSecret.
const (
	plantedPhone  = "+4915112345"
	plantedSecret = "sk-planted"
)

// tickEvery is the rhythm of the background work.
const tickEvery = 5 * time.Second

// contact is a valid contact; n is part of its id and its number.
func contact(n int) call.Contact {
	return call.Contact{Campaign: "spring", ID: fmt.Sprintf("c-%03d", n), Phone: fmt.Sprintf("%s%03d", plantedPhone, n)}
}

// contactOf is the id of the contact with a number.
func contactOf(phone string) string { return "c-" + strings.TrimPrefix(phone, plantedPhone) }

func keyOf(n int) call.Key { return contact(n).Key() }

// world is everything around the agent, and the loop that a worker runs: it
// receives messages, ticks, and replaces processes that die.
type world struct {
	t        *testing.T
	clock    *clock
	store    *memory.Store
	media    *memory.Media
	services *services
	ports    *ports
	events   *events
	adjust   []func(*agent.Options)

	agent    *agent.Agent
	ctx      context.Context // of the present process
	stop     context.CancelFunc
	stopping bool // what the process says to Options.Stopping
	born     int  // processes so far
	ids      atomic.Int64

	atMost   int // contacts in progress at once; 0: no bound
	progress map[string]bool
	ticks    bool
	nextTick time.Time
	rerings  bool // the test rings somebody twice on purpose

	doubt      bool // a process died with a stored intent and without a ring
	losesAgain bool // messages that shall come again get lost
}

// newWorld has four healthy services, empty stores and one process.
func newWorld(t *testing.T, adjust ...func(*agent.Options)) *world {
	t.Helper()
	c := &clock{now: start}
	w := &world{
		t: t, clock: c, services: newServices(c), ports: &ports{}, events: &events{}, adjust: adjust,
		store: memory.New(memory.Options{Now: c.Now}), media: memory.NewMedia(),
		progress: map[string]bool{}, ticks: true, nextTick: start.Add(tickEvery),
	}
	w.services.watch = w.checkRequest
	w.replace()
	t.Cleanup(w.checkAlways)
	return w
}

// policies treats all services alike: 5, 10, 20 s, and 10 s for a request.
func policies() map[string]agent.Policy {
	ps := map[string]agent.Policy{}
	for _, name := range agent.Services() {
		ps[name] = agent.Policy{Retry: backoff.Default(), Circuit: breaker.DefaultConfig(), Timeout: 10 * time.Second}
	}
	return ps
}

// replace ends the present process and starts the next one.
func (w *world) replace() {
	if w.stop != nil {
		w.stop()
	}
	w.ctx, w.stop = context.WithCancel(context.Background())
	w.stopping = false
	w.born++
	w.agent = agent.New(w.options(fmt.Sprintf("p%d", w.born)))
}

// options are those of a process behind the meddled ports.
func (w *world) options(holder string) agent.Options {
	p, s := w.ports, portedService{w.services, w.ports}
	o := agent.Options{
		Stores: agent.Stores{
			Ledger: portedLedger{w.store, p}, Backlog: portedBacklog{w.store, p}, Blocklist: portedBlocklist{w.store, p},
			Circuits: portedCircuits{w.store, p}, Pace: portedPace{w.store, p}, Queue: portedSender{w.store, p},
			Outbox: portedRaiser{w.store, p}, Media: portedMedia{w.media, p},
		},
		Providers: agent.Providers{
			Writer: portedProbe{s, agent.LLM}, Speaker: portedProbe{s, agent.ElevenLabs},
			Dialer: portedProbe{s, agent.Twilio}, CRM: portedProbe{s, agent.CRMService},
		},
		Journal: w.events, Clock: w.clock, Random: func() float64 { return 0.5 },
		NewID:  func() string { return fmt.Sprintf("id-%d", w.ids.Add(1)) },
		Holder: holder, Policies: policies(), From: "+15005550006", Number: hash,
		Campaign: func(name string) (call.Campaign, bool) {
			return call.Campaign{Name: name, Prompt: "Call {{.contact_id}}", RingTimeout: 30 * time.Second, MaxLength: 3 * time.Minute}, name != "nobody's"
		},
		Channels: func(alert.Alert) []string { return []string{"email"} },
		Stopping: func() bool { return w.stopping },
	}
	for _, f := range w.adjust {
		f(&o)
	}
	return o
}

// hash stands for the keyed hash of a number.
func hash(phone string) string {
	h := fnv.New64a()
	_, _ = h.Write([]byte(phone))
	return fmt.Sprintf("%x", h.Sum64())
}

// enqueue puts contacts 1 to n on the queue.
func (w *world) enqueue(n int) {
	w.t.Helper()
	for i := range n {
		w.send(contact(i + 1))
	}
}

func (w *world) send(c call.Contact) {
	w.t.Helper()
	body, err := json.Marshal(c)
	if err != nil {
		w.t.Fatal(err)
	}
	if err := w.store.Send(context.Background(), 0, body); err != nil {
		w.t.Fatal(err)
	}
}

// run plays until nothing is left to do, or for the time given.
func (w *world) run(limit time.Duration) {
	w.t.Helper()
	end := w.clock.Now().Add(limit)
	for range 200_000 {
		if w.work() {
			continue
		}
		next := w.next()
		if next.IsZero() || next.After(end) {
			w.clock.to(end)
			return
		}
		w.clock.to(next)
		if w.ticks && !w.clock.Now().Before(w.nextTick) {
			w.nextTick = w.clock.Now().Add(tickEvery)
			w.alive(func() { w.agent.Tick(w.ctx) })
			if w.ctx.Err() != nil {
				w.replace()
			}
		}
	}
	w.t.Fatal("the world does not come to rest")
}

// next is when something happens; zero when everything is done.
func (w *world) next() time.Time {
	visible, hidden, next, err := w.store.Pending(context.Background())
	if err != nil {
		w.t.Fatal(err)
	}
	if !w.ticks || visible+hidden == 0 && w.settled() {
		return next
	}
	if next.IsZero() || w.nextTick.Before(next) {
		return w.nextTick
	}
	return next
}

// settled reports whether every call of the ledger is finished and recorded.
func (w *world) settled() bool {
	for _, c := range w.calls() {
		if !c.State.Final() || !c.Due.IsZero() || c.Park.Service != "" {
			return false
		}
	}
	return true
}

// work takes one message through the agent; false when none can be had.
func (w *world) work() bool {
	only := w.only()
	ms, err := w.store.Receive(context.Background(), 1, only)
	if err != nil {
		w.t.Fatal(err)
	}
	if len(ms) == 0 {
		return false
	}
	w.alive(func() { w.handle(ms[0]) })
	return true
}

// only selects the messages that the bound on progress lets in.
func (w *world) only() []string {
	if w.atMost == 0 || len(w.progress) < w.atMost {
		return nil
	}
	var keys []string
	for k := range w.progress {
		keys = append(keys, k)
	}
	return keys
}

// handle works one message and does with it what the verdict says.
func (w *world) handle(m agent.Message) {
	v := w.agent.Handle(w.ctx, m)
	var c call.Contact
	_ = json.Unmarshal(m.Body, &c)
	switch v.State {
	case call.Running, call.Waiting, call.Reconciling:
		w.progress[c.Key().String()] = true
	default:
		delete(w.progress, c.Key().String())
	}
	err := do(w.ports, "queue: "+[...]string{"done", "again", "bury"}[v.Do], func() error {
		switch v.Do {
		case agent.Again:
			if w.losesAgain {
				return w.store.Done(context.Background(), m.ID)
			}
			return w.store.Again(context.Background(), m.ID, v.At)
		case agent.Reject:
			return w.store.Bury(context.Background(), m.ID, v.Reason)
		}
		return w.store.Done(context.Background(), m.ID)
	})
	if err != nil && !errors.Is(err, errSilent) {
		w.t.Fatal(err)
	}
	if w.stopping || w.ctx.Err() != nil {
		w.replace()
	}
}

// alive does something in the present process, which may die of it.
func (w *world) alive(f func()) {
	defer func() {
		switch cause := recover().(type) {
		case nil:
		case death:
			for _, c := range w.calls() {
				w.doubt = w.doubt || c.Intent != nil && w.services.rung()[c.Key.Contact] == 0
			}
			w.replace()
		default:
			panic(cause)
		}
	}()
	f()
}

// call reads the call of contact n.
func (w *world) call(n int) call.Call {
	w.t.Helper()
	c, err := w.store.Get(context.Background(), keyOf(n))
	if err != nil {
		w.t.Fatalf("contact %d: %v", n, err)
	}
	return c
}

func (w *world) calls() []call.Call {
	var calls []call.Call
	for c, err := range w.store.Calls(context.Background(), call.Filter{}) {
		if err != nil {
			w.t.Fatal(err)
		}
		calls = append(calls, c)
	}
	slices.SortFunc(calls, func(a, b call.Call) int { return strings.Compare(a.Key.Contact, b.Key.Contact) })
	return calls
}

// record is the circuit's record in the store.
func (w *world) record(service string) breaker.Record {
	w.t.Helper()
	r, err := w.store.Load(context.Background(), service)
	if err != nil {
		w.t.Fatal(err)
	}
	return r
}

// alerts lists everything raised for people, delivered or not.
func (w *world) alerts() []alert.Alert {
	w.t.Helper()
	as, err := w.store.Undelivered(context.Background(), "email", 10_000)
	if err != nil {
		w.t.Fatal(err)
	}
	return as
}

// told lists the ids of the alerts.
func (w *world) told() []string {
	ids := []string{}
	for _, a := range w.alerts() {
		ids = append(ids, a.ID)
	}
	return ids
}

// states tells how each contact stands, in order: "completed failed".
func (w *world) states() string {
	var s []string
	for _, c := range w.calls() {
		s = append(s, string(c.State))
	}
	return strings.Join(s, " ")
}
