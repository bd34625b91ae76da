package fault_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"callagent/core/fault"
)

func TestError(t *testing.T) {
	for _, c := range []struct {
		fault fault.Fault
		want  string
	}{
		{fault.Fault{}, "unknown"},
		{fault.Fault{Service: "llm"}, "llm: unknown"},
		{fault.Fault{Service: "elevenlabs", Kind: fault.ServiceUnavailable, Status: 503}, "elevenlabs: service_unavailable (503)"},
		{fault.Fault{Service: "twilio", Kind: fault.InvalidRequest, Status: 400, Code: "21211"}, "twilio: invalid_request (400) 21211"},
		{fault.Fault{Kind: fault.ServiceUnavailable, Status: 503, Code: "service_unavailable"}, "service_unavailable (503)"}, // said once
		{fault.Fault{Kind: fault.Timeout, Message: "no answer in 10 s"}, "timeout: no answer in 10 s"},
		{fault.Fault{Service: "crm", Kind: fault.Permission, Status: 403, Code: "MISSING_SCOPES", Message: "the token lacks a scope"},
			"crm: permission (403) MISSING_SCOPES: the token lacks a scope"},
	} {
		if got := c.fault.Error(); got != c.want {
			t.Errorf("Error() = %q, want %q", got, c.want)
		}
	}
}

// What lies underneath was never checked for secrets, so it is not shown.
func TestErrorKeepsItsCauseToItself(t *testing.T) {
	f := &fault.Fault{Service: "llm", Cause: errors.New("Bearer sk-secret")}
	if got, want := f.Error(), "llm: unknown"; got != want {
		t.Errorf("Error() = %q, want %q", got, want)
	}
}

func TestUnwrapReachesTheCause(t *testing.T) {
	f := &fault.Fault{Kind: fault.Network, Cause: fmt.Errorf("read: %w", io.ErrUnexpectedEOF)}
	wrapped := fmt.Errorf("speech: %w", f)
	if !errors.Is(wrapped, io.ErrUnexpectedEOF) {
		t.Error("errors.Is does not reach the cause through the fault")
	}
	var found *fault.Fault
	if !errors.As(wrapped, &found) || found != f {
		t.Errorf("errors.As found %v, want the fault itself", found)
	}
	if (&fault.Fault{}).Unwrap() != nil {
		t.Error("a fault without a cause unwraps to something")
	}
	cancelled := &fault.Fault{Cause: context.Canceled}
	if !errors.Is(cancelled, context.Canceled) {
		t.Error("a cancelled request does not look cancelled")
	}
}

func TestFrom(t *testing.T) {
	if got := fault.From("llm", nil); got != nil {
		t.Errorf("From(nil) = %v, want nil", got)
	}

	named := &fault.Fault{Service: "twilio", Kind: fault.Timeout}
	for _, err := range []error{named, fmt.Errorf("dial: %w", named), errors.Join(io.EOF, named)} {
		if got := fault.From("llm", err); got != named {
			t.Errorf("From(%v) = %v, want the fault in the chain", err, got)
		}
	}

	nameless := &fault.Fault{Kind: fault.Timeout, Status: 504}
	want := &fault.Fault{Service: "llm", Kind: fault.Timeout, Status: 504}
	if diff := cmp.Diff(want, fault.From("llm", nameless)); diff != "" {
		t.Errorf("a fault without a service (-want +got):\n%s", diff)
	}
	if nameless.Service != "" {
		t.Error("From changed the fault it was given")
	}
}

func TestFromHidesWhatNobodyClassified(t *testing.T) {
	cause := errors.New("https://api.example.com/bot123:secret/send")
	got := fault.From("telegram", cause)
	if want := "telegram: unknown: an error that its adapter did not classify"; got.Error() != want {
		t.Errorf("Error() = %q, want %q", got, want)
	}
	if got.Class != fault.Transient || got.Kind != fault.Unknown || got.Scope != fault.Service {
		t.Errorf("From = %s, %s, %s; want an unknown transient fault of the service", got.Class, got.Kind, got.Scope)
	}
	if !errors.Is(got, cause) {
		t.Error("the error itself is lost")
	}
}

func TestSettle(t *testing.T) {
	const hour = fault.MaxRetryAfter
	for _, c := range []struct {
		name     string
		in, want fault.Fault
	}{
		{"a throttle without a wait",
			fault.Fault{Kind: fault.Throttled},
			fault.Fault{Kind: fault.Throttled}},
		{"a throttle of an hour is believed",
			fault.Fault{Kind: fault.Throttled, RetryAfter: hour},
			fault.Fault{Kind: fault.Throttled, RetryAfter: hour}},
		{"a throttle of more than an hour is a quota of the account",
			fault.Fault{Service: "crm", Kind: fault.Throttled, Status: 429, Code: "DAILY", RetryAfter: hour + 1},
			fault.Fault{Service: "crm", Class: fault.Permanent, Kind: fault.QuotaExceeded, Scope: fault.Account, Status: 429, Code: "DAILY", RetryAfter: hour}},
		{"so is one by overload",
			fault.Fault{Kind: fault.Throttled, Overload: true, RetryAfter: 24 * hour},
			fault.Fault{Class: fault.Permanent, Kind: fault.QuotaExceeded, Scope: fault.Account, Overload: true, RetryAfter: hour}},
		{"an outage announced for a day is looked at again after an hour",
			fault.Fault{Kind: fault.ServiceUnavailable, Status: 503, RetryAfter: 24 * hour},
			fault.Fault{Kind: fault.ServiceUnavailable, Status: 503, RetryAfter: hour}},
		{"an outage of minutes is believed",
			fault.Fault{Kind: fault.ServiceUnavailable, RetryAfter: 5 * time.Minute},
			fault.Fault{Kind: fault.ServiceUnavailable, RetryAfter: 5 * time.Minute}},
	} {
		before := c.in
		if diff := cmp.Diff(&c.want, c.in.Settle()); diff != "" {
			t.Errorf("%s (-want +got):\n%s", c.name, diff)
		}
		if c.in != before {
			t.Errorf("%s: Settle changed the fault it was given", c.name)
		}
		if diff := cmp.Diff(&c.want, c.in.Settle().Settle()); diff != "" {
			t.Errorf("%s: settling twice is not settling once (-want +got):\n%s", c.name, diff)
		}
	}
}

func TestEscalate(t *testing.T) {
	in := fault.Fault{Service: "twilio", Class: fault.Permanent, Kind: fault.Permission, Scope: fault.Contact,
		Status: 400, Code: "21215", Suspect: true}
	before := in
	want := &fault.Fault{Service: "twilio", Class: fault.Permanent, Kind: fault.Permission, Scope: fault.Account,
		Status: 400, Code: "21215"}
	if diff := cmp.Diff(want, in.Escalate()); diff != "" {
		t.Errorf("Escalate (-want +got):\n%s", diff)
	}
	if in != before {
		t.Error("Escalate changed the fault it was given")
	}
	if got := in.Escalate().Treatment().Name; got != "permanent, account" {
		t.Errorf("an escalated fault is treated as %q, want the account's", got)
	}
}

func TestJSONRoundTrip(t *testing.T) {
	for _, c := range []struct {
		fault fault.Fault
		want  string
	}{
		{fault.Fault{}, `{"class":"transient","kind":"unknown","scope":"service","service":""}`},
		{fault.Fault{Class: fault.Permanent, Kind: fault.QuotaExceeded, Scope: fault.Account, Service: "elevenlabs",
			Status: 401, Code: "quota_exceeded", Message: "no credits left"},
			`{"class":"permanent","kind":"quota_exceeded","scope":"account","service":"elevenlabs","status":401,"code":"quota_exceeded","message":"no credits left"}`},
		{fault.Fault{Kind: fault.Throttled, Service: "elevenlabs", Overload: true, RetryAfter: 2 * time.Second},
			`{"class":"transient","kind":"throttled","scope":"service","service":"elevenlabs","retry_after":2000000000,"overload":true}`},
		{fault.Fault{Class: fault.Permanent, Kind: fault.Permission, Scope: fault.Contact, Service: "twilio", Suspect: true},
			`{"class":"permanent","kind":"permission","scope":"contact","service":"twilio","suspect":true}`},
		{fault.Fault{Class: fault.Ambiguous, Kind: fault.Timeout, Service: "twilio"},
			`{"class":"ambiguous","kind":"timeout","scope":"service","service":"twilio"}`},
	} {
		got, err := json.Marshal(c.fault)
		if err != nil || string(got) != c.want {
			t.Errorf("Marshal = %s, %v; want %s", got, err, c.want)
		}
		var back fault.Fault
		if err := json.Unmarshal([]byte(c.want), &back); err != nil || back != c.fault {
			t.Errorf("Unmarshal(%s) = %+v, %v; want %+v", c.want, back, err, c.fault)
		}
	}
}

// A cause may hold what must not be stored.
func TestJSONLeavesTheCauseOut(t *testing.T) {
	with, err := json.Marshal(fault.Fault{Service: "llm", Cause: errors.New("secret")})
	if err != nil {
		t.Fatal(err)
	}
	without, _ := json.Marshal(fault.Fault{Service: "llm"})
	if string(with) != string(without) {
		t.Errorf("Marshal = %s, want %s", with, without)
	}
}

func TestJSONRefusesNamesThatDoNotExist(t *testing.T) {
	for in, want := range map[string]string{
		`{"class":"temporary"}`: `fault: no class is called "temporary"`,
		`{"kind":"503"}`:        `fault: no kind is called "503"`,
		`{"scope":"world"}`:     `fault: no scope is called "world"`,
		`{"kind":""}`:           `fault: no kind is called ""`,
	} {
		var f fault.Fault
		if err := json.Unmarshal([]byte(in), &f); err == nil || err.Error() != want {
			t.Errorf("Unmarshal(%s) fails with %v, want %q", in, err, want)
		}
	}
}
