package webhook

import (
	"net/http"
	"strconv"
	"testing"
	"time"
)

// The vector that the specification's own libraries are tested with.
var vector = struct {
	id, signature string
	at            time.Time
	body          []byte
}{
	id: "msg_p5jXN8AQM9LWM0D4loKWxJek", at: time.Unix(1614265330, 0),
	body:      []byte(`{"test": 2432232314}`),
	signature: "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
}

func TestSignVector(t *testing.T) {
	got, err := Sign(secret, vector.id, vector.at, vector.body)
	if err != nil || got != vector.signature {
		t.Errorf("%q, %v", got, err)
	}
}

func TestSignTakesRawSecrets(t *testing.T) {
	raw, err := Sign("some words", "id", vector.at, vector.body)
	if err != nil {
		t.Fatal(err)
	}
	encoded, err := Sign("whsec_c29tZSB3b3Jkcw==", "id", vector.at, vector.body)
	if err != nil || raw != encoded {
		t.Errorf("%q, %q, %v", raw, encoded, err)
	}
}

func TestSignRefusesSecrets(t *testing.T) {
	for _, s := range []string{"", "whsec_", "whsec_%%"} {
		if got, err := Sign(s, "id", vector.at, nil); err == nil {
			t.Errorf("%q signs %q", s, got)
		}
	}
}

func TestVerify(t *testing.T) {
	for _, c := range []struct {
		name   string
		change func(h http.Header)
		secret string
		body   string
		late   time.Duration
		want   string
	}{
		{name: "whole"},
		{name: "late", late: 5 * time.Minute},
		{name: "early", late: -5 * time.Minute},
		{name: "one of several", change: func(h http.Header) {
			h.Set("webhook-signature", "v1a,AAAA v1,AAAA "+vector.signature)
		}},
		{name: "too late", late: 5*time.Minute + time.Second, want: "webhook: webhook-timestamp is more than five minutes from now"},
		{name: "too early", late: -5*time.Minute - time.Second, want: "webhook: webhook-timestamp is more than five minutes from now"},
		{name: "other secret", secret: "whsec_AAAA", want: "webhook: no signature matches"},
		{name: "no secret", secret: "whsec_", want: "webhook: what follows whsec_ in ALERT_WEBHOOK_SECRET is not base64: copy the secret again"},
		{name: "other body", body: "{}", want: "webhook: no signature matches"},
		{name: "other id", change: func(h http.Header) { h.Set("webhook-id", "x") }, want: "webhook: no signature matches"},
		{name: "no id", change: func(h http.Header) { h.Del("webhook-id") },
			want: "webhook: webhook-id, webhook-timestamp or webhook-signature is missing"},
		{name: "no number", change: func(h http.Header) { h.Set("webhook-timestamp", "noon") },
			want: "webhook: webhook-timestamp is not a number of seconds"},
	} {
		t.Run(c.name, func(t *testing.T) {
			h := http.Header{}
			h.Set("webhook-id", vector.id)
			h.Set("webhook-timestamp", strconv.FormatInt(vector.at.Unix(), 10))
			h.Set("webhook-signature", vector.signature)
			if c.change != nil {
				c.change(h)
			}
			with, body := secret, vector.body
			if c.secret != "" {
				with = c.secret
			}
			if c.body != "" {
				body = []byte(c.body)
			}
			got := ""
			if err := Verify(with, h, body, vector.at.Add(c.late)); err != nil {
				got = err.Error()
			}
			if got != c.want {
				t.Errorf("%q, want %q", got, c.want)
			}
		})
	}
}
