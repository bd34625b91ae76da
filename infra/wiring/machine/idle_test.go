package machine

import (
	"encoding/json"
	"testing"
	"time"

	"callagent/core/agent"
	"callagent/core/breaker"
	"callagent/core/call"
	"callagent/infra/settings"
	"callagent/localstack/simulator"
)

// Told how long to stay, a run waits for a person too.
func TestAPatientRunWaitsForTheTopUp(t *testing.T) {
	t.Parallel()
	w := newWorld(t, "", simulator.Fault{Service: "elevenlabs", For: 3 * time.Minute, Answer: "401", Code: "quota_exceeded"})
	app := w.open()
	defer closeApp(t, app)
	w.enqueue(app, 5)
	left, err := app.Run(t.Context(), t.Context(), Patience{Parked: 10 * time.Minute})
	if err != nil || left.Parked != 0 || w.states(app)[call.Completed] != 5 {
		t.Errorf("left %+v, states %v, error %v", left, w.states(app), err)
	}
}

func TestARunSaysWhichServiceAnOperatorOpened(t *testing.T) {
	t.Parallel()
	w := newWorld(t, "")
	app := w.open()
	defer closeApp(t, app)
	app.Agent.Circuit(agent.Twilio).Change(t.Context(), func(r breaker.Record) (breaker.Record, breaker.Change) {
		return breaker.ForceOpen(r, w.clock.Now())
	})
	w.enqueue(app, 3)
	left, err := app.Run(t.Context(), t.Context(), forever)
	if err != nil || left.Parked != 3 || len(left.Waiting) != 1 ||
		left.Waiting[0] != "3 for Twilio, which an operator opened. When it may go on: callagent circuit twilio auto (or the button on the dashboard)." {
		t.Errorf("left %+v, error %v", left, err)
	}
}

func TestARunEndsBeforeACallWindowThatIsFar(t *testing.T) {
	t.Parallel()
	w := newWorld(t, "")
	const zone = "Asia/Kolkata" // its clocks are never changed
	home, err := time.LoadLocation(zone)
	if err != nil {
		t.Fatal(err)
	}
	local := w.clock.Now().In(home)
	from := (local.Hour()*60 + local.Minute() + 120) % (24 * 60)
	campaign := w.settings.Campaigns[settings.DefaultCampaign]
	campaign.Window = call.Window{From: from, To: min(from+60, 24*60)}
	w.settings.Campaigns[settings.DefaultCampaign] = campaign
	app := w.open()
	defer closeApp(t, app)
	body, err := json.Marshal(call.Contact{Campaign: "default", ID: "c-001", Phone: "+12025550100", TimeZone: zone})
	if err != nil {
		t.Fatal(err)
	}
	if err := app.Store.Send(t.Context(), 0, body); err != nil {
		t.Fatal(err)
	}
	left, err := app.Run(t.Context(), t.Context(), forever)
	opens := local.Truncate(time.Minute).Add(2 * time.Hour).UTC().Format("2006-01-02 15:04 MST")
	if err != nil || left.Parked != 1 || len(left.Waiting) != 1 ||
		left.Waiting[0] != "1 for their call window, which opens at "+opens+" or later" {
		t.Errorf("left %+v, error %v, the window opens at %s", left, err, opens)
	}
	for _, r := range w.sim.Requests() {
		if r.Service != "sheets" {
			t.Errorf("a request to %s was sent at night", r.Service)
		}
	}
}

// A wake-up that is hidden for a while and whose call has ended holds up nobody.
func TestARunDoesNotWaitForAStaleWakeUp(t *testing.T) {
	t.Parallel()
	w := newWorld(t, "")
	app := w.open()
	defer closeApp(t, app)
	w.enqueue(app, 1)
	if _, err := app.Run(t.Context(), t.Context(), forever); err != nil {
		t.Fatal(err)
	}
	body, err := json.Marshal(call.Contact{Campaign: "default", ID: "c-001", Phone: "+12025550100"})
	if err != nil {
		t.Fatal(err)
	}
	if err := app.Store.Send(t.Context(), time.Hour, body); err != nil {
		t.Fatal(err)
	}
	began := w.clock.Now()
	left, err := app.Run(t.Context(), t.Context(), forever)
	if took := w.clock.Now().Sub(began); err != nil || left.Parked != 0 || took > 30*time.Minute {
		t.Errorf("left %+v after %s, error %v", left, took, err)
	}
}

// Whoever waits for something that ends by itself, beside those who do not,
// keeps a run going.
func TestOneWhoMayGoOnKeepsARunGoing(t *testing.T) {
	t.Parallel()
	w := newWorld(t, "",
		simulator.Fault{Service: "crm", For: 2 * time.Minute, Answer: "503"},
		simulator.Fault{Service: "elevenlabs", From: time.Minute, Answer: "401", Code: "invalid_api_key"})
	app := w.open()
	defer closeApp(t, app)
	w.enqueue(app, 4)
	left, err := app.Run(t.Context(), t.Context(), forever)
	if err != nil || left.Parked != 0 || w.states(app)[call.Completed] != 4 {
		t.Errorf("left %+v, states %v, error %v", left, w.states(app), err)
	}
	recorded := 0
	for c, err := range app.Store.Calls(t.Context(), call.Filter{}) {
		if err != nil {
			t.Fatal(err)
		}
		if c.Recorded == call.Yes {
			recorded++
		}
	}
	if recorded != 4 || w.saw("circuit_closed") != 1 {
		t.Errorf("%d outcomes were recorded after the outage", recorded)
	}
}
