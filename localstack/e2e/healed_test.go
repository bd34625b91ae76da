//go:build e2e

package e2e

import (
	"math/rand/v2"
	"slices"
	"strconv"
	"testing"
	"time"

	"callagent/core/agent"
	"callagent/core/health"
	"callagent/localstack/simulator"
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
// end of an outage the first call that was set aside is dialled. Outages of one
// service would be relapses, so two take turns.
func TestAHealedServiceIsUsedWithinSeconds(t *testing.T) {
	t.Cleanup(func() { heal(t) })
	var took []time.Duration
	for i := range 10 {
		d := resume(t, []string{agent.ElevenLabs, agent.LLM}[i%2], strconv.Itoa(i))
		took = append(took, d.Round(10*time.Millisecond))
	}
	slices.Sort(took)
	median, longest := (took[4]+took[5])/2, took[9]
	t.Logf("from the healed service to the first dial: median %s, maximum %s, all %v", median, longest, took)
	if median > 6*time.Second || longest > 10*time.Second {
		t.Errorf("median %s, maximum %s; want at most 6 s and 10 s", median, longest)
	}
}

// resume has a service fail until six calls are set aside, heals it at a random
// moment between two ticks, and measures the time to the next dial.
func resume(t *testing.T, service, round string) time.Duration {
	t.Helper()
	people, began := contacts("healed", 6), time.Now()
	before := look(t).in("healed", "completed")
	breakDown(t, fault{Service: service, Answer: "503"})
	send(t, people)
	eventually(t, time.Minute, "all of them are set aside", func() bool { return look(t).circuit(service).Parked == len(people) })
	open := look(t).circuit(service)
	eventually(t, 2*time.Minute, "it is tested", func() bool { return len(requests(t, service, open.Since.Add(2*agent.CacheFor))) > 0 })
	time.Sleep(rand.N(health.TickEvery))
	healed := heal(t)
	eventually(t, time.Minute, "all of them are called", func() bool { return look(t).in("healed", "completed") == before+len(people) })
	calls := callsOf(t, people)
	first := slices.MinFunc(calls, func(a, b simulator.Call) int { return a.Created.Compare(b.Created) }).Created.Sub(healed)
	t.Logf("round %s, %s: first dial after %s, %s in all", round, service, first.Round(10*time.Millisecond), time.Since(began).Round(time.Second))
	return first
}
