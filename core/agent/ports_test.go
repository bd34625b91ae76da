package agent_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"callagent/core/agent"
	"callagent/core/alert"
	"callagent/core/breaker"
	"callagent/core/call"
	"callagent/core/fault"
)

// ports is everything that a process reaches the world through. It writes each
// use down and lets a test meddle with it.
type ports struct {
	mu     sync.Mutex
	log    []string
	meddle func(use string) meddling // nil: nothing is meddled with
}

// meddling is what happens to one use of a port.
type meddling uint8

const (
	none      meddling = iota
	refuse             // it fails and has no effect
	miss               // what it is asked for is not there, and never will be
	lose               // it has its effect and its answer is lost
	dieBefore          // the process dies before it has any effect
	dieAfter           // the process dies before it learns the answer
)

// death is what a dying process panics with.
type death struct{ use string }

// errSilent is what a port says that does not answer. It carries what must
// never reach a journal or an alert.
var errSilent = errors.New("no answer to " + plantedSecret + " about " + plantedPhone + "00")

// use goes through a port, or what the meddling makes of it.
func use[T any](p *ports, name string, do func() (T, error)) (T, error) {
	p.mu.Lock()
	p.log = append(p.log, name)
	p.mu.Unlock()
	var what meddling
	if p.meddle != nil {
		what = p.meddle(name)
	}
	var zero T
	switch what {
	case refuse:
		return zero, errSilent
	case miss:
		return zero, &fault.Fault{Class: fault.Permanent, Kind: fault.NotFound, Scope: fault.Contact, Service: "media"}
	case dieBefore:
		panic(death{name})
	}
	v, err := do()
	switch what {
	case lose:
		return zero, errSilent
	case dieAfter:
		panic(death{name})
	}
	return v, err
}

// do is use for a port without a result.
func do(p *ports, name string, act func() error) error {
	_, err := use(p, name, func() (struct{}, error) { return struct{}{}, act() })
	return err
}

// The ports, each with its meddler in front.
type (
	portedLedger struct {
		agent.Ledger
		p *ports
	}
	portedBacklog struct {
		agent.Backlog
		p *ports
	}
	portedBlocklist struct {
		agent.Blocklist
		p *ports
	}
	portedCircuits struct {
		agent.Circuits
		p *ports
	}
	portedPace struct {
		agent.Pace
		p *ports
	}
	portedSender struct {
		agent.Sender
		p *ports
	}
	portedRaiser struct {
		agent.Raiser
		p *ports
	}
	portedMedia struct {
		agent.Media
		p *ports
	}
)

func (l portedLedger) Get(ctx context.Context, k call.Key) (call.Call, error) {
	return use(l.p, "ledger: get", func() (call.Call, error) { return l.Ledger.Get(ctx, k) })
}

func (l portedLedger) Put(ctx context.Context, w call.Write) error {
	name := "ledger: put " + string(w.Call.State)
	name += [...]string{"", ", take number", ", free number", ", withdraw number"}[w.Number]
	if w.Own != "" {
		name += ", own sid"
	}
	return do(l.p, name, func() error { return l.Ledger.Put(ctx, w) })
}

func (l portedLedger) Answer(ctx context.Context, k call.Key, attempt string, a call.Answer) (call.Call, error) {
	return use(l.p, "ledger: answer", func() (call.Call, error) { return l.Ledger.Answer(ctx, k, attempt, a) })
}

func (l portedLedger) Owner(ctx context.Context, sid string) (call.Key, error) {
	return use(l.p, "ledger: owner", func() (call.Key, error) { return l.Ledger.Owner(ctx, sid) })
}

func (b portedBacklog) Due(ctx context.Context, t time.Time, limit int) ([]call.Call, error) {
	return use(b.p, "backlog: due", func() ([]call.Call, error) { return b.Backlog.Due(ctx, t, limit) })
}

func (b portedBacklog) Parked(ctx context.Context, service string, unsent time.Time, limit int) ([]call.Call, error) {
	return use(b.p, "backlog: parked", func() ([]call.Call, error) { return b.Backlog.Parked(ctx, service, unsent, limit) })
}

func (b portedBacklog) Stamp(ctx context.Context, c call.Call, at time.Time) error {
	return do(b.p, "backlog: stamp", func() error { return b.Backlog.Stamp(ctx, c, at) })
}

func (b portedBlocklist) Blocked(ctx context.Context, number string) (bool, error) {
	return use(b.p, "blocklist: blocked", func() (bool, error) { return b.Blocklist.Blocked(ctx, number) })
}

func (c portedCircuits) Load(ctx context.Context, service string) (breaker.Record, error) {
	return use(c.p, "circuits: load "+service, func() (breaker.Record, error) { return c.Circuits.Load(ctx, service) })
}

func (c portedCircuits) Swap(ctx context.Context, r breaker.Record) (breaker.Record, error) {
	return use(c.p, fmt.Sprintf("circuits: swap %s %s", r.Service, r.State), func() (breaker.Record, error) { return c.Circuits.Swap(ctx, r) })
}

func (s portedPace) Slot(ctx context.Context, service string, every time.Duration, now time.Time) (time.Time, error) {
	return use(s.p, "pace: slot", func() (time.Time, error) { return s.Pace.Slot(ctx, service, every, now) })
}

func (s portedSender) Send(ctx context.Context, delay time.Duration, bodies ...[]byte) error {
	return do(s.p, "queue: send", func() error { return s.Sender.Send(ctx, delay, bodies...) })
}

func (r portedRaiser) Raise(ctx context.Context, channels []string, a alert.Alert) error {
	return do(r.p, "outbox: raise "+string(a.Kind), func() error { return r.Raiser.Raise(ctx, channels, a) })
}

func (m portedMedia) Put(ctx context.Context, name, contentType string, data []byte) (string, error) {
	return use(m.p, "media: put", func() (string, error) { return m.Media.Put(ctx, name, contentType, data) })
}

func (m portedMedia) Get(ctx context.Context, ref string) ([]byte, error) {
	return use(m.p, "media: get", func() ([]byte, error) { return m.Media.Get(ctx, ref) })
}

func (m portedMedia) Link(ctx context.Context, ref string) (string, error) {
	return use(m.p, "media: link", func() (string, error) { return m.Media.Link(ctx, ref) })
}

// portedService is one of the four services behind the meddler. A service that
// is silent on a dial may have executed it.
type portedService struct {
	*services
	p *ports
}

func (s portedService) Script(ctx context.Context, r call.ScriptRequest) (string, error) {
	return use(s.p, "llm: script", func() (string, error) { return s.services.Script(ctx, r) })
}

func (s portedService) Speak(ctx context.Context, r call.SpeechRequest) (call.Audio, error) {
	return use(s.p, "elevenlabs: speak", func() (call.Audio, error) { return s.services.Speak(ctx, r) })
}

func (s portedService) Dial(ctx context.Context, r call.DialRequest) (string, error) {
	sid, err := use(s.p, "twilio: dial", func() (string, error) { return s.services.Dial(ctx, r) })
	if errors.Is(err, errSilent) {
		err = &fault.Fault{Service: agent.Twilio, Class: fault.Ambiguous, Kind: fault.Timeout, Cause: err}
	}
	return sid, err
}

func (s portedService) Look(ctx context.Context, sid string) (call.Look, error) {
	return use(s.p, "twilio: look", func() (call.Look, error) { return s.services.Look(ctx, sid) })
}

func (s portedService) List(ctx context.Context, to, from string, since time.Time) ([]call.Look, error) {
	return use(s.p, "twilio: list", func() ([]call.Look, error) { return s.services.List(ctx, to, from, since) })
}

func (s portedService) Cancel(ctx context.Context, sid string) error {
	return do(s.p, "twilio: cancel", func() error { return s.services.Cancel(ctx, sid) })
}

func (s portedService) Record(ctx context.Context, e call.Entry) (string, error) {
	return use(s.p, "crm: record", func() (string, error) { return s.services.Record(ctx, e) })
}

// portedProbe is the cheap request of one service.
type portedProbe struct {
	portedService
	name string
}

func (s portedProbe) Probe(ctx context.Context, last *fault.Fault) error {
	return do(s.p, s.name+": probe", func() error { return s.services.probe(ctx, s.name, last) })
}
