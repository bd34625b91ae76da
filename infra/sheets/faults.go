package sheets

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"slices"

	"cloud.google.com/go/auth"
	"google.golang.org/api/googleapi"

	"callagent/core/backoff"
	"callagent/core/fault"
	"callagent/infra/httpcall"
)

// settle classifies the end of a request. A throttled one pauses the Book: for
// as long as Google asks, at least 1, 2, 4 … 60 s. A token that is not accepted
// is not used again.
func (b *Book) settle(err error) error {
	f := b.classify(err)
	if f == nil {
		return nil
	}
	if f.Status == http.StatusUnauthorized {
		b.account.forget()
	}
	if f.Kind == fault.Throttled {
		f.RetryAfter = max(min(f.RetryAfter, fault.MaxRetryAfter), backoff.Pause(b.throttled))
		b.throttled++
		b.pausedUntil = b.clock.Now().Add(f.RetryAfter)
	}
	return f
}

// classify turns what Google's library returns into a fault. Nothing here is
// ambiguous: a repeated write is recognised by its mark.
func (b *Book) classify(err error) *fault.Fault {
	var (
		known *fault.Fault
		said  *googleapi.Error
		token *auth.Error
	)
	switch {
	case err == nil:
		return nil
	case errors.As(err, &known):
		f := *known
		if f.Class == fault.Ambiguous {
			f.Class = fault.Transient
		}
		return &f
	case errors.As(err, &said):
		return b.answered(said)
	case errors.As(err, &token):
		return b.noToken(token)
	case errors.Is(err, context.Canceled):
		return &fault.Fault{Service: service, Message: "canceled", Cause: context.Canceled}
	case errors.Is(err, context.DeadlineExceeded):
		return &fault.Fault{Service: service, Kind: fault.Timeout, Message: "no answer within the time limit", Cause: context.DeadlineExceeded}
	}
	return noAnswer()
}

// noAnswer is the fault of an answer that cannot be read.
func noAnswer() *fault.Fault {
	return &fault.Fault{Service: service, Kind: fault.BadResponse, Message: "the answer is not one of the Sheets API"}
}

// reasonsToSlowDown are Google's words for a quota of requests, new and old.
var reasonsToSlowDown = []string{"RATE_LIMIT_EXCEEDED", "rateLimitExceeded", "userRateLimitExceeded"}

// answered says what an answer with an error means. For other services a
// 400 blames a contact; here there is none.
func (b *Book) answered(e *googleapi.Error) *fault.Fault {
	status := e.Code
	if status < http.StatusMultipleChoices || status > 599 { // Google's library believes the body before the status line
		status = 0
	}
	f := httpcall.FromStatus(status)
	f.Service, f.Message, f.RetryAfter = service, b.clean(e.Message), httpcall.RetryAfter(e.Header, b.clock.Now())
	reasons := reasonsOf(e)
	if slices.ContainsFunc(reasonsToSlowDown, func(r string) bool { return slices.Contains(reasons, r) }) {
		f.Class, f.Kind, f.Scope, f.Suspect = fault.Transient, fault.Throttled, fault.Service, false
	}
	if len(reasons) > 0 {
		f.Code = b.clean(reasons[0])
	}
	switch {
	case f.Kind == fault.Throttled:
	case status == http.StatusBadRequest, status == http.StatusRequestEntityTooLarge:
		f.Scope, f.Suspect = fault.Account, false
	case slices.Contains(reasons, "SERVICE_DISABLED"):
		f.Message = "the Google Sheets API is not switched on in the service account's project: enable it in the Google Cloud console"
	case status == http.StatusForbidden:
		f.Message = "the spreadsheet is not ours to write: share it with " + b.email + " as editor"
	case status == http.StatusNotFound:
		f.Message = "there is no such spreadsheet: check SHEETS_SPREADSHEET_ID, the id in its address, and share it with " + b.email + " as editor"
	case status == http.StatusUnauthorized:
		f.Message = "Google does not accept the service account's token: check GOOGLE_APPLICATION_CREDENTIALS and that the account is not disabled"
	case status >= http.StatusMultipleChoices && status < http.StatusBadRequest:
		f.Message = "it redirects the request: check SHEETS_ENDPOINT, or leave it out"
	}
	return &f
}

// clean makes one line of Google's words, without the token of the request.
func (b *Book) clean(text string) string { return httpcall.Clean(text, b.account.last) }

// reasonsOf collects the reasons in Google's error, the newer form first.
func reasonsOf(e *googleapi.Error) []string {
	var reasons []string
	for _, d := range e.Details {
		if m, ok := d.(map[string]any); ok {
			if r, ok := m["reason"].(string); ok {
				reasons = append(reasons, r)
			}
		}
	}
	for _, i := range e.Errors {
		reasons = append(reasons, i.Reason)
	}
	return reasons
}

// noToken says why Google gives the account no token. Its words for a clock
// that is off and for a deleted key are the same, so the remedy names both.
func (b *Book) noToken(e *auth.Error) *fault.Fault {
	f := httpcall.FromStatus(e.Response.StatusCode)
	f.Service, f.RetryAfter = service, httpcall.RetryAfter(e.Response.Header, b.clock.Now())
	if f.Class != fault.Permanent {
		f.Message = "the token service does not answer as it should"
		return &f
	}
	var said struct {
		Error string `json:"error"`
	}
	_ = json.Unmarshal(e.Body, &said) // without one there is no code
	f.Kind, f.Scope, f.Suspect, f.Code = fault.Authentication, fault.Account, false, b.clean(said.Error)
	f.Message = "Google gives " + b.email + " no token: check the key file that GOOGLE_APPLICATION_CREDENTIALS names and this machine's clock"
	return &f
}
