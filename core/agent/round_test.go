package agent_test

import (
	"context"
	"testing"
	"time"

	"callagent/core/agent"
	"callagent/core/call"
)

// again orders contact n again, as an operator's command does.
func (w *world) again(n int) {
	w.t.Helper()
	next, kept, ok := w.call(n).Again(w.clock.Now())
	if !ok {
		w.t.Fatalf("contact %d is %s and cannot be called again", n, w.call(n).State)
	}
	if err := w.store.Put(context.Background(), call.Write{Call: next, Keep: &kept}); err != nil {
		w.t.Fatal(err)
	}
	w.send(next.Contact)
	w.rerings = true
}

func (w *world) dials() int { return len(w.services.sent(agent.Twilio, "dial")) }

// A person orders one more ring of a call that ended unknown. A late report
// about the first ring changes nothing of the second.
func TestAnotherRoundRingsOnceMoreAndKeepsItsOwnAnswer(t *testing.T) {
	w := healthy(t)
	w.services.on(agent.Twilio, script{verb: "dial", times: 1, fault: faults["lost request"]})
	w.run(10 * time.Minute)
	first := w.attempt(1)
	if c := w.call(1); c.State != call.Unknown {
		t.Fatalf("the call is %s", c.State)
	}
	w.again(1)
	late := call.Look{SID: "CA9", Result: call.Voicemail}
	w.report(1, first, late)
	w.run(3 * time.Second)
	w.report(1, first, late)
	if c := w.call(1); c.Answer != nil || c.Intent == nil || c.Intent.Attempt == first {
		t.Errorf("the second round has the answer %v to the attempt %v", c.Answer, c.Intent)
	}
	w.run(time.Hour)
	w.report(1, first, late)
	w.run(time.Hour)
	if c := w.call(1); c.State != call.Completed || c.Result != call.Answered || c.Round != 2 || c.Recorded != call.Yes {
		t.Errorf("round %d is %s %s, recorded %q: %s", c.Round, c.State, c.Result, c.Recorded, history(c))
	}
	kept, err := w.store.Get(t.Context(), call.Key{Campaign: "spring", Contact: "c-001#1"})
	if err != nil || kept.State != call.Unknown || kept.Answer != nil {
		t.Errorf("the first round is %s with answer %v, %v", kept.State, kept.Answer, err)
	}
	if n := w.dials(); n != 2 {
		t.Errorf("%d dial requests", n)
	}
	if n := w.events.count("callback_ignored"); n != 3 {
		t.Errorf("%d reports are journalled as ignored", n)
	}
}

// Each round is told, recorded and kept under its own number.
func TestRoundsAreNotTakenForEachOther(t *testing.T) {
	w := healthy(t)
	w.run(time.Hour)
	w.again(1)
	w.run(time.Hour)
	first, second := w.services.entries["crm-c-001"], w.services.entries["crm-c-001#2"]
	if first.SID == "" || second.SID == "" || first.SID == second.SID {
		t.Errorf("the CRM has %q and %q", first.SID, second.SID)
	}
	kept, err := w.store.Get(t.Context(), call.Key{Campaign: "spring", Contact: "c-001#1"})
	if c := w.call(1); err != nil || kept.Script == c.Script || kept.Speech == c.Speech {
		t.Errorf("both rounds use %q and %q, %v", c.Script, c.Speech, err)
	}
}

func TestEveryRoundThatFailsIsTold(t *testing.T) {
	w := healthy(t)
	w.services.on(agent.Twilio, script{verb: "dial", times: 2, fault: faults["422"]})
	w.run(time.Hour)
	w.again(1)
	w.run(time.Hour)
	diff(t, "alerts", w.told(), []string{"call/spring/c-001/call_failed", "call/spring/c-001#2/call_failed"})
	if n := w.dials(); n != 2 {
		t.Errorf("%d dial requests", n)
	}
}

// The number belongs to the call whichever round it is in.
func TestAnotherRoundMayDialItsNumberAndNobodyElse(t *testing.T) {
	w := healthy(t)
	w.run(time.Hour)
	w.again(1)
	other := contact(1)
	other.ID = "c-777"
	w.send(other)
	w.run(time.Hour)
	if c := w.call(1); c.State != call.Completed || c.Round != 2 {
		t.Errorf("round %d is %s: %s", c.Round, c.State, c.Reason)
	}
	c, err := w.store.Get(t.Context(), other.Key())
	if err != nil || c.State != call.Failed || c.Reason != "duplicate of spring/c-001" {
		t.Errorf("the other is %s: %s, %v", c.State, c.Reason, err)
	}
}

// A process that dies between the write and the queue loses nothing: the tick
// finds the round by its due time.
func TestARoundWithoutAMessageIsFoundByTheTick(t *testing.T) {
	w := healthy(t)
	w.run(time.Hour)
	next, kept, _ := w.call(1).Again(w.clock.Now())
	if err := w.store.Put(t.Context(), call.Write{Call: next, Keep: &kept}); err != nil {
		t.Fatal(err)
	}
	w.rerings = true
	w.run(10 * time.Minute)
	if c := w.call(1); c.State != call.Completed || c.Round != 2 {
		t.Errorf("round %d is %s", c.Round, c.State)
	}
}
