package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"time"

	"callagent/core/agent"
	"callagent/core/alert"
	"callagent/core/backoff"
	"callagent/core/breaker"
	"callagent/core/call"
	"callagent/core/journal"
	"callagent/infra/memory"
)

// fleet is callagent as it is deployed: every process has the agent itself,
// with its own cached circuits, and the health check runs on a schedule and on
// the messages that it and the winner of a trip send. Only what surrounds the
// agent is simulated: time, the way to the circuit store, queues, providers.
//
// Two things are short. A call whose request will work, and which its circuit
// lets through, is not walked through its other steps. And a process does one
// thing at a time except while it waits for the service under test, since a
// Circuit's locks know nothing of virtual time.
type fleet struct {
	*rig
	store    *memory.Store // of the circuits
	ledger   *ledger
	calls    calls // the ledger as the agents see it
	members  []*member
	checkers []*member // environments of the health check
	called   int       // ticks under way that messages called for
	late     bool      // one more waits for them
	contacts int
	alerts   map[string]bool // ids of what people were told
}

// Delays of the queues. A tick comes up to a second late.
const (
	wakeAtLeast = 50 * time.Millisecond
	wakeAtMost  = 150 * time.Millisecond
	tickLate    = time.Second
	tickers     = 2 // template.yaml lets so many processes work on ticks
)

// ours makes the fleet.
func ours(r *rig) breakers {
	l := newLedger()
	return newFleet(r, l, l)
}

// newFleet has its schedule anywhere in its minute.
func newFleet(r *rig, l *ledger, seen calls) *fleet {
	f := &fleet{rig: r, store: memory.New(memory.Options{Now: r.Now}), ledger: l, calls: seen, alerts: map[string]bool{}}
	for i := range r.Processes {
		f.members = append(f.members, f.member("call-"+strconv.Itoa(i)))
	}
	r.after(-time.Minute+r.between(0, time.Minute), f.minute)
	return f
}

// minute is the schedule, which is only as precise as a minute.
func (f *fleet) minute() {
	f.after(f.between(0, time.Minute), func() { f.tick(true) })
	f.after(time.Minute, f.minute)
}

// arrive is a contact whose message a process has just received.
func (f *fleet) arrive(process int) {
	m, works := f.members[process], f.service.works()
	if works {
		var permit breaker.Permit
		refusal := breaker.None
		m.alone(func() { permit, refusal = m.circuit.Admit(context.Background(), "", requestLimit, f.Now()) })
		if refusal == breaker.None {
			f.service.request(works)
			m.alone(func() { m.circuit.Succeeded(context.Background(), permit, f.Now()) })
			return
		}
	}
	e := &errand{works: works}
	v := f.handle(context.WithValue(context.Background(), errandKey{}, e), m, f.contact())
	if v.State == call.Parked && !e.sent {
		f.seen.refused++
	}
}

// putBack is for circuits without agents.
func (f *fleet) putBack() { panic("a fleet recovers by itself") }

// contact is the message of a new contact.
func (f *fleet) contact() []byte {
	f.contacts++
	body, err := json.Marshal(call.Contact{Campaign: "fleet", ID: strconv.Itoa(f.contacts), Phone: fmt.Sprintf("+1500%07d", f.contacts)})
	if err != nil {
		panic(err)
	}
	return body
}

// handle works a message and does with it what the verdict says.
func (f *fleet) handle(ctx context.Context, m *member, body []byte) (v agent.Verdict) {
	m.alone(func() { v = m.agent.Handle(ctx, agent.Message{Body: body}) })
	if v.Do == agent.Again {
		f.deliver(body, v.At.Sub(f.Now()))
	}
	return v
}

// deliver has some process receive a message after a delay.
func (f *fleet) deliver(body []byte, delay time.Duration) {
	f.after(max(0, delay)+f.between(wakeAtLeast, wakeAtMost), func() {
		f.handle(context.Background(), f.members[f.IntN(len(f.members))], body)
	})
}

// Send puts messages on the queue.
func (f *fleet) Send(_ context.Context, delay time.Duration, bodies ...[]byte) error {
	for _, body := range bodies {
		f.deliver(body, delay)
	}
	return nil
}

// SendTicks puts ticks on their queue.
func (f *fleet) SendTicks(_ context.Context, delays []time.Duration) error {
	for _, d := range delays {
		f.after(d+f.between(0, tickLate), f.tickMessage)
	}
	return nil
}

// tickMessage waits while as many are worked as may be at once. Those that
// wait are one batch, and a batch is one tick.
func (f *fleet) tickMessage() {
	if f.called == tickers {
		f.late = true
		return
	}
	f.called++
	f.tick(false)
	f.called--
	if f.late {
		f.late = false
		f.tickMessage()
	}
}

// tick is one run of the health check, as cloud.Process.Tick does it.
func (f *fleet) tick(scheduled bool) {
	m := f.checker()
	m.ticking = true
	ctx := context.Background()
	if scheduled {
		m.alone(func() { m.agent.Ahead(ctx) })
	}
	work := []func(){func() { m.alone(func() { m.agent.Sweep(ctx) }) }}
	for _, name := range agent.Services() {
		work = append(work, func() { m.alone(func() { m.agent.Check(ctx, name) }) })
	}
	f.together(work...)
	m.ticking = false
}

// checker is an environment of the health check that is free.
func (f *fleet) checker() *member {
	for _, m := range f.checkers {
		if !m.ticking {
			return m
		}
	}
	f.checkers = append(f.checkers, f.member("check-"+strconv.Itoa(len(f.checkers))))
	return f.checkers[len(f.checkers)-1]
}

// requestLimit is the time limit of a request to ElevenLabs.
const requestLimit = 30 * time.Second

// member is one process.
type member struct {
	*timeline
	agent   *agent.Agent
	circuit *agent.Circuit
	ticking bool
	busy    bool
	waiting []*routine
}

// member makes a process as infra/wiring/cloud makes it.
func (f *fleet) member(name string) *member {
	m := &member{timeline: &f.timeline}
	policies := map[string]agent.Policy{}
	for _, service := range agent.Services() {
		policies[service] = agent.Policy{Retry: backoff.Default(), Circuit: circuitConfig(), Timeout: requestLimit}
	}
	m.agent = agent.New(agent.Options{
		Stores: agent.Stores{
			Ledger: f.calls, Backlog: f.calls, Blocklist: f.calls, Media: media{},
			Circuits: &circuits{rig: f.rig, Circuits: f.store}, Queue: f, Outbox: f, Ticks: f,
		},
		Providers: agent.Providers{Writer: writer{}, Speaker: speaker{m, &f.service}, Dialer: dialer{}},
		Journal:   silent{}, Clock: f, Random: f.Float64, NewID: f.newID, Holder: name,
		Policies: policies, From: "+15005550006", Number: func(phone string) string { return phone },
		Campaign: func(name string) (call.Campaign, bool) {
			return call.Campaign{Name: name, Prompt: "Say hello.", RingTimeout: 30 * time.Second, MaxLength: 3 * time.Minute}, true
		},
		Channels:   func(alert.Alert) []string { return []string{"email"} },
		WorksHeirs: true, Skew: breaker.Skew,
	})
	m.circuit = m.agent.Circuit(agent.ElevenLabs)
	return m
}

// circuitConfig is that of a fleet.
func circuitConfig() breaker.Config {
	c := breaker.DefaultConfig()
	c.Settle = agent.CacheFor
	return c
}

// Raise tells people of an alert whose id they have not seen.
func (f *fleet) Raise(_ context.Context, _ []string, a alert.Alert) error {
	if !f.alerts[a.ID] {
		f.alerts[a.ID] = true
		f.seen.tell(a.Kind)
	}
	return nil
}

// alone does something in the process when nothing else is done in it.
func (m *member) alone(f func()) {
	m.enter()
	f()
	m.leave()
}

func (m *member) enter() {
	if !m.busy {
		m.busy = true
		return
	}
	m.waiting = append(m.waiting, m.running)
	m.rest()
}

// leave lets the next one in, in the order in which they came.
func (m *member) leave() {
	if len(m.waiting) == 0 {
		m.busy = false
		return
	}
	next := m.waiting[0]
	m.waiting = m.waiting[1:]
	m.wake(next, 0)
}

// circuits is the circuit store, some way off.
type circuits struct {
	*rig
	agent.Circuits
}

// Load reads the record.
func (c *circuits) Load(ctx context.Context, service string) (breaker.Record, error) {
	c.travel()
	defer c.travel()
	return c.Circuits.Load(ctx, service)
}

// Swap stores the record if nobody was faster.
func (c *circuits) Swap(ctx context.Context, r breaker.Record) (breaker.Record, error) {
	c.travel()
	defer c.travel()
	stored, err := c.Circuits.Swap(ctx, r)
	if err == nil && r.Service == agent.ElevenLabs {
		c.seen.becomes(stored.State != breaker.Closed)
	}
	if err != nil && !errors.Is(err, agent.ErrConflict) {
		panic(err)
	}
	return stored, err
}

// silent is a journal that nobody reads.
type silent struct{}

func (silent) Write(journal.Entry) {}
