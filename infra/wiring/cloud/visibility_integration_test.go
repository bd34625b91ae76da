//go:build integration

package cloud

import (
	"testing"
	"time"

	"callagent/core/agent"
	"callagent/core/breaker"
	"callagent/localstack/simulator"
)

// mostLate is how much later than asked a record may come back: messages are
// hidden for whole seconds, and the emulator looks for those that are due once a
// second.
const mostLate = 3 * time.Second

// TestADeferredContactComesBackWhenItIsDue lets every attempt fail, so that the
// contact is put off by 5, 10 and 20 s. What the queue is asked for is
// [breaker.Skew] more than that, so that the next process finds it due by its
// own clock.
func TestADeferredContactComesBackWhenItIsDue(t *testing.T) {
	t.Parallel()
	for _, service := range []string{agent.LLM, agent.ElevenLabs} {
		t.Run(service, func(t *testing.T) {
			t.Parallel()
			s := newStack(t)
			s.settings("[retry]\njitter = 0\n[circuit_breaker]\nfailure_threshold = 100\n[campaign.default]\ncall_window = \"00:00-24:00\"\n")
			s.must(nil, s.sim.AddFaults(simulator.Fault{Service: service, Answer: "503"}))
			worker := s.process("call")
			s.send(contactBody(1))
			messages, _ := s.arrival()
			for _, wait := range []time.Duration{5 * time.Second, 10 * time.Second, 20 * time.Second} {
				if again := worker.Work(t.Context(), messages); len(again) != 1 || !again[0] {
					t.Fatalf("again %v, want one message that comes again\n%s", again, s.log.text())
				}
				due := s.call(worker, 1).Due
				if asked := due.Sub(s.failed(service)); asked < wait || asked > wait+time.Second {
					t.Errorf("put off by %s, want %s", asked, wait)
				}
				var at time.Time
				messages, at = s.arrival()
				late := at.Sub(due.Add(breaker.Skew))
				if late < 0 || late > mostLate {
					t.Errorf("put off by %s, it comes back %s later than asked", wait, late)
				}
				t.Logf("put off by %s, back %s after it was due", wait, at.Sub(due).Round(time.Millisecond))
			}
		})
	}
}

// arrival waits for the contact and says when it came.
func (s *stack) arrival() ([]agent.Message, time.Time) {
	s.t.Helper()
	for end := time.Now().Add(time.Minute); time.Now().Before(end); time.Sleep(100 * time.Millisecond) {
		if messages, _ := s.messages("CONTACTS_QUEUE_URL"); len(messages) > 0 {
			return messages, time.Now()
		}
	}
	s.t.Fatal("the contact does not come back")
	return nil, time.Time{}
}

// failed is when the last request to a service failed.
func (s *stack) failed(service string) time.Time {
	s.t.Helper()
	var at time.Time
	for _, r := range s.sim.Requests() {
		if r.Service == service && r.Fault != "" {
			at = r.At
		}
	}
	if at.IsZero() {
		s.t.Fatalf("no request to %s failed\n%s", service, s.log.text())
	}
	return at
}
