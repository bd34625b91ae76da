package agent_test

import (
	"strings"
	"testing"
	"time"

	"callagent/core/agent"
	"callagent/core/call"
)

func TestEachStepIsStoredBeforeTheNextStarts(t *testing.T) {
	w := healthy(t)
	w.ticks = false
	w.run(time.Hour)
	want := strings.Split(strings.TrimSpace(`
ledger: get
ledger: put running
blocklist: blocked
circuits: load llm
circuits: load elevenlabs
circuits: load twilio
llm: script
media: put
ledger: put running
media: get
elevenlabs: speak
media: put
ledger: put running
media: link
ledger: put running, take number
twilio: dial
ledger: put waiting, own sid
queue: again
ledger: get
ledger: put running
circuits: load twilio
twilio: look
ledger: put completed, free number
media: get
circuits: load crm
crm: record
ledger: put completed
queue: done`), "\n")
	diff(t, "the uses of the ports", w.ports.log, want)
	c := w.call(1)
	if c.State != call.Completed || c.Result != call.Answered || c.Recorded != call.Yes || c.SID != "CA1" || c.CRMID != "crm-c-001" || c.Talk != 8*time.Second {
		t.Errorf("the call is %+v", c)
	}
	e := w.services.entries["crm-c-001"]
	if e.SID != "CA1" || e.Script != "Hello c-001" || e.Result != call.Answered || e.Duration != 8*time.Second || !e.Started.Equal(c.Intent.At) {
		t.Errorf("the CRM was told %+v", e)
	}
	if told := w.told(); len(told) != 0 {
		t.Errorf("people were told %v", told)
	}
}

func TestAnUneventfulLookLeavesTwoWritesAndNoLine(t *testing.T) {
	w := healthy(t)
	w.run(time.Second)
	w.services.rings[0].lasts = 40 * time.Second
	lines := len(w.call(1).History)
	w.ports.log = nil
	w.run(35 * time.Second)
	writes := 0
	for _, use := range w.ports.log {
		if strings.HasPrefix(use, "ledger: put") {
			writes++
		}
	}
	if looks := len(w.services.sent(agent.Twilio, "look")); looks != 2 || writes != 4 || len(w.call(1).History) != lines {
		t.Errorf("%d looks, %d writes, history %s", looks, writes, history(w.call(1)))
	}
	w.run(time.Minute)
	if c := w.call(1); c.State != call.Completed {
		t.Errorf("the call is %s", c.State)
	}
}

func TestNoScriptAndSpeechForACallThatCannotBeDialled(t *testing.T) {
	for _, service := range []string{agent.LLM, agent.ElevenLabs, agent.Twilio} {
		w := newWorld(t)
		w.ticks = false
		forceOpen(t, w, service)
		w.enqueue(1)
		w.run(time.Minute)
		if c := w.call(1); c.State != call.Parked || c.Park.Service != service || len(w.services.requests) != 0 {
			t.Errorf("%s open: %s for %q after %v", service, c.State, c.Park.Service, w.services.requests)
		}
	}
	w := newWorld(t)
	w.ticks = false
	forceOpen(t, w, agent.CRMService)
	w.enqueue(1)
	w.run(time.Minute)
	if c := w.call(1); c.State != call.Completed || c.Recorded != call.Pending || c.Park.Service != agent.CRMService {
		t.Errorf("the CRM is not among them: %s, recorded %q, parked for %q", c.State, c.Recorded, c.Park.Service)
	}
}

func TestOutsideTheCallWindowTheCallParksUntilItOpens(t *testing.T) {
	w := newWorld(t, func(o *agent.Options) {
		o.Campaign = func(name string) (call.Campaign, bool) {
			return call.Campaign{Name: name, Prompt: "Call {{.contact_id}}", Window: call.Window{From: 10 * 60, To: 20 * 60}}, true
		}
	})
	w.enqueue(1)
	w.run(time.Minute)
	if c := w.call(1); c.State != call.Parked || !c.Park.Until.Equal(start.Add(time.Hour)) || len(w.services.requests) != 0 {
		t.Errorf("%s until %s after %v", c.State, c.Park.Until, w.services.requests)
	}
	w.run(2 * time.Hour)
	if dials := w.services.sent(agent.Twilio, "dial"); len(dials) != 1 || since(dials[0].at) < time.Hour || since(dials[0].at) > time.Hour+10*time.Second {
		t.Errorf("dialled %v", dials)
	}
	if w.call(1).SpentParks != 0 {
		t.Error("the park was counted")
	}
}

func TestTheExpiredEndByOneConditionalWrite(t *testing.T) {
	w := newWorld(t)
	forceOpen(t, w, agent.Twilio)
	c := contact(1)
	c.ExpiresAt = start.Add(time.Hour)
	w.send(c)
	w.run(3 * time.Hour)
	if got := w.call(1); got.State != call.Expired || since(got.FinishedAt) > time.Hour+10*time.Second || len(w.services.requests) != 0 {
		t.Errorf("%s at %s after %v", got.State, got.FinishedAt, w.services.requests)
	}
}

func TestAContactEnqueuedTwiceIsOneCall(t *testing.T) {
	w := newWorld(t)
	w.enqueue(2)
	w.enqueue(2)
	w.run(time.Hour)
	w.enqueue(2)
	w.run(time.Hour)
	if got := w.states(); got != "completed completed" || len(w.services.sent(agent.LLM, "")) != 2 {
		t.Errorf("%s after %v", got, w.services.requests)
	}
}

func TestBadMessagesAreRefusedWithTheReason(t *testing.T) {
	w := newWorld(t)
	for _, body := range []string{`{`, `{"campaign":"spring","contact_id":"x","phone":"` + plantedPhone + `"} {}`, `{"campaign":"nobody's","contact_id":"x","phone":"` + plantedPhone + `"}`} {
		if v := w.agent.Handle(w.ctx, agent.Message{Body: []byte(body)}); v.Do != agent.Reject || v.Reason == "" {
			t.Errorf("%s: %+v", body, v)
		}
	}
	if n := w.events.count("message_rejected"); n != 3 {
		t.Errorf("%d entries", n)
	}
}
