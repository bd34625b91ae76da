package machine

import (
	"context"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"callagent/core/call"
	"callagent/core/journal"
	"callagent/infra/wiring"
	"callagent/localstack/simulator"
)

var forever = Patience{Parked: -1}

func TestRunEndsWhenNothingIsLeft(t *testing.T) {
	w := newWorld(t, "")
	app := w.open()
	defer closeApp(t, app)
	w.enqueue(app, 8)
	left, err := app.Run(t.Context(), t.Context(), forever)
	if err != nil || left.Parked != 0 {
		t.Fatalf("left %+v, error %v", left, err)
	}
	if got := w.states(app); got[call.Completed] != 8 {
		t.Errorf("states %v", got)
	}
	w.rungOnce(8)
	if w.saw("alert_sent") == 0 {
		t.Error("nobody was told that the campaign is finished")
	}
}

// With max_in_progress = 1 a contact is taken when the one before has ended.
func TestMaxInProgressTakesContactsOneByOne(t *testing.T) {
	w := newWorld(t, "max_in_progress = 1")
	app := w.open()
	defer closeApp(t, app)
	w.enqueue(app, 4)
	if _, err := app.Run(t.Context(), t.Context(), forever); err != nil {
		t.Fatal(err)
	}
	var order []string
	for _, q := range w.sim.Requests() {
		if q.Route == "completions" || q.Route == "create" {
			order = append(order, q.Route)
		}
	}
	want := slices.Repeat([]string{"completions", "create"}, 4)
	if !slices.Equal(order, want) {
		t.Errorf("requests came as %v", order)
	}
}

// An interrupt finishes the steps in flight and stores them; the next process
// goes on, and nobody is rung twice.
func TestStoppingAndGoingOn(t *testing.T) {
	for _, c := range []struct {
		name  string
		abort bool
	}{{"one interrupt", false}, {"two interrupts", true}} {
		t.Run(c.name, func(t *testing.T) {
			w := newWorld(t, "")
			app := w.open()
			w.enqueue(app, 12)
			ctx, stop := context.WithCancel(t.Context())
			abort, cut := context.WithCancel(t.Context())
			defer cut()
			app.watchFor("step_done", func() {
				if c.abort {
					cut()
				}
				stop()
			})
			if _, err := app.Run(ctx, abort, forever); err != nil {
				t.Fatal(err)
			}
			if n := w.states(app)[call.Completed]; n == 12 {
				t.Fatal("it did not stop")
			}
			if n := w.states(app)[call.Running]; n != 0 && !c.abort {
				t.Errorf("%d calls were left in the hands of a process that is gone", n)
			}
			closeApp(t, app)

			next := w.open()
			defer closeApp(t, next)
			if _, err := next.Run(t.Context(), t.Context(), forever); err != nil {
				t.Fatal(err)
			}
			if got := w.states(next); got[call.Completed] != 12 {
				t.Errorf("states %v", got)
			}
			w.rungOnce(12)
		})
	}
}

// watchFor does something once when an event is journalled.
func (app *App) watchFor(event string, do func()) {
	before := app.journal.watch
	done := &flag{}
	app.journal.watch = func(e journal.Entry) {
		before(e)
		if e.Event == event && !done.up() {
			done.raise()
			do()
		}
	}
}

// A wrong key fails nobody: everything is parked, and the run ends and says
// what a person has to mend.
func TestRunEndsWhenOnlyAPersonCanHelp(t *testing.T) {
	w := newWorld(t, "", simulator.Fault{Service: "elevenlabs", Answer: "401", Code: "invalid_api_key"})
	app := w.open()
	defer closeApp(t, app)
	w.enqueue(app, 5)
	left, err := app.Run(t.Context(), t.Context(), forever)
	if err != nil {
		t.Fatal(err)
	}
	if got := w.states(app); got[call.Parked] != 5 || got[call.Failed] != 0 {
		t.Errorf("states %v", got)
	}
	if left.Parked != 5 || len(left.Waiting) != 1 || !strings.Contains(left.Waiting[0], "5 for ElevenLabs") {
		t.Errorf("left %+v", left)
	}
	if n := len(w.sim.Report().Telegram); n != 1 {
		t.Errorf("telegram got %d messages, want one at once", n)
	}
}

func TestNoPatienceLeavesParkedCalls(t *testing.T) {
	w := newWorld(t, "", simulator.Fault{Service: "llm", Answer: "503"})
	app := w.open()
	defer closeApp(t, app)
	w.enqueue(app, 3)
	left, err := app.Run(t.Context(), t.Context(), Patience{Parked: 0})
	if err != nil || left.Parked != 3 {
		t.Errorf("left %+v, error %v", left, err)
	}
}

func TestCallbacksAreVerified(t *testing.T) {
	w := newWorld(t, "")
	app := w.open()
	defer closeApp(t, app)
	post := func(signature string, form url.Values) int {
		t.Helper()
		target := app.server.url() + wiring.CallbackPath + "?campaign=default&contact=c-001&attempt=a1"
		r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, target, strings.NewReader(form.Encode()))
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		r.Header.Set("X-Twilio-Signature", signature)
		res, err := http.DefaultClient.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		defer http.DefaultClient.CloseIdleConnections()
		_ = res.Body.Close()
		return res.StatusCode
	}
	if got := post("forged", url.Values{"CallSid": {"CA1"}, "CallStatus": {"completed"}}); got != http.StatusForbidden {
		t.Errorf("a forged callback is answered %d", got)
	}
	if got := post("", nil); got != http.StatusForbidden {
		t.Errorf("an unsigned callback is answered %d", got)
	}
}

func TestOpenRefuses(t *testing.T) {
	t.Run("a second working process", func(t *testing.T) {
		w := newWorld(t, "")
		defer closeApp(t, w.open())
		if _, err := Open(t.Context(), Options{Settings: w.settings, Clock: w.clock}); err == nil {
			t.Error("two processes work one queue")
		}
	})
	t.Run("missing keys", func(t *testing.T) {
		w := newWorld(t, "")
		w.settings.Providers.OpenAI.APIKey = ""
		_, err := Open(t.Context(), Options{Settings: w.settings, Clock: w.clock})
		if err == nil || !strings.Contains(err.Error(), "OPENAI_API_KEY") {
			t.Errorf("error %v", err)
		}
	})
	t.Run("the real Twilio without a public address", func(t *testing.T) {
		w := newWorld(t, "")
		w.settings.Providers.Twilio.BaseURL = ""
		_, err := Open(t.Context(), Options{Settings: w.settings, Clock: w.clock})
		if err == nil || !strings.Contains(err.Error(), "PUBLIC_URL is not set") {
			t.Errorf("error %v", err)
		}
	})
	t.Run("a port that is taken", func(t *testing.T) {
		w := newWorld(t, "")
		l, err := listen("")
		if err != nil {
			t.Fatal(err)
		}
		defer l.close()
		_, err = Open(t.Context(), Options{Settings: w.settings, Clock: w.clock, Listen: l.listener.Addr().String()})
		if err == nil || !strings.Contains(err.Error(), "--listen") {
			t.Errorf("error %v", err)
		}
	})
}

func TestStuckForLeavesTimeForOneMoreHealthCheck(t *testing.T) {
	if stuckFor < time.Minute+5*time.Second {
		t.Errorf("a run ends after %s, before an account fault is tested again", stuckFor)
	}
}
