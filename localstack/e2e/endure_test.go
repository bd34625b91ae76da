//go:build e2e

package e2e

import (
	"maps"
	"testing"
	"time"

	"callagent/core/agent"
	"callagent/core/breaker"
	"callagent/core/health"
)

// elevenLabs is the service that fails, and its name in alerts.
const elevenLabs, title = agent.ElevenLabs, "ElevenLabs"

// outage is what people lived through who were called while ElevenLabs failed.
type outage struct {
	people   []contact
	campaign string
	began    time.Time
	open     circuit // when all calls had been set aside
	healed   time.Time
}

// endure sends 200 contacts while ElevenLabs answers 503, heals it when all of
// them have been set aside and it has been tested twice, and returns when all
// of them have ended.
func endure(t *testing.T, campaign string) outage {
	t.Helper()
	o := outage{people: contacts(campaign, 200), campaign: campaign, began: time.Now()}
	t.Cleanup(func() { heal(t) })
	breakDown(t, fault{Service: elevenLabs, Answer: "503"})
	send(t, o.people)
	t.Logf("200 contacts sent after %s", o.since())
	eventually(t, 3*time.Minute, "every call is set aside", func() bool { return look(t).in(campaign, "parked") == len(o.people) })
	o.open = look(t).circuit(elevenLabs)
	t.Logf("all set aside after %s", o.since())
	eventually(t, time.Minute, "it is tested twice", func() bool { return len(requests(t, elevenLabs, o.open.Since.Add(agent.CacheFor))) >= 2 })
	o.healed = heal(t)
	t.Logf("healed after %s", o.since())
	eventually(t, 4*time.Minute, "every call has ended", func() bool {
		return look(t).in(campaign, "completed", "failed", "unknown", "expired") == len(o.people)
	})
	t.Logf("all ended after %s", o.since())
	return o
}

func (o outage) since() time.Duration { return time.Since(o.began).Round(100 * time.Millisecond) }

// wasSpared checks that ElevenLabs got nothing but probes while the circuit was
// open, one at a time, and that it is closed in the end.
func (o outage) wasSpared(t *testing.T) {
	t.Helper()
	if o.open.State != "OPEN" && o.open.State != "HALF_OPEN" {
		t.Errorf("during the outage the circuit is %+v", o.open)
	}
	probes := 0
	for _, e := range logged(t, "Healthcheck", o.began) {
		if e.Event == "probe_failed" {
			probes++
		}
	}
	var last time.Time
	for _, r := range requests(t, elevenLabs, o.open.Since.Add(agent.CacheFor)) {
		if r.At.After(o.healed) {
			break
		}
		if gap := r.At.Sub(last); gap < health.TickEvery-breaker.TickLag {
			t.Errorf("it was asked again after %s", gap)
		}
		probes, last = probes-1, r.At
	}
	if probes != 0 {
		t.Errorf("the ticks tell of %d more probes than it got", probes)
	}
	if c := look(t).circuit(elevenLabs); c.State != "CLOSED" || c.Parked != 0 {
		t.Errorf("in the end the circuit is %+v", c)
	}
}

// wasTold checks that each channel tells of the opening and of the closing,
// once each.
func (o outage) wasTold(t *testing.T) {
	t.Helper()
	opened, closed := "The circuit of "+title+" is OPEN", title+" works again: its circuit closed again after"
	once := map[string]int{"telegram": 1, "email": 1, "webhook": 1}
	eventually(t, health.HoldsAfter+90*time.Second, "people hear of the closing", func() bool { return len(told(t, closed, o.began)) == len(once) })
	for _, text := range []string{opened, closed} {
		if n := told(t, text, o.began); !maps.Equal(n, once) {
			t.Errorf("%q is told %v", text, n)
		}
	}
	t.Logf("told after %s", o.since())
}

func TestEverybodyIsCalledOnceThroughAnOutage(t *testing.T) {
	o := endure(t, "outage")
	if s := look(t); s.in(o.campaign, "completed") != len(o.people) || s.DeadLetters != 0 {
		t.Errorf("in the end: %+v", s)
	}
	for call, n := range rings(t, o.people) {
		if n != 1 {
			t.Errorf("%s rang %d times", call, n)
		}
	}
	o.wasSpared(t)
	o.wasReported(t)
	o.wasReleased(t)
	o.wasTold(t)
}

// TestNobodyIsCalledTwiceWhileFunctionsAreKilled is the same with processes that
// end at any moment. A contact comes back 15 s after its process died.
func TestNobodyIsCalledTwiceWhileFunctionsAreKilled(t *testing.T) {
	env(t, "SETTINGS") // which deploy takes again
	run(t, "localstack/emulator/deploy", "ministack", "ContactsVisibility=15")
	killed := killFunctions(t)
	o := endure(t, "killed")
	n := killed()
	t.Logf("%d processes killed", n)
	if n < 20 {
		t.Errorf("only %d processes were killed", n)
	}
	s := look(t)
	t.Logf("%d completed, %d unknown", s.in(o.campaign, "completed"), s.in(o.campaign, "unknown"))
	if s.in(o.campaign, "completed", "unknown") != len(o.people) || s.DeadLetters != 0 {
		t.Errorf("in the end: %+v", s)
	}
	for call, n := range rings(t, o.people) {
		if n > 1 {
			t.Errorf("%s rang %d times", call, n)
		}
	}
	o.wasTold(t)
}

// wasReported checks that each outcome came by a callback, which has a signature
// that is valid for the function's own URL, and none by a look.
func (o outage) wasReported(t *testing.T) {
	t.Helper()
	reported := map[string]bool{}
	for _, e := range logged(t, "Callback", o.began) {
		switch e.Event {
		case "answer_received":
			reported[e.CallID] = true
		case "callback_refused":
			t.Errorf("%s", e.Message)
		}
	}
	for _, c := range o.people {
		if !reported[c.call()] {
			t.Errorf("the end of %s was not reported", c.call())
		}
	}
	for _, c := range callsOf(t, o.people) {
		if c.Callbacks == 0 {
			t.Errorf("no callback of %s was taken", c.SID)
		}
	}
	for _, r := range requests(t, agent.Twilio, o.began) {
		if r.Route == "fetch" {
			t.Errorf("an outcome was looked up at %s", r.At)
		}
	}
}

// wasReleased checks that ticks sent the calls on that had been set aside.
func (o outage) wasReleased(t *testing.T) {
	t.Helper()
	released, handed := 0, 0
	for _, e := range logged(t, "Healthcheck", o.began) {
		switch e.Event {
		case "calls_released":
			released += e.Count
		case "probe_handed_over":
			handed++
		}
	}
	if released+handed < len(o.people) || handed == 0 {
		t.Errorf("%d calls released and %d handed the test", released, handed)
	}
}
