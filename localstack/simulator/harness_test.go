package simulator_test

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"callagent/localstack/simulator"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var noon = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

// fast is a clock that starts at noon and runs a hundred times faster than the
// wall clock.
type fast struct{ origin time.Time }

const speed = 100

func (f fast) Now() time.Time { return noon.Add(time.Since(f.origin) * speed) }
func (f fast) Sleep(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d / speed)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// manual is a clock that stands still until it is moved. Its sleeps end with
// their context only.
type manual struct {
	mu  sync.Mutex
	now time.Time
}

func (m *manual) Now() time.Time {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.now
}

func (m *manual) set(after time.Duration) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.now = noon.Add(after)
}

func (*manual) Sleep(ctx context.Context, _ time.Duration) error {
	<-ctx.Done()
	return ctx.Err()
}

// world is a simulator and a client.
type world struct {
	*simulator.Simulator
	t     *testing.T
	clock simulator.Clock
	http  *http.Client
	env   map[string]string
}

func start(t *testing.T, cfg simulator.Config) *world {
	t.Helper()
	if cfg.Clock == nil {
		cfg.Clock = fast{time.Now()}
	}
	s, err := simulator.Start(cfg)
	if err != nil {
		t.Fatal(err)
	}
	w := &world{Simulator: s, t: t, clock: cfg.Clock, http: &http.Client{Transport: &http.Transport{}}, env: map[string]string{}}
	for _, setting := range s.Env() {
		name, value, _ := strings.Cut(setting, "=")
		w.env[name] = value
	}
	t.Cleanup(func() {
		w.http.CloseIdleConnections()
		s.Close()
	})
	return w
}

// result is an answer, or the error that came instead.
type result struct {
	status int
	header http.Header
	body   string
	err    error
}

// at reads a value out of a JSON body by its path; nil when it is not there.
func (r result) at(path ...any) any {
	var v any
	if json.Unmarshal([]byte(r.body), &v) != nil {
		return nil
	}
	for _, step := range path {
		switch key := step.(type) {
		case string:
			m, _ := v.(map[string]any)
			v = m[key]
		case int:
			list, _ := v.([]any)
			if key >= len(list) {
				return nil
			}
			v = list[key]
		}
	}
	return v
}

func (w *world) send(ctx context.Context, method, link string, header map[string]string, body string) result {
	req, err := http.NewRequestWithContext(ctx, method, link, strings.NewReader(body))
	if err != nil {
		w.t.Fatal(err)
	}
	for key, value := range header {
		req.Header.Set(key, value)
	}
	res, err := w.http.Do(req)
	if err != nil {
		return result{err: err}
	}
	defer res.Body.Close()
	data, err := io.ReadAll(res.Body)
	return result{res.StatusCode, res.Header, string(data), err}
}

func (w *world) do(method, link string, header map[string]string, body string) result {
	return w.send(w.t.Context(), method, link, header, body)
}

func bearer(key string) map[string]string {
	return map[string]string{"Authorization": "Bearer " + key, "Content-Type": "application/json"}
}

// script asks OpenAI for a script.
func (w *world) script(ctx context.Context) result {
	return w.send(ctx, "POST", w.env["OPENAI_BASE_URL"]+"/chat/completions", bearer(w.env["OPENAI_API_KEY"]),
		`{"model":"gpt-4o-mini","messages":[{"role":"system","content":"Be short."},{"role":"user","content":"name: Ada\nplan: gold"}]}`)
}

// speech asks ElevenLabs for a recording.
func (w *world) speech(ctx context.Context) result {
	return w.send(ctx, "POST", w.env["ELEVENLABS_BASE_URL"]+"/v1/text-to-speech/"+w.env["ELEVENLABS_VOICE_ID"],
		map[string]string{"xi-api-key": w.env["ELEVENLABS_API_KEY"], "Content-Type": "application/json"}, `{"text":"Hello Ada, how are you?"}`)
}

// twilio sends a request to a path below the account.
func (w *world) twilio(ctx context.Context, method, path string, form url.Values) result {
	user, token := w.env["TWILIO_ACCOUNT_SID"], w.env["TWILIO_AUTH_TOKEN"]
	return w.send(ctx, method, w.env["TWILIO_BASE_URL"]+"/2010-04-01/Accounts/"+user+path, map[string]string{
		"Authorization": "Basic " + base64.StdEncoding.EncodeToString([]byte(user+":"+token)),
		"Content-Type":  "application/x-www-form-urlencoded"}, form.Encode())
}

const callee = "+12025550123"

func (w *world) callForm(more ...string) url.Values {
	form := url.Values{"To": {callee}, "From": {w.env["TWILIO_FROM"]}, "Twiml": {"<Response><Say>Hello</Say></Response>"}}
	for i := 0; i < len(more); i += 2 {
		form[more[i]] = strings.Split(more[i+1], "|")
	}
	return form
}

// dial places a call.
func (w *world) dial(ctx context.Context) result {
	return w.twilio(ctx, "POST", "/Calls.json", w.callForm())
}

// record writes a call into HubSpot.
func (w *world) record(ctx context.Context) result {
	return w.send(ctx, "POST", w.env["HUBSPOT_BASE_URL"]+"/crm/v3/objects/calls/batch/upsert", bearer(w.env["HUBSPOT_TOKEN"]),
		`{"inputs":[{"idProperty":"call_key","id":"spring/c-001","properties":{"hs_timestamp":"2026-03-01T12:00:00Z","hs_call_status":"COMPLETED"}}]}`)
}

// chat sends a Telegram message.
func (w *world) chat(ctx context.Context) result {
	return w.telegram(ctx, "sendMessage", `{"chat_id":"`+w.env["TELEGRAM_CHAT_ID"]+`","text":"Circuit opened"}`)
}

func (w *world) telegram(ctx context.Context, method, body string) result {
	return w.send(ctx, "POST", w.env["TELEGRAM_BASE_URL"]+"/bot"+w.env["TELEGRAM_BOT_TOKEN"]+"/"+method,
		map[string]string{"Content-Type": "application/json"}, body)
}

// eventually waits until the condition holds.
func eventually(t *testing.T, what string, condition func() bool) {
	t.Helper()
	deadline := time.After(20 * time.Second)
	tick := time.NewTicker(2 * time.Millisecond)
	defer tick.Stop()
	for !condition() {
		select {
		case <-tick.C:
		case <-deadline:
			t.Fatalf("%s: waited in vain", what)
		}
	}
}
