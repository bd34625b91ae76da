package agent_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"callagent/core/agent"
	"callagent/core/call"
	"callagent/core/fault"
)

// services plays the four providers: each request takes a while and then
// works, unless a script says otherwise.
type services struct {
	clock *clock
	took  time.Duration
	watch func(service, verb, contact string) // sees each request of a call before it is answered

	mu       sync.Mutex
	scripts  map[string][]*script // by service, the first that applies counts
	requests []request
	rings    []*ring
	entries  map[string]call.Entry // by CRM id
}

// request is one that arrived at a provider.
type request struct {
	at      time.Time
	service string
	verb    string
	contact string // "" for probes
	fault   *fault.Fault
}

func (r request) String() string {
	s := fmt.Sprintf("%s %s", r.service, r.verb)
	if r.contact != "" {
		s += " " + r.contact
	}
	if r.fault != nil {
		s += fmt.Sprintf(": %s", r.fault.Message)
	}
	return s
}

// script makes some requests of a service fail.
type script struct {
	verb     string // "" for every verb
	contact  string // "" for every contact
	from, to time.Time
	times    int // how often it applies; 0: always
	fault    *fault.Fault
	during   func() // happens while the request is under way; nil for nothing
}

// ring is a call at the telephony provider.
type ring struct {
	call.Look
	attempt  string
	contact  string
	lasts    time.Duration // until the provider's final answer
	ends     call.Result
	canceled bool
}

func newServices(c *clock) *services {
	return &services{
		clock: c, took: 200 * time.Millisecond,
		scripts: map[string][]*script{}, entries: map[string]call.Entry{},
	}
}

// on adds a script to a service.
func (s *services) on(service string, sc script) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.scripts[service] = append(s.scripts[service], &sc)
}

// arrive takes a request, lets its time pass and gives the fault it meets.
func (s *services) arrive(ctx context.Context, service, verb, contact string) *fault.Fault {
	now := s.clock.Now()
	if err := ctx.Err(); err != nil {
		return &fault.Fault{Service: service, Message: "not sent", Cause: err}
	}
	s.watch(service, verb, contact)
	sc := s.next(service, verb, contact, now)
	if sc != nil && sc.during != nil {
		sc.during()
	}
	var f *fault.Fault
	if err := s.clock.Sleep(ctx, s.took); err != nil {
		f = &fault.Fault{Service: service, Message: "cut off", Cause: err}
		if verb == "dial" { // it had been sent
			f.Class = fault.Ambiguous
		}
	} else if sc != nil && sc.fault != nil {
		g := *sc.fault
		g.Service = service
		f = &g
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.requests = append(s.requests, request{at: now, service: service, verb: verb, contact: contact, fault: f})
	return f
}

func (s *services) next(service, verb, contact string, now time.Time) *script {
	s.mu.Lock()
	defer s.mu.Unlock()
	for i, sc := range s.scripts[service] {
		if sc.verb != "" && sc.verb != verb || sc.contact != "" && sc.contact != contact ||
			now.Before(sc.from) || !sc.to.IsZero() && !now.Before(sc.to) {
			continue
		}
		if sc.times > 0 {
			if sc.times--; sc.times == 0 {
				s.scripts[service] = slices.Delete(s.scripts[service], i, i+1)
			}
		}
		return sc
	}
	return nil
}

// sent lists what arrived at a service, in the order it was answered.
func (s *services) sent(service, verb string) []request {
	s.mu.Lock()
	defer s.mu.Unlock()
	var found []request
	for _, r := range s.requests {
		if r.service == service && (verb == "" || r.verb == verb) {
			found = append(found, r)
		}
	}
	return found
}

func (s *services) probe(ctx context.Context, service string, _ *fault.Fault) error {
	return asError(s.arrive(ctx, service, "probe", ""))
}

func (s *services) Script(ctx context.Context, r call.ScriptRequest) (string, error) {
	_, contact, _ := strings.Cut(r.System, "Call ")
	if f := s.arrive(ctx, agent.LLM, "script", contact); f != nil {
		return "", f
	}
	return "Hello " + contact, nil
}

func (s *services) Speak(ctx context.Context, r call.SpeechRequest) (call.Audio, error) {
	contact := strings.TrimPrefix(r.Text, "Hello ")
	if f := s.arrive(ctx, agent.ElevenLabs, "speak", contact); f != nil {
		return call.Audio{}, f
	}
	return call.Audio{Data: []byte(r.Text), ContentType: "audio/mpeg"}, nil
}

func (s *services) Record(ctx context.Context, e call.Entry) (string, error) {
	if f := s.arrive(ctx, agent.CRMService, "record", e.Key.Contact); f != nil {
		return "", f
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	id := "crm-" + e.Key.Contact
	s.entries[id] = e
	return id, nil
}

// Dial rings the number unless a fault says that it does not. An ambiguous
// fault rings it all the same, if its code is not "lost request".
func (s *services) Dial(ctx context.Context, r call.DialRequest) (string, error) {
	contact := contactOf(r.To)
	created := s.clock.Now()
	f := s.arrive(ctx, agent.Twilio, "dial", contact)
	if f != nil && (f.Class != fault.Ambiguous || f.Code == "lost request") {
		return "", f
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	rung := &ring{attempt: r.Attempt, contact: contact, lasts: 10 * time.Second, ends: call.Answered}
	rung.Look = call.Look{SID: fmt.Sprintf("CA%d", len(s.rings)+1), To: r.To, From: r.From, Created: created}
	s.rings = append(s.rings, rung)
	return rung.SID, asError(f)
}

func (s *services) Look(ctx context.Context, sid string) (call.Look, error) {
	rung := s.ring(sid)
	if rung == nil {
		return call.Look{}, &fault.Fault{Service: agent.Twilio, Class: fault.Permanent, Kind: fault.NotFound, Scope: fault.Contact}
	}
	if f := s.arrive(ctx, agent.Twilio, "look", rung.contact); f != nil {
		return call.Look{}, f
	}
	return s.reading(rung), nil
}

func (s *services) List(ctx context.Context, to, from string, since time.Time) ([]call.Look, error) {
	if f := s.arrive(ctx, agent.Twilio, "list", contactOf(to)); f != nil {
		return nil, f
	}
	s.mu.Lock()
	rings := slices.Clone(s.rings)
	s.mu.Unlock()
	var found []call.Look
	for _, r := range rings {
		if r.To == to && r.From == from && !r.Created.Before(since) {
			found = append(found, s.reading(r))
		}
	}
	return found, nil
}

func (s *services) Cancel(ctx context.Context, sid string) error {
	rung := s.ring(sid)
	if f := s.arrive(ctx, agent.Twilio, "cancel", rung.contact); f != nil {
		return f
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	rung.canceled = true
	return nil
}

func (s *services) ring(sid string) *ring {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, r := range s.rings {
		if r.SID == sid {
			return r
		}
	}
	return nil
}

// reading is how a call stands at the provider now.
func (s *services) reading(r *ring) call.Look {
	s.mu.Lock()
	defer s.mu.Unlock()
	l := r.Look
	switch {
	case r.canceled:
		l.Status, l.Result, l.Queued = "canceled", call.Canceled, false
	case l.Queued:
		l.Status = "queued"
	case s.clock.Now().Before(l.Created.Add(r.lasts)):
		l.Status = "in-progress"
	default:
		l.Status, l.Result, l.Duration = "completed", r.ends, 8*time.Second
	}
	return l
}

// rung counts how often each contact was rung.
func (s *services) rung() map[string]int {
	s.mu.Lock()
	defer s.mu.Unlock()
	n := map[string]int{}
	for _, r := range s.rings {
		n[r.contact]++
	}
	return n
}

// asError keeps a nil fault a nil error.
func asError(f *fault.Fault) error {
	if f == nil {
		return nil
	}
	return f
}

// The faults that tests speak of, by name.
var faults = map[string]*fault.Fault{
	"503":          {Kind: fault.ServiceUnavailable, Status: 503},
	"timeout":      {Kind: fault.Timeout},
	"429":          {Kind: fault.Throttled, Status: 429},
	"429 for 40s":  {Kind: fault.Throttled, Status: 429, RetryAfter: 40 * time.Second},
	"429 for 2h":   {Kind: fault.Throttled, Status: 429, RetryAfter: 2 * time.Hour},
	"system_busy":  {Kind: fault.Throttled, Status: 429, Overload: true},
	"422":          {Class: fault.Permanent, Kind: fault.InvalidRequest, Scope: fault.Contact, Status: 422},
	"401":          {Class: fault.Permanent, Kind: fault.Authentication, Scope: fault.Account, Status: 401},
	"quota":        {Class: fault.Permanent, Kind: fault.QuotaExceeded, Scope: fault.Account, Status: 402},
	"21215":        {Class: fault.Permanent, Kind: fault.Permission, Scope: fault.Contact, Status: 400, Code: "21215", Suspect: true},
	"refused":      {Kind: fault.Network},
	"lost answer":  {Class: fault.Ambiguous, Kind: fault.Timeout},
	"lost request": {Class: fault.Ambiguous, Kind: fault.Timeout, Code: "lost request"},
	"canceled":     {Cause: context.Canceled},
}

func init() {
	for name, f := range faults {
		f.Message = name
	}
}
