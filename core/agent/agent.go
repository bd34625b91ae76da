package agent

import (
	"context"
	"sync/atomic"
	"time"

	"callagent/core/alert"
	"callagent/core/backoff"
	"callagent/core/breaker"
	"callagent/core/call"
	"callagent/core/journal"
)

// The services by the names that settings, journals and circuits use.
const (
	LLM        = "llm"
	ElevenLabs = "elevenlabs"
	Twilio     = "twilio"
	CRMService = "crm"
)

// Services lists them in the order of the steps.
func Services() []string { return []string{LLM, ElevenLabs, Twilio, CRMService} }

// Clock tells the time. Now carries a monotonic reading where there is one;
// durations are judged with it.
type Clock interface {
	Now() time.Time
	Sleep(ctx context.Context, d time.Duration) error
	WithTimeout(ctx context.Context, d time.Duration) (context.Context, context.CancelFunc)
}

// Policy is how one service is treated.
type Policy struct {
	Retry   backoff.Policy
	Circuit breaker.Config
	Timeout time.Duration // of one request
	Rate    float64       // requests per second over the whole fleet; 0: no limit
	AtOnce  int           // requests in flight in this process; 0: no limit
}

// Stores are the ports that keep things.
type Stores struct {
	Ledger    Ledger
	Backlog   Backlog
	Blocklist Blocklist
	Circuits  Circuits
	Pace      Pace
	Queue     Sender
	Outbox    Raiser
	Media     Media
	Ticks     TickSender // nil where ticks come often enough by themselves
}

// TickSender calls for ticks, one after each delay. It matters little when one
// is lost or comes twice.
type TickSender interface {
	SendTicks(ctx context.Context, delays []time.Duration) error
}

// Sender is the part of a Queue that wakes calls.
type Sender interface {
	Send(ctx context.Context, delay time.Duration, bodies ...[]byte) error
}

// Raiser is the part of an Outbox that takes alerts.
type Raiser interface {
	Raise(ctx context.Context, channels []string, a alert.Alert) error
}

// Providers are the four services. A nil CRM switches the record step off.
type Providers struct {
	Writer  Writer
	Speaker Speaker
	Dialer  Dialer
	CRM     CRM
}

// Options are what an Agent is made of. All fields are required unless they
// say otherwise.
type Options struct {
	Stores
	Providers
	Journal  Journal
	Clock    Clock
	Random   func() float64    // in [0, 1); safe for concurrent use
	NewID    func() string     // never the same twice
	Holder   string            // names this process in leases
	Policies map[string]Policy // by service
	Campaign func(name string) (call.Campaign, bool)
	From     string                    // caller id of campaigns that name none
	Number   func(phone string) string // keyed hash of a phone number
	// Zones gives the time zones that a contact may be in; nil or none means UTC.
	Zones func(c call.Contact) []*time.Location
	// ValidZone reports whether a contact's time zone exists; nil takes every
	// name.
	ValidZone func(name string) bool
	// CallbackURL is where the provider reports on an attempt; nil or "" for
	// nowhere.
	CallbackURL func(k call.Key, attempt string) string
	// Channels gives the channels that an alert goes to.
	Channels func(a alert.Alert) []string
	// WorksHeirs has a tick work the call that inherits a probe itself, because
	// its wake-up would stand behind all others on the queue, for longer than
	// the lease lasts.
	WorksHeirs bool
	// Skew is how far apart the clocks of the fleet may be; 0 on one machine.
	Skew time.Duration
	// CircuitTimeout is the time limit of the circuit store; 0: StoreTimeout.
	CircuitTimeout time.Duration
	// Stopping reports that no further step may be started; nil for never.
	Stopping func() bool
}

// Agent walks calls. Make one with New.
type Agent struct {
	Options
	services map[string]*service
}

// service is what the agent keeps of one service in this process.
type service struct {
	Policy
	name    string
	circuit *Circuit
	slots   chan struct{} // one place for each request in flight; nil: no limit
	prober  Prober

	pauseSaid atomic.Int64 // the end of the last pause that the journal told (Unix ns)
}

// New assembles an agent. It does no I/O.
func New(o Options) *Agent {
	a := &Agent{Options: o, services: map[string]*service{}}
	if a.Stopping == nil {
		a.Stopping = func() bool { return false }
	}
	probers := map[string]Prober{LLM: o.Writer, ElevenLabs: o.Speaker, Twilio: o.Dialer}
	if o.CRM != nil {
		probers[CRMService] = o.CRM
	}
	for name, prober := range probers {
		p := o.Policies[name]
		s := &service{Policy: p, name: name, prober: prober}
		s.circuit = NewCircuit(name, p.Circuit, CircuitOptions{Store: o.Circuits, Clock: o.Clock, NewID: o.NewID, Journal: o.Journal, Timeout: o.CircuitTimeout})
		if p.AtOnce > 0 {
			s.slots = make(chan struct{}, p.AtOnce)
		}
		a.services[name] = s
	}
	return a
}

// Circuit gives the circuit of a service as this process sees it; nil for a
// service that is switched off.
func (a *Agent) Circuit(service string) *Circuit {
	if s := a.services[service]; s != nil {
		return s.circuit
	}
	return nil
}

// Verdict says what is to become of a message.
type Verdict struct {
	Do     VerdictDo
	At     time.Time // when it has to come again, if Do is Again
	Reason string    // for the journal; for the dead letter, if Do is Reject
	State  call.State
}

// VerdictDo is the verdict itself. The zero value is Done.
type VerdictDo uint8

// The verdicts.
const (
	Done   VerdictDo = iota // remove it: the ledger holds what is left to do
	Again                   // let it come again at At
	Reject                  // it can never be worked: to the dead letters
)

// write puts one event about a call into the journal.
func (a *Agent) write(l journal.Level, service, event, message string, c call.Call) {
	e := journal.Entry{Time: a.Clock.Now(), Level: l, Service: service, Event: event, Message: message}
	if service != "" {
		e.Circuit = a.circuitState(service)
	}
	if c.Key != (call.Key{}) {
		e.CallID, e.Contact, e.Campaign = c.Key.String(), c.Key.Contact, c.Key.Campaign
	}
	a.Journal.Write(e)
}

// circuitState is the state that this process last saw.
func (a *Agent) circuitState(service string) string {
	if s := a.services[service]; s != nil {
		return s.circuit.Seen().State.String()
	}
	return ""
}
