package wiring

import (
	"context"
	"net/http"
	"net/url"

	"callagent/core/agent"
	"callagent/core/call"
	"callagent/infra/twilio"
)

// CallbackPath is where Twilio's status callbacks arrive.
const CallbackPath = "/twilio/status"

// callbackURL carries everything that a callback needs to find its call.
func callbackURL(public string, k call.Key, attempt string) string {
	q := url.Values{"campaign": {k.Campaign}, "contact": {k.Contact}, "attempt": {attempt}}
	return public + CallbackPath + "?" + q.Encode()
}

// Callback is a status callback as it arrived.
type Callback struct {
	URL       string // as Twilio was given it, scheme and host included
	Form      url.Values
	Signature string
}

// Refusal says why a callback was not taken: the status that Twilio is
// answered with, and the reason in words.
type Refusal struct {
	Status int
	Reason string
}

// TakeCallback verifies the signature with the auth token and hands the report
// to the agent. A report that could not be stored is refused with 503, so that
// Twilio sends it again. nil means that it was taken.
func TakeCallback(ctx context.Context, a *agent.Agent, token string, c Callback) *Refusal {
	if !twilio.ValidSignature(token, c.URL, c.Form, c.Signature) {
		return &Refusal{http.StatusForbidden, "the signature is not valid"}
	}
	look, err := twilio.ParseCallback(c.Form)
	if err != nil {
		return &Refusal{http.StatusBadRequest, err.Error()}
	}
	u, err := url.Parse(c.URL)
	if err != nil {
		return &Refusal{http.StatusBadRequest, "the URL cannot be read"}
	}
	q := u.Query()
	k := call.Key{Campaign: q.Get("campaign"), Contact: q.Get("contact")}
	if err := a.Callback(ctx, k, q.Get("attempt"), look); err != nil {
		return &Refusal{http.StatusServiceUnavailable, "not stored, please send it again"}
	}
	return nil
}
