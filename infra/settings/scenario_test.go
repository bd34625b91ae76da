package settings

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

const outage = `name = "elevenlabs-503"
description = "ElevenLabs answers 503 for a minute"
contacts = """
contact_id,phone,name
c-001,+12025550101,Ada
"""

[settings]
max_in_progress = 1
[settings.campaign.default]
call_window = "00:00-24:00"

[[faults]]
service = "elevenlabs"
from = "0s"
for = "1m"
answer = 503
retry_after = 7
[[faults]]
service = "llm"
answer = "slow"
delay = "2s"
rate = 0.5
code = "x"
route = "chat"

[expect]
contacts = 1
failed = 0
max_rings_per_contact = 1
exit = 0
`

func TestAScenarioIsReadWhole(t *testing.T) {
	got, err := ParseScenario("outage.toml", []byte(outage))
	if err != nil {
		t.Fatal(err)
	}
	s := load(t, Source{Over: []Layer{got.Settings}})
	if s.MaxInProgress != 1 || !s.Campaigns[DefaultCampaign].Window.Always() {
		t.Errorf("its settings are not in force: max_in_progress %d, window %v", s.MaxInProgress, s.Campaigns[DefaultCampaign].Window)
	}
	got.Settings = Layer{}
	want := Scenario{
		Name:        "elevenlabs-503",
		Description: "ElevenLabs answers 503 for a minute",
		Contacts:    "contact_id,phone,name\nc-001,+12025550101,Ada\n",
		Faults: []Fault{
			{Service: "elevenlabs", For: time.Minute, Answer: "503", RetryAfter: "7"},
			{Service: "llm", Answer: "slow", Delay: 2 * time.Second, Rate: 0.5, Code: "x", Route: "chat"},
		},
		Expect: map[string]int{"contacts": 1, "failed": 0, "max_rings_per_contact": 1, "exit": 0},
	}
	if d := cmp.Diff(want, got, cmp.AllowUnexported(Layer{})); d != "" {
		t.Errorf("(-want +got):\n%s", d)
	}
}

func TestMistakesInAScenario(t *testing.T) {
	tests := []struct{ old, new, want string }{
		{`name = "elevenlabs-503"`, ``, `s.toml: there is no name: write name = "…" at the top`},
		{`contacts = """`, `kontacts = """`, "s.toml: it has to say whom to call in one way: either contacts, with a CSV text, or contacts_file, with a path\ns.toml, line 3: kontacts is not known: did you mean contacts?"},
		{`name = `, "contacts_file = 'x.csv'\nname = ", `s.toml: it has to say whom to call in one way: either contacts, with a CSV text, or contacts_file, with a path`},
		{`max_in_progress`, `max_in_progres`, `s.toml, line 9: settings.max_in_progres is not known: did you mean max_in_progress?`},
		{`call_window = "00:00-24:00"`, `call_window = "24:00-00:00"`, `s.toml, line 11: settings.campaign.default.call_window is "24:00-00:00", which ends before it starts: put the earlier time first, and use "00:00-24:00" for the whole day`},
		{`from = "0s"`, `form = "0s"`, `s.toml, line 15: faults.1.form is not known: did you mean from?`},
		{`answer = "slow"`, ``, `s.toml, line 19: faults.2 does not say answer: every fault needs a service and an answer`},
		{`delay = "2s"`, `delay = "-2s"`, `s.toml, line 22: faults.2.delay is "-2s": a time cannot be negative, use 0s or more`},
		{`answer = 503`, `answer = 50.3`, `s.toml, line 17: faults.1.answer is 50.3: write a text in quotes, or a whole number`},
		{`failed = 0`, `fialed = 0`, `s.toml, line 29: expect.fialed is not known: did you mean failed?`},
		{`failed = 0`, `failed = "none"`, `s.toml, line 29: expect.failed is "none": write a whole number`},
		{`[expect]`, `[expects]`, `s.toml, line 27: expects is not known: did you mean expect?`},
		{"[settings]\nmax_in_progress = 1\n[settings.campaign.default]\ncall_window", "settings", `s.toml, line 8: settings is "00:00-24:00", but it is the name of a table: write [settings] and its keys below`},
	}
	for _, tt := range tests {
		text := strings.Replace(outage, tt.old, tt.new, 1)
		if text == outage {
			t.Errorf("%q is not in the scenario", tt.old)
		}
		_, err := ParseScenario("s.toml", []byte(text))
		if got := fmt.Sprint(err); got != tt.want {
			t.Errorf("%q -> %q:\n got %s\nwant %s", tt.old, tt.new, got, tt.want)
		}
	}
}
