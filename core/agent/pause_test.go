package agent_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"callagent/core/agent"
	"callagent/core/fault"
)

// spread draws different numbers, evenly over [0, 1).
func spread(o *agent.Options) {
	n := 0.0
	o.Random = func() float64 { n += 0.37; return n - float64(int(n)) }
}

func TestARetryAfterPausesTheServiceForEveryone(t *testing.T) {
	for _, step := range steps {
		t.Run(step.verb, func(t *testing.T) {
			w := newWorld(t, spread)
			w.services.on(step.service, script{verb: step.verb, times: 1, fault: faults["429 for 40s"]})
			w.enqueue(6)
			w.run(time.Hour)
			sent := w.services.sent(step.service, step.verb)
			end := sent[0].at.Add(w.services.took + 40*time.Second)
			moments := map[time.Duration]bool{}
			for _, r := range sent[1:] {
				if r.at.Before(end) {
					t.Errorf("%s sends %s before the pause is over", r.contact, end.Sub(r.at))
				}
				moments[r.at.Sub(end).Truncate(5*time.Second)] = true
			}
			if len(moments) < 4 {
				t.Errorf("those who waited return together: %v", moments)
			}
			if got := w.states(); strings.Count(got, "completed") != 6 {
				t.Errorf("the calls are %s", got)
			}
			if r := w.record(step.service); r.Epoch != 0 || r.Streak != 0 {
				t.Errorf("it counted toward the circuit: %+v", r)
			}
			if n := w.events.count("retry_scheduled"); n != 0 {
				t.Errorf("%d retries were used", n)
			}
			if told := w.told(); len(told) != 0 {
				t.Errorf("people were told %v", told)
			}
		})
	}
}

func TestA429WithoutItPauses1248UpTo60s(t *testing.T) {
	w := newWorld(t, func(o *agent.Options) { o.Random = func() float64 { return 0 } })
	w.services.on(agent.ElevenLabs, script{fault: faults["429"], to: start.Add(10 * time.Minute)})
	w.enqueue(1)
	w.run(9 * time.Minute)
	sent := w.services.sent(agent.ElevenLabs, "speak")
	var gaps []time.Duration
	for i := range sent[1:] {
		gaps = append(gaps, sent[i+1].at.Sub(sent[i].at)-w.services.took)
	}
	want := []time.Duration{1, 2, 4, 8, 16, 32, 60, 60}
	for i := range want {
		want[i] *= time.Second
	}
	if !slices.Equal(gaps[:8], want) {
		t.Errorf("pauses of %v", gaps)
	}
	if c := w.call(1); c.State != "waiting" || c.Retries != 0 || w.record(agent.ElevenLabs).Epoch != 0 {
		t.Errorf("%s: %s", c.State, history(c))
	}
	if told := w.told(); len(told) != 1 || !strings.HasPrefix(told[0], "pause/elevenlabs/") {
		t.Errorf("people were told %v", told)
	}
	w.run(time.Hour)
	if c := w.call(1); c.State != "completed" || c.SpentParks != 0 {
		t.Errorf("%s: %s", c.State, history(c))
	}
	if r := w.record(agent.ElevenLabs); r.Pauses != 0 {
		t.Errorf("a success did not end the pauses: %+v", r)
	}
}

func TestLooksObeyThePauseOfTheDial(t *testing.T) {
	for _, verb := range []string{"look", "list", "dial"} {
		t.Run("asked for at a "+verb, func(t *testing.T) {
			w := newWorld(t, spread)
			from := start.Add(14 * time.Second)
			if verb == "list" {
				w.services.on(agent.Twilio, script{verb: "dial", times: 1, fault: faults["lost request"]})
			}
			w.services.on(agent.Twilio, script{verb: verb, from: from, times: 1, fault: faults["429 for 40s"]})
			w.enqueue(1)
			w.run(15 * time.Second)
			w.send(contact(2))
			w.send(contact(3))
			w.run(time.Hour)
			var end time.Time
			for _, r := range w.services.sent(agent.Twilio, "") {
				switch {
				case r.fault != nil && r.fault.Kind == fault.Throttled:
					end = r.at.Add(w.services.took + 40*time.Second)
				case r.at.Before(end):
					t.Errorf("%s is sent %s before the pause is over", r, end.Sub(r.at))
				}
			}
			want := "completed completed completed"
			if verb == "list" {
				want = "unknown completed completed"
			}
			if got := w.states(); got != want || end.IsZero() {
				t.Errorf("the calls are %s", got)
			}
		})
	}
}

func TestAThrottleDuringAProbeProvesNothing(t *testing.T) {
	w := newWorld(t)
	w.services.on(agent.ElevenLabs, script{verb: "speak", fault: faults["503"], to: start.Add(30 * time.Second)})
	w.services.on(agent.ElevenLabs, script{verb: "probe", times: 1, fault: faults["429 for 40s"]})
	w.enqueue(3)
	w.run(time.Hour)
	probes := w.services.sent(agent.ElevenLabs, "probe")
	if gap := probes[1].at.Sub(probes[0].at); gap < 40*time.Second {
		t.Errorf("probed again after %s", gap)
	}
	if r := w.record(agent.ElevenLabs); r.Relapses != 0 {
		t.Errorf("it counted: %+v", r)
	}
	if got := w.states(); got != "completed completed completed" {
		t.Errorf("the calls are %s", got)
	}
}

func TestAnAccountFaultParksAndBurnsNobody(t *testing.T) {
	for _, step := range steps {
		t.Run(step.verb, func(t *testing.T) {
			w := newWorld(t)
			w.services.on(step.service, script{fault: faults["401"], to: start.Add(20 * time.Minute)})
			w.enqueue(20)
			w.run(19 * time.Minute)
			requests := 0
			for _, r := range w.services.sent(step.service, step.verb) {
				if r.fault != nil {
					requests++
				}
			}
			if requests != 1 {
				t.Errorf("%d contacts met it", requests)
			}
			told := w.told()
			if len(told) != 3 || told[0] != "circuit/"+step.service+"/1/circuit_opened" {
				t.Errorf("people were told %v", told) // opened, and reminded after 5 and 15 min
			}
			if !strings.Contains(w.alerts()[0].You, "key") {
				t.Errorf("the alert names no remedy: %+v", w.alerts()[0])
			}
			for i, r := range w.services.sent(step.service, "probe")[1:] {
				if gap := r.at.Sub(w.services.sent(step.service, "probe")[i].at); gap < 57*time.Second {
					t.Errorf("probed again after %s", gap)
				}
			}
			w.run(3 * time.Hour)
			if got := strings.Count(w.states(), "completed"); got != 20 {
				t.Errorf("the calls are %s", w.states())
			}
		})
	}
}

func TestAnAccountFaultAgainAfterACloseInBetweenFails(t *testing.T) {
	for _, step := range steps {
		t.Run(step.verb, func(t *testing.T) {
			w := newWorld(t)
			w.services.on(step.service, script{contact: "c-001", fault: faults["401"]})
			w.enqueue(4)
			w.run(6 * time.Hour)
			want := "failed completed completed completed"
			if step.verb == "record" {
				want = "completed completed completed completed"
				if c := w.call(1); c.Recorded != "refused" {
					t.Errorf("recorded %q", c.Recorded)
				}
			}
			if got := w.states(); got != want {
				t.Errorf("the calls are %s: %s", got, history(w.call(1)))
			}
			if n := len(w.services.sent(step.service, step.verb)); n > 7 {
				t.Errorf("it took %d requests", n)
			}
		})
	}
}

func TestSuspectCodesAreContactFaultsUntilFiveDifferentContactsInARowShowThem(t *testing.T) {
	w := newWorld(t)
	w.services.on(agent.Twilio, script{verb: "dial", fault: faults["21215"], to: start.Add(10 * time.Minute)})
	w.enqueue(8)
	w.run(9 * time.Minute)
	if got := w.states(); got != "failed failed failed failed parked parked parked parked" {
		t.Errorf("the calls are %s", got)
	}
	if r := w.record(agent.Twilio); r.State.String() == "CLOSED" || r.LastFault.Scope != fault.Account {
		t.Errorf("the circuit is %+v", r)
	}
	w.run(2 * time.Hour)
	if got := strings.Count(w.states(), "completed"); got != 4 {
		t.Errorf("the calls are %s", w.states())
	}
}

func TestTheSameContactTwiceOrASuccessInBetweenIsNotFiveInARow(t *testing.T) {
	w := newWorld(t)
	c := w.agent.Circuit(agent.Twilio)
	suspect := faults["21215"]
	weigh := func(contacts ...string) (scope fault.Scope) {
		for _, contact := range contacts {
			scope = c.Suspect(suspect, contact).Scope
		}
		return scope
	}
	if got := weigh("a", "b", "a", "b", "a", "b"); got != fault.Contact {
		t.Errorf("two contacts: %s", got)
	}
	if got := weigh("c", "d"); got != fault.Contact {
		t.Errorf("four contacts: %s", got)
	}
	p, _ := c.Admit(t.Context(), "e", time.Second, w.clock.Now())
	c.Succeeded(t.Context(), p, w.clock.Now())
	if got := weigh("a", "b", "c", "d"); got != fault.Contact {
		t.Errorf("after a success: %s", got)
	}
	if got := weigh("e"); got != fault.Account {
		t.Errorf("five contacts: %s", got)
	}
	if got := weigh("f"); got != fault.Account {
		t.Errorf("a sixth: %s", got)
	}
}

func TestAnOverloadedLookPausesAndCountsForNothing(t *testing.T) {
	w := newWorld(t)
	w.services.on(agent.Twilio, script{verb: "look", times: 5, fault: faults["system_busy"]})
	w.enqueue(1)
	w.run(time.Hour)
	if r := w.record(agent.Twilio); r.Epoch != 0 || r.Streak != 0 || r.Version == 0 {
		t.Errorf("a look says nothing about the dial: %+v", r)
	}
	if got := w.states(); got != "completed" {
		t.Errorf("the call is %s", got)
	}
}
