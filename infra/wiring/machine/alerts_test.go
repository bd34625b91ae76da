package machine

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"time"

	"callagent/core/alert"
	"callagent/core/call"
	"callagent/localstack/simulator"
)

// everywhere has every channel hear of everything.
const everywhere = `
workers = 32
[services.llm]
at_once = 32
[alerts]
email = ["all"]
telegram = ["all"]
webhook = ["all"]
`

// A list that nobody can write a script for: people hear of all of them, in at
// most three messages on each channel, the one at the end of the run included.
// It takes less than six minutes of the clock, however slow the machine is.
func TestAThousandFailedContactsAreAtMostThreeMessagesOnEachChannel(t *testing.T) {
	const contacts = 1000
	w := newWorldAt(t, 2, everywhere, simulator.Fault{Service: "llm", Answer: "400", Code: "content_filter"})
	app := w.open()
	defer closeApp(t, app)
	began := w.clock.Now()
	w.enqueue(app, contacts)
	if _, err := app.Run(t.Context(), t.Context(), forever); err != nil {
		t.Fatal(err)
	}
	if got := w.states(app); got[call.Failed] != contacts {
		t.Fatalf("states %v", got)
	}
	r := w.sim.Report()
	told := map[string]int{}
	for _, m := range r.Email {
		told["email"] += aboutFailures(m.Subject)
	}
	for _, m := range r.Telegram {
		told["telegram"] += aboutFailures(m.Text)
	}
	for _, h := range r.Webhooks {
		told["webhook"] += aboutFailures(string(h.Body))
	}
	for _, channel := range []string{"email", "telegram", "webhook"} {
		if n := told[channel]; n < 1 || n > 3 {
			t.Errorf("%s has %d messages about failed calls", channel, n)
		}
	}
	if n := failuresIn(t, r.Webhooks); n != contacts {
		t.Errorf("the webhooks tell of %d failed calls", n)
	}
	t.Logf("%d contacts failed in %s, messages %v", contacts, w.clock.Now().Sub(began).Round(time.Second), told)
}

// aboutFailures is 1 for a text about calls that failed.
func aboutFailures(text string) int {
	if strings.Contains(text, "failed (campaign default)") {
		return 1
	}
	return 0
}

// failuresIn counts the failed calls that webhooks list, or leave out for their
// size.
func failuresIn(t *testing.T, hooks []simulator.Hook) int {
	t.Helper()
	n := 0
	for _, h := range hooks {
		var body struct {
			Data struct {
				Kind    alert.Kind
				Alerts  []alert.Alert
				Omitted int `json:"alerts_omitted"`
			}
		}
		if err := json.Unmarshal(h.Body, &body); err != nil {
			t.Fatal(err)
		}
		if body.Data.Kind == alert.CallFailed {
			n += len(body.Data.Alerts) + body.Data.Omitted
		}
	}
	return n
}

// Telegram refuses the token, or does not answer at all: the mail goes out at
// once all the same.
func TestATroubleOfTelegramDelaysNoEmail(t *testing.T) {
	for _, answer := range []string{"401", "timeout"} {
		t.Run(answer, func(t *testing.T) {
			t.Parallel()
			w := newWorldAt(t, 5, "", simulator.Fault{Service: "telegram", Answer: answer}, simulator.Fault{Service: "elevenlabs", Answer: "401"})
			app := w.open()
			defer closeApp(t, app)
			w.enqueue(app, 3)
			if _, err := app.Run(t.Context(), t.Context(), Patience{Parked: 30 * time.Second}); err != nil {
				t.Fatal(err)
			}
			raised, r := w.at("alert_raised"), w.sim.Report()
			if len(r.Email) == 0 || len(r.Telegram) != 0 || raised.IsZero() {
				t.Fatalf("%d mails, %d chat messages, raised at %s", len(r.Email), len(r.Telegram), raised)
			}
			if late := r.Email[0].At.Sub(raised); late > 10*time.Second { // two of real time
				t.Errorf("the mail came %s after the alert", late)
			}
			tries := slices.DeleteFunc(slices.Clone(r.Requests), func(q simulator.Request) bool { return q.Service != "telegram" })
			if len(tries) < 2 {
				t.Errorf("Telegram was tried %d times: it is not tried again by itself", len(tries))
			}
		})
	}
}

// Telegram asks for 34 s: it gets them, although the run has ended before, and
// then the message.
func TestTelegramIsLeftAloneForAsLongAsItAsks(t *testing.T) {
	t.Parallel()
	w := newWorld(t, everywhere, simulator.Fault{Service: "telegram", Answer: "429", RetryAfter: "34", For: 20 * time.Second})
	app := w.open()
	defer closeApp(t, app)
	if err := (raiser{app.Store, app.Raised}).Raise(t.Context(), app.channels, alert.ForCampaign("spring", alert.Tally{Completed: 12}, w.clock.Now())); err != nil {
		t.Fatal(err)
	}
	if _, err := app.Run(t.Context(), t.Context(), forever); err != nil {
		t.Fatal(err)
	}
	r := w.sim.Report()
	tries := slices.DeleteFunc(r.Requests, func(q simulator.Request) bool { return q.Service != "telegram" })
	if len(tries) != 2 || len(r.Telegram) != 1 {
		t.Fatalf("%d requests, %d messages", len(tries), len(r.Telegram))
	}
	if waited := tries[1].At.Sub(tries[0].At); waited < 34*time.Second {
		t.Errorf("it was left alone for %s", waited)
	}
}

// The channels take 8 s, and the run is ended after two: the message that is
// under way is waited for and not sent once more.
func TestAMessageUnderWayIsNotCutOffAndSentAgain(t *testing.T) {
	t.Parallel()
	var slow []simulator.Fault
	for _, service := range []string{"email", "telegram", "webhook"} {
		slow = append(slow, simulator.Fault{Service: service, Answer: "slow", Delay: 8 * time.Second})
	}
	w := newWorldAt(t, 5, everywhere, slow...)
	app := w.open()
	defer closeApp(t, app)
	if err := (raiser{app.Store, app.Raised}).Raise(t.Context(), app.channels, alert.ForCampaign("spring", alert.Tally{Completed: 12}, w.clock.Now())); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := w.clock.WithTimeout(t.Context(), 2*time.Second)
	defer cancel()
	if _, err := app.Run(ctx, t.Context(), Patience{Serve: true}); err != nil {
		t.Fatal(err)
	}
	if r := w.sim.Report(); len(r.Email) != 1 || len(r.Telegram) != 1 || len(r.Webhooks) != 1 {
		t.Errorf("%d mails, %d chat messages, %d webhooks", len(r.Email), len(r.Telegram), len(r.Webhooks))
	}
}

// An alert that is raised again, by this process or the next, is sent once.
func TestTheSameAlertRaisedAgainIsSentOnce(t *testing.T) {
	w := newWorld(t, everywhere)
	for range 2 {
		app := w.open()
		a := alert.ForCampaign("spring", alert.Tally{Completed: 12}, w.clock.Now())
		for range 2 {
			if err := (raiser{app.Store, app.Raised}).Raise(t.Context(), app.channels, a); err != nil {
				t.Fatal(err)
			}
		}
		if _, err := app.Run(t.Context(), t.Context(), forever); err != nil {
			t.Fatal(err)
		}
		closeApp(t, app)
	}
	if r := w.sim.Report(); len(r.Email) != 1 || len(r.Telegram) != 1 || len(r.Webhooks) != 1 {
		t.Errorf("%d mails, %d chat messages, %d webhooks", len(r.Email), len(r.Telegram), len(r.Webhooks))
	}
}
