package openai

import (
	"encoding/json"
	"net/http"
	"strings"
	"time"

	"callagent/core/fault"
	"callagent/infra/httpcall"
)

var (
	quota    = fault.Fault{Class: fault.Permanent, Kind: fault.QuotaExceeded, Scope: fault.Account}
	badKey   = fault.Fault{Class: fault.Permanent, Kind: fault.Authentication, Scope: fault.Account}
	noModel  = fault.Fault{Class: fault.Permanent, Kind: fault.NotFound, Scope: fault.Account}
	prompt   = fault.Fault{Class: fault.Permanent, Kind: fault.InvalidRequest, Scope: fault.Contact}
	tooLong  = fault.Fault{Class: fault.Permanent, Kind: fault.InvalidRequest, Scope: fault.Contact, Suspect: true}
	throttle = fault.Fault{Kind: fault.Throttled}
)

// byCode says what the codes and types of a 4xx mean. What is not here is
// judged by its status.
var byCode = map[string]fault.Fault{
	"insufficient_quota":                quota,
	"credit_balance_exhausted":          quota,
	"organization_spend_limit_exceeded": quota,
	"project_spend_limit_exceeded":      quota,
	"organization_usage_limit_exceeded": quota,
	"billing_hard_limit_reached":        quota,
	"invalid_api_key":                   badKey,
	"model_not_found":                   noModel,
	"context_length_exceeded":           tooLong,
	"content_filter":                    prompt,
	"content_policy_violation":          prompt,
	"rate_limit_exceeded":               throttle,
	"slow_down":                         throttle,
}

// complaint is what a vendor says is wrong.
type complaint struct{ Message, Type, Code string }

// classify turns any answer but a good one into a fault. The billing families
// of 429 are told by their code or by their type, because newer codes keep the
// old type; everything from 500 up is an outage, whatever its code.
func (c *Client) classify(status int, header http.Header, body []byte) *fault.Fault {
	said := readComplaint(body)
	f := httpcall.FromStatus(status)
	if status >= 400 && status < 500 {
		if row, known := byCode[said.Code]; known {
			f = row
		}
		if byType, known := byCode[said.Type]; known && byType.Kind == fault.QuotaExceeded {
			f = byType
		}
	}
	f.Service, f.Status = service, status
	f.Code = httpcall.Clean(said.Code, c.key)
	if f.Code == "" {
		f.Code = httpcall.Clean(said.Type, c.key)
	}
	if text := httpcall.Clean(said.Message, c.key); text != "" {
		f.Message = text
	}
	f.RetryAfter = httpcall.RetryAfter(header, c.now())
	if f.RetryAfter == 0 && f.Kind == fault.Throttled {
		f.RetryAfter = untilReset(header)
	}
	return &f
}

// readComplaint accepts the error object of the API and what compatible servers
// make of it: a string in its place, a number as the code, or no envelope.
func readComplaint(body []byte) complaint {
	var envelope struct {
		Error json.RawMessage `json:"error"`
	}
	if json.Unmarshal(body, &envelope) != nil {
		return complaint{}
	}
	if len(envelope.Error) == 0 {
		envelope.Error = body
	}
	var text string
	if json.Unmarshal(envelope.Error, &text) == nil {
		return complaint{Message: text}
	}
	var object struct {
		Message string          `json:"message"`
		Type    string          `json:"type"`
		Code    json.RawMessage `json:"code"`
	}
	_ = json.Unmarshal(envelope.Error, &object) // fields of another type stay empty
	code := strings.Trim(string(object.Code), `"`)
	if code == "null" {
		code = ""
	}
	return complaint{Message: object.Message, Type: object.Type, Code: code}
}

// untilReset reads the budgets of requests and tokens that a 429 without
// Retry-After tells of: the longer wait of those that are used up. A budget
// with something left says nothing about when this request would fit.
func untilReset(h http.Header) time.Duration {
	var wait time.Duration
	for _, budget := range []string{"Requests", "Tokens"} {
		if strings.TrimSpace(h.Get("X-Ratelimit-Remaining-"+budget)) != "0" {
			continue
		}
		if d, err := time.ParseDuration(strings.TrimSpace(h.Get("X-Ratelimit-Reset-" + budget))); err == nil {
			wait = max(wait, httpcall.Seconds(d.Seconds()))
		}
	}
	return wait
}
