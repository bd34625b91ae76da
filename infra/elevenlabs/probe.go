package elevenlabs

import (
	"context"
	"encoding/json"
	"net/http"

	"callagent/core/call"
	"callagent/core/fault"
	"callagent/infra/httpcall"
)

// Probe speaks one word with the configured voice and model. An exhausted
// quota is looked up in the subscription instead, which costs nothing; a key
// that may not read it speaks the word after all, and so does an account whose
// plan lacks something, because the subscription would not show that.
func (c *Client) Probe(ctx context.Context, last *fault.Fault) error {
	if last != nil && last.Kind == fault.QuotaExceeded && last.Code != "paid_plan_required" {
		f := c.subscription(ctx)
		if f == nil {
			return nil
		}
		if f.Kind != fault.Permission {
			return f
		}
	}
	_, err := c.Speak(ctx, call.SpeechRequest{Text: "ok"})
	return err
}

// unpaid lists the states of a subscription in which nothing is synthesized.
var unpaid = map[string]bool{"incomplete": true, "past_due": true, "free_disabled": true}

// subscription is nil when the account is paid for and has characters left, or
// may go on without.
func (c *Client) subscription(ctx context.Context) *fault.Fault {
	a, f := c.http.Do(ctx, httpcall.Request{
		Method: http.MethodGet, URL: c.base + "/v1/user/subscription", Header: http.Header{"Xi-Api-Key": {c.key}},
	})
	if f != nil {
		return f
	}
	if a.Status != http.StatusOK {
		return c.classify(a.Status, a.Header, a.Body)
	}
	var s struct {
		Status    string `json:"status"`
		Count     *int   `json:"character_count"`
		Limit     *int   `json:"character_limit"`
		CanExtend bool   `json:"can_extend_character_limit"`
		Extension *int   `json:"max_character_limit_extension"` // null: as far as it takes
	}
	if json.Unmarshal(a.Body, &s) != nil || s.Count == nil || s.Limit == nil {
		f := c.classify(a.Status, a.Header, nil)
		f.Message = "its answer is not the JSON of a subscription"
		return f
	}
	if s.CanExtend && s.Extension != nil {
		*s.Limit += *s.Extension
	}
	exhausted := *s.Count >= *s.Limit && !(s.CanExtend && s.Extension == nil)
	if !exhausted && !unpaid[s.Status] {
		return nil
	}
	spent := byCode["quota_exceeded"]
	spent.Service, spent.Status, spent.Code = service, a.Status, "quota_exceeded"
	spent.Message = "the subscription has no characters left"
	if !exhausted {
		spent.Code, spent.Message = "payment_required", "the subscription is not paid for"
	}
	return &spent
}
