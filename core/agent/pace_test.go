package agent_test

import (
	"strings"
	"testing"
	"time"

	"callagent/core/agent"
	"callagent/core/breaker"
)

// While Twilio fails, others of the fleet hold the next five minutes of its
// pace. The call that tests it does not stand behind them: its lease would end
// first, and the circuit would stay open for as long as there are moments that
// were given out before.
func TestAProbeDoesNotWaitForItsTurn(t *testing.T) {
	w := newWorld(t, dialsOncePerSecond)
	w.services.on(agent.Twilio, script{verb: "dial", fault: faults["503"], to: start.Add(10 * time.Second)})
	w.enqueue(6)
	w.run(8 * time.Second)
	if r := w.record(agent.Twilio); r.State != breaker.Open {
		t.Fatalf("the circuit is %s", r.State)
	}
	w.reserve(300)
	w.run(time.Minute)
	r, probes := w.record(agent.Twilio), w.services.sent(agent.Twilio, "probe")
	if len(probes) != 1 || r.ClosedAt.IsZero() || r.ClosedAt.Sub(probes[0].at) > 2*time.Second {
		t.Errorf("after %d probes the circuit is %+v", len(probes), r)
	}
	w.run(time.Hour)
	if got := strings.Count(w.states(), "completed"); got != 6 {
		t.Errorf("the calls are %s", w.states())
	}
	for _, d := range w.services.sent(agent.Twilio, "dial") {
		if d.at.After(r.ClosedAt) && d.at.Before(start.Add(5*time.Minute)) {
			t.Errorf("%s takes the moment of another", d)
		}
	}
}

func dialsOncePerSecond(o *agent.Options) {
	p := o.Policies[agent.Twilio]
	p.Rate = 1
	o.Policies[agent.Twilio] = p
}

// reserve gives the next n moments of the dials to others.
func (w *world) reserve(n int) {
	w.t.Helper()
	for range n {
		if _, err := w.store.Slot(w.ctx, agent.Twilio, time.Second, w.clock.Now()); err != nil {
			w.t.Fatal(err)
		}
	}
}
