package settings

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"callagent/core/alert"
	"callagent/core/backoff"
	"callagent/core/breaker"
	"callagent/core/call"
)

func layer(t *testing.T, text string) Layer {
	t.Helper()
	l, err := ParseLayer("callagent.toml", []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return l
}

func load(t *testing.T, from Source) Settings {
	t.Helper()
	s, err := Load(from)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func environment(vars map[string]string) func(string) (string, bool) {
	return func(name string) (string, bool) { v, ok := vars[name]; return v, ok }
}

func TestDefaultsAreThoseOfTheSourceDocuments(t *testing.T) {
	s := load(t, Source{File: filepath.Join(t.TempDir(), "callagent.toml")})
	for _, name := range ServiceNames() {
		service := s.Services[name]
		if want := (backoff.Policy{MaxRetries: 3, Initial: 5 * time.Second, Factor: 2, Max: time.Minute, Jitter: 0.2}); service.Retry != want {
			t.Errorf("%s retries %+v, want %+v", name, service.Retry, want)
		}
		if want := (breaker.Config{Threshold: 3, Recovery: 10 * time.Second, Interval: 5 * time.Second}); service.Circuit != want {
			t.Errorf("%s circuit %+v, want %+v", name, service.Circuit, want)
		}
	}
	pace := func(name string) string {
		x := s.Services[name]
		return fmt.Sprint(x.Rate, " ", x.AtOnce, " ", x.Timeout)
	}
	for name, want := range map[string]string{"llm": "0 8 30s", "elevenlabs": "0 4 30s", "twilio": "1 4 15s", "crm": "0 4 10s"} {
		if got := pace(name); got != want {
			t.Errorf("%s has rate, at_once and timeout %s, want %s", name, got, want)
		}
	}
	c := s.Campaigns[DefaultCampaign]
	if c.Name != DefaultCampaign || c.Window != (call.Window{From: 540, To: 1200}) || c.MaxLength != 3*time.Minute || c.ExpiresAfter != 0 {
		t.Errorf("the default campaign is %+v", c)
	}
	if _, err := c.Request(call.Contact{ID: "c-001"}); err != nil {
		t.Errorf("the default prompt does not work for a contact that is only a number: %v", err)
	}
}

func TestSpecialTablesWinOverGeneralOnesWhateverTheLayer(t *testing.T) {
	below := layer(t, `
		services.twilio.retry.max_retries = 1
		[campaign.default]
		voice = "anna"
		[campaign."spring.2026"]
		language = "de"
		[campaign.bare]
	`)
	above := layer(t, `
		workers = 3
		[retry]
		max_retries = 5
		[services.crm]
		circuit_breaker = { failure_threshold = 7 }
	`)
	s := load(t, Source{Over: []Layer{below, above}})
	got := fmt.Sprint(s.Workers, s.Services["llm"].Retry.MaxRetries, s.Services["twilio"].Retry.MaxRetries,
		s.Services["crm"].Circuit.Threshold, s.Services["llm"].Circuit.Threshold)
	if want := "3 5 1 7 3"; got != want {
		t.Errorf("workers, llm and twilio retries, crm and llm thresholds are %s, want %s", got, want)
	}
	for name, want := range map[string]string{DefaultCampaign: "anna en", "spring.2026": "anna de", "bare": "anna en"} {
		c := s.Campaigns[name]
		if got := c.Voice + " " + c.Language; got != want || c.Name != name {
			t.Errorf("campaign %s has voice and language %s and name %s, want %s", name, got, c.Name, want)
		}
	}
}

func TestMistakesNameLineKeyAndRemedy(t *testing.T) {
	tests := []struct{ text, want string }{
		{"wrokers = 4", `callagent.toml, line 1: wrokers is not known: did you mean workers?`},
		{"\n[retry]\nmax_retrys = 4", `callagent.toml, line 3: retry.max_retrys is not known: did you mean max_retries?`},
		{"max_retries = 4", `callagent.toml, line 1: max_retries is not known here: did you mean retry.max_retries?`},
		{"[campaign]\nprompt = 'x'", `callagent.toml, line 2: campaign.prompt is not known here: did you mean campaign.default.prompt?`},
		{"[log]\ncolour = true", `callagent.toml, line 2: log.colour is not known: what [log] may have is file, max_files, max_size_mb, readable_file`},
		{"[services.twillio]\nrate = 2", `callagent.toml, line 1: services.twillio is not known: did you mean twilio?`},
		{"[services.fax]\nrate = 2", `callagent.toml, line 1: services.fax is not known: what [services] may have is crm, elevenlabs, llm, twilio`},
		{"[sevices.twilio.retry]\n", `callagent.toml, line 1: sevices is not known: did you mean services?`},
		{"retry = 5", `callagent.toml, line 1: retry is 5, but it is the name of a table: write [retry] and its keys below`},
		{"[workers]\n", `callagent.toml, line 1: workers is a table: write a whole number`},
		{"workers = 'four'", `callagent.toml, line 1: workers is "four": write a whole number`},
		{"workers = 0", `callagent.toml, line 1: workers is 0: use 1 or more`},
		{"[retry]\ninitial_delay = 5", `callagent.toml, line 2: retry.initial_delay is 5, a number without a unit: write it like "5s"`},
		{"[retry]\ninitial_delay = 'soon'", `callagent.toml, line 2: retry.initial_delay is "soon", which is no duration: write a number with a unit (ms, s, m or h), like "5s" or "1h30m"`},
		{"[retry]\ninitial_delay = '-5s'", `callagent.toml, line 2: retry.initial_delay is "-5s": a time cannot be negative, use 0s or more`},
		{"[retry]\njitter = 2", `callagent.toml, line 2: retry.jitter is 2: use 0 to 1`},
		{"[retry]\njitter = nan", `callagent.toml, line 2: retry.jitter is NaN: use 0 or more`},
		{"[retry]\nmax_delay = '1s'", `callagent.toml, line 2: retry.max_delay is 1s, less than initial_delay 5s: make it at least as long`},
		{"[retry]\ninitial_delay = '2m'", `callagent.toml, line 2: retry.initial_delay does not fit: max_delay is 1m0s, less than initial_delay 2m0s: make it at least as long`},
		{"[retry]\nmax_delay = '20s'\n[services.crm.retry]\ninitial_delay = '30s'", `callagent.toml, line 2: retry.max_delay is 20s, less than initial_delay 30s: make it at least as long`},
		{"[circuit_breaker]\nfailure_threshold = 0", `callagent.toml, line 2: circuit_breaker.failure_threshold is 0: use 1 or more`},
		{"[services.llm.health_check]\ninterval = '0s'", `callagent.toml, line 2: services.llm.health_check.interval is 0s: use a time above zero`},
		{"[services.llm]\ntimeout = '0s'", `callagent.toml, line 2: services.llm.timeout is "0s": use 100ms or more`},
		{"[campaign.default]\ncall_window = '20:00-09:00'", `callagent.toml, line 2: campaign.default.call_window is "20:00-09:00", which ends before it starts: put the earlier time first, and use "00:00-24:00" for the whole day`},
		{"[campaign.default]\ncall_window = '9 to 5'", `callagent.toml, line 2: campaign.default.call_window is "9 to 5": write two times of day, like "09:00-20:00"`},
		{"[campaign.default]\nprompt = 'Hi {{name}}'", `callagent.toml, line 2: campaign.default.prompt has a placeholder that cannot be read: write them like {{.name}}, and name only what every contact of the campaign has`},
		{"[campaign.default]\nprompt = ' '", `callagent.toml, line 2: campaign.default.prompt is empty: write something or leave the key out`},
		{"[campaign.default]\nfrom = '0151 5550123'", `callagent.toml, line 2: campaign.default.from is "01********23", which is no phone number: write +, the country code and the number, digits only`},
		{"[campaign.default]\nlanguage = 'english'", `callagent.toml, line 2: campaign.default.language is "english": write the two letters of the language, like "en", or "" to let the voice decide`},
		{"[campaign.default]\nmax_seconds = 20000", `callagent.toml, line 2: campaign.default.max_seconds is 20000: use 14400 or less`},
		{"[campaign.default]\nring_timeout = '1h'", `callagent.toml, line 2: campaign.default.ring_timeout is "1h": use 10m or less`},
		{"[campaign.default]\nmachine_detection = 'yes'", `callagent.toml, line 2: campaign.default.machine_detection is "yes": write true or false without quotes`},
		{"[campaign.'a b']\n", `callagent.toml, line 1: campaign."a b" is no name for a campaign: use letters, digits and . _ - : @ +, at most 128`},
		{"[alerts]\nemail = ['circuit_open']", `callagent.toml, line 2: alerts.email has "circuit_open", which names no alert: did you mean "circuit_opened"?`},
		{"[alerts]\nemail = [\n'critical',\n'twillio:all']", `callagent.toml, line 2: alerts.email has "twillio:all", which begins with no service: did you mean "twilio"?`},
		{"[alerts]\nemail = ['twilio:']", `callagent.toml, line 2: alerts.email has "twilio:", which names no alert: use all, info, warning, critical, circuit_opened, circuit_unstable, circuit_still_open, circuit_closed, service_paused, call_failed, retries_exhausted, call_unknown, campaign_finished, llm, elevenlabs, twilio, crm`},
		{"[alerts]\nemail = ['crm:call_failed']", `callagent.toml, line 2: alerts.email has "crm:call_failed", but call_failed is about calls and no service: leave out "crm:"`},
		{"[alerts]\nemail = ['not crm']", `callagent.toml, line 2: alerts.email only leaves things out, so nothing is left: put "all" before "not crm", or write [] for nothing`},
		{"[alerts]\nemail = [7]", `callagent.toml, line 2: alerts.email has 7: write each rule as a text in quotes, like "critical"`},
		{"[sheet]\nkeep_rows = 50", `callagent.toml, line 2: sheet.keep_rows is 50: use 100 or more`},
		{"[sheet]\nkeep_rows = 1000000", `callagent.toml, line 2: sheet.keep_rows is 1000000: use 500000 or less`},
		{"[alerts]\nemail = 'all'", `callagent.toml, line 2: alerts.email is "all": write a list, like ["critical"], or [] for nothing`},
		{"store = 'postgres://x'", `callagent.toml, line 1: store is "postgres://x": use "sqlite:PATH" for one machine, or "aws"`},
	}
	for _, tt := range tests {
		l, err := ParseLayer("callagent.toml", []byte(tt.text))
		if err != nil {
			t.Errorf("%q is not TOML: %v", tt.text, err)
			continue
		}
		_, err = Load(Source{Over: []Layer{l}})
		if got := fmt.Sprint(err); got != tt.want {
			t.Errorf("%q:\n got %s\nwant %s", tt.text, got, tt.want)
		}
	}
}

func TestAllMistakesAreToldInTheirOrder(t *testing.T) {
	l := layer(t, "workers = 0\n[retry]\nmax_retries = -1\n[services.llm]\nrat = 1\n")
	_, err := Load(Source{Over: []Layer{l}, Env: environment(map[string]string{"PUBLIC_URL": "localhost"})})
	want := `callagent.toml, line 1: workers is 0: use 1 or more
callagent.toml, line 3: retry.max_retries is -1: use 0 or more
callagent.toml, line 5: services.llm.rat is not known: did you mean rate?
environment variable PUBLIC_URL is no web address: write it whole, like https://host.example/path`
	if got := fmt.Sprint(err); got != want {
		t.Errorf("got:\n%s\nwant:\n%s", got, want)
	}
}

func TestFiles(t *testing.T) {
	dir := t.TempDir()
	write := func(name, text string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	if s := load(t, Source{File: write("good.toml", "workers = 2"), Required: true}); s.Workers != 2 {
		t.Errorf("workers is %d, want 2 from the file", s.Workers)
	}
	if s := load(t, Source{File: write("under.toml", "workers = 2"), Over: []Layer{layer(t, "workers = 5")}}); s.Workers != 5 {
		t.Errorf("workers is %d, want 5 from the layer above the file", s.Workers)
	}
	for name, tt := range map[string]struct{ path, want string }{
		"absent":     {filepath.Join(dir, "none.toml"), "there is no such file: check the path, or leave it out to run with the defaults"},
		"directory":  {dir, "the file cannot be read (is a directory): check that it is a file and who may read it"},
		"not TOML":   {write("bad.toml", "[retry]\nmax_retries 3\n"), ", line 2: this is not TOML: "},
		"twice":      {write("twice.toml", "workers = 1\nworkers = 2\n"), "this is not TOML: "},
		"not UTF-8":  {write("latin.toml", "store = \"caf\xe9\"\n"), ", line 1: this is not TOML: "},
		"bad within": {write("within.toml", "\n\nworkers = true\n"), ", line 3: workers is true: write a whole number"},
	} {
		_, err := Load(Source{File: tt.path, Required: true})
		if err == nil || !strings.HasPrefix(err.Error(), tt.path) || !strings.Contains(err.Error(), tt.want) || strings.Contains(err.Error(), "\n") {
			t.Errorf("%s: got %v, want one line with the path and %q", name, err, tt.want)
		}
	}
}

func TestSubscriptionsFollowTheirWords(t *testing.T) {
	a := load(t, Source{}).Alerts
	tests := []struct {
		kind     alert.Kind
		severity alert.Severity
		want     string
	}{
		{alert.CircuitOpened, alert.Critical, "email telegram webhook"},
		{alert.CircuitClosed, alert.Info, "email telegram webhook"},
		{alert.CallFailed, alert.Warning, "email webhook"},
		{alert.CampaignFinished, alert.Info, "webhook"},
	}
	for _, tt := range tests {
		var got []string
		for _, c := range []struct {
			name string
			to   Subscription
		}{{"email", a.Email}, {"telegram", a.Telegram}, {"webhook", a.Webhook}} {
			if c.to.Takes(alert.Alert{Kind: tt.kind, Severity: tt.severity}) {
				got = append(got, c.name)
			}
		}
		if strings.Join(got, " ") != tt.want {
			t.Errorf("%s (%s) goes to %v, want %s", tt.kind, tt.severity, got, tt.want)
		}
	}
}

// Each rule by kind, severity and service, against one alert of each sort.
func TestRulesOfASubscription(t *testing.T) {
	alerts := map[string]alert.Alert{
		"down":   {Kind: alert.CircuitOpened, Severity: alert.Critical, Service: "twilio"},
		"up":     {Kind: alert.CircuitClosed, Severity: alert.Info, Service: "twilio"},
		"slow":   {Kind: alert.ServicePaused, Severity: alert.Warning, Service: "llm"},
		"crm":    {Kind: alert.CircuitOpened, Severity: alert.Critical, Service: "crm"},
		"failed": {Kind: alert.CallFailed, Severity: alert.Warning, Campaign: "spring"},
		"done":   {Kind: alert.CampaignFinished, Campaign: "spring"},
	}
	for _, tt := range []struct {
		rules Subscription
		want  string
	}{
		{Subscription{}, ""},
		{Subscription{"all"}, "crm done down failed slow up"},
		{Subscription{"info"}, "crm done down failed slow up"},
		{Subscription{"warning"}, "crm down failed slow"},
		{Subscription{"critical"}, "crm down"},
		{Subscription{"circuit_opened"}, "crm down"},
		{Subscription{"twilio"}, "down up"},
		{Subscription{"twilio:all"}, "down up"},
		{Subscription{"twilio:circuit_opened", "call_failed"}, "down failed"},
		{Subscription{"llm:warning", "twilio:critical"}, "down slow"},
		{Subscription{"all", "not crm"}, "done down failed slow up"},
		{Subscription{"not crm", "critical"}, "down"},
		{Subscription{"all", "not warning"}, "done up"},
		{Subscription{"all", "not twilio:info", "not campaign_finished"}, "crm failed slow"},
	} {
		var got []string
		for _, name := range slices.Sorted(maps.Keys(alerts)) {
			if tt.rules.Takes(alerts[name]) {
				got = append(got, name)
			}
		}
		if strings.Join(got, " ") != tt.want {
			t.Errorf("%q takes %v, want %s", tt.rules, got, tt.want)
		}
	}
}

func TestWhatIsWrittenHasTheSameEffectWhenRead(t *testing.T) {
	s := load(t, Source{Over: []Layer{layer(t, `
		max_in_progress = 1
		store = "sqlite:a \"b\" \\ \u007f.db"
		[services.llm]
		rate = 0.25
		[services.llm.retry]
		max_delay = "1h0m5s"
		[alerts]
		telegram = []
		[campaign."spring.2026"]
		prompt = "Say \"hi\" to {{.name}}\nand \\ stop\tthere.\n"
		call_window = "00:00-24:00"
		expires_after = "36h"
	`)}})
	var b bytes.Buffer
	if err := Write(&b, s); err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(s, load(t, Source{Over: []Layer{layer(t, b.String())}})); d != "" {
		t.Errorf("written and read again (-before +after):\n%s\n%s", d, b.String())
	}
	for _, line := range []string{"max_in_progress = 1\n", "[campaign.\"spring.2026\"]\n", "expires_after = \"36h\"\n", "max_delay = \"1h0m5s\"\n", "telegram = []\n", "rate = 0.25\n"} {
		if !strings.Contains(b.String(), line) {
			t.Errorf("no line %q in:\n%s", line, b.String())
		}
	}
	var doc struct {
		Workers  int
		Services map[string]struct {
			Retry map[string]any `json:"retry"`
		}
		Campaign    map[string]map[string]any
		Environment map[string]string
	}
	data, err := json.Marshal(s)
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(data, &doc); err != nil {
		t.Fatal(err)
	}
	if doc.Workers != 8 || doc.Services["llm"].Retry["max_delay"] != "1h0m5s" || doc.Campaign["spring.2026"]["call_window"] != "00:00-24:00" || doc.Environment["OPENAI_API_KEY"] != "(not set)" {
		t.Errorf("the JSON form is %s", data)
	}
}
