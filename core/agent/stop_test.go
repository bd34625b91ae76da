package agent_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"callagent/core/agent"
	"callagent/core/call"
	"callagent/core/journal"
)

// stopAtEvery plays a world once for each use of a port, with the process
// asked to stop during that use.
func stopAtEvery(t *testing.T, scene func(*testing.T) *world, stop func(*world)) {
	t.Helper()
	for n := 1; ; n++ {
		w := scene(t)
		uses, at := 0, ""
		w.ports.meddle = func(use string) meddling {
			if uses++; uses == n {
				at = use
				stop(w)
			}
			return none
		}
		w.run(2 * time.Hour)
		if at == "" {
			return
		}
		if d := since(w.call(1).FinishedAt); d > time.Minute+30*time.Second {
			t.Errorf("it took %s: the call was not handed back", d)
		}
		for _, use := range w.ports.log {
			if strings.HasPrefix(use, "circuits: swap") {
				t.Errorf("stopping is counted as a failure: %s", use)
			}
		}
		for _, c := range w.calls() {
			if c.SpentParks > 0 || c.Takeovers > 0 {
				t.Errorf("stopping is held against %s: %s", c.Key, history(c))
			}
		}
		if n := w.events.count("ledger_silent"); n != 0 {
			t.Error("the ledger is blamed for it")
		}
		for _, verb := range []string{"script", "speak", "dial", "record"} {
			done := 0
			for _, r := range w.services.requests {
				if r.verb == verb && r.fault == nil {
					done++
				}
			}
			if done != 1 {
				t.Errorf("%d requests to %s were paid for", done, verb)
			}
		}
		allEnded(t, w, false)
		if t.Failed() {
			t.Fatalf("stopped at number %d: %s", n, at)
		}
	}
}

func TestAProcessThatStopsLosesNothingAndCountsNothing(t *testing.T) {
	paced := func(t *testing.T) *world {
		w := newWorld(t, func(o *agent.Options) {
			for name, p := range o.Policies {
				p.Rate, p.AtOnce = 1, 1
				o.Policies[name] = p
			}
		})
		w.enqueue(1)
		return w
	}
	for name, scene := range map[string]func(*testing.T) *world{"healthy": healthy, "paced": paced} {
		t.Run(name+", asked to stop", func(t *testing.T) {
			stopAtEvery(t, scene, func(w *world) { w.stopping = true })
		})
		t.Run(name+", its context is cancelled", func(t *testing.T) {
			stopAtEvery(t, scene, func(w *world) { w.stop() })
		})
	}
}

func TestARequestThatIsCutOffIsNoFailureOfTheService(t *testing.T) {
	for _, verb := range []struct{ service, verb string }{
		{agent.LLM, "script"}, {agent.ElevenLabs, "speak"}, {agent.Twilio, "dial"}, {agent.Twilio, "look"}, {agent.CRMService, "record"},
	} {
		t.Run(verb.verb, func(t *testing.T) {
			w := healthy(t)
			w.services.on(verb.service, script{verb: verb.verb, times: 1, during: func() { w.stop() }})
			w.run(time.Hour)
			if r := w.record(verb.service); r.Version != 0 {
				t.Errorf("the circuit was told: %+v", r)
			}
			if c := w.call(1); c.State != call.Completed || c.Takeovers != 0 {
				t.Errorf("%s: %s", c.State, history(c))
			}
		})
	}
}

func TestAProcessThatStopsBetweenIntentAndRequestWithdraws(t *testing.T) {
	for name, stop := range map[string]func(*world){
		"asked to stop": func(w *world) { w.stopping = true },
		"cancelled":     func(w *world) { w.stop() },
	} {
		w := healthy(t)
		stopped := 0
		w.ports.meddle = func(use string) meddling {
			if strings.HasSuffix(use, "take number") && stopped == 0 {
				stopped = w.born
				stop(w)
			}
			return none
		}
		w.services.watch = func(_, verb, _ string) {
			if verb == "dial" && w.born == stopped {
				t.Errorf("%s: the process dials all the same", name)
			}
		}
		w.run(time.Hour)
		if c := w.call(1); c.State != call.Completed || !strings.Contains(history(c), "not dialled: the process is stopping") {
			t.Errorf("%s: %s: %s", name, c.State, history(c))
		}
	}
}

func TestTheLeaseOfAFinishedCallIsGivenBackToo(t *testing.T) {
	w := healthy(t)
	w.services.on(agent.CRMService, script{times: 1, during: func() { w.stop() }})
	w.run(time.Hour)
	sent := w.services.sent(agent.CRMService, "record")
	if len(sent) != 2 || sent[1].at.Sub(sent[0].at) > time.Second {
		t.Errorf("recorded by %v: the next process waited for the lease", fmt.Sprint(sent))
	}
}

// slowly writes events, and stands still when one of the kind is written.
type slowly struct {
	*events
	kind  string
	still func()
}

func (s slowly) Write(e journal.Entry) {
	s.events.Write(e)
	if e.Event == s.kind {
		s.still()
	}
}

func TestAProcessThatStoodStillDoesNotRecordWithoutItsLease(t *testing.T) {
	var w *world
	w = newWorld(t, func(o *agent.Options) {
		o.Journal = slowly{o.Journal.(*events), "retry_scheduled", func() { w.clock.to(w.clock.Now().Add(15 * time.Second)) }}
	})
	w.services.on(agent.CRMService, script{verb: "record", times: 1, fault: faults["503"]})
	held := 0
	w.services.watch = func(service, verb, contact string) {
		w.checkRequest(service, verb, contact)
		if verb == "record" && w.call(1).Lease.Holder != "" {
			held++
		}
	}
	w.enqueue(1)
	w.run(time.Hour)
	if n := w.call(1); n.Recorded != call.Yes || held != 2 {
		t.Errorf("recorded %q, with the lease held for %d of 2 requests", n.Recorded, held)
	}
}
