// Package notifytest is the conformance suite of [agent.Notifier]: what every
// channel to people has to do alike. Each subtest is one sentence of the
// port's contract.
package notifytest

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"callagent/core/agent"
	"callagent/core/alert"
	"callagent/core/fault"
)

// patience is when a channel that should have returned is given up.
const patience = 10 * time.Second

// Harness is one channel and its receiver for one subtest.
type Harness struct {
	Notifier agent.Notifier
	Receiver Receiver
	// Secrets are the credentials that the channel was given, in all the forms
	// in which they travel. No error may repeat them.
	Secrets []string
	// NoIDs declares that what the channel sends has no room for an id.
	NoIDs bool
}

// Receiver is the other side of a channel, on loopback. It takes every message
// until it is told otherwise, and refuses what the real one would refuse for
// its form or its size. It is safe for concurrent use.
type Receiver interface {
	// Arrived gives the messages that were taken, as a reader sees them.
	Arrived() []Arrival
	// Requests counts how often a message was offered, taken or not.
	Requests() int
	// Refuse rejects the channel's key from now on, and says why.
	Refuse(reason string)
	// Hang gives no answer from now on, but an element for each request that
	// waits for one.
	Hang() (asked <-chan struct{})
	// Leave breaks the connections and listens no more.
	Leave()
}

// Arrival is a message at its receiver.
type Arrival struct {
	Title, Text string
	ID          string // "" where the channel has none
}

// Run runs the suite. open is called once for each subtest and cleans up after
// itself.
func Run(t *testing.T, open func(t *testing.T) Harness) {
	for _, c := range cases {
		t.Run(c.says, func(t *testing.T) {
			if err := c.check(t.Context(), open(t)); err != nil {
				t.Error(err)
			}
		})
	}
}

// testCase is one sentence of the contract and the check that it holds.
type testCase struct {
	says  string
	check func(ctx context.Context, h Harness) error
}

// errLate stands for a channel that did not return.
var errLate = errors.New("the channel did not return")

// notify sends a message and waits no longer than patience.
func (h Harness) notify(ctx context.Context, m alert.Message) error {
	done := make(chan error, 1)
	go func() { done <- h.Notifier.Notify(ctx, m) }()
	timer := time.NewTimer(patience)
	defer timer.Stop()
	select {
	case err := <-done:
		return err
	case <-timer.C:
		return errLate
	}
}

// arrives sends messages, each of which has to arrive as one, and gives what
// arrived.
func (h Harness) arrives(ctx context.Context, all ...alert.Message) ([]Arrival, error) {
	for _, m := range all {
		if err := h.notify(ctx, m); err != nil {
			return nil, fmt.Errorf("%.60q: %w", m.Title, err)
		}
	}
	got := h.Receiver.Arrived()
	if len(got) != len(all) {
		return nil, fmt.Errorf("%d messages became %d", len(all), len(got))
	}
	return got, nil
}

// expect compares an error with the fault that it has to hold.
func expect(err error, want fault.Fault) error {
	var f *fault.Fault
	if !errors.As(err, &f) {
		return fmt.Errorf("no fault in the error: %v", err)
	}
	if f.Service == "" {
		return fmt.Errorf("the fault names no service: %v", err)
	}
	if f.Class != want.Class || f.Scope != want.Scope || f.Kind != want.Kind {
		return fmt.Errorf("%v, %v, %v; want %v, %v, %v", f.Class, f.Scope, f.Kind, want.Class, want.Scope, want.Kind)
	}
	return nil
}

// silent finds a planted text in an error or in anything that it wraps.
func silent(err error, planted []string) error {
	for ; err != nil; err = errors.Unwrap(err) {
		for _, text := range []string{err.Error(), fmt.Sprintf("%+v", err)} {
			for i, p := range planted {
				if p != "" && strings.Contains(text, p) {
					return fmt.Errorf("a %T repeats planted text %d of %d", err, i+1, len(planted))
				}
			}
		}
	}
	return nil
}
