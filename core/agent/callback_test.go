package agent_test

import (
	"testing"
	"time"

	"callagent/core/agent"
	"callagent/core/call"
)

// report has the provider call back about a contact's call.
func (w *world) report(n int, attempt string, l call.Look) {
	w.t.Helper()
	if err := w.agent.Callback(w.ctx, keyOf(n), attempt, l); err != nil {
		w.t.Errorf("callback %+v: %v", l, err)
	}
}

func (w *world) attempt(n int) string {
	w.t.Helper()
	c := w.call(n)
	if c.Intent == nil {
		w.t.Fatal("it has no intent")
	}
	return c.Intent.Attempt
}

func TestACallbackCutsTheWait(t *testing.T) {
	w := healthy(t)
	w.run(3 * time.Second)
	w.report(1, w.attempt(1), call.Look{SID: "CA1", Result: call.Busy})
	w.run(time.Second)
	c := w.call(1)
	if c.State != call.Completed || c.Result != call.Busy || since(c.FinishedAt) > 4*time.Second {
		t.Errorf("%s %s at %s", c.State, c.Result, since(c.FinishedAt))
	}
	w.run(time.Hour)
	if n := len(w.services.sent(agent.Twilio, "look")); n != 0 {
		t.Errorf("%d looks all the same", n)
	}
}

func TestACallbackBeforeTheSIDIsStoredIsKept(t *testing.T) {
	for name, l := range map[string]call.Look{
		"final":    {SID: "CA1", Result: call.NoAnswer},
		"progress": {SID: "CA1", Status: "ringing"},
	} {
		t.Run(name, func(t *testing.T) {
			w := healthy(t)
			w.services.on(agent.Twilio, script{verb: "dial", times: 1, during: func() { w.report(1, w.attempt(1), l) }})
			w.run(10 * time.Minute)
			want := map[bool]call.Result{true: call.NoAnswer, false: call.Answered}[l.Final()]
			if c := w.call(1); c.State != call.Completed || c.Result != want || c.SID != "CA1" {
				t.Errorf("%s %s, SID %q", c.State, c.Result, c.SID)
			}
		})
	}
}

func TestACallbackEndsAReconciliation(t *testing.T) {
	w := healthy(t)
	w.services.on(agent.Twilio, script{verb: "dial", times: 1, fault: faults["lost request"]})
	w.run(20 * time.Second)
	if c := w.call(1); c.State != call.Reconciling {
		t.Fatalf("the call is %s", c.State)
	}
	w.report(1, w.attempt(1), call.Look{SID: "CA9", Result: call.Voicemail})
	w.run(time.Second)
	if c := w.call(1); c.State != call.Completed || c.Result != call.Voicemail || c.SID != "CA9" {
		t.Errorf("%s %s, SID %q", c.State, c.Result, c.SID)
	}
}

func TestUnknownIsWrittenOnConditionOfNoAnswerAndNoNewSID(t *testing.T) {
	for name, l := range map[string]call.Look{
		"answer": {SID: "CA9", Result: call.Answered},
		"SID":    {SID: "CA1", Status: "ringing"},
	} {
		t.Run(name, func(t *testing.T) {
			w := healthy(t)
			w.services.on(agent.Twilio, script{verb: "dial", times: 1, fault: faults["lost answer"]})
			listings := 0
			w.services.watch = func(_, verb, _ string) {
				if verb == "list" {
					w.services.rings[0].From = "+15005550000" // it does not show in a listing
					if listings++; listings == call.Listings {
						w.report(1, w.attempt(1), l)
					}
				}
			}
			w.run(time.Hour)
			if c := w.call(1); c.State != call.Completed || c.SID != l.SID || listings != call.Listings {
				t.Errorf("%s, SID %q after %d listings: %s", c.State, c.SID, listings, history(c))
			}
			if told := w.told(); len(told) != 0 {
				t.Errorf("people were told %v", told)
			}
		})
	}
}

func TestOnlyACallbackOfTheAttemptThatBringsSomethingNewChangesTheCall(t *testing.T) {
	w := newWorld(t)
	w.enqueue(2)
	w.run(3 * time.Second)
	before := w.call(1)
	w.report(1, "another attempt", call.Look{SID: "CA1", Result: call.Busy})
	w.report(9, w.attempt(1), call.Look{SID: "CA1", Result: call.Busy})
	w.report(1, w.attempt(1), call.Look{SID: w.call(2).SID, Result: call.Busy}) // another call's ring
	w.report(1, w.attempt(1), call.Look{SID: "CA1", Status: "ringing"})         // nothing new
	if c := w.call(1); c.Answer != nil || c.Version != before.Version {
		t.Errorf("the call changed: %+v", c.Answer)
	}
	if n := w.events.count("callback_ignored"); n != 3 {
		t.Errorf("%d are journalled as ignored", n)
	}
	w.report(1, w.attempt(1), call.Look{SID: "CA1", Result: call.Busy})
	w.report(1, w.attempt(1), call.Look{SID: "CA1", Result: call.Busy})     // twice
	w.report(1, w.attempt(1), call.Look{SID: "CA1", Status: "ringing"})     // out of order
	w.report(1, w.attempt(1), call.Look{SID: "CA1", Result: call.Answered}) // it said something else before
	w.run(time.Minute)
	if c := w.call(1); c.State != call.Completed || c.Result != call.Busy {
		t.Errorf("%s %s", c.State, c.Result)
	}
	if n := w.events.count("answer_received"); n != 1 {
		t.Errorf("%d answers journalled", n)
	}
}

func TestACallbackAfterALookSawTheEndChangesNothing(t *testing.T) {
	w := healthy(t)
	w.run(time.Minute)
	before := len(w.ports.log)
	w.report(1, w.attempt(1), call.Look{SID: "CA1", Result: call.Answered})
	if used := w.ports.log[before:]; len(used) != 1 {
		t.Errorf("it used %v", used)
	}
}

func TestEvidenceOnAnUnknownCallCompletesItInOneWrite(t *testing.T) {
	w := healthy(t)
	w.services.on(agent.Twilio, script{verb: "dial", times: 1, fault: faults["lost request"]})
	w.run(10 * time.Minute)
	if c := w.call(1); c.State != call.Unknown {
		t.Fatalf("the call is %s", c.State)
	}
	w.report(1, w.attempt(1), call.Look{SID: "CA9", Result: call.Answered, Duration: 7 * time.Second})
	if c := w.call(1); c.State != call.Completed || c.Recorded != call.Pending {
		t.Errorf("%s, recorded %q", c.State, c.Recorded)
	}
	w.run(time.Minute)
	e := w.services.entries["crm-c-001"]
	if c := w.call(1); c.Recorded != call.Yes || e.SID != "CA9" || e.Result != call.Answered || e.Duration != 7*time.Second {
		t.Errorf("recorded %q as %+v", c.Recorded, e)
	}
}

func TestACallbackThatCannotBeStoredIsAskedForAgain(t *testing.T) {
	for _, use := range []string{"ledger: get", "ledger: answer", "queue: send"} {
		w := healthy(t)
		w.run(3 * time.Second)
		w.ports.meddle = (&nth{n: 1, prefix: use, what: refuse}).meddle
		l := call.Look{SID: "CA1", Result: call.Busy}
		if err := w.agent.Callback(w.ctx, keyOf(1), w.attempt(1), l); err == nil {
			t.Errorf("%s is silent and the provider is told that all is well", use)
		}
		w.report(1, w.attempt(1), l) // it comes again
		w.run(10 * time.Minute)
		if c := w.call(1); c.State != call.Completed || c.Result != call.Busy {
			t.Errorf("%s: %s %s", use, c.State, c.Result)
		}
	}
}
