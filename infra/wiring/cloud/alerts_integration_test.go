//go:build integration

package cloud

import (
	"encoding/json"
	"sync"
	"testing"
	"time"

	"callagent/core/agent"
	"callagent/core/alert"
	"callagent/localstack/simulator"
)

// everyChannel are those that the simulator has.
var everyChannel = []string{"email", "telegram", "webhook"}

// noticeOf is an alert as the queue of the alert function carries it.
func noticeOf(t *testing.T, a alert.Alert) []byte {
	t.Helper()
	body, err := json.Marshal(notice{Channels: everyChannel, Alert: &a})
	if err != nil {
		t.Fatal(err)
	}
	return body
}

// told counts what the channels took.
func (s *stack) told() [3]int {
	r := s.sim.Report()
	return [3]int{len(r.Email), len(r.Telegram), len(r.Webhooks)}
}

// Telegram refuses the token: whoever flushes sends the mail and the webhook in
// the same event, and Telegram has the alert when the token is right again.
func TestA401FromTelegramDelaysNoEmail(t *testing.T) {
	t.Parallel()
	s := newStack(t)
	s.must(nil, s.sim.AddFaults(simulator.Fault{Service: "telegram", Answer: "401"}))
	a := alert.ForCampaign("spring", alert.Tally{Completed: 12}, time.Now())
	if again := s.process("alert").Tell(t.Context(), []agent.Message{{Body: noticeOf(t, a)}}); again[0] {
		t.Error("the message comes again although the outbox has the alert")
	}
	if got, want := s.told(), [3]int{1, 0, 1}; got != want {
		t.Errorf("email, Telegram and webhook took %v, want %v\n%s", got, want, s.log.text())
	}
	if s.count("alert_failed") != 1 {
		t.Errorf("the journal does not say that Telegram fails:\n%s", s.log.text())
	}
	s.sim.ClearFaults()
	s.process("alert").Tell(t.Context(), []agent.Message{{Body: []byte(flushMessage)}}) // as the next scheduled tick asks for
	if got, want := s.told(), [3]int{1, 1, 1}; got != want {
		t.Errorf("in the end email, Telegram and webhook took %v, want %v\n%s", got, want, s.log.text())
	}
}

// SQS delivers an alert twice, to two processes at the same time and to one of
// them again: each channel takes it once.
func TestTwoDeliveriesOfAnAlertAreSentOnce(t *testing.T) {
	t.Parallel()
	s := newStack(t)
	body := noticeOf(t, alert.ForCampaign("spring", alert.Tally{Completed: 12}, time.Now()))
	one, other := s.process("alert"), s.process("alert")
	var both sync.WaitGroup
	for _, p := range []*Process{one, other} {
		both.Go(func() { p.Tell(t.Context(), []agent.Message{{Body: body}, {Body: body}}) })
	}
	both.Wait()
	one.Tell(t.Context(), []agent.Message{{Body: body}})
	if got, want := s.told(), [3]int{1, 1, 1}; got != want {
		t.Errorf("email, Telegram and webhook took %v, want %v\n%s", got, want, s.log.text())
	}
}
