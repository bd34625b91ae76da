package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"

	"callagent/core/agent"
	"callagent/core/alert"
	"callagent/core/backoff"
	"callagent/core/breaker"
	"callagent/core/call"
	"callagent/infra/folder"
	"callagent/infra/sqlite"
)

const (
	workers      = 64  // calls that are worked at once
	sendTogether = 500 // contacts that are enqueued at once, as callagent enqueue does
)

func durableCall(dir string, contacts int) comparison {
	return comparison{
		name: "durable_call",
		note: fmt.Sprintf("Ours is a whole call through agent.Handle with %d workers, on infra/sqlite (WAL, synchronous=FULL) and\n"+
			"infra/folder: enqueued, received, claimed, script and %d KiB of speech kept, dial promised, dial stored, callback\n"+
			"stored, completed, recorded, every message settled. The services are functions that answer at once. goqite is one\n"+
			"send, receive and delete of the same contact on the same disk with the same pragmas, the better of 1 and %d goroutines.",
			workers, len(recording)>>10, workers),
		contestants: []contestant{
			{name: ours, measure: func() (float64, int64, error) { return perContact(dir, contacts, durableCalls) }},
			{name: "goqite", measure: func() (float64, int64, error) { return perContact(dir, contacts, goqiteMessages(1)) }},
			{name: "goqite", measure: func() (float64, int64, error) { return perContact(dir, contacts, goqiteMessages(workers)) }},
		},
	}
}

// perContact times what work does to the contacts in a new directory.
func perContact(dir string, contacts int, work func(ctx context.Context, dir string, bodies [][]byte) (time.Duration, error)) (ns float64, allocs int64, err error) {
	dir, err = os.MkdirTemp(dir, "callagent-bench-")
	if err != nil {
		return 0, 0, err
	}
	bodies := make([][]byte, contacts)
	for i := range bodies {
		if bodies[i], err = json.Marshal(contact(i)); err != nil {
			return 0, 0, err
		}
	}
	took, err := work(context.Background(), dir, bodies)
	return float64(took.Nanoseconds()) / float64(contacts), -1, errors.Join(err, os.RemoveAll(dir))
}

func contact(i int) call.Contact {
	return call.Contact{
		Campaign: "default", ID: fmt.Sprintf("c-%06d", i), Phone: fmt.Sprintf("+1500555%04d", i),
		Name: "Ada Lovelace", Variables: map[string]string{"plan": "gold", "city": "London"},
	}
}

// office is our contestant: the agent on its stores, with services that answer
// at once.
type office struct {
	store    *sqlite.Store
	agent    *agent.Agent
	services *obliging
	clock    *ahead
	free     chan struct{} // a place for each worker
	wrong    atomic.Pointer[error]
}

func durableCalls(ctx context.Context, dir string, bodies [][]byte) (time.Duration, error) {
	o := &office{services: &obliging{}, clock: &ahead{}, free: make(chan struct{}, workers)}
	var err error
	o.store, err = sqlite.Open(ctx, filepath.Join(dir, "callagent.db"), sqlite.Options{Now: o.clock.Now, Working: true})
	if err != nil {
		return 0, err
	}
	media, err := folder.New(folder.Config{Dir: filepath.Join(dir, "media"), PublicURL: "https://calls.example.com", Key: o.store.Secret()})
	if err != nil {
		return 0, errors.Join(err, o.store.Close())
	}
	o.agent = newAgent(o.store, media, o.clock, o.services)
	took, err := o.work(ctx, bodies)
	return took, errors.Join(err, media.Close(), o.store.Close())
}

// work enqueues the contacts and works the queue until it is empty. The wake-up
// that every call keeps for its first look comes when the clock is put forward.
func (o *office) work(ctx context.Context, bodies [][]byte) (time.Duration, error) {
	began := time.Now()
	for len(bodies) > 0 {
		n := min(len(bodies), sendTogether)
		if err := o.store.Send(ctx, 0, bodies[:n]...); err != nil {
			return 0, err
		}
		bodies = bodies[n:]
	}
	if err := o.drain(ctx); err != nil {
		return 0, err
	}
	o.clock.forward(2 * call.LookEvery)
	if err := o.drain(ctx); err != nil {
		return 0, err
	}
	took := time.Since(began)
	return took, o.check(ctx)
}

// drain hands messages to free workers until none is due and nobody works.
func (o *office) drain(ctx context.Context) error {
	var all sync.WaitGroup
	for {
		o.free <- struct{}{}
		places := 1
		for more := true; more && places < workers; {
			select {
			case o.free <- struct{}{}:
				places++
			default:
				more = false
			}
		}
		messages, err := o.store.Receive(ctx, places, nil)
		if err != nil {
			return err
		}
		for range places - len(messages) {
			<-o.free
		}
		for _, m := range messages {
			all.Go(func() {
				defer func() { <-o.free }()
				if err := o.handle(ctx, m); err != nil {
					o.wrong.Store(&err)
				}
			})
		}
		if len(messages) == 0 {
			working := len(o.free) > 0
			all.Wait()
			if wrong := o.wrong.Load(); wrong != nil {
				return *wrong
			}
			if !working {
				return nil
			}
		}
	}
}

// handle works one message. A call that was dialled is over at once: the
// provider reports it.
func (o *office) handle(ctx context.Context, m agent.Message) error {
	v := o.agent.Handle(ctx, m)
	switch v.Do {
	case agent.Done:
		return o.store.Done(ctx, m.ID)
	case agent.Again:
		if err := o.store.Again(ctx, m.ID, v.At); err != nil {
			return err
		}
	default:
		return errors.New(v.Reason)
	}
	c, err := call.Decode(m.Body)
	if err != nil {
		return err
	}
	rang, ok := o.services.rang(c.Phone)
	if !ok {
		return fmt.Errorf("%s waits undialled: %s", c.Key(), v.Reason)
	}
	return o.agent.Callback(ctx, c.Key(), rang.attempt, call.Look{SID: rang.sid, Result: call.Answered, Duration: 20 * time.Second})
}

// check makes sure that what was measured is the work.
func (o *office) check(ctx context.Context) error {
	counts, err := o.store.Counts(ctx)
	if err != nil {
		return err
	}
	visible, hidden, _, err := o.store.Pending(ctx)
	if err != nil || len(counts) != 1 || counts[0].State != call.Completed || visible+hidden > 0 {
		return errors.Join(err, fmt.Errorf("calls %v, messages left %d", counts, visible+hidden))
	}
	return nil
}

func newAgent(store *sqlite.Store, media agent.Media, ticking agent.Clock, services *obliging) *agent.Agent {
	policies := map[string]agent.Policy{}
	for _, name := range agent.Services() {
		policies[name] = agent.Policy{Retry: backoff.Default(), Circuit: breaker.DefaultConfig(), Timeout: 30 * time.Second}
	}
	var ids atomic.Int64
	return agent.New(agent.Options{
		Stores: agent.Stores{
			Ledger: store, Backlog: store, Blocklist: store, Circuits: store, Pace: store, Queue: store, Outbox: store, Media: media,
		},
		Providers: agent.Providers{Writer: services, Speaker: services, Dialer: services, CRM: services},
		Journal:   silent{}, Clock: ticking, Random: rand.Float64, Holder: "bench", Policies: policies,
		NewID:    func() string { return fmt.Sprintf("id-%d", ids.Add(1)) },
		Campaign: func(string) (call.Campaign, bool) { return campaign, true },
		From:     "+15005550006",
		Number:   func(phone string) string { return phone },
		Channels: func(alert.Alert) []string { return nil },
	})
}

// campaign is what all contacts are called for.
var campaign = call.Campaign{
	Name: "default", Prompt: "Call {{.name}} about the {{.plan}} plan. Be brief.", Language: "en",
	RingTimeout: 30 * time.Second, MaxLength: 2 * time.Minute,
}

// ahead is the wall clock, put forward.
type ahead struct{ by atomic.Int64 }

func (c *ahead) Now() time.Time { return time.Now().UTC().Add(time.Duration(c.by.Load())) }

func (c *ahead) forward(d time.Duration) { c.by.Add(int64(d)) }

// Sleep is not needed: nothing is paced.
func (c *ahead) Sleep(ctx context.Context, _ time.Duration) error { return ctx.Err() }

// WithTimeout is [context.WithTimeout].
func (c *ahead) WithTimeout(ctx context.Context, d time.Duration) (context.Context, context.CancelFunc) {
	return context.WithTimeout(ctx, d)
}
