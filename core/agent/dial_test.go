package agent_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"callagent/core/agent"
	"callagent/core/call"
)

func TestAnAmbiguousDialIsAdoptedAndNeverRedialled(t *testing.T) {
	w := healthy(t)
	w.services.on(agent.Twilio, script{verb: "dial", times: 1, fault: faults["lost answer"]})
	w.run(time.Hour)
	c := w.call(1)
	if c.State != call.Completed || c.SID != "CA1" || c.Recorded != call.Yes {
		t.Errorf("%s with SID %q: %s", c.State, c.SID, history(c))
	}
	if n := len(w.services.sent(agent.Twilio, "dial")); n != 1 {
		t.Errorf("%d dial requests", n)
	}
	if owner, err := w.store.Owner(t.Context(), "CA1"); err != nil || owner != keyOf(1) {
		t.Errorf("CA1 belongs to %s, %v", owner, err)
	}
	if w.record(agent.Twilio).Streak != 1 {
		t.Error("it did not count toward the circuit")
	}
}

func TestNotThereNeedsThreeSuccessfulListingsTheLastAMinuteAfterTheDeadline(t *testing.T) {
	w := healthy(t)
	w.services.on(agent.Twilio, script{verb: "dial", times: 1, fault: faults["lost request"]})
	w.services.on(agent.Twilio, script{verb: "list", times: 4, fault: faults["503"]})
	w.run(10 * time.Minute)
	c := w.call(1)
	if c.State != call.Unknown {
		t.Fatalf("%s: %s", c.State, history(c))
	}
	worked := 0
	var last time.Time
	for _, r := range w.services.sent(agent.Twilio, "list") {
		if r.fault == nil {
			worked, last = worked+1, r.at
		}
	}
	if worked != call.Listings || last.Before(c.Intent.Deadline.Add(time.Minute)) {
		t.Errorf("%d listings worked, the last at %s; the deadline was %s", worked, last, c.Intent.Deadline)
	}
	diff(t, "alerts", w.told(), []string{"call/spring/c-001/call_unknown"})
	if n := len(w.services.sent(agent.Twilio, "dial")); n != 1 {
		t.Errorf("%d dial requests", n)
	}
}

func TestOfTwoCandidatesNoneIsAdopted(t *testing.T) {
	w := healthy(t)
	w.services.on(agent.Twilio, script{verb: "dial", times: 1, fault: faults["lost answer"]})
	w.services.watch = func(_, verb, _ string) {
		if verb == "list" && len(w.services.rings) == 1 { // somebody else used our caller id
			other := *w.services.rings[0]
			other.SID, other.contact = "CA-other", "c-other"
			w.services.rings = append(w.services.rings, &other)
		}
	}
	w.run(10 * time.Minute)
	if c := w.call(1); c.State != call.Unknown || c.SID != "" {
		t.Errorf("%s with SID %q", c.State, c.SID)
	}
}

func TestARingThatBelongsToAnotherCallIsNoCandidate(t *testing.T) {
	w := newWorld(t)
	w.rerings = true
	w.services.on(agent.Twilio, script{verb: "dial", from: start.Add(30 * time.Second), times: 1, fault: faults["lost request"]})
	w.enqueue(1)
	w.run(31 * time.Second)
	again := contact(1)
	again.Campaign = "summer"
	w.send(again)
	w.run(10 * time.Minute)
	c, err := w.store.Get(t.Context(), again.Key())
	if err != nil || c.State != call.Unknown || c.SID != "" {
		t.Errorf("%s with SID %q, %v", c.State, c.SID, err)
	}
}

func TestARefusedDialIsWithdrawnAndTheNumberIsFree(t *testing.T) {
	for _, name := range []string{"refused", "422", "401", "429 for 40s"} {
		t.Run(name, func(t *testing.T) {
			w := healthy(t)
			w.ticks = false
			w.services.on(agent.Twilio, script{verb: "dial", contact: "c-001", times: 1, fault: faults[name]})
			w.run(2 * time.Second)
			if c := w.call(1); c.Intent != nil || c.State == call.Running {
				t.Fatalf("%s with intent %+v", c.State, c.Intent)
			}
			probe := w.call(1)
			probe.Key.Contact, probe.Key.Campaign, probe.Version = "other", "spring", 0
			probe.Intent = &call.Intent{Attempt: "other"}
			if err := w.store.Put(t.Context(), call.Write{Call: probe, Number: call.TakeNumber}); err != nil {
				t.Errorf("another contact with the number cannot be dialled in the campaign: %v", err)
			}
		})
	}
}

func TestABusyNumberParksTheCallForAMinuteNotCounted(t *testing.T) {
	w := newWorld(t)
	w.rerings = true
	w.enqueue(1)
	w.run(time.Second) // it rings, and has the number
	again := contact(1)
	again.Campaign = "summer"
	w.send(again)
	w.run(time.Second)
	c, err := w.store.Get(t.Context(), again.Key())
	if err != nil || c.State != call.Parked || c.SpentParks != 0 || c.Park.Until.Sub(c.Park.Since) != time.Minute {
		t.Errorf("%s: %+v, %v", c.State, c.Park, err)
	}
	w.run(10 * time.Minute)
	dials := w.services.sent(agent.Twilio, "dial")
	if len(dials) != 2 || dials[1].at.Sub(dials[0].at) < time.Minute || dials[1].at.Sub(dials[0].at) > 70*time.Second {
		t.Errorf("dialled %v", dials)
	}
	if n := len(w.services.sent(agent.ElevenLabs, "speak")); n != 2 {
		t.Errorf("%d recordings", n)
	}
}

func TestASecondContactWithANumberAlreadyDialledInItsCampaignEndsFailed(t *testing.T) {
	w := newWorld(t)
	w.enqueue(1)
	w.run(time.Minute)
	twin := contact(1)
	twin.ID = "c-twin"
	w.send(twin)
	w.run(time.Minute)
	c, err := w.store.Get(t.Context(), twin.Key())
	if err != nil || c.State != call.Failed || c.Reason != "duplicate of spring/c-001" {
		t.Errorf("%s: %s, %v", c.State, c.Reason, err)
	}
}

func TestABlockedNumberIsNeverDialled(t *testing.T) {
	for when, block := range map[string]time.Duration{"before the first paid step": 0, "just before the dial": 400 * time.Millisecond} {
		t.Run(when, func(t *testing.T) {
			w := newWorld(t)
			w.services.watch = func(_, verb, _ string) {
				if block > 0 && verb == "speak" {
					if err := w.store.Block(t.Context(), hash(contact(1).Phone)); err != nil {
						t.Fatal(err)
					}
				}
			}
			paid := 2
			if block == 0 {
				paid = 0
				if err := w.store.Block(t.Context(), hash(contact(1).Phone)); err != nil {
					t.Fatal(err)
				}
			}
			w.enqueue(1)
			w.run(time.Minute)
			if c := w.call(1); c.State != call.Failed || c.Intent != nil || !strings.Contains(c.Reason, "do-not-call") {
				t.Errorf("%s: %s", c.State, c.Reason)
			}
			if len(w.services.requests) != paid {
				t.Errorf("paid for %v", w.services.requests)
			}
		})
	}
}

// standingStill is a ledger whose process stands still right after it stored
// its first intent.
type standingStill struct {
	agent.Ledger
	still func()
}

func (s standingStill) Put(ctx context.Context, w call.Write) error {
	err := s.Ledger.Put(ctx, w)
	if w.Number == call.TakeNumber {
		s.still()
	}
	return err
}

func TestTheRequestStartsOnlyIfItEndsBeforeTheDeadline(t *testing.T) {
	for _, still := range []time.Duration{20 * time.Second, 20*time.Second + 1, 5 * time.Minute} {
		late := still > 20*time.Second
		w := newWorld(t, func(o *agent.Options) {
			c := o.Clock.(*clock)
			o.Ledger = standingStill{o.Ledger, func() { c.to(c.Now().Add(still)); still = 0 }}
		})
		w.enqueue(1)
		w.run(10 * time.Minute)
		c := w.call(1)
		if withdrawn := strings.Contains(history(c), "not dialled: too late in the lease"); c.State != call.Completed || withdrawn != late {
			t.Errorf("late: %t, %s: %s", late, c.State, history(c))
		}
	}
}

func TestAHolderThatLostItsVersionStillWritesItsSID(t *testing.T) {
	w := healthy(t)
	w.services.on(agent.Twilio, script{verb: "dial", times: 1, during: func() {
		c := w.call(1) // somebody takes it over while the dial is under way
		if err := w.store.Put(t.Context(), call.Write{Call: c}); err != nil {
			t.Fatal(err)
		}
	}})
	w.run(time.Second)
	c := w.call(1)
	if c.SID != "" || c.Answer == nil || c.Answer.SID != "CA1" || w.events.count("sid_not_stored") != 0 {
		t.Fatalf("SID %q, answer %+v", c.SID, c.Answer)
	}
	w.run(10 * time.Minute)
	if c := w.call(1); c.State != call.Completed || c.SID != "CA1" || len(w.services.sent(agent.Twilio, "list")) != 0 {
		t.Errorf("%s, SID %q: %s", c.State, c.SID, history(c))
	}
}

func TestNotFinalLongAfterItMustHaveEndedIsUnknown(t *testing.T) {
	w := healthy(t)
	w.run(time.Second)
	w.services.rings[0].lasts = 100 * time.Hour
	w.services.on(agent.Twilio, script{verb: "look", from: start.Add(time.Minute), to: start.Add(time.Hour), fault: faults["503"]})
	w.run(59 * time.Minute)
	if c := w.call(1); c.State.Final() {
		t.Errorf("failed looks count: %s", history(c))
	}
	w.run(2 * time.Minute)
	if c := w.call(1); c.State != call.Unknown {
		t.Errorf("%s after a successful look", c.State)
	}
	if r := w.record(agent.Twilio); r.Version != 0 {
		t.Errorf("looks count toward the circuit: %+v", r)
	}
}

func TestFailedLooksAreRepeatedForADay(t *testing.T) {
	w := healthy(t)
	w.services.on(agent.Twilio, script{verb: "look", fault: faults["503"]})
	w.run(23*time.Hour + 59*time.Minute)
	if c := w.call(1); c.State.Final() {
		t.Errorf("%s: %s", c.State, c.Reason)
	}
	w.run(2 * time.Minute)
	if c := w.call(1); c.State != call.Unknown || len(c.History) > 200 || !strings.Contains(history(c), "dialled") {
		t.Errorf("%s after a day, with %d lines of history", c.State, len(c.History))
	}
}

func TestStillQueuedAtTheProviderAfterTenMinutesIsCancelledThere(t *testing.T) {
	w := healthy(t)
	w.run(time.Second)
	w.services.rings[0].Queued = true
	w.run(time.Hour)
	cancels := w.services.sent(agent.Twilio, "cancel")
	if len(cancels) != 1 || since(cancels[0].at) < 10*time.Minute || since(cancels[0].at) > 11*time.Minute {
		t.Errorf("cancelled %v", cancels)
	}
	if c := w.call(1); c.State != call.Completed || c.Result != call.Canceled {
		t.Errorf("%s %s", c.State, c.Result)
	}
}

func TestLooksAndListingsAreNotGatedByTheDialsCircuit(t *testing.T) {
	w := newWorld(t)
	w.services.on(agent.Twilio, script{verb: "dial", contact: "c-002", times: 1, fault: faults["lost answer"]})
	w.enqueue(2)
	w.run(900 * time.Millisecond) // both are dialled
	forceOpen(t, w, agent.Twilio)
	w.run(10 * time.Minute)
	if got := w.states(); got != "completed completed" {
		t.Errorf("the calls are %s", got)
	}
}

func TestRateSharesAllRequestsOfTheFleet(t *testing.T) {
	w := newWorld(t, func(o *agent.Options) {
		p := o.Policies[agent.Twilio]
		p.Rate = 1
		o.Policies[agent.Twilio] = p
	})
	w.enqueue(10)
	w.run(10 * time.Minute)
	dials := w.services.sent(agent.Twilio, "dial")
	for i := range dials[1:] {
		if gap := dials[i+1].at.Sub(dials[i].at); gap < 500*time.Millisecond {
			t.Errorf("dial %d follows after %s", i+2, gap)
		}
	}
	if len(dials) != 10 || dials[9].at.Sub(dials[0].at) < 8*time.Second || dials[9].at.Sub(dials[0].at) > 20*time.Second {
		t.Errorf("%d dials in %s", len(dials), dials[9].at.Sub(dials[0].at))
	}
}
