package elevenlabs

import (
	"errors"
	"net/http"
	"testing"

	"github.com/google/go-cmp/cmp"

	"callagent/core/fault"
)

const subscriptionPath = "/v1/user/subscription"

var spentBefore = &fault.Fault{Kind: fault.QuotaExceeded, Code: "quota_exceeded"}

var (
	askSubscription = sent{method: "GET", path: subscriptionPath, key: planted}
	sayOK           = speechSent(map[string]any{"text": "ok", "model_id": "eleven_multilingual_v2"})
)

func TestProbeChoosesTheCheapestProof(t *testing.T) {
	plenty := answer{http.StatusOK, "application/json", []byte(`{"status":"active","character_count":10,"character_limit":10000}`)}
	refusal := func(status int, body string) answer { return answer{status, "application/json", []byte(body)} }
	for _, tt := range []struct {
		name         string
		last         *fault.Fault
		subscription answer
		want         []sent
	}{
		{"nothing known", nil, plenty, []sent{sayOK}},
		{"outage", &fault.Fault{Kind: fault.ServiceUnavailable}, plenty, []sent{sayOK}},
		{"wrong voice", &fault.Fault{Kind: fault.NotFound, Code: "voice_not_found"}, plenty, []sent{sayOK}},
		{"plan", &fault.Fault{Kind: fault.QuotaExceeded, Code: "paid_plan_required"}, plenty, []sent{sayOK}},
		{"quota", spentBefore, plenty, []sent{askSubscription}},
		{"quota, key may not look", spentBefore,
			refusal(401, `{"detail":{"status":"missing_permissions","message":"missing the permission user_read"}}`),
			[]sent{askSubscription, sayOK}},
		{"quota, forbidden", spentBefore, refusal(403, ``), []sent{askSubscription, sayOK}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c, log := answering(t, "", map[string]answer{speechPath: spoken, subscriptionPath: tt.subscription})
			if err := c.Probe(t.Context(), tt.last); err != nil {
				t.Error(err)
			}
			if diff := cmp.Diff(tt.want, *log, cmp.AllowUnexported(sent{})); diff != "" {
				t.Errorf("requests (-want +got):\n%s", diff)
			}
		})
	}
}

func TestProbeReadsTheSubscription(t *testing.T) {
	spent := fault.Fault{Class: fault.Permanent, Kind: fault.QuotaExceeded, Scope: fault.Account, Service: "elevenlabs",
		Status: 200, Code: "quota_exceeded", Message: "the subscription has no characters left"}
	unpaid := spent
	unpaid.Code, unpaid.Message = "payment_required", "the subscription is not paid for"
	unreadable := fault.Fault{Kind: fault.BadResponse, Service: "elevenlabs", Status: 200,
		Message: "its answer is not the JSON of a subscription"}
	for _, tt := range []struct {
		name   string
		status int
		body   string
		want   *fault.Fault
	}{
		{"one left", 200, `{"status":"active","character_count":9999,"character_limit":10000}`, nil},
		{"free", 200, `{"status":"free","character_count":0,"character_limit":10000,"can_extend_character_limit":false}`, nil},
		{"trial", 200, `{"status":"trialing","character_count":0,"character_limit":1}`, nil},
		{"all used", 200, `{"status":"active","character_count":10000,"character_limit":10000}`, &spent},
		{"more than all used", 200, `{"status":"active","character_count":10001,"character_limit":10000}`, &spent},
		{"extension left", 200, `{"status":"active","character_count":10500,"character_limit":10000,` +
			`"can_extend_character_limit":true,"max_character_limit_extension":1000}`, nil},
		{"extension used", 200, `{"status":"active","character_count":11000,"character_limit":10000,` +
			`"can_extend_character_limit":true,"max_character_limit_extension":1000}`, &spent},
		{"extension without bound", 200, `{"status":"active","character_count":11000,"character_limit":10000,` +
			`"can_extend_character_limit":true,"max_character_limit_extension":null}`, nil},
		{"extension not allowed", 200, `{"status":"active","character_count":10000,"character_limit":10000,` +
			`"can_extend_character_limit":false,"max_character_limit_extension":1000}`, &spent},
		{"past due", 200, `{"status":"past_due","character_count":1,"character_limit":10000}`, &unpaid},
		{"incomplete", 200, `{"status":"incomplete","character_count":1,"character_limit":10000}`, &unpaid},
		{"disabled", 200, `{"status":"free_disabled","character_count":1,"character_limit":10000}`, &unpaid},
		{"no counts", 200, `{"status":"active"}`, &unreadable},
		{"HTML", 200, `<html>`, &unreadable},
		{"wrong key", 401, `{"detail":{"status":"invalid_api_key","message":"Invalid API key"}}`,
			&fault.Fault{Class: fault.Permanent, Kind: fault.Authentication, Scope: fault.Account, Service: "elevenlabs",
				Status: 401, Code: "invalid_api_key", Message: "Invalid API key"}},
		{"outage", 503, ``, &fault.Fault{Kind: fault.ServiceUnavailable, Service: "elevenlabs", Status: 503}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c, log := answering(t, "", map[string]answer{subscriptionPath: {tt.status, "application/json", []byte(tt.body)}})
			err := c.Probe(t.Context(), spentBefore)
			var got *fault.Fault
			if errors.As(err, &got); (got == nil) != (err == nil) {
				t.Fatalf("no fault in %v", err)
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("fault (-want +got):\n%s", diff)
			}
			if len(*log) != 1 {
				t.Errorf("%d requests, want one", len(*log))
			}
		})
	}
}

func TestProbeTellsWhatTheSpeechSays(t *testing.T) {
	c, _ := answering(t, "", map[string]answer{speechPath: {http.StatusOK, "audio/mpeg", nil}})
	const want = "elevenlabs: bad_response (200): its audio is empty"
	if err := c.Probe(t.Context(), nil); err == nil || err.Error() != want {
		t.Errorf("error %v, want %s", err, want)
	}
}
