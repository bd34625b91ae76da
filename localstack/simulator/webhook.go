package simulator

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
)

// Hook is one delivery to the webhook receiver, refused ones included.
type Hook struct {
	At        time.Time       `json:"at"`
	ID        string          `json:"id"`
	Type      string          `json:"type,omitempty"` // of the payload
	Verified  bool            `json:"verified"`       // signature and time are right
	Duplicate bool            `json:"duplicate"`      // a verified one with this id came before
	Body      json.RawMessage `json:"body,omitempty"` // absent when it is not JSON
	// Source is the request as it came: its line, its headers by name and its
	// body, without what it proves its right with.
	Source string `json:"source"`
}

// hookReceiver takes deliveries that are signed as Standard Webhooks says.
type hookReceiver struct {
	sim *Simulator

	mu    sync.Mutex
	hooks []Hook
}

func (*hookReceiver) name() string { return webhook }

func (h *hookReceiver) routes() []route {
	return []route{
		{name: "post", pattern: "POST /", serve: h.receive},
		{name: "options", pattern: "OPTIONS /", serve: func(inbound) answer {
			return answer{http.StatusNoContent, http.Header{"Allow": {"POST, OPTIONS"}}, nil}
		}},
	}
}

func (*hookReceiver) stamp(http.Header) {}

func (h *hookReceiver) fail(f Fault) answer { return h.refuse(f.status(), f.Code) }

func (*hookReceiver) refuse(status int, code string) answer {
	if code == "" {
		code = http.StatusText(status)
	}
	return jsonAnswer(status, map[string]any{"error": code})
}

func (h *hookReceiver) receive(in inbound) answer {
	now := h.sim.clock.Now()
	hook := Hook{At: now, ID: in.Header.Get("Webhook-Id"), Verified: h.verified(in, now), Source: in.source(webhook)}
	var payload struct{ Type string }
	if json.Unmarshal(in.body, &payload) == nil {
		hook.Type, hook.Body = payload.Type, in.body
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	hook.Duplicate = slices.ContainsFunc(h.hooks, func(o Hook) bool { return o.Verified && o.ID == hook.ID })
	h.hooks = append(h.hooks, hook)
	if !hook.Verified {
		return h.refuse(http.StatusUnauthorized, "the signature does not verify")
	}
	return jsonAnswer(http.StatusOK, map[string]any{"received": true})
}

// verified checks one of the signatures, and that the delivery was sent less
// than five minutes before or after now.
func (h *hookReceiver) verified(in inbound, now time.Time) bool {
	const tolerance = 5 * time.Minute
	id, at := in.Header.Get("Webhook-Id"), in.Header.Get("Webhook-Timestamp")
	seconds, err := strconv.ParseInt(at, 10, 64)
	if err != nil || id == "" || now.Sub(time.Unix(seconds, 0)).Abs() > tolerance {
		return false
	}
	secret, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(h.sim.cfg.Keys.WebhookSecret, "whsec_"))
	if err != nil {
		return false
	}
	mac := hmac.New(sha256.New, secret)
	mac.Write([]byte(id + "." + at + "."))
	mac.Write(in.body)
	want := "v1," + base64.StdEncoding.EncodeToString(mac.Sum(nil))
	return slices.ContainsFunc(strings.Fields(in.Header.Get("Webhook-Signature")), func(s string) bool { return same(s, want) })
}

func (h *hookReceiver) report() []Hook {
	h.mu.Lock()
	defer h.mu.Unlock()
	return append([]Hook{}, h.hooks...)
}
