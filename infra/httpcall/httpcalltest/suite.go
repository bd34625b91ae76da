// Package httpcalltest is the test kit that every HTTP adapter passes: broken
// networks, broken servers, planted secrets and impatient callers. In none of
// them may a call outlast its deadline, or read more than it is ready to keep.
//
// The servers listen on loopback and speak HTTP/1.1. What an adapter has to
// make of each [Condition] has a default; adapters that differ say so in
// [Config.Want].
package httpcalltest

import (
	"context"
	"fmt"
	"maps"
	"net/http"
	"testing"
	"time"

	"callagent/core/fault"
)

// Condition names what happens to a request.
type Condition string

// The conditions beside those that [Status] makes.
const (
	Refused     Condition = "connection refused"
	NoName      Condition = "a host name that does not resolve"
	SlowName    Condition = "a name server that does not answer"
	Expired     Condition = "an expired certificate"
	Timeout     Condition = "no answer before the deadline"
	Reset       Condition = "reset after the request"
	MidBody     Condition = "reset in the middle of the answer"
	MidError    Condition = "reset in the middle of an error"
	Garbage     Condition = "200 with an unreadable body"
	Large       Condition = "10 MB of error"
	Endless     Condition = "error without an end"
	Trickle     Condition = "one byte a second"
	TrickleHead Condition = "one byte a second from the first on"
)

// Status is the condition of an answer with this status and a body that is not
// JSON. The suite runs 408, 429, 500, 502, 503 and 504.
func Status(code int) Condition { return Condition(fmt.Sprintf("status %d", code)) }

// Want is what the adapter's error has to say. The zero Want is a transient
// fault of the service.
type Want struct {
	OK         bool // no error at all; the rest is ignored
	Class      fault.Class
	Scope      fault.Scope
	Kind       fault.Kind    // fault.Unknown is not compared
	RetryAfter time.Duration // 0 is not compared
}

// Config describes the adapter under test.
type Config struct {
	// Call makes one request through a new client of the adapter and closes
	// the client. baseURL has no slash at its end.
	Call func(ctx context.Context, baseURL string) error
	// Secrets are the credentials that Call gives to the adapter. The servers
	// send them back; no error may repeat them.
	Secrets []string
	// Once says that Call's request has an effect that must not happen twice:
	// lost answers, unreadable ones and 500, 502, 503, 504 are then expected
	// to be ambiguous. What fails before a connection stands is not: nothing was
	// sent.
	Once bool
	// Want replaces single expectations.
	Want map[Condition]Want
}

// asked is the Retry-After that the servers send with 429 and 503.
const asked = 7 * time.Second

// Suite runs all conditions as subtests.
func Suite(t *testing.T, c Config) {
	t.Helper()
	for name, check := range checks() {
		t.Run(name, func(t *testing.T) {
			if err := check(t.Context(), c); err != nil {
				t.Error(err)
			}
		})
	}
}

// checks lists the suite. A check gives nil when the adapter passes.
func checks() map[string]func(context.Context, Config) error {
	all := map[string]func(context.Context, Config) error{
		string(Refused):    refused,
		string(NoName):     unresolved,
		string(SlowName):   unanswered,
		string(Expired):    expired,
		"already canceled": canceledBefore,
		"canceled":         canceledMeanwhile,
		"secrets":          secrets,
	}
	for condition, answer := range answers() {
		all[string(condition)] = func(ctx context.Context, c Config) error {
			return meet(ctx, c, condition, answer)
		}
	}
	return all
}

// want finds the expectation for a condition.
func (c Config) want(condition Condition) Want {
	if w, ok := c.Want[condition]; ok {
		return w
	}
	if w, ok := c.Want[Status(http.StatusInternalServerError)]; ok && (condition == Large || condition == Endless) {
		return w
	}
	defaults := map[Condition]Want{
		Refused:     {Kind: fault.Network},
		NoName:      {Kind: fault.Network},
		SlowName:    {Kind: fault.Timeout},
		Expired:     {Kind: fault.Network},
		Timeout:     {Kind: fault.Timeout},
		Reset:       {Kind: fault.Network},
		MidBody:     {Kind: fault.Network},
		MidError:    {Kind: fault.Network},
		Garbage:     {Kind: fault.BadResponse},
		Trickle:     {Kind: fault.Timeout},
		TrickleHead: {Kind: fault.Timeout},
		Status(429): {Kind: fault.Throttled, RetryAfter: asked},
	}
	if c.Once {
		maps.Copy(defaults, map[Condition]Want{
			Timeout:     {Class: fault.Ambiguous, Kind: fault.Timeout},
			Reset:       {Class: fault.Ambiguous, Kind: fault.Network},
			MidBody:     {Class: fault.Ambiguous, Kind: fault.Network},
			MidError:    {Class: fault.Ambiguous, Kind: fault.Network},
			Garbage:     {Class: fault.Ambiguous},
			Large:       {Class: fault.Ambiguous},
			Endless:     {Class: fault.Ambiguous},
			Trickle:     {Class: fault.Ambiguous, Kind: fault.Timeout},
			TrickleHead: {Class: fault.Ambiguous, Kind: fault.Timeout},
			Status(500): {Class: fault.Ambiguous},
			Status(502): {Class: fault.Ambiguous},
			Status(503): {Class: fault.Ambiguous},
			Status(504): {Class: fault.Ambiguous},
		})
	}
	return defaults[condition]
}
