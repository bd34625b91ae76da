// Package fault is the vocabulary of failure: what went wrong with one request
// to one service, and what that means for the retry, the circuit, the call and
// the people who watch it.
//
// Adapters classify, the core decides: an adapter turns a vendor's answer into
// a [Fault] in one function, and everything after that point reads only the
// [Treatment] of the fault. The table of treatments is the table in
// docs/faults.md, row for row.
//
// All values are immutable and safe for concurrent use.
package fault

import (
	"errors"
	"fmt"
	"strings"
	"time"
)

// Class says whether sending the same request again can help.
type Class uint8

// The classes. The zero Class is Transient: a fault nobody classified is tried
// again rather than given up.
const (
	// Transient faults pass by themselves: 5xx, 408, timeouts, broken
	// connections, an empty or malformed 200.
	Transient Class = iota
	// Permanent faults stay until somebody changes something: 400, 401, 403,
	// 404, 422, an exhausted quota.
	Permanent
	// Ambiguous faults leave open whether the request was executed. Only a
	// request with an effect that must not be repeated (the dial) has them.
	Ambiguous
)

// Kind says what went wrong. The names are stable: they appear in journals,
// metrics and sheets.
type Kind uint8

// The kinds. The zero Kind is Unknown.
const (
	Unknown Kind = iota
	ServiceUnavailable
	Timeout
	Network
	Throttled
	BadResponse
	Authentication
	Permission
	QuotaExceeded
	InvalidRequest
	NotFound
	Conflict
)

// Scope says who else would see the same fault.
type Scope uint8

// The scopes. The zero Scope is Service.
const (
	// Service: everybody who uses the service.
	Service Scope = iota
	// Account: every contact of ours; our key, quota or configuration is wrong.
	Account
	// Contact: only this contact; its data are the reason.
	Contact
)

// MaxRetryAfter is the longest Retry-After that is believed. A throttle that
// asks for more has in effect refused us; see [Fault.Settle].
const MaxRetryAfter = time.Hour

// Fault is one classified failure. It is an error; the zero value is an unknown
// transient fault of the service.
type Fault struct {
	Class   Class  `json:"class"`
	Kind    Kind   `json:"kind"`
	Scope   Scope  `json:"scope"`
	Service string `json:"service"`           // "llm", "elevenlabs", "twilio", "crm", or a channel's name
	Status  int    `json:"status,omitempty"`  // HTTP status or SMTP reply code; 0 when there was no answer
	Code    string `json:"code,omitempty"`    // the vendor's own code, "" when it gave none
	Message string `json:"message,omitempty"` // one line for people; carries no secret and no phone number

	// RetryAfter is the wait the server asked for; 0 when it asked for none.
	RetryAfter time.Duration `json:"retry_after,omitempty"`
	// Overload marks a throttled answer that says the provider itself is short
	// of capacity (ElevenLabs system_busy): it counts toward the circuit too.
	Overload bool `json:"overload,omitempty"`
	// Suspect marks a contact fault that is really the account's when several
	// contacts in a row show it (Twilio geo permissions, trial limits).
	Suspect bool `json:"suspect,omitempty"`

	// Cause is the error underneath, nil when the server answered.
	Cause error `json:"-"`
}

// Error gives one line without secrets: service, kind, status, code, message.
func (f *Fault) Error() string {
	var b strings.Builder
	if f.Service != "" {
		b.WriteString(f.Service + ": ")
	}
	b.WriteString(f.Kind.String())
	if f.Status != 0 {
		fmt.Fprintf(&b, " (%d)", f.Status)
	}
	if f.Code != "" && f.Code != f.Kind.String() {
		b.WriteString(" " + f.Code)
	}
	if f.Message != "" {
		b.WriteString(": " + f.Message)
	}
	return b.String()
}

// Unwrap gives the cause, so that errors.Is and errors.As reach it.
func (f *Fault) Unwrap() error { return f.Cause }

// From finds the fault in an error's chain. An error that carries none becomes
// an unknown transient fault of the service, with a message that tells nothing
// of the error's text, because that text was never checked for secrets.
// From(service, nil) is nil.
func From(service string, err error) *Fault {
	if err == nil {
		return nil
	}
	var f *Fault
	if errors.As(err, &f) {
		if f.Service == "" {
			g := *f
			g.Service = service
			return &g
		}
		return f
	}
	return &Fault{Service: service, Message: "an error that its adapter did not classify", Cause: err}
}

// Settle returns the fault as the rules see it: a wait of more than
// [MaxRetryAfter] is cut to that, and a throttle that asked for one is an
// exhausted quota of the account.
func (f *Fault) Settle() *Fault {
	if f.RetryAfter <= MaxRetryAfter {
		return f
	}
	g := *f
	g.RetryAfter = MaxRetryAfter
	if g.Kind == Throttled {
		g.Class, g.Kind, g.Scope = Permanent, QuotaExceeded, Account
	}
	return &g
}

// Escalate returns the fault as one of the account: what a suspect contact
// fault becomes when several contacts in a row have shown it.
func (f *Fault) Escalate() *Fault {
	g := *f
	g.Class, g.Scope, g.Suspect = Permanent, Account, false
	return &g
}
