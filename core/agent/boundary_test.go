package agent_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"callagent/core/agent"
	"callagent/core/alert"
	"callagent/core/call"
)

// told is a world of which people have to hear: the first contact fails, the
// second dial gets lost, the third spends its retries, and the fourth has no
// time left.
func told(t *testing.T) *world {
	w := newWorld(t, func(o *agent.Options) {
		p := o.Policies[agent.LLM]
		p.Circuit.Threshold = 100 // it is the calls that give up here
		o.Policies[agent.LLM] = p
	})
	w.services.on(agent.ElevenLabs, script{contact: "c-001", fault: faults["422"]})
	w.services.on(agent.Twilio, script{verb: "dial", contact: "c-002", times: 1, fault: faults["lost request"]})
	w.services.on(agent.LLM, script{contact: "c-003", to: start.Add(time.Minute), fault: faults["503"]})
	w.services.on(agent.LLM, script{contact: "c-004", fault: faults["503"]})
	for n := range 4 {
		c := contact(n + 1)
		if n == 3 {
			c.ExpiresAt = start.Add(30 * time.Second)
		}
		w.send(c)
	}
	return w
}

// A final state, or a park that people must hear of, and its alert are stored
// one after the other. Whatever dies between them, both are there in the end.
func TestPeopleHearOfACallWhereverTheProcessDies(t *testing.T) {
	for when, what := range map[string]meddling{"before": dieBefore, "after": dieAfter} {
		t.Run("it dies "+when, func(t *testing.T) {
			atEvery(t, "", what, told, func(t *testing.T, w *world, _ string) {
				heard := func(n int, k alert.Kind) int {
					id := "call/" + keyOf(n).String() + "/" + string(k)
					return len(slices.DeleteFunc(w.told(), func(s string) bool { return s != id && !strings.HasPrefix(s, id+"/") }))
				}
				if c := w.call(1); c.State != call.Failed || heard(1, alert.CallFailed) != 1 {
					t.Errorf("contact 1 is %s and told %d times: %s", c.State, heard(1, alert.CallFailed), history(c))
				}
				if c := w.call(2); c.State != call.Unknown || heard(2, alert.CallUnknown) != 1 {
					t.Errorf("contact 2 is %s and told %d times: %s", c.State, heard(2, alert.CallUnknown), history(c))
				}
				ended := w.call(3).State == call.Completed || w.doubt && w.call(3).State == call.Unknown
				if c := w.call(3); !ended || heard(3, alert.RetriesExhausted) != c.SpentParks {
					t.Errorf("contact 3 is %s, was set aside %d times and told %d times: %s", c.State, c.SpentParks, heard(3, alert.RetriesExhausted), history(c))
				}
				if c := w.call(4); c.State != call.Expired {
					t.Errorf("contact 4 is %s: %s", c.State, history(c))
				}
				for n := range 4 {
					if c := w.call(n + 1); c.Lease.Holder != "" || c.Notice != "" {
						t.Errorf("contact %d is held by %q and has still to tell %q", n+1, c.Lease.Holder, c.Notice)
					}
				}
			})
		})
	}
}

// boundaries are the places where something is stored before it is acted upon,
// by the use of the port that stores or acts.
var boundaries = []struct{ what, use string }{
	{"claim and checkpoints", "ledger: put running"},
	{"script and recording", "media: put"},
	{"intent", "ledger: put running, take number"},
	{"dial", "twilio: dial"},
	{"SID, adopted or not", "ledger: put waiting, own sid"},
	{"withdrawal of the intent", "ledger: put waiting, withdraw number"},
	{"lost dial", "ledger: put reconciling"},
	{"listing", "twilio: list"},
	{"look", "twilio: look"},
	{"outcome", "ledger: put completed, free number"},
	{"record", "crm: record"},
	{"recorded", "ledger: put completed"},
	{"failure", "ledger: put failed, free number"},
	{"doubt", "ledger: put unknown, free number"},
	{"expiry", "ledger: put expired, free number"},
	{"wait", "ledger: put waiting"},
	{"park", "ledger: put parked"},
	{"trip", "circuits: swap elevenlabs OPEN"},
	{"probe lease", "circuits: swap elevenlabs HALF_OPEN"},
	{"close", "circuits: swap elevenlabs CLOSED"},
	{"release stamp", "backlog: stamp"},
	{"wake-up", "queue: send"},
	{"pace", "pace: slot"},
	{"alert of a circuit", "outbox: raise circuit_opened"},
	{"alert of a failure", "outbox: raise call_failed"},
	{"alert of a doubt", "outbox: raise call_unknown"},
	{"alert of spent retries", "outbox: raise retries_exhausted"},
	{"told", "ledger: put failed"},
	{"message settled", "queue: done"},
	{"message delayed", "queue: again"},
}

// The tests that die at every use of a port prove something about a boundary
// only if their worlds come to it.
func TestEveryBoundaryIsDiedAt(t *testing.T) {
	died := map[string]bool{}
	for _, scene := range []func(*testing.T) *world{healthy, outage, fleet, troubled, told} {
		w := scene(t)
		w.run(6 * time.Hour)
		for _, use := range w.ports.log {
			died[use] = true
		}
	}
	for _, b := range boundaries {
		if !died[b.use] {
			t.Errorf("no world dies at the %s (%s)", b.what, b.use)
		}
	}
}
