// Package simulator plays the providers that a call agent talks to: OpenAI,
// ElevenLabs, Twilio, HubSpot, Telegram, Google Sheets, a mail server and a
// webhook receiver.
//
// Each of them listens on a port of its own and is faithful on the wire, so
// that a client needs nothing but another base URL. Faults are scripted on a
// time line, and everything that happened can be read back: above all how
// often each phone rang. The package shares no code with the clients, so that
// one misreading of a provider cannot hide on both sides; of Google's library
// it takes the types that Google generates from its own description.
package simulator

import (
	"context"
	"fmt"
	"maps"
	"net"
	"net/http"
	"strconv"
	"sync"
	"time"
)

// Config says what a simulator is like. Its zero value is usable: wall clock,
// no faults, test keys, every call answered.
type Config struct {
	Clock  Clock   // nil: the wall clock
	Faults []Fault // counted from Start
	Seed   int64   // for ids and for faults with a rate; equal seeds repeat them
	Keys   Keys    // empty fields get test values

	Host string // where to listen; "" is 127.0.0.1
	Port int    // the first of nine ports in a row; 0 lets the system choose them

	// Numbers says what happens to a phone, by its E.164 number. The outcomes
	// are answered (the default), busy, no-answer, voicemail, fax, failed and
	// stuck, which never leaves Twilio's queue; the refusals are invalid,
	// unreachable, geo, blocked, unverified and premium. Twilio's own magic
	// numbers are refused as Twilio refuses them.
	Numbers map[string]string
	Ring    time.Duration // until somebody picks up; 0 is 1 s
	Talk    time.Duration // from answer to hanging up; 0 is 2 s
	// CallsPerSecond is how fast calls leave Twilio's queue; 0 is at once.
	CallsPerSecond float64
	// NoCallbacks has Twilio report nothing by itself, as when its reports
	// cannot reach the client.
	NoCallbacks bool
	// Reach is where a host is that no name server knows, by the end of its
	// name: {".lambda-url.us-east-1.on.aws": "127.0.0.1:4576"}. Only Twilio's
	// own requests look here; what they say stays the same.
	Reach map[string]string

	// Account is the state of the Twilio account and what it owns.
	Account Account
	// Scopes are those of the HubSpot token; nil are the ones that it needs.
	Scopes []string
	// Properties are the custom properties of the CRM, by "contacts NAME" or
	// "calls NAME", and whether their values are unique. nil: whatever anybody
	// asks for is there and unique.
	Properties map[string]bool

	// SpeechAtOnce is how many ElevenLabs requests may run at once before
	// another is refused with 429; 0 is no bound. SpeechTime is how long one
	// of them takes.
	SpeechAtOnce int
	SpeechTime   time.Duration
}

// The services, as faults and reports name them.
const (
	llm        = "llm"
	elevenLabs = "elevenlabs"
	twilio     = "twilio"
	crm        = "crm"
	telegram   = "telegram"
	email      = "email"
	webhook    = "webhook"
	sheetsName = "sheets"
	control    = "control" // the simulator's own
)

// Simulator is a running set of providers. It is safe for concurrent use.
type Simulator struct {
	cfg    Config
	clock  Clock
	ids    *ids
	log    journal
	faults *schedule

	speech  *speechAPI
	phones  *phoneAPI
	records *crmAPI
	chat    *chatAPI
	mail    *mailServer
	hooks   *hookReceiver
	sheet   *sheetsAPI

	addresses map[string]string // host:port by service
	servers   []*http.Server

	ctx  context.Context // ends with Close
	stop context.CancelFunc

	mu      sync.Mutex
	closed  bool
	running sync.WaitGroup // everything that must end before Close returns
}

// Start listens and serves until Close. It reports a Config that makes no
// sense and ports that are taken.
func Start(cfg Config) (*Simulator, error) {
	if err := checkNumbers(cfg.Numbers); err != nil {
		return nil, err
	}
	cfg = withDefaults(cfg)
	ctx, stop := context.WithCancel(context.Background())
	s := &Simulator{cfg: cfg, clock: cfg.Clock, ids: &ids{seed: cfg.Seed}, ctx: ctx, stop: stop,
		addresses: map[string]string{}}
	s.speech = newSpeechAPI(s)
	s.phones = newPhoneAPI(s)
	s.records = &crmAPI{sim: s, index: map[string]*Record{}}
	s.chat = &chatAPI{sim: s}
	s.hooks = &hookReceiver{sim: s}
	s.mail = newMailServer(s)
	s.sheet = newSheetsAPI(s)
	apis := []api{&llmAPI{sim: s}, s.speech, s.phones, s.records, s.chat, s.hooks}
	s.faults = newSchedule(s.clock, cfg.Seed, append(apis, s.sheet))
	err := s.faults.add(cfg.Faults)
	for i, a := range apis {
		if err == nil {
			err = s.serveHTTP(a.name(), i, s.front(a))
		}
	}
	if err == nil {
		err = s.serveHTTP(control, len(apis), s.controls())
	}
	if err == nil {
		err = s.serveMail(len(apis) + 1)
	}
	if err == nil { // the last, so that the others keep their ports
		err = s.serveHTTP(sheetsName, len(apis)+2, s.front(s.sheet))
	}
	if err != nil {
		s.Close()
		return nil, err
	}
	return s, nil
}

func withDefaults(cfg Config) Config {
	if cfg.Clock == nil {
		cfg.Clock = wallClock{}
	}
	if cfg.Host == "" {
		cfg.Host = "127.0.0.1"
	}
	if cfg.Ring <= 0 {
		cfg.Ring = time.Second
	}
	if cfg.Talk <= 0 {
		cfg.Talk = 2 * time.Second
	}
	cfg.Keys = cfg.Keys.withDefaults()
	cfg.Numbers, cfg.Reach = maps.Clone(cfg.Numbers), maps.Clone(cfg.Reach)
	return cfg
}

// listen opens the nth port. Without fixed ports the system chooses.
func (s *Simulator) listen(service string, nth int) (net.Listener, error) {
	port := 0
	if s.cfg.Port > 0 {
		port = s.cfg.Port + nth
	}
	l, err := net.Listen("tcp", net.JoinHostPort(s.cfg.Host, strconv.Itoa(port)))
	if err != nil {
		return nil, fmt.Errorf("simulator: listen for %s: %w", service, err)
	}
	s.addresses[service] = l.Addr().String()
	return l, nil
}

func (s *Simulator) serveHTTP(service string, nth int, h http.Handler) error {
	l, err := s.listen(service, nth)
	if err != nil {
		return err
	}
	srv := &http.Server{Handler: h, ReadHeaderTimeout: time.Minute}
	s.servers = append(s.servers, srv)
	s.spawn(func() { _ = srv.Serve(l) })
	return nil
}

func (s *Simulator) serveMail(nth int) error {
	l, err := s.listen(email, nth)
	if err != nil {
		return err
	}
	s.mail.listener = l
	s.spawn(s.mail.serve)
	return nil
}

// Close ends all calls and connections and returns when nothing runs any
// more. It may be called again.
func (s *Simulator) Close() {
	s.mu.Lock()
	s.closed = true
	s.mu.Unlock()
	s.stop()
	for _, srv := range s.servers {
		_ = srv.Close()
	}
	s.mail.close()
	s.running.Wait()
	s.sheet.file.remove()
	s.phones.out.CloseIdleConnections()
}

// enter registers work that Close waits for; false means that it is too late
// to begin. Every true is followed by one s.running.Done.
func (s *Simulator) enter() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return false
	}
	s.running.Add(1)
	return true
}

// spawn runs work that ends with s.ctx.
func (s *Simulator) spawn(work func()) {
	if !s.enter() {
		return
	}
	go func() {
		defer s.running.Done()
		work()
	}()
}

// AddFaults puts faults on the time line; their From counts from now. The ones
// that came first win. It adds none when one of them makes no sense.
func (s *Simulator) AddFaults(faults ...Fault) error { return s.faults.add(faults) }

// ClearFaults takes all faults off the time line, those of the Config included.
func (s *Simulator) ClearFaults() { s.faults.clear() }
