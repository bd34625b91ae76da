package simulator_test

import (
	"encoding/json"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"testing"

	"callagent/localstack/simulator"
)

func TestControl(t *testing.T) {
	w := start(t, simulator.Config{})
	base := w.URLs()["control"]
	get := func(path string) result { return w.do("GET", base+path, nil, "") }
	if r := get("/health"); r.status != 200 || r.at("status") != "ok" {
		t.Errorf("health: status %d, %s", r.status, r.body)
	}
	for body, status := range map[string]int{
		`{"service":"llm","answer":"503","for":"1h","route":"completions"}`: 204,
		`[{"service":"crm","answer":"slow","delay":"1s"}]`:                  204,
		`{"service":"llm","answer":"503","for":5}`:                          400,
		`{"service":"llm","answer":"503","til":"1h"}`:                       400,
		`{"service":"fax","answer":"503"}`:                                  400,
		``:                                                                  204,
	} {
		if r := w.do("POST", base+"/faults", nil, body); r.status != status {
			t.Errorf("%s: status %d, want %d: %s", body, r.status, status, r.body)
		}
	}
	if got := w.script(t.Context()).status; got != 503 {
		t.Errorf("with the fault: status %d, want 503", got)
	}
	if got := w.do("DELETE", base+"/faults", nil, "").status; got != 204 {
		t.Errorf("delete: status %d, want 204", got)
	}
	if got := w.script(t.Context()).status; got != 200 {
		t.Errorf("without the fault: status %d, want 200", got)
	}
	w.chat(t.Context())
	w.dial(t.Context())
	eventually(t, "ring", func() bool { return get("/rings").at(callee) == 1.0 })
	if got := get("/requests").at(0, "fault"); got != "503" {
		t.Errorf("first request: fault %v, want 503", got)
	}
	if got := get("/messages").at("telegram", 0, "text"); got != "Circuit opened" {
		t.Errorf("telegram: %v", got)
	}
	if got := get("/calls").at(0, "to"); got != callee {
		t.Errorf("call to %v", got)
	}
	var report simulator.Report
	if err := json.Unmarshal([]byte(get("/report").body), &report); err != nil || len(report.Requests) != 4 || report.Rings[callee] != 1 {
		t.Errorf("report %+v, error %v", report, err)
	}
}

func TestEnv(t *testing.T) {
	w := start(t, simulator.Config{})
	var names []string
	for _, setting := range w.Env() {
		name, value, _ := strings.Cut(setting, "=")
		names = append(names, name)
		if value == "" {
			t.Errorf("%s is empty", name)
		}
	}
	want := strings.Fields(`OPENAI_API_KEY OPENAI_BASE_URL ELEVENLABS_API_KEY ELEVENLABS_BASE_URL ELEVENLABS_VOICE_ID
		TWILIO_ACCOUNT_SID TWILIO_AUTH_TOKEN TWILIO_FROM TWILIO_BASE_URL HUBSPOT_TOKEN HUBSPOT_BASE_URL
		TELEGRAM_BOT_TOKEN TELEGRAM_CHAT_ID TELEGRAM_BASE_URL SMTP_URL ALERT_EMAIL_FROM ALERT_EMAIL_TO
		ALERT_WEBHOOK_URL ALERT_WEBHOOK_SECRET SHEETS_SPREADSHEET_ID SHEETS_ENDPOINT GOOGLE_APPLICATION_CREDENTIALS`)
	if !slices.Equal(names, want) {
		t.Errorf("names %v, want %v", names, want)
	}
}

func TestPorts(t *testing.T) {
	w := start(t, simulator.Config{})
	_, port, _ := strings.Cut(strings.TrimPrefix(w.URLs()["twilio"], "http://"), ":")
	if _, err := simulator.Start(simulator.Config{Port: atoi(t, port)}); err == nil {
		t.Error("a taken port was not reported")
	}
}

func TestWallClock(t *testing.T) {
	s, err := simulator.Start(simulator.Config{Faults: []simulator.Fault{{Service: "telegram", Answer: "slow", Delay: 1}}})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	res, err := client.Get(s.URLs()["telegram"] + "/bot1:x/getMe")
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	if res.StatusCode != 401 {
		t.Errorf("status %d, want 401", res.StatusCode)
	}
}

func atoi(t *testing.T, s string) int {
	t.Helper()
	n, err := strconv.Atoi(s)
	if err != nil {
		t.Fatal(err)
	}
	return n
}
