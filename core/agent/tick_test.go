package agent_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"callagent/core/agent"
	"callagent/core/breaker"
	"callagent/core/call"
	"callagent/core/fault"
	"callagent/core/health"
)

// TestTheRequiredScenario guards what the source documents ask for; the story
// elevenlabs-503 tells it line by line.
func TestTheRequiredScenario(t *testing.T) {
	w := newWorld(t)
	w.atMost = 1
	w.services.on(agent.ElevenLabs, script{fault: faults["503"], to: start.Add(2 * time.Minute)})
	w.enqueue(4)
	w.run(119 * time.Second)

	spoken := w.services.sent(agent.ElevenLabs, "speak")
	if len(spoken) != 4 {
		t.Fatalf("the outage cost %d requests", len(spoken))
	}
	for i, floor := range []time.Duration{5 * time.Second, 10 * time.Second, 20 * time.Second} {
		if gap := spoken[i+1].at.Sub(spoken[i].at); gap < floor {
			t.Errorf("retry %d after %s", i+1, gap)
		}
	}
	opened := spoken[3].at.Add(w.services.took)
	if r := w.record(agent.ElevenLabs); !r.OpenedAt.Equal(opened) || r.Streak != 4 {
		t.Errorf("opened at %s with a streak of %d", since(r.OpenedAt), r.Streak)
	}
	diff(t, "alerts", w.told(), []string{"circuit/elevenlabs/1/circuit_opened"})
	if got := w.states(); got != "parked parked parked parked" {
		t.Errorf("the calls are %s", got)
	}
	probes := w.services.sent(agent.ElevenLabs, "probe")
	if first := probes[0].at.Sub(opened); first < 10*time.Second || first > 15*time.Second {
		t.Errorf("probed after %s", first)
	}
	for i := range probes[1:] {
		if gap := probes[i+1].at.Sub(probes[i].at); gap < 5*time.Second || gap > 6*time.Second {
			t.Errorf("probed again after %s", gap)
		}
	}
	w.run(10 * time.Minute)
	if got := w.states(); got != "completed completed completed completed" {
		t.Errorf("the calls are %s", got)
	}
	if n := len(w.services.sent(agent.ElevenLabs, "speak")); n != 4+4 {
		t.Errorf("%d recordings were asked for", n)
	}
	if n := len(w.services.sent(agent.LLM, "")); n != 4 {
		t.Errorf("%d scripts were asked for", n)
	}
	if n := w.events.count("circuit_opened") + w.events.count("circuit_closed"); n != 2 {
		t.Errorf("%d transitions", n)
	}
}

func TestTheRampReleases102040Per5sWhateverTheNumberOfTicks(t *testing.T) {
	w := newWorld(t)
	forceOpen(t, w, agent.Twilio)
	w.enqueue(150)
	w.run(4 * time.Second)
	w.ticks = false
	w.agent.Circuit(agent.Twilio).Change(t.Context(), func(r breaker.Record) (breaker.Record, breaker.Change) {
		return breaker.ForceClose(r, w.clock.Now())
	})
	closed := w.record(agent.Twilio).ClosedAt
	w.clock.to(closed.Add(time.Millisecond))
	other := agent.New(w.options("other"))
	for _, want := range []int{10, 30, 70, 150} {
		for range 5 {
			w.agent.Tick(w.ctx)
			other.Tick(w.ctx)
			w.clock.to(w.clock.Now().Add(900 * time.Millisecond))
		}
		released := 0
		for _, c := range w.calls() {
			if !c.Park.SentAt.IsZero() {
				released++
			}
		}
		if released != want {
			t.Errorf("%d released %s after the close, not %d", released, w.clock.Now().Sub(closed), want)
		}
		w.clock.to(closed.Add(w.clock.Now().Sub(closed).Truncate(5*time.Second) + 5*time.Second))
	}
	told := 0
	for _, e := range w.events.all() {
		if e.Event == "calls_released" {
			told += e.Count
		}
	}
	if told != 150 {
		t.Errorf("the journal tells of %d released calls", told)
	}
	w.ticks = true
	w.run(time.Hour)
	if got := strings.Count(w.states(), "completed"); got != 150 {
		t.Errorf("%d completed", got)
	}
}

func TestOneParkedCallInheritsTheLeaseAndOnlyItsResultCloses(t *testing.T) {
	w := newWorld(t)
	w.services.on(agent.ElevenLabs, script{verb: "speak", fault: faults["503"], to: start.Add(70 * time.Second)})
	w.enqueue(10) // the cheap probe always passes
	w.run(66 * time.Second)
	for i, r := range w.services.sent(agent.ElevenLabs, "speak")[3:] {
		if probes := w.services.sent(agent.ElevenLabs, "probe"); len(probes) < i+1 || r.at.Sub(probes[i].at) > 2*w.services.took {
			t.Errorf("%s sends at %s without a probe lease", r.contact, since(r.at))
		}
	}
	r := w.record(agent.ElevenLabs)
	if r.Relapses != 2 || r.OpenUntil.Sub(w.services.sent(agent.ElevenLabs, "speak")[4].at) != 40*time.Second+w.services.took {
		t.Errorf("a failed real probe doubles the opening: %+v", r)
	}
	w.run(3 * time.Minute)
	if got := strings.Count(w.states(), "completed"); got != 10 {
		t.Errorf("the calls are %s", w.states())
	}
	w.agent.Tick(w.ctx)
	want := []string{"circuit/elevenlabs/1/circuit_opened", "circuit/elevenlabs/1/circuit_closed"}
	diff(t, "alerts", w.told(), want)
}

func TestWithNothingParkedTheCheapRequestClosesExceptForDialAndCRM(t *testing.T) {
	for _, service := range agent.Services() {
		w := newWorld(t)
		w.agent.Circuit(service).Change(t.Context(), func(r breaker.Record) (breaker.Record, breaker.Change) {
			return breaker.Fail(r, breaker.DefaultConfig(), breaker.Failure{Fault: faults["401"], Began: start}, start)
		})
		w.clock.to(start.Add(2 * time.Minute))
		w.agent.Tick(w.ctx)
		want := breaker.Closed
		if service == agent.Twilio || service == agent.CRMService {
			want = breaker.Open
		}
		probes := len(w.services.requests)
		if r := w.record(service); r.State != want || probes != map[breaker.State]int{breaker.Closed: 1}[want] {
			t.Errorf("%s is %s after %d probes", service, r.State, probes)
		}
	}
}

func TestForcedOpenIsNeitherProbedNorReleasedButRemindedOf(t *testing.T) {
	w := newWorld(t)
	forceOpen(t, w, agent.Twilio)
	w.enqueue(2)
	w.run(3 * time.Hour)
	if got := w.states(); got != "parked parked" || len(w.services.requests) != 0 {
		t.Errorf("the calls are %s after %v", got, w.services.requests)
	}
	want := []string{"circuit/twilio/1/circuit_opened"}
	for n := range 5 { // 5, 15 and 60 min, then every hour
		want = append(want, fmt.Sprintf("circuit/twilio/1/circuit_still_open/%d", n+1))
	}
	diff(t, "alerts", w.told(), want)
}

func TestACallWhoseMessageIsLostIsWokenWhenItIsTwoMinutesOverdue(t *testing.T) {
	w := healthy(t)
	w.losesAgain = true
	w.run(time.Minute)
	if c := w.call(1); c.State != call.Waiting {
		t.Fatalf("the call is %s", c.State)
	}
	w.run(10 * time.Minute)
	if c := w.call(1); c.State != call.Completed || since(c.FinishedAt) < 2*time.Minute || since(c.FinishedAt) > 2*time.Minute+30*time.Second {
		t.Errorf("%s at %s", c.State, since(c.FinishedAt))
	}
	if n := w.events.count("call_overdue"); n != 1 {
		t.Errorf("it was woken %d times", n)
	}
}

func TestAServiceThatIsSwitchedOffHoldsNobody(t *testing.T) {
	w := newWorld(t)
	w.services.on(agent.CRMService, script{fault: faults["401"]})
	w.enqueue(3)
	w.run(5 * time.Minute)
	for _, c := range w.calls() {
		if c.State != call.Completed || c.Recorded != call.Pending {
			t.Fatalf("%s, recorded %q", c.State, c.Recorded)
		}
	}
	w.adjust = append(w.adjust, func(o *agent.Options) { o.CRM = nil })
	w.replace()
	w.run(10 * time.Minute)
	for _, c := range w.calls() {
		if c.Recorded != call.Off || !c.Due.IsZero() {
			t.Errorf("recorded %q", c.Recorded)
		}
	}
}

func TestAnAlertThatCouldNotBeStoredIsRaisedAgain(t *testing.T) {
	for name, scene := range map[string]func(*world){
		"circuit_opened":    func(w *world) { w.services.on(agent.LLM, script{fault: faults["401"]}) },
		"call_unknown":      func(w *world) { w.services.on(agent.Twilio, script{verb: "dial", fault: faults["lost request"]}) },
		"retries_exhausted": func(w *world) { w.services.on(agent.LLM, script{times: 4, fault: faults["503"]}) },
	} {
		w := newWorld(t, func(o *agent.Options) {
			for service, p := range o.Policies {
				p.Circuit.Threshold = 100
				o.Policies[service] = p
			}
		})
		scene(w)
		m := &nth{n: 1, prefix: "outbox: raise " + name, what: dieBefore}
		w.ports.meddle = m.meddle
		w.enqueue(1)
		w.run(time.Hour)
		told := strings.Join(w.told(), " ")
		if m.at == "" || strings.Count(told, name) < 1 {
			t.Errorf("%s: people were told %q", name, told)
		}
		for _, a := range w.alerts() {
			if strings.Contains(a.What, ": .") {
				t.Errorf("%s says nothing: %s", a.ID, a.What)
			}
		}
	}
}

func TestTwentyTakeoversInARowFailTheCallUnlessItWasDialled(t *testing.T) {
	for _, deadly := range []string{"llm: script", "twilio: look"} {
		w := healthy(t)
		deaths := 0
		w.ports.meddle = func(use string) meddling {
			if use == deadly && deaths < 30 {
				deaths++
				return dieBefore
			}
			return none
		}
		w.run(24 * time.Hour)
		c := w.call(1)
		if deadly == "twilio: look" {
			if c.State != call.Completed {
				t.Errorf("%s: %s", c.State, c.Reason)
			}
			continue
		}
		if c.State != call.Failed || !strings.HasPrefix(c.Reason, "crashed") || deaths != call.MaxTakeovers || w.events.count("call_failed") != 1 {
			t.Errorf("%s after %d deaths: %s", c.State, deaths, c.Reason)
		}
	}
}

func TestAnyStoredStepSetsTheTakeoversToZero(t *testing.T) {
	w := healthy(t)
	deaths := 0
	w.ports.meddle = func(use string) meddling {
		if slices.Contains([]string{"llm: script", "elevenlabs: speak"}, use) && deaths < 30 && deaths != 15 {
			deaths++
			return dieBefore
		}
		if deaths == 15 && use == "llm: script" {
			deaths++
		}
		return none
	}
	w.run(24 * time.Hour)
	if c := w.call(1); c.State != call.Completed || deaths != 30 {
		t.Errorf("%s after %d deaths: %s", c.State, deaths, c.Reason)
	}
}

// A process that ends tells of a close that held until then, and once only.
func TestAProcessThatEndsTellsOfTheClose(t *testing.T) {
	w := newWorld(t)
	w.agent.Circuit(agent.ElevenLabs).Change(t.Context(), func(r breaker.Record) (breaker.Record, breaker.Change) {
		return breaker.Fail(r, breaker.DefaultConfig(), breaker.Failure{Fault: faults["401"], Began: start}, start)
	})
	w.agent.Conclude(w.ctx)
	w.clock.to(start.Add(2 * time.Minute))
	w.agent.Tick(w.ctx)
	if told := w.told(); len(told) != 1 || w.record(agent.ElevenLabs).State != breaker.Closed {
		t.Fatalf("before the end people were told %v", told)
	}
	w.agent.Conclude(w.ctx)
	w.clock.to(w.clock.Now().Add(2 * time.Minute))
	w.agent.Tick(w.ctx)
	want := []string{"circuit/elevenlabs/1/circuit_opened", "circuit/elevenlabs/1/circuit_closed"}
	diff(t, "alerts", w.told(), want)
}

func TestAProcessThatEndsDoesNotTellOfWhatMayYetCome(t *testing.T) {
	w := newWorld(t)
	w.agent.Circuit(agent.ElevenLabs).Change(t.Context(), func(r breaker.Record) (breaker.Record, breaker.Change) {
		throttled := fault.Fault{Kind: fault.Throttled, Status: 429, RetryAfter: 20 * time.Minute}
		return breaker.Fail(r, breaker.DefaultConfig(), breaker.Failure{Fault: &throttled, Began: start}, start)
	})
	w.clock.to(start.Add(health.PausedTooLong - time.Minute))
	w.agent.Conclude(w.ctx)
	diff(t, "alerts", w.told(), []string{})
}
