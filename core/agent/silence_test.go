package agent_test

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"callagent/core/agent"
	"callagent/core/call"
)

func TestACircuitStoreOutageStopsNoCall(t *testing.T) {
	w := newWorld(t)
	w.ports.meddle = func(use string) meddling {
		if strings.HasPrefix(use, "circuits:") {
			return refuse
		}
		return none
	}
	w.services.on(agent.ElevenLabs, script{times: 2, fault: faults["503"]})
	w.enqueue(5)
	w.run(10 * time.Minute)
	if got := strings.Count(w.states(), "completed"); got != 5 {
		t.Errorf("the calls are %s", w.states())
	}
	if n := w.events.count("circuit_store_silent"); n != len(agent.Services()) {
		t.Errorf("the journal says so %d times", n)
	}
}

func TestAMessageWhoseCallCouldNotBeStoredComesBack(t *testing.T) {
	for n, want := range map[int]time.Duration{
		1: agent.SilentLedger,                    // the claim
		2: 200*time.Millisecond + 40*time.Second, // the script: at the lease end
		5: 400*time.Millisecond + 40*time.Second, // the SID: at the end of the intent's lease
	} {
		w := newWorld(t)
		w.ports.meddle = (&nth{n: n, prefix: "ledger: put", what: refuse}).meddle
		body, err := json.Marshal(contact(1))
		if err != nil {
			t.Fatal(err)
		}
		if v := w.agent.Handle(w.ctx, agent.Message{Body: body}); v.Do != agent.Again || since(v.At) != want {
			t.Errorf("write %d is lost: %+v, in %s", n, v, since(v.At))
		}
	}
}

func TestLostAnswersOfTheCircuitStoreChangeNoOutcome(t *testing.T) {
	for when, what := range map[string]meddling{"without effect": refuse, "and the answer is lost": lose} {
		t.Run(when, func(t *testing.T) {
			atEvery(t, "circuits: ", what, outage, func(t *testing.T, w *world, use string) {
				opened := 0
				for _, id := range w.told() {
					if strings.HasSuffix(id, "/circuit_opened") {
						opened++
					}
				}
				// Requests that were sent while the store was silent count nowhere.
				blind := use == "circuits: load elevenlabs"
				if opened != 1 && !(blind && opened == 0) {
					t.Errorf("an outage is told %d times: %v", opened, w.told())
				}
				if n := len(w.services.sent(agent.ElevenLabs, "speak")); n > 3+1+3 && !blind {
					t.Errorf("the outage cost %d requests", n-3)
				}
				allEnded(t, w, false)
			})
		})
	}
}

func TestAnOutboxOutageStopsNoCallAndLosesNoAlert(t *testing.T) {
	w := outage(t)
	w.ports.meddle = func(use string) meddling {
		if strings.HasPrefix(use, "outbox:") && w.clock.Now().Before(start.Add(20*time.Second)) {
			return refuse
		}
		return none
	}
	w.run(10 * time.Minute)
	diff(t, "alerts", w.told()[:1], []string{"circuit/elevenlabs/1/circuit_opened"})
	allEnded(t, w, false)
}

func TestAnAudioStoreOutageParksAndTellsNoSecret(t *testing.T) {
	for _, use := range []string{"media: put", "media: get", "media: link"} {
		w := healthy(t)
		w.ports.meddle = func(name string) meddling {
			if name == use && w.clock.Now().Before(start.Add(90*time.Second)) {
				return refuse
			}
			return none
		}
		w.run(30 * time.Second)
		if c := w.call(1); c.State != call.Parked || c.Park.Number != 1 || c.SpentParks != 0 {
			t.Errorf("%s: %s after %d parks, %d of them counted", use, c.State, c.Park.Number, c.SpentParks)
		}
		w.run(time.Hour)
		if c := w.call(1); c.State != call.Completed {
			t.Errorf("%s: %s", use, history(c))
		}
		if n := len(w.told()); n == 0 {
			t.Errorf("%s: nobody was told", use)
		}
		w.checkPrivate(history(w.call(1)))
	}
}

// An outage of our own storage, however long, is no contact's fault: nobody is
// given up, and while it lasts little is paid for twice.
func TestALongAudioStoreOutageFailsNobody(t *testing.T) {
	for _, use := range []string{"media: put", "media: get", "media: link"} {
		w := healthy(t)
		w.ports.meddle = func(name string) meddling {
			if name == use && w.clock.Now().Before(start.Add(5*time.Hour)) {
				return refuse
			}
			return none
		}
		w.run(6 * time.Hour)
		if c := w.call(1); c.State != call.Completed {
			t.Errorf("%s: %s", use, history(c))
		}
		scripts := 0
		for _, used := range w.ports.log {
			if used == "llm: script" {
				scripts++
			}
		}
		if scripts == 0 || scripts > 25 { // one in 16 min, and four soon after the first
			t.Errorf("%s: %d scripts were paid for", use, scripts)
		}
	}
}

// What is missing for one call alone ends that call at last.
func TestARecordingThatIsGoneEndsItsCall(t *testing.T) {
	w := healthy(t)
	w.ports.meddle = func(name string) meddling {
		if name == "media: get" {
			return miss
		}
		return none
	}
	w.run(2 * time.Hour)
	if c := w.call(1); c.State != call.Failed || c.SpentParks != call.MaxSpentParks {
		t.Errorf("%s after %d parks: %s", c.State, c.SpentParks, history(c))
	}
}

// TestPhonesMaskedNoSecretsEver fails every service with errors that no
// adapter classified, full of what must not be told; checkAlways looks for it
// in every entry and alert, here and in every other test.
func TestPhonesMaskedNoSecretsEver(t *testing.T) {
	for _, use := range []string{"llm:", "elevenlabs:", "twilio:", "crm:", "pace:", "blocklist:", "backlog:", "queue: send", "ledger:", "circuits:", "media:", "outbox:"} {
		for _, what := range []meddling{refuse, lose} {
			w := newWorld(t, func(o *agent.Options) {
				for name, p := range o.Policies {
					p.Rate = 1
					o.Policies[name] = p
				}
			})
			w.rerings = true
			w.ports.meddle = func(name string) meddling {
				if strings.HasPrefix(name, use) && w.clock.Now().Before(start.Add(3*time.Hour)) {
					return what
				}
				return none
			}
			w.enqueue(3)
			w.run(4 * time.Hour)
			for _, c := range w.calls() {
				w.checkPrivate(history(c) + c.Reason + c.Park.Reason)
			}
		}
	}
}

// TestTheCheckForSecretsCanFail plants a number and a secret.
func TestTheCheckForSecretsCanFail(t *testing.T) {
	for _, text := range []string{"call " + contact(1).Phone, "key " + plantedSecret} {
		if !tells(text) {
			t.Errorf("%q is not found", text)
		}
	}
}
