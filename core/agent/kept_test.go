package agent_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"callagent/core/agent"
	"callagent/core/call"
	"callagent/core/fault"
)

// A callback that only said which call rings does not keep the call from
// ending: failed looks are repeated for a day, then a person decides.
func TestACallWhoseRingIsKnownOnlyFromACallbackEnds(t *testing.T) {
	w := healthy(t)
	w.services.on(agent.Twilio, script{verb: "dial", times: 1, fault: faults["lost request"]})
	w.services.on(agent.Twilio, script{verb: "look", fault: faults["503"]})
	w.run(5 * time.Second)
	w.report(1, w.attempt(1), call.Look{SID: "CA9", Status: "ringing"})
	w.run(72 * time.Hour)
	if c := w.call(1); c.State != call.Unknown || c.SID != "CA9" {
		t.Errorf("%s with SID %q", c.State, c.SID)
	}
}

// At least once: an alert that the outbox does not take is raised again.
func TestAnAlertThatIsRefusedOnceIsToldLater(t *testing.T) {
	w := newWorld(t)
	refused := false
	w.ports.meddle = func(use string) meddling {
		if strings.HasPrefix(use, "outbox: raise call_failed") && !refused {
			refused = true
			return refuse
		}
		return none
	}
	w.services.on(agent.LLM, script{fault: &fault.Fault{Class: fault.Permanent, Kind: fault.InvalidRequest, Scope: fault.Contact, Message: "bad"}})
	w.enqueue(1)
	w.run(time.Hour)
	if told := w.told(); len(told) != 1 || w.call(1).Notice != "" {
		t.Errorf("told %v, notice %q", told, w.call(1).Notice)
	}
}

// Changed data count until the intent, in the order in which they were sent.
func TestAnOlderMessageDoesNotBringBackOldData(t *testing.T) {
	w := newWorld(t)
	w.services.on(agent.LLM, script{times: 1, fault: faults["503"]})
	w.send(contact(1))
	w.run(time.Second)
	corrected := contact(1)
	corrected.Phone = plantedPhone + "777"
	w.send(corrected)
	w.run(time.Hour)
	if rung := w.services.rung(); len(rung) != 1 || rung["c-777"] != 1 || w.call(1).Contact.Phone != corrected.Phone {
		t.Errorf("rang %v", rung)
	}
}

// A campaign that the settings lose holds its calls, and those that were
// dialled go on to their outcome.
func TestACampaignThatIsGoneHoldsItsCalls(t *testing.T) {
	for _, dialled := range []bool{false, true} {
		gone := false
		w := newWorld(t, func(o *agent.Options) {
			find := o.Campaign
			o.Campaign = func(name string) (call.Campaign, bool) {
				c, ok := find(name)
				return c, ok && !gone
			}
		})
		after := 3 * time.Second
		if !dialled {
			after = time.Second
			w.services.on(agent.LLM, script{times: 1, fault: faults["503"]})
		}
		w.enqueue(1)
		w.run(after)
		gone = true
		w.run(24 * time.Hour)
		if want := map[bool]call.State{false: call.Parked, true: call.Completed}[dialled]; w.call(1).State != want {
			t.Errorf("dialled %t: %s, want %s", dialled, w.call(1).State, want)
		}
		if n := w.events.count("message_rejected"); n != 0 {
			t.Errorf("dialled %t: %d wake-ups went to the dead letters", dialled, n)
		}
		gone = false
		w.run(2 * time.Hour)
		if w.call(1).State != call.Completed {
			t.Errorf("dialled %t: %s when the campaign is back", dialled, w.call(1).State)
		}
	}
}

// unclassified is a dialer that forgets to say what went wrong, after it rang.
type unclassified struct {
	portedProbe
	dials int
}

func (d *unclassified) Dial(ctx context.Context, r call.DialRequest) (string, error) {
	d.dials++
	sid, err := d.portedProbe.Dial(ctx, r)
	if d.dials == 1 && err == nil {
		return "", errors.New("unclassified")
	}
	return sid, err
}

// Nobody is rung twice: an error of the dial that says nothing is ambiguous.
func TestAnUnclassifiedDialErrorIsNeverDialledAgain(t *testing.T) {
	w := newWorld(t, func(o *agent.Options) { o.Dialer = &unclassified{portedProbe: o.Dialer.(portedProbe)} })
	w.enqueue(1)
	w.run(time.Hour)
	if c := w.call(1); c.State != call.Completed {
		t.Errorf("%s", c.State)
	}
}

// A parked call that inherits the lease and turns away, because its window is
// closed, gives it back: the next tick tests with another.
func TestAnHeirThatTurnsAwayGivesTheLeaseBack(t *testing.T) {
	w := newWorld(t, func(o *agent.Options) {
		find := o.Campaign
		o.Campaign = func(name string) (call.Campaign, bool) {
			c, ok := find(name)
			if name == "spring" {
				c.Window = call.Window{From: 8 * 60, To: 9*60 + 1} // shuts a minute after the start
			}
			return c, ok
		}
	})
	heal := 90 * time.Second
	w.services.on(agent.LLM, script{fault: faults["503"], to: start.Add(heal)})
	for i := range 8 {
		w.send(contact(i + 1))
	}
	w.run(30 * time.Second)
	other := contact(100)
	other.Campaign = "other"
	w.send(other)
	w.run(10 * time.Minute)
	if closed := since(w.record(agent.LLM).ClosedAt); closed > heal+time.Minute {
		t.Errorf("healed after %s, closed after %s", heal, closed)
	}
}

// One 429 on a look is no five minutes of silence when later looks pass.
func TestALookThatPassesEndsARunOfPauses(t *testing.T) {
	w := newWorld(t)
	w.services.on(agent.Twilio, script{verb: "look", times: 1, fault: faults["429 for 40s"]})
	w.enqueue(1)
	w.run(time.Second)
	w.services.rings[0].lasts = 6 * time.Minute
	w.run(20 * time.Minute)
	if told := w.told(); len(told) != 0 {
		t.Errorf("people were told %v", told)
	}
}

// What was begun goes first: a retry is not held up by a long list.
func TestARetryIsNotHeldUpByALongList(t *testing.T) {
	w := newWorld(t)
	w.services.on(agent.LLM, script{times: 1, fault: faults["503"]})
	w.enqueue(300)
	w.run(time.Minute)
	scripts := w.services.sent(agent.LLM, "")
	for _, r := range scripts[1:] {
		if r.contact == scripts[0].contact {
			if waited := r.at.Sub(scripts[0].at); waited > 10*time.Second {
				t.Errorf("the retry came after %s", waited)
			}
			return
		}
	}
	t.Error("there was no retry within a minute")
}
