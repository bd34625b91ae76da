package elevenlabs

import (
	"context"
	"encoding/json"
	"net/http"
	"net/url"

	"callagent/core/fault"
	"callagent/infra/httpcall"
)

// Model is the model that the client speaks with.
func (c *Client) Model() string { return c.model }

// CheckModel fails unless the key is accepted and the model speaks. Like the
// other checks it costs nothing. A fault of kind Permission means that the key
// may not look, not that it may not speak.
func (c *Client) CheckModel(ctx context.Context) error {
	var models []struct {
		ID     string `json:"model_id"`
		Speaks bool   `json:"can_do_text_to_speech"`
	}
	if f := c.read(ctx, "/v1/models", "a list of models", &models); f != nil {
		return f
	}
	for _, m := range models {
		if m.ID == c.model && m.Speaks {
			return nil
		}
	}
	return c.missing("model_not_found", "there is no such model that speaks")
}

// CheckVoice reads a voice and gives its name. voice "" is the configured one.
func (c *Client) CheckVoice(ctx context.Context, voice string) (name string, err error) {
	if voice == "" {
		voice = c.voice
	}
	var v struct {
		ID   string `json:"voice_id"`
		Name string `json:"name"`
	}
	switch f := c.read(ctx, "/v1/voices/"+url.PathEscape(voice), "a voice", &v); {
	case f == nil:
		return httpcall.Clean(v.Name, c.key), nil
	case f.Status == http.StatusBadRequest: // older answers, and ids that are none
		return "", c.missing(f.Code, f.Message)
	default:
		return "", f
	}
}

// Credit is what a subscription has left.
type Credit struct {
	Plan        string // "free", "pro" and so on
	Left, Limit int    // characters; a plan that goes on beyond its limit may have a negative Left
	Unbounded   bool   // it goes on beyond its limit without an end, at a price
	Unpaid      bool   // a payment is open, and nothing is spoken
}

// CheckCredit reads the subscription.
func (c *Client) CheckCredit(ctx context.Context) (Credit, error) {
	var s subscription
	if f := c.read(ctx, "/v1/user/subscription", "a subscription", &s); f != nil {
		return Credit{}, f
	}
	if s.Count == nil || s.Limit == nil {
		return Credit{}, c.strange("a subscription")
	}
	return s.credit(), nil
}

// read reads JSON from a path; what is what it should be.
func (c *Client) read(ctx context.Context, path, what string, to any) *fault.Fault {
	a, f := c.http.Do(ctx, httpcall.Request{Method: http.MethodGet, URL: c.base + path, Header: http.Header{"Xi-Api-Key": {c.key}}})
	switch {
	case f != nil:
		return f
	case a.Status != http.StatusOK:
		return c.classify(a.Status, a.Header, a.Body)
	case json.Unmarshal(a.Body, to) != nil:
		return c.strange(what)
	}
	return nil
}

// strange is the fault of a 200 that cannot be used.
func (c *Client) strange(what string) *fault.Fault {
	f := c.classify(http.StatusOK, nil, nil)
	f.Message = "its answer is not the JSON of " + what
	return f
}

func (c *Client) missing(code, message string) *fault.Fault {
	f := account(fault.NotFound)
	f.Service, f.Code, f.Message = service, code, message
	return &f
}
