package simulator

import (
	"maps"
	"slices"
	"strings"
	"sync"
	"time"
)

// Request is one request as a provider saw it.
type Request struct {
	At       time.Time `json:"at"`
	Service  string    `json:"service"`
	Route    string    `json:"route,omitempty"` // "" for a path that the provider does not know
	Method   string    `json:"method"`
	Path     string    `json:"path"`             // without query and without Telegram's token
	Status   int       `json:"status,omitempty"` // what the client was told; 0: nothing, or nothing yet
	Fault    string    `json:"fault,omitempty"`  // the Answer of the fault that hit it
	Executed bool      `json:"executed"`         // its effect took place, whatever the client was told
}

// journal is the list of requests in the order of their arrival.
type journal struct {
	mu       sync.Mutex
	requests []Request
}

// open enters a request and returns its place.
func (j *journal) open(r Request) int {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.requests = append(j.requests, r)
	return len(j.requests) - 1
}

// close says how the request at that place ended.
func (j *journal) close(place, status int, executed bool) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.requests[place].Status, j.requests[place].Executed = status, executed
}

func (j *journal) all() []Request {
	j.mu.Lock()
	defer j.mu.Unlock()
	return slices.Clone(j.requests)
}

// shownPath hides the token that Telegram has in its paths.
func shownPath(service, path string) string {
	if rest, ok := strings.CutPrefix(path, "/bot"); ok && service == telegram {
		_, method, _ := strings.Cut(rest, "/")
		return "/bot***/" + method
	}
	return path
}

// Report is everything that happened so far. Phone numbers stand in it whole.
type Report struct {
	Requests     []Request      `json:"requests"`
	Rings        map[string]int `json:"rings"`
	Calls        []Call         `json:"calls"`
	AudioFetched int            `json:"audio_fetched"` // recordings that Twilio could play
	Telegram     []Chat         `json:"telegram"`
	Email        []Email        `json:"email"`
	Webhooks     []Hook         `json:"webhooks"`
	CRM          []Record       `json:"crm"`
	Sheet        []Tab          `json:"sheet"`
}

// Report copies what happened so far, each list in the order of its events.
func (s *Simulator) Report() Report {
	calls, fetched := s.phones.report()
	return Report{
		Requests:     s.Requests(),
		Rings:        s.Rings(),
		Calls:        calls,
		AudioFetched: fetched,
		Telegram:     s.chat.report(),
		Email:        s.mail.report(),
		Webhooks:     s.hooks.report(),
		CRM:          s.records.report(),
		Sheet:        s.Tabs(),
	}
}

// Requests lists the requests to all services in the order of their arrival.
// For email it has one entry for each message or refusal.
func (s *Simulator) Requests() []Request { return s.log.all() }

// Rings counts, by number, the calls that left Twilio's queue and made a phone
// ring, whether or not anybody picked up. A call that failed in the network is
// not among them.
func (s *Simulator) Rings() map[string]int {
	s.phones.mu.Lock()
	defer s.phones.mu.Unlock()
	return maps.Clone(s.phones.rings)
}

// Calls lists the calls that Twilio accepted, oldest first.
func (s *Simulator) Calls() []Call {
	calls, _ := s.phones.report()
	return calls
}
