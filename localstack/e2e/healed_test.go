//go:build e2e

package e2e

import (
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"callagent/core/agent"
	"callagent/core/breaker"
	"callagent/core/health"
)

// TestTheTickFindsCallsThatNothingWakes purges the queue while ten calls wait
// for a retry. What it waits for comes while the other tests run.
func TestTheTickFindsCallsThatNothingWakes(t *testing.T) {
	people, began := contacts("lost", 10), time.Now()
	breakDown(t, fault{Service: agent.LLM, Answer: "429", RetryAfter: "30"})
	send(t, people)
	eventually(t, 20*time.Second, "all of them wait", func() bool { return look(t).in("lost", "waiting") == len(people) })
	run(t, "localstack/emulator/aws", "sqs", "purge-queue", "--queue-url", env(t, "CONTACTS_QUEUE_URL"))
	heal(t)
	if s := look(t); s.Queue.Visible+s.Queue.Hidden != 0 || s.in("lost", "waiting") != len(people) {
		t.Fatalf("they do not wait without a message: %+v", s)
	}
	t.Parallel()

	eventually(t, time.Until(began.Add(30*time.Second+health.Overdue+90*time.Second)), "all of them are called", func() bool {
		return look(t).in("lost", "completed") == len(people)
	})
	for call, n := range rings(t, people) {
		if n != 1 {
			t.Errorf("%s rang %d times", call, n)
		}
	}
	found := map[string]bool{}
	for _, e := range logged(t, "Healthcheck", began) {
		if e.Event == "call_overdue" {
			found[e.CallID] = true
		}
	}
	for _, c := range people {
		if !found[c.call()] {
			t.Errorf("no tick found %s", c.call())
		}
	}
}

// TestAHealedServiceIsUsedWithinSeconds measures ten times how long after the
// end of an outage the first call that was set aside goes on. Services take
// turns, so that no outage is a relapse.
func TestAHealedServiceIsUsedWithinSeconds(t *testing.T) {
	t.Cleanup(func() { heal(t) })
	var took []time.Duration
	for i := range 10 {
		service := []string{agent.ElevenLabs, agent.CRMService, agent.LLM}[i%3]
		d := resume(t, service).Round(10 * time.Millisecond)
		t.Logf("%s: %s", service, d)
		took = append(took, d)
	}
	slices.Sort(took)
	median, longest := (took[4]+took[5])/2, took[9]
	t.Logf("from the healed service to the first resumed call: median %s, maximum %s, all %v", median, longest, took)
	if median > 6*time.Second || longest > 10*time.Second {
		t.Errorf("median %s, maximum %s; want at most 6 s and 10 s", median, longest)
	}
}

// resume has a service fail until six calls are set aside for it, heals it at a
// random moment between two ticks, and measures the time until one of them goes
// on.
func resume(t *testing.T, service string) time.Duration {
	t.Helper()
	eventually(t, 2*breaker.RelapseWithin, "the last outage is over", func() bool {
		c := look(t).circuit(service)
		return c.State == "CLOSED" && time.Since(c.Since) > breaker.RelapseWithin
	})
	people, before := contacts("healed", 6), look(t).in("healed", "completed")
	breakDown(t, fault{Service: service, Answer: "503"})
	send(t, people)
	eventually(t, time.Minute, "all of them are set aside", func() bool { return look(t).circuit(service).Parked >= len(people) })
	open := look(t).circuit(service)
	eventually(t, time.Minute, "it is tested", func() bool { return len(requests(t, service, open.Since.Add(2*agent.CacheFor))) > 0 })
	time.Sleep(rand.N(health.TickEvery))
	healed := heal(t)
	eventually(t, time.Minute, "all of them are done", func() bool {
		s := look(t)
		return s.circuit(service).Parked == 0 && s.in("healed", "completed") == before+len(people)
	})
	return goesOn(t, service, healed).Sub(healed)
}

// goesOn is when the first call after a moment was dialled, or recorded if that
// is what it had been set aside for.
func goesOn(t *testing.T, service string, since time.Time) time.Time {
	t.Helper()
	at, route := agent.Twilio, "create"
	if service == agent.CRMService {
		at, route = service, "calls"
	}
	for _, r := range requests(t, at, since) {
		if r.Route == route && r.Executed {
			return r.At
		}
	}
	t.Fatalf("no call went on after %s", since)
	return time.Time{}
}
