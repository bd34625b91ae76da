package simulator_test

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"strconv"
	"strings"
	"testing"
	"time"

	"callagent/localstack/simulator"
)

// hook delivers an alert that is signed now.
func (w *world) hook(ctx context.Context) result {
	return w.deliver(ctx, w.env["ALERT_WEBHOOK_SECRET"], w.clock.Now())
}

func (w *world) deliver(ctx context.Context, secret string, at time.Time) result {
	const id, body = "msg_1", `{"type":"circuit.opened","data":{}}`
	key, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(secret, "whsec_"))
	if err != nil {
		w.t.Fatal(err)
	}
	seconds := strconv.FormatInt(at.Unix(), 10)
	mac := hmac.New(sha256.New, key)
	mac.Write([]byte(id + "." + seconds + "." + body))
	return w.send(ctx, "POST", w.env["ALERT_WEBHOOK_URL"], map[string]string{"Content-Type": "application/json", "webhook-id": id,
		"webhook-timestamp": seconds, "webhook-signature": "v1,AAAA v1," + base64.StdEncoding.EncodeToString(mac.Sum(nil))}, body)
}

func TestWebhook(t *testing.T) {
	w := start(t, simulator.Config{Clock: &manual{now: noon}})
	other := "whsec_" + base64.StdEncoding.EncodeToString([]byte("this is another secret of 32 by."))
	for i, tc := range []struct {
		secret    string
		at        time.Time
		status    int
		verified  bool
		duplicate bool
	}{
		{other, noon, 401, false, false},
		{w.env["ALERT_WEBHOOK_SECRET"], noon.Add(-6 * time.Minute), 401, false, false},
		{w.env["ALERT_WEBHOOK_SECRET"], noon.Add(-4 * time.Minute), 200, true, false},
		{w.env["ALERT_WEBHOOK_SECRET"], noon, 200, true, true},
	} {
		if got := w.deliver(t.Context(), tc.secret, tc.at).status; got != tc.status {
			t.Errorf("delivery %d: status %d, want %d", i, got, tc.status)
		}
		got := w.Report().Webhooks[i]
		if got.Verified != tc.verified || got.Duplicate != tc.duplicate || got.ID != "msg_1" || got.Type != "circuit.opened" {
			t.Errorf("delivery %d: %+v, want verified %v and duplicate %v", i, got, tc.verified, tc.duplicate)
		}
		if !strings.HasPrefix(got.Source, "POST /alerts HTTP/1.1\n") || !strings.Contains(got.Source, "\nWebhook-Id: msg_1\n") ||
			!strings.HasSuffix(got.Source, "\n\n"+string(got.Body)) {
			t.Errorf("delivery %d is kept as %q", i, got.Source)
		}
	}
}

// The vector is that of the Standard Webhooks specification.
func TestWebhookVector(t *testing.T) {
	w := start(t, simulator.Config{Clock: &manual{now: time.Unix(1614265330, 0)},
		Keys: simulator.Keys{WebhookSecret: "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"}})
	r := w.do("POST", w.env["ALERT_WEBHOOK_URL"], map[string]string{"webhook-id": "msg_p5jXN8AQM9LWM0D4loKWxJek",
		"webhook-timestamp": "1614265330", "webhook-signature": "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="}, `{"test": 2432232314}`)
	if r.status != 200 {
		t.Errorf("status %d, want 200", r.status)
	}
}
