package doctor

import (
	"bytes"
	"context"
	"flag"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"callagent/infra/settings"
	"callagent/localstack/simulator"
)

var update = flag.Bool("update", false, "write the golden files and docs/doctor.md")

// patient is a set-up of which one thing is wrong.
type patient struct {
	name   string
	world  simulator.Config
	faults []simulator.Fault
	env    map[string]string // above that of the simulator; "" is not set
	file   string            // callagent.toml
	change func(*Options)
	// want is what is not all right, as "status service check", in order.
	want []string
}

// examine gives the findings of a patient, and the simulator.
func (p patient) examine(t *testing.T) ([]Finding, Options, *simulator.Simulator) {
	t.Helper()
	sim, err := simulator.Start(p.world)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(sim.Close)
	if err := sim.AddFaults(p.faults...); err != nil {
		t.Fatal(err)
	}
	env := map[string]string{}
	for _, line := range sim.Env() {
		name, value, _ := strings.Cut(line, "=")
		env[name] = value
	}
	for name, value := range p.env {
		value = strings.NewReplacer("{host}", "127.0.0.1", "{phone}", strings.TrimPrefix(sim.URLs()["twilio"], "http://127.0.0.1:"),
			"{llm}", strings.TrimSuffix(sim.URLs()["llm"], "/v1"), "{hook}", sim.URLs()["webhook"], "{closed}", closedPort(t), "{mail}", sim.URLs()["email"][strings.LastIndex(sim.URLs()["email"], ":")+1:]).Replace(value)
		if value == stranger {
			value = strings.ReplaceAll(readFile(t, env[name]), "callagent@", "stranger@")
		}
		env[name] = value
	}
	o := Options{Settings: load(t, env, p.file)}
	if p.change != nil {
		p.change(&o)
	}
	return Examine(t.Context(), o), o, sim
}

func load(t *testing.T, env map[string]string, file string) settings.Settings {
	t.Helper()
	layer, err := settings.ParseLayer("callagent.toml", []byte(file))
	if err != nil {
		t.Fatal(err)
	}
	s, err := settings.Load(settings.Source{Env: func(name string) (string, bool) { v, ok := env[name]; return v, ok }, Over: []settings.Layer{layer}})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func readFile(t *testing.T, name string) string {
	t.Helper()
	data, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

// closedPort is a port of this machine at which nobody listens.
func closedPort(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = l.Close() }()
	_, port, _ := net.SplitHostPort(l.Addr().String())
	return port
}

// realTwilio is the simulator under a name that is not taken for this machine.
const realTwilio = "http://LOCALHOST:{phone}"

// stranger is the key of an account that Google does not know.
const stranger = "{stranger}"

func broken(service, route, answer, code string) []simulator.Fault {
	return []simulator.Fault{{Service: service, Route: route, Answer: answer, Code: code}}
}

var patients = []patient{
	{name: "healthy"},
	{name: "nothing is set", env: unset(), want: []string{"warning machine clock", "error machine address", "error llm key", "error elevenlabs key", "error twilio key", "warning machine alerts"}},

	{name: "LLM: wrong key", env: map[string]string{"OPENAI_API_KEY": "sk-wrong"}, want: []string{"error llm model"}},
	{name: "LLM: unknown model", env: map[string]string{"OPENAI_MODEL": "gpt-99"}, want: []string{"error llm model"}},
	{name: "LLM: base URL without /v1", env: map[string]string{"OPENAI_BASE_URL": "{llm}"}, want: []string{"warning llm model"}},
	{name: "LLM: refuses connections", env: map[string]string{"OPENAI_BASE_URL": "http://127.0.0.1:{closed}/v1"}, want: []string{"error llm model"}},
	{name: "LLM: quota spent", faults: broken("llm", "model", "429", "insufficient_quota"), want: []string{"error llm model"}},
	{name: "LLM: too many requests", faults: broken("llm", "", "429", ""), want: []string{"warning llm model"}},
	{name: "LLM: country not served", faults: broken("llm", "", "403", ""), want: []string{"error llm model"}},
	{name: "LLM: down", faults: broken("llm", "", "503", ""), want: []string{"warning llm model"}},
	{name: "LLM: silent", faults: broken("llm", "", "timeout", ""), change: func(o *Options) { o.Limit = 2 * time.Second }, want: []string{"error llm model"}},

	{name: "ElevenLabs: wrong key", env: map[string]string{"ELEVENLABS_API_KEY": "wrong"}, want: []string{"error elevenlabs model"}},
	{name: "ElevenLabs: unknown voice", env: map[string]string{"ELEVENLABS_VOICE_ID": "nobody"}, want: []string{"error elevenlabs voice"}},
	{name: "ElevenLabs: unknown voice of a campaign", file: "[campaign.spring]\nvoice = \"nobody\"\n", want: []string{"error elevenlabs voice"}},
	{name: "ElevenLabs: no voice", env: map[string]string{"ELEVENLABS_VOICE_ID": ""}, want: []string{"error elevenlabs voice"}},
	{name: "ElevenLabs: unknown model", env: map[string]string{"ELEVENLABS_MODEL_ID": "eleven_v99"}, want: []string{"error elevenlabs model"}},
	{name: "ElevenLabs: quota spent", faults: broken("elevenlabs", "", "401", "quota_exceeded"), want: []string{"error elevenlabs credit"}},
	{name: "ElevenLabs: key that may only speak", faults: broken("elevenlabs", "voice", "401", "missing_permissions"), want: []string{"warning elevenlabs voice"}},
	{name: "ElevenLabs: an answer that is cut", faults: broken("elevenlabs", "models", "malformed", ""), want: []string{"error elevenlabs model"}},

	{name: "Twilio: wrong token", env: map[string]string{"TWILIO_AUTH_TOKEN": "wrong"}, want: []string{"error twilio account"}},
	{name: "Twilio: account id malformed", env: map[string]string{"TWILIO_ACCOUNT_SID": "SK" + strings.Repeat("0", 32)}, want: []string{"error twilio account"}},
	{name: "Twilio: no such account", faults: broken("twilio", "account", "404", ""), want: []string{"error twilio account"}},
	{name: "Twilio: suspended", world: simulator.Config{Account: simulator.Account{Status: "suspended"}}, want: []string{"error twilio account"}},
	{name: "Twilio: suspended, and refusing", faults: broken("twilio", "", "403", "20005"), want: []string{"error twilio account"}},
	{name: "Twilio: trial", world: simulator.Config{Account: simulator.Account{Trial: true}}, want: []string{"warning twilio account"}},
	{name: "Twilio: caller id not ours", env: map[string]string{"TWILIO_FROM": "+15005550009"}, want: []string{"error twilio caller id"}},
	{name: "Twilio: caller id of a campaign not ours", file: "[campaign.spring]\nfrom = \"+15005550009\"\n", want: []string{"error twilio caller id"}},
	{name: "Twilio: caller id verified", world: simulator.Config{Account: simulator.Account{Verified: []string{"+15005550009"}}}, env: map[string]string{"TWILIO_FROM": "+15005550009"}},
	{name: "Twilio: caller id without voice", world: simulator.Config{Account: simulator.Account{Mute: true}}, want: []string{"error twilio caller id"}},
	{name: "Twilio: no caller id", env: map[string]string{"TWILIO_FROM": ""}, want: []string{"error twilio caller id"}},
	{name: "Twilio: nothing left", world: simulator.Config{Account: simulator.Account{Balance: "-0.53"}}, want: []string{"warning twilio balance"}},
	{name: "Twilio: balance not told", faults: broken("twilio", "balance", "404", "")},

	{name: "HubSpot: wrong token", env: map[string]string{"HUBSPOT_TOKEN": "pat-eu1-wrong"}, want: []string{"error crm access"}},
	{name: "HubSpot: scope to write missing", world: simulator.Config{Scopes: []string{"crm.objects.contacts.read"}}, want: []string{"error crm scopes"}},
	{name: "HubSpot: all scopes missing", world: simulator.Config{Scopes: []string{}}, want: []string{"error crm access", "error crm scopes", "warning crm properties"}},
	{name: "HubSpot: scopes not told", faults: broken("crm", "scopes", "404", ""), want: []string{"warning crm scopes"}},
	{name: "HubSpot: properties missing", world: simulator.Config{Properties: map[string]bool{"contacts callagent_contact": false}}, want: []string{"error crm properties"}},
	{name: "HubSpot: day's requests used up", faults: broken("crm", "", "429", "DAILY"), want: []string{"warning crm access"}},

	{name: "email: wrong password", env: map[string]string{"SMTP_URL": "smtp://simulator:wrong@{host}:{mail}"}, want: []string{"error email login"}},
	{name: "email: refuses connections", env: map[string]string{"SMTP_URL": "smtp://{host}:{closed}"}, want: []string{"error email login"}},
	{name: "email: no mail server", env: map[string]string{"SMTP_URL": "smtp://{host}:{phone}"}, change: func(o *Options) { o.Limit = 2 * time.Second }, want: []string{"error email login"}},
	{name: "email: a server of another kind", faults: broken("email", "connect", "malformed", ""), want: []string{"error email login"}},
	{name: "email: user without password", env: map[string]string{"SMTP_URL": "smtp://somebody@{host}"}, want: []string{"error email settings"}},

	{name: "Telegram: wrong token", env: map[string]string{"TELEGRAM_BOT_TOKEN": "110201543:wrong-wrong-wrong-wrong-wrong"}, want: []string{"error telegram bot"}},
	{name: "Telegram: wrong chat", env: map[string]string{"TELEGRAM_CHAT_ID": "4711"}, want: []string{"error telegram chat"}},
	{name: "Telegram: chat is no number", env: map[string]string{"TELEGRAM_CHAT_ID": "ops"}, want: []string{"error telegram settings"}},
	{name: "Telegram: thrown out", faults: broken("telegram", "getChat", "403", "Forbidden: bot was kicked from the supergroup chat"), want: []string{"error telegram chat"}},

	{name: "webhook: refuses connections", env: map[string]string{"ALERT_WEBHOOK_URL": "http://127.0.0.1:{closed}/alerts"}, want: []string{"error webhook reach"}},
	{name: "webhook: gone", faults: broken("webhook", "", "410", ""), want: []string{"error webhook reach"}},
	{name: "webhook: redirects", faults: broken("webhook", "", "301", ""), want: []string{"error webhook reach"}},
	{name: "webhook: not signed", env: map[string]string{"ALERT_WEBHOOK_SECRET": ""}, want: []string{"warning webhook signature"}},
	{name: "webhook: in clear text", env: map[string]string{"ALERT_WEBHOOK_URL": "http://hooks.invalid/alerts"}, want: []string{"warning webhook address", "error webhook reach"}},

	{name: "sheet: not shared", faults: broken("sheets", "get", "403", ""), want: []string{"error sheets spreadsheet"}},
	{name: "sheet: not found", env: map[string]string{"SHEETS_SPREADSHEET_ID": "1another-spreadsheet"}, want: []string{"error sheets spreadsheet"}},
	{name: "sheet: API not switched on", faults: broken("sheets", "get", "403", "SERVICE_DISABLED"), want: []string{"error sheets spreadsheet"}},
	{name: "sheet: key of a stranger", env: map[string]string{"GOOGLE_APPLICATION_CREDENTIALS": stranger}, want: []string{"error sheets spreadsheet"}},
	{name: "sheet: no key file", env: map[string]string{"GOOGLE_APPLICATION_CREDENTIALS": "nowhere.json"}, want: []string{"error sheets settings"}},

	{name: "clock: an hour slow", change: func(o *Options) { o.Now = func() time.Time { return time.Now().Add(-time.Hour) } }, want: []string{"error machine clock"}},
	{name: "clock: half a minute fast", change: func(o *Options) { o.Now = func() time.Time { return time.Now().Add(30 * time.Second) } }, want: []string{"warning machine clock"}},

	{name: "PUBLIC_URL: not set", env: map[string]string{"TWILIO_BASE_URL": realTwilio}, want: []string{"error machine address"}},
	{name: "PUBLIC_URL: http", env: map[string]string{"TWILIO_BASE_URL": realTwilio, "PUBLIC_URL": "http://calls.invalid"}, want: []string{"warning machine address", "error machine audio"}},
	{name: "PUBLIC_URL: https, does not resolve", env: map[string]string{"TWILIO_BASE_URL": realTwilio, "PUBLIC_URL": "https://calls.invalid"}, want: []string{"error machine audio"}},
	{name: "PUBLIC_URL: this machine", env: map[string]string{"TWILIO_BASE_URL": realTwilio, "PUBLIC_URL": "http://192.168.1.20:8080"}, want: []string{"error machine address"}},
	{name: "PUBLIC_URL: refuses connections", env: map[string]string{"PUBLIC_URL": "http://127.0.0.1:{closed}"}, want: []string{"error machine audio"}},
	{name: "PUBLIC_URL: leads elsewhere", env: map[string]string{"PUBLIC_URL": "{llm}"}, change: func(o *Options) { o.Listen = "127.0.0.1:0" }, want: []string{"error machine audio"}},
	{name: "PUBLIC_URL: answered", env: map[string]string{"PUBLIC_URL": "{llm}"}},
	{name: "PUBLIC_URL: address to listen at is none", env: map[string]string{"PUBLIC_URL": "{llm}"}, change: func(o *Options) { o.Listen = "nonsense" }, want: []string{"error machine audio"}},

	{name: "store: there", change: func(o *Options) { o.Settings.Store = "sqlite:doctor_test.go" }},
	{name: "store: no such folder", change: func(o *Options) { o.Settings.Store = "sqlite:nowhere/calls.db" }, want: []string{"error store file"}},
	{name: "store: a folder", change: func(o *Options) { o.Settings.Store = "sqlite:testdata" }, want: []string{"error store file"}},
}

// unset takes everything out of the environment.
func unset() map[string]string {
	env := map[string]string{}
	for _, name := range []string{"OPENAI_API_KEY", "ELEVENLABS_API_KEY", "TWILIO_ACCOUNT_SID", "TWILIO_AUTH_TOKEN", "TWILIO_FROM", "TWILIO_BASE_URL",
		"HUBSPOT_TOKEN", "TELEGRAM_BOT_TOKEN", "TELEGRAM_CHAT_ID", "SMTP_URL", "ALERT_EMAIL_FROM", "ALERT_EMAIL_TO", "ALERT_WEBHOOK_URL",
		"ALERT_WEBHOOK_SECRET", "SHEETS_SPREADSHEET_ID", "GOOGLE_APPLICATION_CREDENTIALS"} {
		env[name] = ""
	}
	return env
}

// TestEveryMisconfigurationIsNamed examines each patient. Of the lines that are
// not all right the golden file has the words.
func TestEveryMisconfigurationIsNamed(t *testing.T) {
	var mu sync.Mutex
	said := map[string]string{}
	reached := map[row]bool{}
	t.Run("patients", func(t *testing.T) {
		for _, p := range patients {
			t.Run(p.name, func(t *testing.T) {
				findings, o, sim := p.examine(t)
				var got []string
				var text strings.Builder
				for _, f := range findings {
					if f.Status == OK && f.Remedy == "" {
						continue
					}
					fmt.Fprintf(&text, "%-7s %s, %s: %s %s\n", f.Status, f.Service, f.Check, f.Meaning, f.Remedy)
					if f.Status != OK {
						got = append(got, fmt.Sprintf("%s %s %s", f.Status, f.Service, f.Check))
					}
				}
				if !slices.Equal(got, p.want) {
					t.Errorf("not all right: %q, want %q\n%s", got, p.want, &text)
				}
				harmless(t, sim)
				discreet(t, findings, o)
				mu.Lock()
				said[p.name] = text.String()
				for _, f := range findings {
					reached[spoken(f)] = true
				}
				mu.Unlock()
			})
		}
	})
	var all bytes.Buffer
	for _, p := range patients {
		fmt.Fprintf(&all, "== %s\n%s\n", p.name, said[p.name])
	}
	golden(t, filepath.Join("testdata", "findings.txt"), all.Bytes())
	for _, r := range catalogue {
		if !reached[r] && r.service != amazon && !slices.Contains(rare, r.service+"/"+r.check+"/"+r.result) {
			t.Errorf("no patient has %s/%s/%s", r.service, r.check, r.result)
		}
	}
}

// rare are the rows that other tests bring about: by sending, with a server of
// their own, in the emulator, or from values.
var rare = []string{"/test alert/ok", "//permission", "//missing", "machine/address/deployed", "machine/audio/ok", "machine/audio/empty",
	"machine/audio/slow", "llm/model/unseen", "elevenlabs/credit/low", "elevenlabs/credit/unpaid", "email/login/plain", "telegram/chat/moved",
	"email/test alert/missing", "email/test alert/strange", "telegram/test alert/permission", "webhook/test alert/key", "webhook/test alert/missing"}

// spoken is the row of the catalogue that a finding was worded from.
func spoken(f Finding) row {
	for _, at := range [][2]string{{f.Service, f.Check}, {f.Service, ""}, {"", f.Check}, {"", ""}} {
		for _, r := range catalogue {
			pattern := "^" + place.ReplaceAllString(regexp.QuoteMeta(r.meaning), ".*") + "$"
			if r.service == at[0] && r.check == at[1] && r.status == f.Status && regexp.MustCompile(pattern).MatchString(f.Meaning) {
				return r
			}
		}
	}
	return row{}
}

// place is a place in a text of the catalogue that a finding fills, quoted.
var place = regexp.MustCompile(`\\\{[a-z]+\\\}`)

// harmless fails when anything was rung, written or sent.
func harmless(t *testing.T, sim *simulator.Simulator) {
	t.Helper()
	asking := []string{"sheets token", "crm scopes", "email auth", "email connect"} // no GET, and yet without effect
	for _, r := range sim.Requests() {
		if r.Method != http.MethodGet && r.Method != http.MethodOptions && !slices.Contains(asking, r.Service+" "+r.Route) {
			t.Errorf("the doctor sent %s %s to %s", r.Method, r.Path, r.Service)
		}
	}
	r := sim.Report()
	if len(r.Rings)+len(r.Calls)+len(r.Telegram)+len(r.Email)+len(r.Webhooks)+len(r.CRM) > 0 {
		t.Errorf("the doctor left traces: %+v", r)
	}
}

// discreet fails when a finding tells a secret or a whole phone number.
func discreet(t *testing.T, findings []Finding, o Options) {
	t.Helper()
	hidden := append(o.Settings.Secrets(), "+15005550006", "+15005550009", "BEGIN PRIVATE KEY")
	for _, f := range findings {
		for _, h := range hidden {
			if strings.Contains(f.Meaning+f.Remedy, h) {
				t.Errorf("%s %s tells %q", f.Service, f.Check, h)
			}
		}
	}
}

func golden(t *testing.T, file string, got []byte) {
	t.Helper()
	if *update {
		if err := os.WriteFile(file, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), string(got)); diff != "" {
		t.Errorf("%s (-want +got), go test -update writes it:\n%s", file, diff)
	}
}

// The order and the number of lines do not depend on what goes wrong in time.
func TestHealthySetUp(t *testing.T) {
	findings, _, sim := patients[0].examine(t)
	var got []string
	for _, f := range findings {
		got = append(got, fmt.Sprintf("%s %s %s", f.Status, f.Service, f.Check))
	}
	want := strings.Split("ok machine clock,ok machine address,ok llm model,ok elevenlabs model,ok elevenlabs voice,ok elevenlabs credit,"+
		"ok twilio account,ok twilio caller id,ok twilio balance,ok crm access,ok crm scopes,ok crm properties,ok email login,"+
		"ok telegram bot,ok telegram chat,ok webhook address,ok webhook signature,ok webhook reach,ok sheets spreadsheet,ok store file", ",")
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("findings (-want +got):\n%s", diff)
	}
	asked := map[string]int{}
	for _, r := range sim.Requests() {
		asked[r.Service]++
	}
	if diff := cmp.Diff(map[string]int{"llm": 1, "elevenlabs": 3, "twilio": 4, "crm": 4, "telegram": 2, "webhook": 1, "sheets": 2}, asked); diff != "" {
		t.Errorf("requests (-want +got):\n%s", diff)
	}
}

// A test alert goes out once on each channel, and only when it is asked for.
func TestSendTest(t *testing.T) {
	p := patient{change: func(o *Options) { o.SendTest = true }}
	findings, _, sim := p.examine(t)
	sent := 0
	for _, f := range findings {
		if f.Check == "test alert" {
			sent++
			if f.Status != OK {
				t.Errorf("%s: %s", f.Service, f.Meaning)
			}
		}
	}
	r := sim.Report()
	if sent != 3 || len(r.Email) != 1 || len(r.Telegram) != 1 || len(r.Webhooks) != 1 || !r.Webhooks[0].Verified {
		t.Errorf("%d findings; arrived: %d emails, %d in Telegram, %d at the webhook", sent, len(r.Email), len(r.Telegram), len(r.Webhooks))
	}
	if len(r.Rings)+len(r.Calls)+len(r.CRM) > 0 {
		t.Errorf("more happened than alerts: %+v", r)
	}
}

// What a channel says to a test alert is told like everything else.
func TestSendTestThatIsRefused(t *testing.T) {
	for _, c := range []struct{ service, route, answer, want string }{
		{"email", "", "550", "A recipient is refused (550: 5.0.0 Requested action not taken: mailbox unavailable)."},
		{"email", "mail", "553", "The mail is refused (553: 5.0.0 Requested action not taken)."},
		{"telegram", "sendMessage", "403", "The bot may not write to the chat (403: Forbidden: bot was blocked by the user)."},
		{"webhook", "post", "404", `The receiver does not know the address (404: {"error":"Not Found"}).`},
		{"webhook", "post", "401", `The receiver refuses the alert (401: {"error":"Unauthorized"}).`},
	} {
		p := patient{faults: broken(c.service, c.route, c.answer, ""), change: func(o *Options) { o.SendTest = true }}
		findings, _, _ := p.examine(t)
		for _, f := range findings {
			asked := f.Service == c.service && f.Check == "test alert"
			if asked && f.Meaning != c.want || !asked && f.Status != OK {
				t.Errorf("%s %s: %s; want %s", f.Service, f.Check, f.Meaning, c.want)
			}
		}
	}
}

// The tunnel leads to the address that run listens at, or to nothing.
func TestAudioThroughTunnel(t *testing.T) {
	port := closedPort(t)
	tunnel := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		res, err := http.Get("http://127.0.0.1:" + port + r.URL.Path)
		if err != nil {
			w.WriteHeader(http.StatusBadGateway)
			return
		}
		defer func() { _ = res.Body.Close() }()
		w.WriteHeader(res.StatusCode)
		_, _ = fmt.Fprint(w, body(res))
	}))
	defer tunnel.Close()
	e := &exam{Options: Options{Settings: load(t, map[string]string{"PUBLIC_URL": tunnel.URL}, "")}}
	for listen, want := range map[string]string{"": "empty", "127.0.0.1:" + port: fine, "127.0.0.1:0": "elsewhere"} {
		e.Listen = listen
		if got := e.audio(t.Context()); got.result != want {
			t.Errorf("listening at %q: %v, want %s", listen, got, want)
		}
	}
}

func body(r *http.Response) string {
	var b bytes.Buffer
	_, _ = b.ReadFrom(r.Body)
	return b.String()
}

// A context that ends ends every check.
func TestExamineEnds(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	e := &exam{Options: Options{Settings: load(t, map[string]string{"OPENAI_API_KEY": "x", "OPENAI_BASE_URL": "http://127.0.0.1:1/v1"}, ""), Limit: DefaultLimit, Now: time.Now}}
	e.plan()
	defer e.close()
	began := time.Now()
	e.run(ctx)
	if took := time.Since(began); took > DefaultLimit/2 {
		t.Errorf("it took %s", took)
	}
}
