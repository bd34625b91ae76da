package twilio_test

import (
	"context"
	"encoding/base64"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"

	"callagent/core/agent"
	"callagent/core/call"
	"callagent/core/fault"
	"callagent/infra/twilio"
)

var _ agent.Dialer = (*twilio.Client)(nil)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const (
	account = "AC00000000000000000000000000000001"
	token   = "token-of-the-account"
	sid     = "CA00000000000000000000000000000001"
	other   = "CA00000000000000000000000000000002"
	prefix  = "/2010-04-01/Accounts/" + account
	to      = "+15005550009"
	from    = "+15005550006"
)

// arrived is one request as the server saw it.
type arrived struct {
	Method, Target string
	Header         http.Header
	Form           url.Values
}

// api is a loopback Twilio that answers from a script and keeps what it gets.
type api struct {
	*httptest.Server
	mu       sync.Mutex
	requests []arrived
}

// serve answers the first request with the first answer and so on; further
// requests fail the test.
func serve(t *testing.T, answers ...http.HandlerFunc) *api {
	t.Helper()
	s := &api{}
	s.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			t.Errorf("reading the request: %v", err)
		}
		form, err := url.ParseQuery(string(body))
		if err != nil {
			t.Errorf("the body is no form: %v", err)
		}
		s.mu.Lock()
		s.requests = append(s.requests, arrived{r.Method, r.RequestURI, r.Header.Clone(), form})
		n := len(s.requests)
		s.mu.Unlock()
		if n > len(answers) {
			t.Errorf("request %d: only %d expected", n, len(answers))
			return
		}
		answers[n-1](w, r)
	}))
	t.Cleanup(s.Close)
	return s
}

// got lists the requests that have arrived.
func (s *api) got() []arrived {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.requests
}

func (s *api) client(t *testing.T) *twilio.Client {
	t.Helper()
	c := twilio.New(twilio.Config{AccountSID: account, AuthToken: token, BaseURL: s.URL + "/", Connect: time.Second})
	t.Cleanup(c.Close)
	return c
}

func says(status int, body string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(status)
		_, _ = io.WriteString(w, body)
	}
}

// onlyRequest checks what every request has in common and returns the one.
func (s *api) onlyRequest(t *testing.T) arrived {
	t.Helper()
	requests := s.got()
	if len(requests) != 1 {
		t.Fatalf("%d requests, want 1", len(requests))
	}
	want := "Basic " + base64.StdEncoding.EncodeToString([]byte(account+":"+token))
	if got := requests[0].Header.Get("Authorization"); got != want {
		t.Error("the Authorization header is not Basic with account and token")
	}
	return requests[0]
}

func request() call.DialRequest {
	return call.DialRequest{Attempt: "a-1", To: to, From: from, AudioURL: "https://example.com/a.mp3"}
}

func TestDialSendsWhatWasAsked(t *testing.T) {
	const play = "<Response><Play>https://example.com/a.mp3</Play></Response>"
	plain := url.Values{"To": {to}, "From": {from}, "Twiml": {play}}
	with := func(more url.Values) url.Values {
		all := url.Values{}
		for _, some := range []url.Values{plain, more} {
			for k, v := range some {
				all[k] = v
			}
		}
		return all
	}
	callbacks := url.Values{
		"StatusCallback":       {"https://example.com/status?attempt=a-1"},
		"StatusCallbackMethod": {"POST"},
		"StatusCallbackEvent":  {"initiated", "ringing", "answered", "completed"},
	}
	for name, tt := range map[string]struct {
		change func(*call.DialRequest)
		want   url.Values
	}{
		"the least": {func(*call.DialRequest) {}, plain},
		"the limits": {func(r *call.DialRequest) { r.RingTimeout, r.MaxLength = 25*time.Second, 2*time.Minute },
			with(url.Values{"Timeout": {"25"}, "TimeLimit": {"120"}})},
		"parts of seconds": {func(r *call.DialRequest) { r.RingTimeout, r.MaxLength = 1, 1500*time.Millisecond },
			with(url.Values{"Timeout": {"1"}, "TimeLimit": {"2"}})},
		"long ringing": {func(r *call.DialRequest) { r.RingTimeout = time.Hour }, with(url.Values{"Timeout": {"600"}})},
		"machines":     {func(r *call.DialRequest) { r.MachineDetection = true }, with(url.Values{"MachineDetection": {"Enable"}})},
		"callbacks":    {func(r *call.DialRequest) { r.CallbackURL = "https://example.com/status?attempt=a-1" }, with(callbacks)},
		"an address that needs escaping": {func(r *call.DialRequest) { r.AudioURL = "https://example.com/a?x=1&y=<'\">" },
			with(url.Values{"Twiml": {"<Response><Play>https://example.com/a?x=1&amp;y=&lt;&#39;&#34;&gt;</Play></Response>"}})},
	} {
		t.Run(name, func(t *testing.T) {
			s := serve(t, says(http.StatusCreated, `{"sid":"`+sid+`","status":"queued"}`))
			r := request()
			tt.change(&r)
			got, err := s.client(t).Dial(t.Context(), r)
			if err != nil || got != sid {
				t.Fatalf("Dial = %q, %v", got, err)
			}
			one := s.onlyRequest(t)
			if one.Method != http.MethodPost || one.Target != prefix+"/Calls.json" {
				t.Errorf("%s %s", one.Method, one.Target)
			}
			if got := one.Header.Get("Content-Type"); got != "application/x-www-form-urlencoded" {
				t.Errorf("Content-Type %q", got)
			}
			for _, name := range []string{"Idempotency-Key", "X-Idempotency-Key", "I-Twilio-Idempotency-Token"} {
				if _, there := one.Header[http.CanonicalHeaderKey(name)]; there {
					t.Errorf("the request carries %s", name)
				}
			}
			if diff := cmp.Diff(tt.want, one.Form); diff != "" {
				t.Errorf("form (-want +got):\n%s", diff)
			}
		})
	}
}

func TestDialRefusesWhatDoesNotFit(t *testing.T) {
	const frame = len("<Response><Play></Play></Response>")
	s := serve(t, says(http.StatusCreated, `{"sid":"`+sid+`"}`))
	c := s.client(t)
	r := request()
	r.AudioURL = strings.Repeat("ä", 4001-frame)
	_, err := c.Dial(t.Context(), r)
	var f *fault.Fault
	if !errors.As(err, &f) || f.Class != fault.Permanent || f.Scope != fault.Contact || !f.Suspect {
		t.Errorf("4001 characters: %+v", f)
	}
	if n := len(s.got()); n != 0 {
		t.Fatalf("4001 characters: %d requests", n)
	}
	r.AudioURL = strings.Repeat("ä", 4000-frame)
	if _, err := c.Dial(t.Context(), r); err != nil {
		t.Errorf("4000 characters: %v", err)
	}
}

func TestDialFollowsNoRedirect(t *testing.T) {
	s := serve(t, func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, prefix+"/Calls.json", http.StatusTemporaryRedirect)
	})
	if _, err := s.client(t).Dial(t.Context(), request()); err == nil {
		t.Error("a redirected dial gave no error")
	}
	s.onlyRequest(t)
}

func TestCancel(t *testing.T) {
	for name, tt := range map[string]struct {
		status int
		body   string
		want   *fault.Fault
	}{
		"withdrawn":    {200, `{"sid":"` + sid + `","status":"canceled"}`, nil},
		"already over": {400, `{"code":21220,"message":"Invalid call state","status":400}`, nil},
		"unknown call": {404, `{"code":20404,"message":"not found","status":404}`, &fault.Fault{Class: fault.Permanent,
			Kind: fault.NotFound, Scope: fault.Contact, Service: "twilio", Status: 404, Code: "20404", Message: "not found"}},
		"unclear": {500, `{"code":20500,"message":"oops","status":500}`, &fault.Fault{
			Kind: fault.ServiceUnavailable, Service: "twilio", Status: 500, Code: "20500", Message: "oops"}},
	} {
		t.Run(name, func(t *testing.T) {
			s := serve(t, says(tt.status, tt.body))
			err := s.client(t).Cancel(t.Context(), sid)
			if diff := cmp.Diff(tt.want, fault.From("", err)); diff != "" {
				t.Errorf("fault (-want +got):\n%s", diff)
			}
			one := s.onlyRequest(t)
			if one.Method != http.MethodPost || one.Target != prefix+"/Calls/"+sid+".json" {
				t.Errorf("%s %s", one.Method, one.Target)
			}
			if diff := cmp.Diff(url.Values{"Status": {"canceled"}}, one.Form); diff != "" {
				t.Errorf("form (-want +got):\n%s", diff)
			}
		})
	}
}

func TestProbe(t *testing.T) {
	refused := func(message string) *fault.Fault {
		return &fault.Fault{Class: fault.Permanent, Kind: fault.Permission, Scope: fault.Account,
			Service: "twilio", Status: 200, Message: message}
	}
	for body, want := range map[string]*fault.Fault{
		`{"status":"active","type":"Full"}`:  nil,
		`{"status":"active","type":"Trial"}`: nil,
		`{"status":"suspended"}`:             refused("the account is suspended, not active"),
		`{"status":"closed"}`:                refused("the account is closed, not active"),
		`{}`: {Kind: fault.BadResponse, Service: "twilio", Status: 200,
			Message: "its answer lacks what its API promises"},
	} {
		t.Run(body, func(t *testing.T) {
			s := serve(t, says(200, body))
			err := s.client(t).Probe(t.Context(), &fault.Fault{Kind: fault.QuotaExceeded})
			if diff := cmp.Diff(want, fault.From("", err)); diff != "" {
				t.Errorf("fault (-want +got):\n%s", diff)
			}
			if one := s.onlyRequest(t); one.Method != http.MethodGet || one.Target != prefix+".json" {
				t.Errorf("%s %s", one.Method, one.Target)
			}
		})
	}
}

// methods are the requests of a client, by the names that the tables use.
var methods = map[string]func(context.Context, *twilio.Client) error{
	"dial": func(ctx context.Context, c *twilio.Client) error { _, err := c.Dial(ctx, request()); return err },
	"look": func(ctx context.Context, c *twilio.Client) error { _, err := c.Look(ctx, sid); return err },
	"list": func(ctx context.Context, c *twilio.Client) error {
		_, err := c.List(ctx, to, from, time.Time{})
		return err
	},
	"cancel": func(ctx context.Context, c *twilio.Client) error { return c.Cancel(ctx, sid) },
	"probe":  func(ctx context.Context, c *twilio.Client) error { return c.Probe(ctx, nil) },
}
