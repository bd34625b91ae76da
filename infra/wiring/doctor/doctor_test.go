package doctor

import (
	"bytes"
	"context"
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

	"callagent/docs/docstest"
	"callagent/infra/settings"
	"callagent/localstack/simulator"
)

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

// discreet fails when a finding tells a secret or a whole phone number, or has a
// place that nothing filled.
func discreet(t *testing.T, findings []Finding, o Options) {
	t.Helper()
	hidden := append(o.Settings.Secrets(), "+15005550006", "+15005550009", "BEGIN PRIVATE KEY")
	for _, f := range findings {
		if names.MatchString(f.Meaning + f.Remedy) {
			t.Errorf("%s %s: %s %s", f.Service, f.Check, f.Meaning, f.Remedy)
		}
		for _, h := range hidden {
			if strings.Contains(f.Meaning+f.Remedy, h) {
				t.Errorf("%s %s tells %q", f.Service, f.Check, h)
			}
		}
	}
}

func golden(t *testing.T, file string, got []byte) {
	t.Helper()
	if docstest.Updating() {
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
