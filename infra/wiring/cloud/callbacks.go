package cloud

import (
	"context"
	"net/http"

	"callagent/core/journal"
	"callagent/infra/wiring"
)

// Callback hands a status callback of Twilio to the agent; nil means that it
// was taken.
func (p *Process) Callback(ctx context.Context, c wiring.Callback) *wiring.Refusal {
	var refused *wiring.Refusal
	err := p.work(ctx, func(ctx context.Context, s *set) error {
		refused = wiring.TakeCallback(ctx, s.agent, string(s.settings.Providers.Twilio.AuthToken), c)
		if refused != nil {
			s.write(journal.Warning, "callback_refused", "A callback was refused: "+refused.Reason+".")
		}
		return nil
	})
	if err != nil {
		return &wiring.Refusal{Status: http.StatusServiceUnavailable, Reason: "not stored, please send it again"}
	}
	return refused
}
