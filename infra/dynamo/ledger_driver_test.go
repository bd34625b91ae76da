//go:build integration

package dynamo_test

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"sync"
	"testing"
	"time"

	"callagent/core/agent"
	"callagent/core/alert"
	"callagent/core/backoff"
	"callagent/core/breaker"
	"callagent/core/call"
	"callagent/core/fault"
	"callagent/core/journal"
	"callagent/infra/dynamo"
	"callagent/infra/dynamo/metertest"
	"callagent/infra/memory"
)

// watch runs only when somebody sleeps or moves it, so that a call's minutes
// pass at once. Time limits are real.
type watch struct {
	mu  sync.Mutex
	now time.Time
}

func (c *watch) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *watch) Sleep(ctx context.Context, d time.Duration) error {
	c.to(c.Now().Add(d))
	return ctx.Err()
}

// to moves the clock forward; an earlier time moves nothing.
func (c *watch) to(t time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if t.After(c.now) {
		c.now = t
	}
}

func (c *watch) WithTimeout(ctx context.Context, d time.Duration) (context.Context, context.CancelFunc) {
	return context.WithTimeout(ctx, d)
}

// providers play the four services. Every request works, but for the ones that
// were ordered to go wrong.
type providers struct {
	clock *watch

	mu       sync.Mutex
	unspoken int // so many recordings fail first
	ringing  int // so many looks find the call unfinished
	dials    int
	done     call.Entry
}

func (p *providers) Probe(context.Context, *fault.Fault) error { return nil }

// took lets the time of a request pass.
func (p *providers) took(d time.Duration) { p.clock.to(p.clock.Now().Add(d + 123456789)) }

func (p *providers) Script(context.Context, call.ScriptRequest) (string, error) {
	p.took(2 * time.Second)
	return "Hello, this is a call about your plan.", nil
}

func (p *providers) Speak(context.Context, call.SpeechRequest) (call.Audio, error) {
	p.took(time.Second)
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.unspoken > 0 {
		p.unspoken--
		return call.Audio{}, &fault.Fault{Class: fault.Transient, Kind: fault.ServiceUnavailable, Service: agent.ElevenLabs, Status: 503, Message: "unavailable"}
	}
	return call.Audio{Data: []byte("sound"), ContentType: "audio/mpeg"}, nil
}

func (p *providers) Dial(context.Context, call.DialRequest) (string, error) {
	p.took(0)
	p.mu.Lock()
	defer p.mu.Unlock()
	p.dials++
	sum := sha256.Sum256([]byte{byte(p.dials)})
	return "CA" + hex.EncodeToString(sum[:16]), nil
}

func (p *providers) Look(_ context.Context, sid string) (call.Look, error) {
	p.took(0)
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.ringing > 0 {
		p.ringing--
		return call.Look{SID: sid, Status: "in-progress"}, nil
	}
	return call.Look{SID: sid, Status: "completed", Result: call.Answered, Duration: 37 * time.Second}, nil
}

func (p *providers) List(context.Context, string, string, time.Time) ([]call.Look, error) {
	return nil, nil
}

func (p *providers) Cancel(context.Context, string) error { return nil }

func (p *providers) Record(_ context.Context, e call.Entry) (string, error) {
	p.took(time.Second)
	p.mu.Lock()
	defer p.mu.Unlock()
	p.done = e
	return "41870993215", nil
}

type silent struct{}

func (silent) Write(journal.Entry) {}

// stage is the real agent on real tables, and one contact.
type stage struct {
	*testing.T
	clock     *watch
	providers *providers
	meter     *metertest.Meter
	calls     *dynamo.Calls
	options   agent.Options
	agent     *agent.Agent
	table     string
	message   agent.Message
	key       call.Key
}

// newStage has an ordinary contact and a limit of one dial a second.
func newStage(t *testing.T) *stage {
	t.Helper()
	c := &watch{now: time.Now().UTC().Truncate(time.Second).Add(234567891)}
	st := &stage{T: t, clock: c, providers: &providers{clock: c}, meter: &metertest.Meter{}, table: callsTable(t)}
	client := metered(t, st.meter)
	st.calls = dynamo.NewCalls(client, st.table, c.Now)
	contact := call.Contact{
		Campaign: "spring-renewals", ID: "customer-004711", Phone: "+15005550006", Name: "Ada Lovelace",
		Variables: map[string]string{"plan": "gold", "renewal_date": "2026-12-01"}, TimeZone: "America/New_York",
	}
	body, err := json.Marshal(contact)
	if err != nil {
		t.Fatal(err)
	}
	st.message, st.key = agent.Message{ID: "1", Body: body, Receives: 1, Sent: c.Now()}, contact.Key()
	circuits, store := dynamo.NewCircuits(client, circuitsTable(t)), memory.New(memory.Options{Now: c.Now})
	ledger := told{st.calls}
	st.options = agent.Options{
		Stores: agent.Stores{
			Ledger: ledger, Backlog: ledger, Blocklist: ledger, Circuits: circuits, Pace: circuits,
			Queue: store, Outbox: store, Media: memory.NewMedia(),
		},
		Providers: agent.Providers{Writer: st.providers, Speaker: st.providers, Dialer: st.providers, CRM: st.providers},
		Journal:   silent{}, Clock: c, Random: func() float64 { return 0.5 }, NewID: rand.Text,
		Holder: "callagent-CallFunction-9c8b7a6d", Policies: policies(), From: "+15005550001",
		Number: func(phone string) string {
			sum := sha256.Sum256([]byte(phone))
			return hex.EncodeToString(sum[:16])
		},
		Campaign: func(name string) (call.Campaign, bool) {
			return call.Campaign{Name: name, Prompt: "Call {{.name}}", RingTimeout: 30 * time.Second, MaxLength: 5 * time.Minute}, true
		},
		Channels: func(alert.Alert) []string { return []string{"email"} },
		Skew:     2 * time.Second, CircuitTimeout: patient,
	}
	st.agent = agent.New(st.options)
	return st
}

func policies() map[string]agent.Policy {
	ps := map[string]agent.Policy{}
	for _, name := range agent.Services() {
		ps[name] = agent.Policy{Retry: backoff.Default(), Circuit: breaker.DefaultConfig(), Timeout: 10 * time.Second}
	}
	dial := ps[agent.Twilio]
	dial.Rate = 1
	ps[agent.Twilio] = dial
	return ps
}

// deliver hands the agent the call's message once and gives the verdict.
func (st *stage) deliver() agent.Verdict {
	st.Helper()
	v := st.agent.Handle(st.Context(), st.message)
	if v.Do == agent.Reject {
		st.Fatalf("the message was rejected: %s", v.Reason)
	}
	return v
}

// walk delivers the message whenever it is due, until the call is over.
func (st *stage) walk() {
	st.Helper()
	for range 500 {
		v := st.deliver()
		if v.Do == agent.Done {
			return
		}
		st.clock.to(v.At)
	}
	st.Fatal("the call does not come to its end")
}

// callback is the provider's report of the end.
func (st *stage) callback() {
	st.Helper()
	c := st.call()
	l := call.Look{SID: c.SID, Status: "completed", Result: call.Answered, Duration: 37 * time.Second}
	if err := st.agent.Callback(st.Context(), st.key, c.Intent.Attempt, l); err != nil {
		st.Fatal(err)
	}
}

// call reads the call without being counted.
func (st *stage) call() call.Call {
	st.Helper()
	c, err := dynamo.NewCalls(clientAt(endpoint(st), connections), st.table, st.clock.Now).Get(st.Context(), st.key)
	if err != nil {
		st.Fatal(err)
	}
	return c
}
