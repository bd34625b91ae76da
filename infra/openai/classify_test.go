package openai

import (
	"fmt"
	"net/http"
	"testing"
	"time"

	"callagent/core/fault"
)

// The rows of the table, each as its answers look on the wire. want leaves out
// what every row shares: the service and the status.
var rows = []struct {
	name    string
	status  int
	headers map[string]string
	body    string
	want    fault.Fault
}{
	{"invalid request", 400, nil,
		`{"error":{"message":"Unsupported parameter: 'max_tokens'","type":"invalid_request_error","param":"max_tokens","code":"unsupported_parameter"}}`,
		fault.Fault{Class: fault.Permanent, Kind: fault.InvalidRequest, Scope: fault.Contact, Suspect: true,
			Code: "unsupported_parameter", Message: "Unsupported parameter: 'max_tokens'"}},
	{"type alone", 400, nil, `{"error":{"message":"no","type":"invalid_request_error","param":null,"code":null}}`,
		fault.Fault{Class: fault.Permanent, Kind: fault.InvalidRequest, Scope: fault.Contact, Suspect: true,
			Code: "invalid_request_error", Message: "no"}},
	{"prompt too long", 400, nil,
		`{"error":{"message":"maximum context length is 128000 tokens","type":"invalid_request_error","code":"context_length_exceeded"}}`,
		fault.Fault{Class: fault.Permanent, Kind: fault.InvalidRequest, Scope: fault.Contact, Suspect: true,
			Code: "context_length_exceeded", Message: "maximum context length is 128000 tokens"}},
	{"content filter", 400, nil, `{"error":{"code":"content_filter","message":"filtered","status":400,"innererror":{}}}`,
		fault.Fault{Class: fault.Permanent, Kind: fault.InvalidRequest, Scope: fault.Contact,
			Code: "content_filter", Message: "filtered"}},
	{"content policy", 400, nil, `{"error":{"type":"invalid_request_error","code":"content_policy_violation"}}`,
		fault.Fault{Class: fault.Permanent, Kind: fault.InvalidRequest, Scope: fault.Contact, Code: "content_policy_violation"}},
	{"wrong key", 401, nil,
		`{"error":{"message":"Incorrect API key provided: sk-planted-key-4711.","type":"invalid_request_error","param":null,"code":"invalid_api_key"}}`,
		fault.Fault{Class: fault.Permanent, Kind: fault.Authentication, Scope: fault.Account, Code: "invalid_api_key",
			Message: "Incorrect API key provided: [redacted]."}},
	{"no key", 401, nil, `{"error":{"message":"You didn't provide an API key.","type":"invalid_request_error","param":null,"code":null}}`,
		fault.Fault{Class: fault.Permanent, Kind: fault.Authentication, Scope: fault.Account, Code: "invalid_request_error",
			Message: "You didn't provide an API key."}},
	{"wrong key with the wrong status", 400, nil, `{"error":{"code":"invalid_api_key"}}`,
		fault.Fault{Class: fault.Permanent, Kind: fault.Authentication, Scope: fault.Account, Code: "invalid_api_key"}},
	{"country", 403, nil, `{"error":{"message":"Country not supported","type":"request_forbidden","code":"unsupported_country_region_territory"}}`,
		fault.Fault{Class: fault.Permanent, Kind: fault.Permission, Scope: fault.Account,
			Code: "unsupported_country_region_territory", Message: "Country not supported"}},
	{"permission", 403, nil, `{"error":{"type":"insufficient_permissions"}}`,
		fault.Fault{Class: fault.Permanent, Kind: fault.Permission, Scope: fault.Account, Code: "insufficient_permissions"}},
	{"balance of a reseller", 402, nil, `{"error":{"message":"Insufficient credits","code":402}}`,
		fault.Fault{Class: fault.Permanent, Kind: fault.QuotaExceeded, Scope: fault.Account, Code: "402", Message: "Insufficient credits"}},
	{"unknown model", 404, nil, `{"error":{"message":"The model does not exist","type":"invalid_request_error","code":"model_not_found"}}`,
		fault.Fault{Class: fault.Permanent, Kind: fault.NotFound, Scope: fault.Account, Code: "model_not_found",
			Message: "The model does not exist"}},
	{"unknown model, own code", 404, nil, `{"object":"error","message":"No such model","type":"NotFoundError","param":null,"code":404}`,
		fault.Fault{Class: fault.Permanent, Kind: fault.NotFound, Scope: fault.Account, Code: "404", Message: "No such model"}},
	{"unprocessable", 422, nil, `{"detail":[{"loc":["body"],"msg":"extra"}]}`,
		fault.Fault{Class: fault.Permanent, Kind: fault.InvalidRequest, Scope: fault.Account}},
	{"request timeout", 408, nil, ``, fault.Fault{Kind: fault.Timeout}},
	{"conflict", 409, nil, `{"error":{"message":"locked","type":"invalid_request_error"}}`,
		fault.Fault{Kind: fault.Conflict, Code: "invalid_request_error", Message: "locked"}},
	{"rate", 429, map[string]string{"Retry-After": "2"}, `{"error":{"message":"Slow","type":"requests","code":"rate_limit_exceeded"}}`,
		fault.Fault{Kind: fault.Throttled, Code: "rate_limit_exceeded", Message: "Slow", RetryAfter: 2 * time.Second}},
	{"slow down", 429, nil, `{"error":{"code":"slow_down"}}`, fault.Fault{Kind: fault.Throttled, Code: "slow_down"}},
	{"any other 429", 429, nil, `{"error":{"type":"engine_busy"}}`, fault.Fault{Kind: fault.Throttled, Code: "engine_busy"}},
	{"429 without words", 429, map[string]string{"Retry-After": "Sun, 01 Mar 2026 12:00:09 GMT"}, ``,
		fault.Fault{Kind: fault.Throttled, RetryAfter: 9 * time.Second}},
	{"milliseconds first", 429, map[string]string{"Retry-After": "2", "Retry-After-Ms": "1250"}, ``,
		fault.Fault{Kind: fault.Throttled, RetryAfter: 1250 * time.Millisecond}},
	{"server error", 500, nil, `{"error":{"message":"Sorry","type":"server_error","param":null,"code":null}}`,
		fault.Fault{Kind: fault.ServiceUnavailable, Code: "server_error", Message: "Sorry"}},
	{"bad gateway", 502, nil, "<html>502</html>", fault.Fault{Kind: fault.ServiceUnavailable}},
	{"overloaded", 503, map[string]string{"Retry-After": "30"}, `{"error":{"type":"service_unavailable_error","code":"server_is_overloaded"}}`,
		fault.Fault{Kind: fault.ServiceUnavailable, Code: "server_is_overloaded", RetryAfter: 30 * time.Second}},
	{"asked to slow down by an outage", 503, nil, `{"error":{"code":"slow_down"}}`,
		fault.Fault{Kind: fault.ServiceUnavailable, Code: "slow_down"}},
	{"gateway timeout", 504, nil, ``, fault.Fault{Kind: fault.ServiceUnavailable}},
	{"edge error", 520, nil, ``, fault.Fault{Kind: fault.ServiceUnavailable}},
	{"error is a string", 500, nil, `{"error":"model runner has stopped"}`,
		fault.Fault{Kind: fault.ServiceUnavailable, Message: "model runner has stopped"}},
	{"error is null", 500, nil, `{"error":null}`, fault.Fault{Kind: fault.ServiceUnavailable}},
	{"fields of other types", 500, nil, `{"error":{"message":7,"type":"server_error","code":12}}`,
		fault.Fault{Kind: fault.ServiceUnavailable, Code: "12"}},
	{"error is a list", 500, nil, `{"error":[1]}`, fault.Fault{Kind: fault.ServiceUnavailable}},
	{"redirect", 301, nil, ``, fault.Fault{Class: fault.Permanent, Kind: fault.InvalidRequest, Scope: fault.Account,
		Message: "it redirects the request: the base URL is not its own"}},
}

func testClient(t *testing.T) *Client {
	c := New(Config{APIKey: planted, Now: func() time.Time { return time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC) }})
	t.Cleanup(c.Close)
	return c
}

func headers(pairs map[string]string) http.Header {
	h := http.Header{}
	for name, value := range pairs {
		h.Set(name, value)
	}
	return h
}

func TestClassify(t *testing.T) {
	c := testClient(t)
	for _, tt := range rows {
		t.Run(tt.name, func(t *testing.T) {
			tt.want.Service, tt.want.Status = "llm", tt.status
			if got := c.classify(tt.status, headers(tt.headers), []byte(tt.body)); *got != tt.want {
				t.Errorf("%#v, want %#v", got, tt.want)
			}
		})
	}
}

// A spent budget is told by the code or by the type, and is never a throttle.
func TestClassifyBilling(t *testing.T) {
	c := testClient(t)
	for _, code := range []string{"insufficient_quota", "credit_balance_exhausted", "organization_spend_limit_exceeded",
		"project_spend_limit_exceeded", "organization_usage_limit_exceeded", "billing_hard_limit_reached"} {
		for _, body := range []string{
			fmt.Sprintf(`{"error":{"type":"insufficient_quota","code":%q}}`, code),
			fmt.Sprintf(`{"error":{"type":"other","code":%q}}`, code),
			fmt.Sprintf(`{"error":{"type":%q,"code":null}}`, code),
			fmt.Sprintf(`{"error":{"type":%q,"code":"rate_limit_exceeded"}}`, code),
		} {
			got := c.classify(429, headers(map[string]string{"X-Ratelimit-Remaining-Requests": "0",
				"X-Ratelimit-Reset-Requests": "1s"}), []byte(body))
			want := fault.Fault{Class: fault.Permanent, Kind: fault.QuotaExceeded, Scope: fault.Account,
				Service: "llm", Status: 429, Code: got.Code}
			if *got != want {
				t.Errorf("%s: %#v, want %#v", body, got, want)
			}
		}
	}
	newer := c.classify(429, nil, []byte(`{"error":{"type":"insufficient_quota","code":"some_newer_limit"}}`))
	if newer.Kind != fault.QuotaExceeded || newer.Code != "some_newer_limit" {
		t.Errorf("a code nobody knows yet, with the old type: %#v", newer)
	}
}

func TestClassifyResetHeaders(t *testing.T) {
	const requests, tokens = "X-Ratelimit-Reset-Requests", "X-Ratelimit-Reset-Tokens"
	const requestsLeft, tokensLeft = "X-Ratelimit-Remaining-Requests", "X-Ratelimit-Remaining-Tokens"
	c := testClient(t)
	for _, tt := range []struct {
		name    string
		headers map[string]string
		want    time.Duration
	}{
		{"requests used up", map[string]string{requestsLeft: "0", requests: "6m0s", tokensLeft: "10", tokens: "8m"}, 6 * time.Minute},
		{"tokens used up", map[string]string{requestsLeft: "9", requests: "6m0s", tokensLeft: "0", tokens: "120ms"}, 120 * time.Millisecond},
		{"both used up", map[string]string{requestsLeft: "0", requests: "1s", tokensLeft: "0", tokens: "7.66s"}, 7660 * time.Millisecond},
		{"nothing used up", map[string]string{requestsLeft: "1", requests: "1s", tokensLeft: "1", tokens: "2s"}, 0},
		{"unreadable", map[string]string{requestsLeft: "0", requests: "soon"}, 0},
		{"negative", map[string]string{requestsLeft: "0", requests: "-3s"}, 0},
		{"Retry-After wins", map[string]string{"Retry-After": "3", requestsLeft: "0", requests: "6m0s"}, 3 * time.Second},
	} {
		if got := c.classify(429, headers(tt.headers), nil); got.RetryAfter != tt.want {
			t.Errorf("%s: %v, want %v", tt.name, got.RetryAfter, tt.want)
		}
		if got := c.classify(503, headers(tt.headers), nil); tt.headers["Retry-After"] == "" && got.RetryAfter != 0 {
			t.Errorf("%s: an outage waits for a budget: %v", tt.name, got.RetryAfter)
		}
	}
}
