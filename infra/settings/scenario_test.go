package settings

import (
	"fmt"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

const outage = `name = "elevenlabs-503"
description = "ElevenLabs answers 503 for a minute"
start = 2026-11-23T08:55:00+01:00
wait = "10m"
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
unknown = { at_most = 12 }
alerts = { at_least = 1, at_most = 5 }
max_rings_per_contact = { at_least = 1 }
exit = 0
results = { answered = 1, busy = { at_most = 0 } }
opened = ["llm", "elevenlabs"]

[numbers]
"+12025550101" = "busy"
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
		Callbacks:   true,
		Start:       time.Date(2026, 11, 23, 7, 55, 0, 0, time.UTC),
		Wait:        10 * time.Minute,
		Contacts:    "contact_id,phone,name\nc-001,+12025550101,Ada\n",
		Numbers:     map[string]string{"+12025550101": "busy"},
		Faults: []Fault{
			{Service: "elevenlabs", For: time.Minute, Answer: "503", RetryAfter: "7"},
			{Service: "llm", Answer: "slow", Delay: 2 * time.Second, Rate: 0.5, Code: "x", Route: "chat"},
		},
		Expect: Expectation{
			Numbers: map[string]Range{
				"contacts": {1, 1}, "failed": {}, "unknown": {0, 12}, "alerts": {1, 5},
				"max_rings_per_contact": {1, math.MaxInt}, "exit": {},
			},
			Results: map[string]Range{"answered": {1, 1}, "busy": {}},
			Opened:  []string{"elevenlabs", "llm"},
		},
	}
	if d := cmp.Diff(want, got, cmp.AllowUnexported(Layer{})); d != "" {
		t.Errorf("(-want +got):\n%s", d)
	}
}

func TestMistakesInAScenario(t *testing.T) {
	tests := []struct{ old, new, want string }{
		{`name = "elevenlabs-503"`, ``, `s.toml: there is no name: write name = "…" at the top`},
		{`contacts = """`, `kontacts = """`, "s.toml: it has to say whom to call in one way: either contacts, with a CSV text, or contacts_file, with a path\ns.toml, line 5: kontacts is not known: did you mean contacts?"},
		{`name = `, "contacts_file = 'x.csv'\nname = ", `s.toml: it has to say whom to call in one way: either contacts, with a CSV text, or contacts_file, with a path`},
		{`max_in_progress`, `max_in_progres`, `s.toml, line 11: settings.max_in_progres is not known: did you mean max_in_progress?`},
		{`call_window = "00:00-24:00"`, `call_window = "24:00-00:00"`, `s.toml, line 13: settings.campaign.default.call_window is "24:00-00:00", which ends before it starts: put the earlier time first, and use "00:00-24:00" for the whole day`},
		{`from = "0s"`, `form = "0s"`, `s.toml, line 17: faults.1.form is not known: did you mean from?`},
		{`answer = "slow"`, ``, `s.toml, line 21: faults.2 does not say answer: every fault needs a service and an answer`},
		{`delay = "2s"`, `delay = "-2s"`, `s.toml, line 24: faults.2.delay is "-2s": a time cannot be negative, use 0s or more`},
		{`answer = 503`, `answer = 50.3`, `s.toml, line 19: faults.1.answer is 50.3: write a text in quotes, or a whole number`},
		{`failed = 0`, `fialed = 0`, `s.toml, line 31: expect.fialed is not known: did you mean failed?`},
		{`failed = 0`, `failed = "none"`, `s.toml, line 31: expect.failed is "none": write a whole number, or { at_most = 3 }, { at_least = 1 } or both`},
		{`at_most = 12`, `atmost = 12`, `s.toml, line 32: expect.unknown is a table: write a whole number, or { at_most = 3 }, { at_least = 1 } or both`},
		{`{ at_most = 12 }`, `{}`, `s.toml, line 32: expect.unknown is a table: write a whole number, or { at_most = 3 }, { at_least = 1 } or both`},
		{`at_most = 5`, `at_most = 0`, `s.toml, line 33: expect.alerts can never be met: counts begin at 0, and at_least is not above at_most`},
		{`failed = 0`, `failed = -1`, `s.toml, line 31: expect.failed can never be met: counts begin at 0, and at_least is not above at_most`},
		{`{ answered = 1, busy = { at_most = 0 } }`, `3`, `s.toml, line 36: expect.results is 3: write it like { answered = 10, busy = 2 }`},
		{`answered = 1`, `answered = "one"`, `s.toml, line 36: expect.results has answered, which is "one": write a whole number, or { at_most = 3 }, { at_least = 1 } or both`},
		{`["llm", "elevenlabs"]`, `"llm"`, `s.toml, line 37: expect.opened is "llm": write a list, like ["twilio"], or [] for none`},
		{`["llm", "elevenlabs"]`, `["gpt"]`, `s.toml, line 37: expect.opened has "gpt", which is no service: use llm, elevenlabs, twilio, crm`},
		{`2026-11-23T08:55:00+01:00`, `2026-11-23`, `s.toml, line 3: start is 2026-11-23: write date, time and zone, like 2026-11-23T07:55:00Z`},
		{`2026-11-23T08:55:00+01:00`, `"tonight"`, `s.toml, line 3: start is "tonight": write date, time and zone, like 2026-11-23T07:55:00Z`},
		{`"+12025550101" = "busy"`, `"2025550101" = "busy"`, `s.toml, line 39: numbers has "20******01", which is no phone number: write +, the country code and the number, digits only`},
		{`"+12025550101" = "busy"`, `"+12025550101" = 1`, `s.toml, line 39: numbers has 1 for +1********01: write a word in quotes`},
		{`[expect]`, `[expects]`, `s.toml, line 29: expects is not known: did you mean expect?`},
		{"[settings]\nmax_in_progress = 1\n[settings.campaign.default]\ncall_window", "settings", `s.toml, line 10: settings is "00:00-24:00", but it is the name of a table: write [settings] and its keys below`},
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
