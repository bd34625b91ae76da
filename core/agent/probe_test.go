package agent_test

import (
	"strings"
	"testing"
	"time"

	"callagent/core/agent"
	"callagent/core/breaker"
	"callagent/core/call"
)

func TestACancelledRequestReleasesTheProbeLease(t *testing.T) {
	for _, verb := range []string{"probe", "speak"} {
		t.Run(verb, func(t *testing.T) {
			w := outage(t)
			w.run(29 * time.Second)
			w.services.on(agent.ElevenLabs, script{verb: verb, from: start.Add(30 * time.Second), times: 1, during: func() { w.stop() }})
			w.run(5 * time.Minute)
			r := w.record(agent.ElevenLabs)
			if d := since(r.ClosedAt); r.State != breaker.Closed || d > 40*time.Second || r.Relapses != 0 {
				t.Errorf("%s, closed after %s: the lease was not given back", r.State, d)
			}
			probes := 0
			for _, p := range w.services.sent(agent.ElevenLabs, "probe") {
				if since(p.at) >= 30*time.Second {
					probes++
				}
			}
			if probes != 2 {
				t.Errorf("%d probes: the one that proved nothing, and the next", probes)
			}
			allEnded(t, w, false)
		})
	}
}

func TestTheLeaseOfAnHeirWhoseEarlierStepsTookLongIsLengthened(t *testing.T) {
	w := newWorld(t)
	w.agent.Circuit(agent.ElevenLabs).Change(t.Context(), func(r breaker.Record) (breaker.Record, breaker.Change) {
		return breaker.Fail(r, breaker.DefaultConfig(), breaker.Failure{Fault: faults["401"], Began: start}, start)
	})
	w.services.on(agent.LLM, script{times: 3, fault: faults["503"]}) // the heir waits 5, 10 and 20 s for its script
	w.enqueue(1)
	w.run(10 * time.Minute)
	if r := w.record(agent.ElevenLabs); r.State != breaker.Closed || r.Epoch != 5 {
		t.Errorf("%s in epoch %d: it took more than a trip, a lease, a hand-over, a longer lease and a close", r.State, r.Epoch)
	}
	if c := w.call(1); c.State != call.Completed || c.Park.Number != 1 {
		t.Errorf("%s after %d parks", c.State, c.Park.Number)
	}
}

// The next outage takes the place of the one before in the record, so whoever
// opens it sees to it that the one before is told.
func TestAnOutageIsToldThatNobodyCouldBeToldOf(t *testing.T) {
	w := newWorld(t)
	w.ticks = false
	w.agent.Circuit(agent.LLM).Change(t.Context(), func(r breaker.Record) (breaker.Record, breaker.Change) {
		r.Epoch, r.Outage, r.OpenedAt, r.ClosedAt = 4, 1, start.Add(-9*time.Minute), start.Add(-8*time.Minute)
		return r, breaker.Noted
	})
	w.services.on(agent.LLM, script{times: 1, fault: faults["401"]})
	w.enqueue(1)
	w.run(time.Minute)
	want := "circuit/llm/1/circuit_opened circuit/llm/1/circuit_closed circuit/llm/5/circuit_opened"
	if got := strings.Join(w.told(), " "); got != want {
		t.Errorf("people are told %s, want %s", got, want)
	}
}

func TestTwoOpenCircuitsDoNotWaitForEachOther(t *testing.T) {
	for _, pair := range [][]string{{agent.LLM, agent.ElevenLabs}, {agent.LLM, agent.Twilio}, {agent.ElevenLabs, agent.Twilio}, {agent.LLM, agent.ElevenLabs, agent.Twilio}} {
		t.Run(strings.Join(pair, " and "), func(t *testing.T) {
			w := newWorld(t)
			for i, service := range pair {
				w.agent.Circuit(service).Change(t.Context(), func(r breaker.Record) (breaker.Record, breaker.Change) {
					return breaker.Fail(r, breaker.DefaultConfig(), breaker.Failure{Fault: faults["401"], Began: start}, start)
				})
				c := contact(i + 1) // each of them holds a call that has no script yet
				if err := w.store.Put(t.Context(), call.Write{Call: call.Call{
					Key: c.Key(), Contact: c, Number: hash(c.Phone), State: call.Parked, CreatedAt: start,
					Park: call.Park{Number: 1, Service: service, Since: start},
				}}); err != nil {
					t.Fatal(err)
				}
			}
			w.run(10 * time.Minute)
			for _, service := range pair {
				if r := w.record(service); r.State != breaker.Closed {
					t.Errorf("%s is %s in epoch %d although everything works", service, r.State, r.Epoch)
				}
			}
			allEnded(t, w, false)
		})
	}
}

func TestTheEmergencyStopHoldsForTheCallThatTests(t *testing.T) {
	w := newWorld(t)
	c := contact(1)
	twilio := w.agent.Circuit(agent.Twilio)
	twilio.Change(t.Context(), func(r breaker.Record) (breaker.Record, breaker.Change) {
		r.State, r.Epoch, r.OpenedAt, r.Probe = breaker.HalfOpen, 3, start, breaker.Lease{Holder: c.Key().String(), Until: start.Add(time.Minute)}
		return r, breaker.HandedOver
	})
	twilio.Change(t.Context(), func(r breaker.Record) (breaker.Record, breaker.Change) { return breaker.ForceOpen(r, start) })
	w.send(c)
	w.run(10 * time.Second)
	if got := w.call(1); got.Script != "" || got.Park.Service != agent.Twilio {
		t.Errorf("it is %s, parked for %q, and its script %q is paid for", got.State, got.Park.Service, got.Script)
	}
}

func TestAPaidRequestStartsOnlyIfTheLeaseOutlastsIt(t *testing.T) {
	for _, still := range []time.Duration{15 * time.Second, 25 * time.Second, 10 * time.Minute} {
		w := healthy(t)
		w.ports.meddle = func(use string) meddling {
			if use == "media: get" { // before the speech and before the record
				w.clock.to(w.clock.Now().Add(still))
			}
			return none
		}
		w.run(time.Hour) // checkRequest sees each request
		allEnded(t, w, false)
	}
}

func TestAStampedCallIsSkippedFor5Min(t *testing.T) {
	w := healthy(t)
	w.losesAgain = true
	w.run(time.Minute)
	w.losesAgain = false
	visible := func() int {
		n, _, _, err := w.store.Pending(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		return n
	}
	due := w.call(1).Due
	for _, tick := range []struct {
		after time.Duration
		sent  int
	}{{119 * time.Second, 0}, {2 * time.Minute, 1}, {3 * time.Minute, 1}, {7*time.Minute - 1, 1}, {7 * time.Minute, 2}} {
		w.clock.to(due.Add(tick.after))
		w.agent.Tick(w.ctx)
		if n := visible(); n != tick.sent {
			t.Errorf("%d wake-ups %s after it was due", n, tick.after)
		}
	}
}

func TestNothingIsReleasedThatTheRampDoesNotKnowOf(t *testing.T) {
	w := newWorld(t)
	forceOpen(t, w, agent.Twilio)
	w.enqueue(5)
	w.run(4 * time.Second)
	w.agent.Circuit(agent.Twilio).Change(t.Context(), func(r breaker.Record) (breaker.Record, breaker.Change) {
		return breaker.ForceClose(r, w.clock.Now())
	})
	w.ports.meddle = func(use string) meddling {
		if strings.HasPrefix(use, "circuits: swap") {
			return refuse
		}
		return none
	}
	w.agent.Tick(w.ctx)
	w.ports.meddle = nil
	for _, c := range w.calls() {
		if !c.Park.SentAt.IsZero() {
			t.Errorf("%s is released", c.Key)
		}
	}
	w.run(time.Hour)
	if got := w.states(); got != "completed completed completed completed completed" {
		t.Errorf("the calls are %s", got)
	}
}

func TestAMomentThatPassedIsReservedAnew(t *testing.T) {
	for late, want := range map[time.Duration]int{agent.SlotFor: 5, agent.SlotFor + 1: 6} {
		w := newWorld(t, func(o *agent.Options) {
			p := o.Policies[agent.Twilio]
			p.Rate = 0.1
			o.Policies[agent.Twilio] = p
		})
		w.enqueue(5)
		w.run(2 * time.Second)
		w.clock.to(w.call(5).Slot.Add(late)) // the others are later still
		slots := 0
		w.ports.meddle = func(use string) meddling {
			if use == "pace: slot" {
				slots++
			}
			return none
		}
		w.run(10 * time.Minute)
		if got := w.states(); got != "completed completed completed completed completed" {
			t.Errorf("the calls are %s", got)
		}
		if slots+5 < want {
			t.Errorf("%s late: %d moments were reserved", late, slots+5)
		}
	}
}
