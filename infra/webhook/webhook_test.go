package webhook

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"callagent/core/agent"
	"callagent/core/alert"
	"callagent/core/fault"
	"callagent/infra/httpcall/httpcalltest"
)

const secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"

var (
	_ agent.Notifier = (*Channel)(nil)

	now = time.Date(2026, 3, 4, 5, 6, 7, 0, time.UTC)
)

func message() alert.Message {
	return alert.Message{ID: "twilio-3-circuit_opened-0", Kind: alert.CircuitOpened, Severity: alert.Critical,
		At: now.Add(-time.Second), Title: "Twilio does not answer", Text: "No calls are placed.",
		Alerts: []alert.Alert{{ID: "twilio-3-circuit_opened-0", Kind: alert.CircuitOpened, What: "It opened."}}}
}

// request is what a receiver saw.
type request struct {
	method string
	header http.Header
	body   []byte
}

// receive starts an endpoint that answers alike and reports what it got.
func receive(t *testing.T, status int, header map[string]string, body string) (string, <-chan request) {
	t.Helper()
	got := make(chan request, 8)
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		data, _ := io.ReadAll(r.Body)
		got <- request{r.Method, r.Header, data}
		for k, v := range header {
			w.Header().Set(k, v)
		}
		w.WriteHeader(status)
		_, _ = io.WriteString(w, body)
	}))
	t.Cleanup(s.Close)
	return s.URL, got
}

func open(t *testing.T, c Config) *Channel {
	t.Helper()
	c.Now = func() time.Time { return now }
	ch, err := New(c)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(ch.Close)
	return ch
}

func TestNotifySendsASignedEvent(t *testing.T) {
	url, got := receive(t, http.StatusNoContent, nil, "")
	if err := open(t, Config{URL: url + "/hook", Secret: secret}).Notify(t.Context(), message()); err != nil {
		t.Fatal(err)
	}
	r := <-got
	if r.method != http.MethodPost || r.header.Get("Content-Type") != "application/json" {
		t.Errorf("%s with %q", r.method, r.header.Get("Content-Type"))
	}
	if id := r.header.Get("webhook-id"); id != message().ID {
		t.Errorf("webhook-id is %q", id)
	}
	if stamp := r.header.Get("webhook-timestamp"); stamp != "1772600767" {
		t.Errorf("webhook-timestamp is %q", stamp)
	}
	if err := Verify(secret, r.header, r.body, now); err != nil {
		t.Error(err)
	}
	var body struct {
		Type      string        `json:"type"`
		Timestamp string        `json:"timestamp"`
		Data      alert.Message `json:"data"`
	}
	if err := json.Unmarshal(r.body, &body); err != nil {
		t.Fatal(err)
	}
	if body.Type != "alert.circuit_opened" || body.Timestamp != "2026-03-04T05:06:06Z" {
		t.Errorf("type %q at %q", body.Type, body.Timestamp)
	}
	if d := cmp.Diff(message(), body.Data); d != "" {
		t.Error(d)
	}
}

func TestNotifyWithoutASecretSendsNoSignature(t *testing.T) {
	url, got := receive(t, http.StatusOK, nil, "ok")
	if err := open(t, Config{URL: url}).Notify(t.Context(), message()); err != nil {
		t.Fatal(err)
	}
	if r := <-got; r.header.Values("webhook-signature") != nil || r.header.Get("webhook-id") == "" {
		t.Errorf("headers %v", r.header)
	}
}

func TestPayloadKeepsItsSize(t *testing.T) {
	m := message()
	for i := range 1000 {
		m.Alerts = append(m.Alerts, alert.Alert{ID: fmt.Sprint(i), What: strings.Repeat("x", 50)})
	}
	body, err := payload(m)
	if err != nil {
		t.Fatal(err)
	}
	var got event
	if err := json.Unmarshal(body, &got); err != nil {
		t.Fatal(err)
	}
	if len(body) > maxBody || len(body) < maxBody/2 {
		t.Errorf("%d bytes", len(body))
	}
	if n := len(got.Data.Alerts) + got.Data.Omitted; n != 1001 {
		t.Errorf("%d alerts are accounted for", n)
	}
	if len(m.Alerts) != 1001 {
		t.Errorf("the caller's message has %d alerts left", len(m.Alerts))
	}
}

func TestClassify(t *testing.T) {
	type row struct {
		status int
		after  string // Retry-After
		want   fault.Fault
	}
	account := func(status int, k fault.Kind, message string) row {
		return row{status, "9", fault.Fault{Class: fault.Permanent, Scope: fault.Account, Kind: k, Message: message}}
	}
	waits := fault.Fault{Kind: fault.Throttled, Message: "no", RetryAfter: 9 * time.Second}
	down := fault.Fault{Kind: fault.ServiceUnavailable, Message: "no"}
	redirect := "the URL redirects, which is not followed: set ALERT_WEBHOOK_URL to the final address"
	for _, r := range []row{
		{429, "9", waits},
		{429, "", fault.Fault{Kind: fault.Throttled, Message: "no"}},
		{502, "9", waits},
		{504, "9", waits},
		{502, "", down},
		{504, "", down},
		{500, "", down},
		{503, "", down},
		{503, "9", fault.Fault{Kind: fault.ServiceUnavailable, Message: "no", RetryAfter: 9 * time.Second}},
		{408, "", fault.Fault{Kind: fault.Timeout, Message: "no"}},
		account(301, fault.InvalidRequest, redirect),
		account(302, fault.InvalidRequest, redirect),
		account(307, fault.InvalidRequest, redirect),
		account(308, fault.InvalidRequest, redirect),
		account(400, fault.InvalidRequest, "no"),
		account(401, fault.Authentication, "no"),
		account(403, fault.Permission, "no"),
		account(404, fault.NotFound, "no"),
		account(405, fault.InvalidRequest, "no"),
		account(410, fault.NotFound, "the receiver is gone for good: remove ALERT_WEBHOOK_URL or set a new one"),
		account(422, fault.InvalidRequest, "no"),
	} {
		t.Run(fmt.Sprint(r.status, r.after), func(t *testing.T) {
			header := map[string]string{"Location": "/elsewhere"}
			if r.after != "" {
				header["Retry-After"] = r.after
			}
			url, got := receive(t, r.status, header, "no")
			err := open(t, Config{URL: url + "/hook"}).Notify(t.Context(), message())
			var f *fault.Fault
			if !errors.As(err, &f) {
				t.Fatalf("no fault: %v", err)
			}
			want := r.want
			want.Service, want.Status = "webhook", r.status
			if d := cmp.Diff(want, *f); d != "" {
				t.Error(d)
			}
			if len(got) != 1 {
				t.Errorf("%d requests", len(got))
			}
		})
	}
}

// channel is how the suite and the fuzzer send a message.
func channel() httpcalltest.Config {
	return httpcalltest.Config{
		Secrets: []string{secret, "/services/T0/B0/planted", "planted-password"},
		Call: func(ctx context.Context, baseURL string) error {
			at := strings.Replace(baseURL, "://", "://alerts:planted-password@", 1)
			ch, err := New(Config{URL: at + "/services/T0/B0/planted", Secret: secret})
			if err != nil {
				return err
			}
			defer ch.Close()
			return ch.Notify(ctx, message())
		},
	}
}

func TestSuite(t *testing.T) {
	c := channel()
	// What stands in a 2xx answer is the receiver's own business.
	c.Want = map[httpcalltest.Condition]httpcalltest.Want{httpcalltest.Garbage: {OK: true}}
	httpcalltest.Suite(t, c)
}

func TestNewNamesTheRemedy(t *testing.T) {
	badURL := "webhook: set ALERT_WEBHOOK_URL to a whole URL that begins with https:// or http://"
	for _, c := range []struct {
		config Config
		want   string
	}{
		{Config{}, badURL},
		{Config{URL: "example.com/hook"}, badURL},
		{Config{URL: "ftp://example.com/hook"}, badURL},
		{Config{URL: "https:///hook"}, badURL},
		{Config{URL: "https://exa mple/\x7f"}, badURL},
		{Config{URL: "https://example.com", Secret: "whsec_???"},
			"webhook: what follows whsec_ in ALERT_WEBHOOK_SECRET is not base64: copy the secret again"},
	} {
		if _, err := New(c.config); err == nil || err.Error() != c.want {
			t.Errorf("%+v: %v", c.config, err)
		}
	}
}
