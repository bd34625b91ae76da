// Package queuetest is the conformance suite of the queues: whatever
// implements the port has to pass it. Each subtest is one sentence of the
// port's contract.
package queuetest

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"callagent/core/agent"
)

// Harness is one queue for one subtest, with nothing in it.
type Harness struct {
	Queue agent.Queue
	// Now is the clock that the queue was given.
	Now func() time.Time
	// Advance lets time pass for the queue: it moves a test's clock or waits.
	Advance func(d time.Duration)
	// Visibility is how long the queue hides a received message, in whole
	// seconds.
	Visibility time.Duration
	// Buried reads the dead letters in any order.
	Buried func(t *testing.T) []Buried

	// What a queue service may lack. The checks of it are left out.

	// Unordered: messages that are due come in any order, and a receive may
	// bring fewer than there are.
	Unordered bool
	// Unselective: only is always nil.
	Unselective bool
	// Unfenced: the id of an earlier delivery may still change the message.
	Unfenced bool
}

// Buried is one dead letter.
type Buried struct{ Body, Reason string }

// Run runs the suite. open is called once for each subtest and cleans up after
// itself.
func Run(t *testing.T, open func(t *testing.T) Harness) {
	for _, group := range []struct {
		name  string
		needs func(h Harness) bool
		cases []testCase
	}{
		{"Send", always, sendCases},
		{"Receive", always, receiveCases},
		{"Order", func(h Harness) bool { return !h.Unordered }, orderCases},
		{"Only", func(h Harness) bool { return !h.Unselective }, onlyCases},
		{"Done", always, doneCases},
		{"Again", always, againCases},
		{"Bury", always, buryCases},
		{"Fence", func(h Harness) bool { return !h.Unfenced }, fenceCases},
	} {
		t.Run(group.name, func(t *testing.T) {
			for _, c := range group.cases {
				t.Run(c.says, func(t *testing.T) {
					if h := open(t); group.needs(h) {
						c.check(&bench{T: t, Queue: h.Queue, ctx: t.Context(), h: h})
					}
				})
			}
		})
	}
}

func always(Harness) bool { return true }

// testCase is one sentence of the contract and the check that it holds.
type testCase struct {
	says  string
	check func(b *bench)
}

// bench is a queue with the few steps that most checks are made of.
type bench struct {
	*testing.T
	agent.Queue
	ctx context.Context
	h   Harness
}

// contact is a body for the contact of the spring campaign.
func contact(id string) string {
	return fmt.Sprintf(`{"campaign":"spring","contact_id":%q,"phone":"+15005550006"}`, id)
}

// send puts bodies on the queue.
func (b *bench) send(delay time.Duration, bodies ...string) {
	b.Helper()
	messages := make([][]byte, len(bodies))
	for i, body := range bodies {
		messages[i] = []byte(body)
	}
	if err := b.Send(b.ctx, delay, messages...); err != nil {
		b.Fatalf("send: %v", err)
	}
}

// receive takes messages.
func (b *bench) receive(limit int, only ...string) []agent.Message {
	b.Helper()
	messages, err := b.Receive(b.ctx, limit, only)
	if err != nil {
		b.Fatalf("receive: %v", err)
	}
	return messages
}

// one takes the only message there is.
func (b *bench) one() agent.Message {
	b.Helper()
	messages := b.receive(10)
	if len(messages) != 1 {
		b.Fatalf("received %q, want one message", bodies(messages))
	}
	return messages[0]
}

// empty fails when there is a message to receive.
func (b *bench) empty() {
	b.Helper()
	if got := b.receive(10); len(got) != 0 {
		b.Errorf("received %q, want nothing", bodies(got))
	}
}

// do fails when a step on a message does.
func (b *bench) do(err error) {
	b.Helper()
	if err != nil {
		b.Fatal(err)
	}
}

// same fails when what is there is not what should be.
func (b *bench) same(what string, got, want any) {
	b.Helper()
	if diff := cmp.Diff(want, got); diff != "" {
		b.Errorf("%s (-want +got):\n%s", what, diff)
	}
}

// bodies reads the messages' texts.
func bodies(messages []agent.Message) []string {
	texts := []string{}
	for _, m := range messages {
		texts = append(texts, string(m.Body))
	}
	return texts
}
