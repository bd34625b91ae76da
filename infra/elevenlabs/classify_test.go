package elevenlabs

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"callagent/core/fault"
)

var (
	authentication = fault.Fault{Class: fault.Permanent, Kind: fault.Authentication, Scope: fault.Account}
	spent          = fault.Fault{Class: fault.Permanent, Kind: fault.QuotaExceeded, Scope: fault.Account}
	permission     = fault.Fault{Class: fault.Permanent, Kind: fault.Permission, Scope: fault.Account}
	missing        = fault.Fault{Class: fault.Permanent, Kind: fault.NotFound, Scope: fault.Account}
	settings       = fault.Fault{Class: fault.Permanent, Kind: fault.InvalidRequest, Scope: fault.Account}
	script         = fault.Fault{Class: fault.Permanent, Kind: fault.InvalidRequest, Scope: fault.Contact}
	unclear        = fault.Fault{Class: fault.Permanent, Kind: fault.InvalidRequest, Scope: fault.Contact, Suspect: true}
	conflict       = fault.Fault{Kind: fault.Conflict}
	throttled      = fault.Fault{Kind: fault.Throttled}
	overloaded     = fault.Fault{Kind: fault.Throttled, Overload: true}
	down           = fault.Fault{Kind: fault.ServiceUnavailable}
)

// Every code, under every status it is known to come with.
var coded = []struct {
	statuses string
	codes    string
	want     fault.Fault
}{
	{"401", "invalid_api_key missing_api_key invalid_authorization_header unauthorized sign_in_required", authentication},
	{"401 402", "quota_exceeded insufficient_credits payment_required paid_plan_required", spent},
	{"401 403", "missing_permissions insufficient_permissions forbidden workspace_access_denied", permission},
	{"401", "detected_unusual_activity", permission},
	{"403", "feature_not_available subscription_required voice_access_denied model_access_denied only_for_creator+", permission},
	{"404 400", "voice_not_found model_not_found agent_not_found phone_number_not_found", missing},
	{"400", "text_too_long max_character_limit_exceeded empty_text text_too_short invalid_text", script},
	{"400", "invalid_parameters missing_required_field invalid_voice_settings invalid_voice_id unsupported_model", settings},
	{"400", "invalid_output_format bad_request malformed_json request_too_large invalid_provider_config", settings},
	{"409", "conflict already_running concurrent_modification", conflict},
	{"429", "concurrent_limit_exceeded too_many_concurrent_requests rate_limit_exceeded", throttled},
	{"429", "system_busy", overloaded},
	{"500 503", "internal_error something_went_wrong internal_server_error service_unavailable maintenance", down},
}

func testClient(t *testing.T) *Client {
	c := New(Config{APIKey: planted, Now: func() time.Time { return time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC) }})
	t.Cleanup(c.Close)
	return c
}

func TestClassifyCodes(t *testing.T) {
	c := testClient(t)
	tested := map[string]bool{}
	for _, row := range coded {
		for status := range strings.FieldsSeq(row.statuses) {
			for code := range strings.FieldsSeq(row.codes) {
				tested[code] = true
				for _, body := range []string{
					fmt.Sprintf(`{"detail":{"code":%q,"message":"m"}}`, code),
					fmt.Sprintf(`{"detail":{"status":%q,"message":"m"}}`, code),
					fmt.Sprintf(`{"detail":{"type":"t","code":%q,"status":"something_else","message":"m","param":null}}`, code),
					fmt.Sprintf(`{"detail":{"code":"not_known_yet","status":%q,"message":"m"}}`, code),
					fmt.Sprintf(`{"status":%q,"message":"m"}`, code),
				} {
					want := row.want
					want.Service, want.Code, want.Message = "elevenlabs", code, "m"
					if strings.Contains(body, "not_known_yet") {
						want.Code = "not_known_yet"
					}
					_, _ = fmt.Sscan(status, &want.Status)
					if got := c.classify(want.Status, nil, []byte(body)); *got != want {
						t.Errorf("%s %s: %#v, want %#v", status, body, got, want)
					}
				}
			}
		}
	}
	for code := range byCode {
		if !tested[code] {
			t.Errorf("code %s has no test", code)
		}
	}
}

// Answers as they were seen, and what has no code at all.
var seen = []struct {
	name       string
	status     int
	retryAfter string
	body       string
	want       fault.Fault
	code, text string
}{
	{"code and status differ", 429, "",
		`{"detail":{"type":"rate_limit_error","code":"concurrent_limit_exceeded","message":"at most 4 at once",` +
			`"status":"too_many_concurrent_requests","request_id":"r","param":null}}`,
		throttled, "concurrent_limit_exceeded", "at most 4 at once"},
	{"code outranks status", 429, "", `{"detail":{"code":"system_busy","status":"rate_limit_exceeded"}}`, overloaded, "system_busy", ""},
	{"quota as 401", 401, "",
		`{"detail":{"status":"quota_exceeded","message":"This request exceeds your quota of 10000. You have 0 credits remaining, while 91 credits are required for this request."}}`,
		spent, "quota_exceeded",
		"This request exceeds your quota of 10000. You have 0 credits remaining, while 91 credits are required for this request."},
	{"key without a permission", 401, "",
		`{"detail":{"status":"missing_permissions","message":"The API key you used is missing the permission text_to_speech to execute this operation."}}`,
		permission, "missing_permissions",
		"The API key you used is missing the permission text_to_speech to execute this operation."},
	{"library voice on the free plan", 402, "",
		`{"detail":{"type":"payment_required","code":"paid_plan_required","message":"Free users cannot use library voices via the API."}}`,
		spent, "paid_plan_required", "Free users cannot use library voices via the API."},
	{"abuse", 401, "", `{"detail":{"status":"detected_unusual_activity","message":"Unusual activity detected."}}`,
		permission, "detected_unusual_activity", "Unusual activity detected."},
	{"crash", 500, "",
		`{"detail":{"status":"something_went_wrong","message":"We are sorry, something went wrong. You are not charged for this request."}}`,
		down, "something_went_wrong", "We are sorry, something went wrong. You are not charged for this request."},
	{"crash without detail", 500, "",
		`{"status":"internal_server_error","message":"Internal Server error. All such crashes are reported to us automatically."}`,
		down, "internal_server_error", "Internal Server error. All such crashes are reported to us automatically."},
	{"provider settings", 400, "", `{"detail":{"status":"invalid_provider_config","message":"no"}}`,
		settings, "invalid_provider_config", "no"},
	{"invalid field", 422, "", `{"detail":[{"loc":["body","text"],"msg":"Field required","type":"missing"}]}`,
		settings, "", "body.text: Field required"},
	{"two invalid fields", 422, "", `{"detail":[{"loc":["body","seed"],"msg":"too large"},{"loc":["body",0],"msg":"no"}]}`,
		settings, "", "body.seed: too large; body.0: no"},
	{"detail is text", 400, "", `{"detail":"Something about the request"}`, unclear, "", "Something about the request"},
	{"detail is null", 503, "", `{"detail":null}`, down, "", ""},
	{"fields of other types", 503, "", `{"detail":{"code":7,"status":"maintenance","message":["m"]}}`, down, "maintenance", ""},
	{"secret in the text", 401, "", `{"detail":{"status":"invalid_api_key","message":"key ` + planted + ` is wrong"}}`,
		authentication, "invalid_api_key", "key [redacted] is wrong"},
	{"seconds", 429, "1.5", `{"detail":{"code":"rate_limit_exceeded"}}`, wait(throttled, 1500*time.Millisecond), "rate_limit_exceeded", ""},
	{"date", 503, "Sun, 01 Mar 2026 12:00:09 GMT", ``, wait(down, 9*time.Second), "", ""},
	{"unknown 400", 400, "", `{"detail":{"code":"new_one"}}`, unclear, "new_one", ""},
	{"bare 401", 401, "", ``, authentication, "", ""},
	{"bare 402", 402, "", ``, spent, "", ""},
	{"bare 403", 403, "", ``, permission, "", ""},
	{"bare 404", 404, "", `{"detail":"Not Found"}`, missing, "", "Not Found"},
	{"bare 405", 405, "", ``, settings, "", ""},
	{"bare 408", 408, "", ``, fault.Fault{Kind: fault.Timeout}, "", ""},
	{"bare 409", 409, "", ``, conflict, "", ""},
	{"bare 429", 429, "", ``, throttled, "", ""},
	{"bare 500", 500, "", ``, down, "", ""},
	{"HTML 502", 502, "", `<html>502 Bad Gateway</html>`, down, "", ""},
	{"bare 504", 504, "", ``, down, "", ""},
	{"edge error", 524, "", ``, down, "", ""},
	{"code in a success", 200, "", `{"detail":{"code":"quota_exceeded"}}`, fault.Fault{Kind: fault.BadResponse}, "quota_exceeded", ""},
}

func wait(f fault.Fault, d time.Duration) fault.Fault {
	f.RetryAfter = d
	return f
}

func TestClassifyAnswers(t *testing.T) {
	c := testClient(t)
	for _, tt := range seen {
		t.Run(tt.name, func(t *testing.T) {
			tt.want.Service, tt.want.Status, tt.want.Code, tt.want.Message = "elevenlabs", tt.status, tt.code, tt.text
			h := http.Header{"Retry-After": {tt.retryAfter}}
			if got := c.classify(tt.status, h, []byte(tt.body)); *got != tt.want {
				t.Errorf("%#v, want %#v", got, tt.want)
			}
		})
	}
}
