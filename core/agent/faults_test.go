package agent_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"callagent/core/agent"
	"callagent/core/breaker"
	"callagent/core/call"
	"callagent/core/fault"
)

// steps are the requests of a call that have a row in the table of faults.
var steps = []struct{ service, verb string }{
	{agent.LLM, "script"}, {agent.ElevenLabs, "speak"}, {agent.Twilio, "dial"}, {agent.CRMService, "record"},
}

// forceOpen has an operator open a circuit.
func forceOpen(t *testing.T, w *world, service string) {
	t.Helper()
	_, change := w.agent.Circuit(service).Change(t.Context(), func(r breaker.Record) (breaker.Record, breaker.Change) {
		return breaker.ForceOpen(r, w.clock.Now())
	})
	if change != breaker.OperatorOpened {
		t.Fatal(change)
	}
	w.ports.log = nil
}

// TestEveryRowOfTheTableOfFaultsAtEveryStep sends one contact into a service
// that keeps failing at one step, without ticks, and looks after a minute.
func TestEveryRowOfTheTableOfFaultsAtEveryStep(t *testing.T) {
	for _, row := range []struct {
		fault, state string // state of the call; "parked" of its record step
		requests     int
		circuit      string
		alerts       string
	}{
		{"503", "parked", 4, "OPEN, epoch 1, streak 4", "circuit/%s/1/circuit_opened"},
		{"timeout", "parked", 4, "OPEN, epoch 1, streak 4", "circuit/%s/1/circuit_opened"},
		{"429 for 40s", "waiting", 1, "CLOSED, epoch 0, streak 0", ""},
		{"system_busy", "parked", 3, "OPEN, epoch 1, streak 3", "circuit/%s/1/circuit_opened"},
		{"429 for 2h", "parked", 1, "OPEN, epoch 1, streak 1", "circuit/%s/1/circuit_opened"},
		{"422", "failed", 1, "CLOSED, epoch 0, streak 0", "call/spring/c-001/call_failed"},
		{"401", "parked", 1, "OPEN, epoch 1, streak 1", "circuit/%s/1/circuit_opened"},
		{"quota", "parked", 1, "OPEN, epoch 1, streak 1", "circuit/%s/1/circuit_opened"},
	} {
		for _, step := range steps {
			t.Run(row.fault+" at "+step.verb, func(t *testing.T) {
				w := healthy(t)
				w.ticks = false
				w.services.on(step.service, script{verb: step.verb, fault: faults[row.fault]})
				w.run(58 * time.Second)
				c := w.call(1)
				state, alerts := string(c.State), strings.ReplaceAll(row.alerts, "%s", step.service)
				if step.verb == "record" {
					state, alerts = recordState(c), strings.ReplaceAll(alerts, "call/spring/c-001/call_failed", "")
				}
				if state != row.state {
					t.Errorf("the call is %s: %s", state, history(c))
				}
				if state == "parked" && c.Park.Service != step.service {
					t.Errorf("it is parked for %q", c.Park.Service)
				}
				if n := len(w.services.sent(step.service, step.verb)); n != row.requests {
					t.Errorf("%d requests, not %d", n, row.requests)
				}
				if got, _, _ := strings.Cut(describe(w.record(step.service)), ", until"); got != row.circuit {
					t.Errorf("the circuit is %s, not %s", got, row.circuit)
				}
				if got := strings.Join(w.told(), " "); got != alerts {
					t.Errorf("people were told %q, not %q", got, alerts)
				}
				if step.verb == "dial" && c.Intent != nil {
					t.Error("the intent was not withdrawn")
				}
				if c.SpentParks != 0 {
					t.Error("the park was counted")
				}
			})
		}
	}
}

// recordState is how the record step of a completed call stands, in the words
// that a whole call has.
func recordState(c call.Call) string {
	switch {
	case c.State != call.Completed:
		return "not even completed: " + string(c.State)
	case c.Recorded == call.Refused:
		return "failed"
	case c.Recorded == call.Pending && c.Park.Service != "":
		return "parked"
	case c.Recorded == call.Pending:
		return "waiting"
	}
	return "recorded: " + string(c.Recorded)
}

func TestTheRequiredDelaysAreFloors(t *testing.T) {
	for _, u := range []float64{0, 0.5, 0.999} {
		for _, step := range steps {
			w := newWorld(t, func(o *agent.Options) { o.Random = func() float64 { return u } })
			w.ticks = false
			w.services.on(step.service, script{verb: step.verb, fault: faults["503"]})
			w.enqueue(1)
			w.run(2 * time.Minute)
			sent := w.services.sent(step.service, step.verb)
			if len(sent) != 4 {
				t.Fatalf("%s: %d requests", step.verb, len(sent))
			}
			for i, floor := range []time.Duration{5 * time.Second, 10 * time.Second, 20 * time.Second} {
				gap := sent[i+1].at.Sub(sent[i].at) - w.services.took
				if want := floor + time.Duration(0.2*u*float64(floor)); gap != want {
					t.Errorf("%s, u %g: retry %d after %s, not %s", step.verb, u, i+1, gap, want)
				}
			}
		}
	}
}

func TestRetriesSpentWhileTheCircuitStaysClosedParkUntil12481630(t *testing.T) {
	w := newWorld(t, func(o *agent.Options) {
		for name, p := range o.Policies {
			p.Circuit.Threshold = 1000
			o.Policies[name] = p
		}
	})
	w.services.on(agent.ElevenLabs, script{contact: "c-001", fault: faults["503"]})
	w.enqueue(1)
	w.run(3 * time.Hour)
	c := w.call(1)
	if c.State != call.Failed || c.SpentParks != call.MaxSpentParks {
		t.Errorf("%s after %d parks: %s", c.State, c.SpentParks, history(c))
	}
	want := []string{}
	for n := range call.MaxSpentParks {
		want = append(want, fmt.Sprintf("call/spring/c-001/retries_exhausted/%d", n+1))
	}
	diff(t, "alerts", w.told(), append(want, "call/spring/c-001/call_failed"))
	for _, a := range w.alerts() {
		if !strings.Contains(a.What, "ElevenLabs is not available (503)") {
			t.Errorf("the alert does not say why: %s", a.What)
		}
	}
	sent := w.services.sent(agent.ElevenLabs, "speak")
	for i, wait := range []time.Duration{1, 2, 4, 8, 16} {
		gap := sent[4*i+4].at.Sub(sent[4*i+3].at)
		if floor := wait * time.Minute; gap < floor || gap > floor+6*time.Second {
			t.Errorf("park %d lasted %s", i+1, gap)
		}
	}
}

func TestARetryAfterOnA503IsAFloorThatJitterNeverUndercuts(t *testing.T) {
	w := healthy(t)
	w.services.on(agent.ElevenLabs, script{times: 1, fault: &fault.Fault{Status: 503, Kind: fault.ServiceUnavailable, RetryAfter: 30 * time.Second}})
	w.run(time.Hour)
	sent := w.services.sent(agent.ElevenLabs, "speak")
	if gap := sent[1].at.Sub(sent[0].at); gap < 30*time.Second || gap > 31*time.Second {
		t.Errorf("sent again after %s", gap)
	}
}

func TestAServiceThatFailsOneRequestInTwentyStaysInUse(t *testing.T) {
	w := newWorld(t)
	n := 0
	w.ports.meddle = func(use string) meddling {
		if use == "elevenlabs: speak" {
			if n++; n%20 == 0 {
				return refuse
			}
		}
		return none
	}
	w.enqueue(200)
	w.run(2 * time.Hour)
	if r := w.record(agent.ElevenLabs); r.Epoch != 0 {
		t.Errorf("the circuit opened: %+v", r)
	}
	if got := strings.Count(w.states(), "completed"); got != 200 {
		t.Errorf("%d completed", got)
	}
}
