package agent_test

import (
	"strings"
	"testing"
	"time"

	"callagent/core/agent"
	"callagent/core/call"
)

// nth meddles with the nth use of a port whose name begins with prefix. At
// tells which use that was; "" when there were not so many.
type nth struct {
	n      int
	prefix string
	what   meddling
	uses   int
	at     string
}

func (m *nth) meddle(use string) meddling {
	if !strings.HasPrefix(use, m.prefix) {
		return none
	}
	if m.uses++; m.uses != m.n {
		return none
	}
	m.at = use
	return m.what
}

// atEvery plays a world once for each use of a port that it makes, with that
// use meddled with, and then lets check judge it.
func atEvery(t *testing.T, prefix string, what meddling, scene func(*testing.T) *world, check func(*testing.T, *world, string)) {
	t.Helper()
	for n := 1; ; n++ {
		w := scene(t)
		m := &nth{n: n, prefix: prefix, what: what}
		w.ports.meddle = m.meddle
		w.run(6 * time.Hour)
		if m.at == "" {
			if n < 4 {
				t.Errorf("only %d uses of %q: this tests nothing", n-1, prefix)
			}
			return
		}
		check(t, w, m.at)
		if t.Failed() {
			t.Fatalf("with number %d meddled with: %s", n, m.at)
		}
	}
}

// healthy is a world with one contact and nothing wrong.
func healthy(t *testing.T) *world {
	w := newWorld(t)
	w.enqueue(1)
	return w
}

// outage is a world with three contacts and half a minute without ElevenLabs.
func outage(t *testing.T) *world {
	w := newWorld(t)
	w.services.on(agent.ElevenLabs, script{fault: faults["503"], to: start.Add(30 * time.Second)})
	w.enqueue(3)
	return w
}

// fleet is a world of many machines: their clocks differ, a streak has to
// settle, and the pace is shared.
func fleet(t *testing.T) *world {
	w := newWorld(t, func(o *agent.Options) {
		o.Skew = 2 * time.Second
		for name, p := range o.Policies {
			p.Circuit.Settle, p.Rate = time.Second, 1
			o.Policies[name] = p
		}
	})
	w.services.on(agent.ElevenLabs, script{fault: faults["503"], to: start.Add(20 * time.Second)})
	w.enqueue(3)
	return w
}

// troubled is a world whose first dial loses its answer, whose second is
// refused once, and whose CRM is down for a while.
func troubled(t *testing.T) *world {
	w := newWorld(t)
	w.services.on(agent.Twilio, script{verb: "dial", contact: "c-001", times: 1, fault: faults["lost answer"]})
	w.services.on(agent.Twilio, script{verb: "dial", contact: "c-002", times: 1, fault: faults["503"]})
	w.services.on(agent.CRMService, script{to: start.Add(40 * time.Second), fault: faults["503"]})
	w.enqueue(2)
	return w
}

// allEnded checks that every call has its outcome, that people know of those
// that nobody can say more about, and that the numbers are free again. unknown
// says whether there may be a call that nobody can know of that it did not ring.
func allEnded(t *testing.T, w *world, unknown bool) {
	t.Helper()
	for _, c := range w.calls() {
		alerted := 0
		for _, id := range w.told() {
			if id == "call/"+c.Key.String()+"/call_unknown" {
				alerted++
			}
		}
		switch {
		case c.State == call.Completed && c.Recorded == call.Yes && alerted == 0 && w.services.rung()[c.Key.Contact] == 1:
		case c.State == call.Unknown && unknown && alerted == 1:
		default:
			t.Errorf("%s is %s, recorded %q, with %d alerts and %d rings: %s",
				c.Key, c.State, c.Recorded, alerted, w.services.rung()[c.Key.Contact], history(c))
		}
	}
	before := len(w.services.rings)
	for _, c := range w.calls() {
		c.Contact.Campaign = "summer"
		w.send(c.Contact)
	}
	w.ports.meddle, w.rerings, w.losesAgain = nil, true, false
	w.services.watch = func(string, string, string) {}
	w.run(30 * time.Minute)
	if n := len(w.calls()) / 2; len(w.services.rings) != before+n {
		t.Errorf("%d of %d numbers are free again", len(w.services.rings)-before, n)
	}
}

func TestWhateverIsLostAfterTheFirstClaimTheTickFindsTheCallAgain(t *testing.T) {
	for name, scene := range map[string]func(*testing.T) *world{"healthy": healthy, "outage": outage, "troubled": troubled, "fleet": fleet} {
		for when, what := range map[string]meddling{"before": dieBefore, "after": dieAfter} {
			t.Run(name+", the process dies "+when+" it", func(t *testing.T) {
				atEvery(t, "", what, scene, func(t *testing.T, w *world, _ string) {
					allEnded(t, w, w.doubt)
				})
			})
		}
	}
}

func TestIfTheLedgerIsUnreachableNothingIsDialledAndTheMessageGoesBack(t *testing.T) {
	for when, what := range map[string]meddling{"without effect": refuse, "and the answer is lost": lose} {
		t.Run("silent "+when, func(t *testing.T) {
			atEvery(t, "ledger: ", what, troubled, func(t *testing.T, w *world, use string) {
				// What could not be withdrawn may have rung for all we know.
				allEnded(t, w, strings.HasSuffix(use, "withdraw number") && what == refuse)
			})
		})
	}
}

func TestALedgerOutageOfMinutesLosesNoCall(t *testing.T) {
	for at := time.Duration(0); at < 25*time.Second; at += 300 * time.Millisecond {
		w := outage(t)
		from, to := start.Add(at), start.Add(at+7*time.Minute)
		w.ports.meddle = func(use string) meddling {
			now := w.clock.Now()
			if strings.HasPrefix(use, "ledger:") || strings.HasPrefix(use, "backlog:") {
				if !now.Before(from) && now.Before(to) {
					return refuse
				}
			}
			return none
		}
		w.services.watch = func(service, verb, contact string) {
			w.checkRequest(service, verb, contact)
			if now := w.clock.Now(); verb == "dial" && now.After(from) && now.Before(to) {
				t.Errorf("%s is dialled while the ledger is silent", contact)
			}
		}
		w.run(6 * time.Hour)
		allEnded(t, w, false)
		if t.Failed() {
			t.Fatalf("with the ledger silent from %s on", at)
		}
	}
}

func TestAMessageThatIsDoubledOrLostChangesNothing(t *testing.T) {
	t.Run("doubled", func(t *testing.T) {
		w := outage(t)
		w.enqueue(3)
		w.enqueue(3)
		w.run(time.Hour)
		allEnded(t, w, false)
	})
	t.Run("lost", func(t *testing.T) {
		for _, verdict := range []string{"queue: again", "queue: send"} {
			w := troubled(t)
			w.run(100 * time.Millisecond) // both are claimed
			w.ports.meddle = func(use string) meddling {
				if use == "queue: send" && verdict == use && w.clock.Now().Before(start.Add(5*time.Minute)) {
					return refuse
				}
				return none
			}
			w.losesAgain = verdict == "queue: again"
			w.run(6 * time.Hour)
			allEnded(t, w, false)
		}
	})
}
