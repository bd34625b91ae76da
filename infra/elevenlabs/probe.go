package elevenlabs

import (
	"context"
	"net/http"

	"callagent/core/call"
	"callagent/core/fault"
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

// subscription is ElevenLabs' account of what was used.
type subscription struct {
	Plan      string `json:"tier"`
	Status    string `json:"status"`
	Count     *int   `json:"character_count"`
	Limit     *int   `json:"character_limit"`
	CanExtend bool   `json:"can_extend_character_limit"`
	Extension *int   `json:"max_character_limit_extension"` // null: as far as it takes
}

// credit needs Count and Limit.
func (s subscription) credit() Credit {
	limit := *s.Limit
	if s.CanExtend && s.Extension != nil {
		limit += *s.Extension
	}
	return Credit{Plan: s.Plan, Left: limit - *s.Count, Limit: limit, Unbounded: s.CanExtend && s.Extension == nil, Unpaid: unpaid[s.Status]}
}

// subscription is nil when the account is paid for and has characters left, or
// may go on without.
func (c *Client) subscription(ctx context.Context) *fault.Fault {
	left, err := c.CheckCredit(ctx)
	if err != nil {
		return fault.From(service, err)
	}
	spent := byCode["quota_exceeded"]
	spent.Service, spent.Status, spent.Code = service, http.StatusOK, "quota_exceeded"
	switch {
	case left.Left <= 0 && !left.Unbounded:
		spent.Message = "the subscription has no characters left"
	case left.Unpaid:
		spent.Code, spent.Message = "payment_required", "the subscription is not paid for"
	default:
		return nil
	}
	return &spent
}
