package cli

import (
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"testing"

	"callagent/localstack/simulator"
)

// newClinic is an office whose simulator keeps this machine's time: clocks are
// compared.
func newClinic(t *testing.T) *office {
	t.Helper()
	t.Chdir(t.TempDir())
	o := &office{t: t}
	var err error
	if o.sim, err = simulator.Start(simulator.Config{}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(o.sim.Close)
	o.world = World{In: strings.NewReader(""), Out: &o.out, Err: &o.errs, Env: environment(o.sim.Env())}
	return o
}

// with changes one variable of the office's environment.
func (o *office) with(name, value string) {
	env := o.world.Env
	o.world.Env = func(n string) (string, bool) {
		if n == name {
			return value, true
		}
		return env(n)
	}
}

func TestDoctor(t *testing.T) {
	o := newClinic(t)
	o.with("ELEVENLABS_VOICE_ID", "nobody")
	text := o.does(failed, "doctor")
	if !strings.Contains(text, "\nerror   elevenlabs  voice") || !strings.Contains(text, "Set ELEVENLABS_VOICE_ID to the id of a voice") {
		t.Errorf("the voice is not named:\n%s", text)
	}
	lines := strings.Split(strings.TrimSpace(text), "\n")
	if last := lines[len(lines)-1]; !strings.HasPrefix(last, "1 error, ") || lines[0][:6] != "STATUS" {
		t.Errorf("it begins %q and ends %q", lines[0], last)
	}
	var document map[string][]map[string]string
	d := json.NewDecoder(strings.NewReader(o.does(failed, "doctor", "--json")))
	if err := d.Decode(&document); err != nil {
		t.Fatal(err)
	}
	if len(document) != 1 || len(document["checks"]) != len(lines)-3 {
		t.Errorf("%d checks as JSON, %d lines as text", len(document["checks"]), len(lines))
	}
	for _, c := range document["checks"] {
		if len(c) != 5 || c["service"] == "" || c["check"] == "" || c["meaning"] == "" || !slices.Contains([]string{"ok", "warning", "error"}, c["status"]) {
			t.Errorf("a check is %v", c)
		}
	}
}

func TestDoctorSaysHowItEnded(t *testing.T) {
	o := newClinic(t)
	o.does(ok, "doctor")
	if text := o.does(usage, "doctor", "--store", "nonsense"); !strings.Contains(text, "--store") {
		t.Errorf("it says %q", text)
	}
	o.with("TWILIO_FROM", "12")
	o.does(usage, "doctor")
}

// Nothing is sent but by --send-test.
func TestDoctorSendsOnlyWhenAsked(t *testing.T) {
	o := newClinic(t)
	sent := func() int {
		r := o.sim.Report()
		return len(r.Email) + len(r.Telegram) + len(r.Webhooks) + 100*(len(r.Calls)+len(r.CRM))
	}
	o.does(ok, "doctor")
	if n := sent(); n != 0 {
		t.Errorf("%d were sent", n)
	}
	for _, r := range o.sim.Requests() {
		asks := []string{"sheets token", "crm scopes"}
		if r.Method == http.MethodPost && !slices.Contains(asks, r.Service+" "+r.Route) {
			t.Errorf("%s %s %s", r.Service, r.Method, r.Path)
		}
	}
	o.does(ok, "doctor", "--send-test")
	if n := sent(); n != 3 {
		t.Errorf("%d were sent, want one on each channel", n)
	}
}
