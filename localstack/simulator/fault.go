package simulator

import (
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
)

// Fault is a stretch of time in which a service misbehaves.
type Fault struct {
	Service   string        // llm, elevenlabs, twilio, crm, telegram, email, webhook or sheets
	From, For time.Duration // begin and length in simulated time; a For of 0 never ends

	// Answer is an HTTP status ("503"; for email an SMTP code), or
	//   timeout      accepts the request and never answers
	//   reset        resets the connection before reading the request's body
	//   reset_after  reads the request, then resets the connection
	//   lost_answer  carries the request out, then closes the connection
	//   slow         carries the request out and answers after Delay
	//   malformed    answers 200 with a body that cannot be read
	//   empty        answers 200 without a body
	// Only lost_answer and slow have the request's effect.
	Answer string
	Delay  time.Duration // for slow

	// Rate is the share of requests that are hit; 0 and 1 are all of them.
	Rate float64
	// RetryAfter is the value of that header; Telegram has it in its body too.
	RetryAfter string
	// Code is the vendor's error code or word ("quota_exceeded", "20503",
	// "DAILY"); Telegram takes a whole description. "" is what the vendor
	// usually says with this status. "html" is a gateway's page instead of the
	// vendor's body, which 502, 504 and 52x are anyway.
	Code string
	// Route narrows the fault to one kind of request, such as create for
	// Twilio. "" is all of them, but a code that speaks of an exhausted quota
	// meets only the requests that cost something. For email it is connect,
	// auth, mail, rcpt or data, and "" the place where the reply belongs.
	Route string
}

const (
	answerTimeout    = "timeout"
	answerReset      = "reset"
	answerResetAfter = "reset_after"
	answerLost       = "lost_answer"
	answerSlow       = "slow"
	answerMalformed  = "malformed"
	answerEmpty      = "empty"
)

var answers = []string{answerTimeout, answerReset, answerResetAfter, answerLost, answerSlow, answerMalformed, answerEmpty}

// quotaCodes are the vendor codes that speak of money spent.
var quotaCodes = []string{"quota_exceeded", "insufficient_credits", "insufficient_quota", "credit_balance_exhausted",
	"organization_spend_limit_exceeded", "project_spend_limit_exceeded", "organization_usage_limit_exceeded",
	"billing_hard_limit_reached"}

// status is the HTTP status or SMTP code to answer with; 0 for the words.
func (f Fault) status() int {
	n, err := strconv.Atoi(f.Answer)
	if err != nil {
		return 0
	}
	return n
}

// gateway reports whether a proxy answers in place of the vendor.
func (f Fault) gateway() bool {
	n := f.status()
	return f.Code == "html" || f.Code == "" && (n == 502 || n == 504 || n >= 520 && n < 530)
}

// hits reports whether a request of this route is one that the fault is for.
func (f Fault) hits(service, route string, paid bool) bool {
	switch {
	case f.Service != service:
		return false
	case f.Route != "":
		return f.Route == route
	case service == email:
		return f.stage() == route
	default:
		return paid || !slices.Contains(quotaCodes, f.Code)
	}
}

// schedule is the time line of faults.
type schedule struct {
	clock  Clock
	seed   int64
	routes map[string][]string // the names by service

	mu      sync.Mutex
	planned []*planned
	added   uint64
}

type planned struct {
	Fault
	begin, end time.Time // a zero end never comes
	draw       *rand.Rand
}

func newSchedule(clock Clock, seed int64, apis []api) *schedule {
	s := &schedule{clock: clock, seed: seed, routes: map[string][]string{email: mailStages}}
	for _, a := range apis {
		for _, r := range a.routes() {
			if !slices.Contains(s.routes[a.name()], r.name) {
				s.routes[a.name()] = append(s.routes[a.name()], r.name)
			}
		}
	}
	return s
}

func (s *schedule) add(faults []Fault) error {
	var bad []error
	for i, f := range faults {
		if err := s.check(f); err != nil {
			bad = append(bad, fmt.Errorf("simulator: fault %d: %w", i+1, err))
		}
	}
	if bad != nil {
		return errors.Join(bad...)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	now := s.clock.Now()
	for _, f := range faults {
		s.added++
		p := &planned{Fault: f, begin: now.Add(f.From), draw: rand.New(rand.NewPCG(uint64(s.seed), s.added))}
		if f.For > 0 {
			p.end = p.begin.Add(f.For)
		}
		s.planned = append(s.planned, p)
	}
	return nil
}

func (s *schedule) check(f Fault) error {
	routes, known := s.routes[f.Service]
	switch n := f.status(); {
	case !known:
		return fmt.Errorf("no service %q, only %s", f.Service, strings.Join(slices.Sorted(maps.Keys(s.routes)), ", "))
	case f.Route != "" && !slices.Contains(routes, f.Route):
		return fmt.Errorf("%s has no route %q, only %s", f.Service, f.Route, strings.Join(routes, ", "))
	case !slices.Contains(answers, f.Answer) && (n < 300 || n > 599):
		return fmt.Errorf("answer %q is neither a status from 300 to 599 nor one of %s", f.Answer, strings.Join(answers, ", "))
	case f.Answer == answerSlow && f.Delay <= 0:
		return errors.New("slow needs a delay")
	case f.Rate < 0 || f.Rate > 1:
		return fmt.Errorf("rate %v is not between 0 and 1", f.Rate)
	case f.From < 0 || f.For < 0:
		return errors.New("a time is negative")
	}
	return nil
}

func (s *schedule) clear() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.planned = nil
}

// pick gives the fault that hits a request which arrives now. The zero Fault
// has no Answer and stands for none.
func (s *schedule) pick(service, route string, paid bool) Fault {
	now := s.clock.Now()
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, p := range s.planned {
		if !p.on(now) || !p.hits(service, route, paid) {
			continue
		}
		if p.Rate == 0 || p.Rate == 1 || p.draw.Float64() < p.Rate {
			return p.Fault
		}
	}
	return Fault{}
}

// spent reports whether a fault that speaks of an exhausted quota is on.
func (s *schedule) spent(service string) bool {
	now := s.clock.Now()
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.ContainsFunc(s.planned, func(p *planned) bool {
		return p.on(now) && p.Service == service && slices.Contains(quotaCodes, p.Code)
	})
}

func (p *planned) on(now time.Time) bool {
	return !now.Before(p.begin) && (p.end.IsZero() || now.Before(p.end))
}
