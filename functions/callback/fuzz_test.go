package main

import (
	"context"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/aws/aws-lambda-go/events"

	"callagent/infra/twilio"
	"callagent/infra/wiring"
)

// FuzzRequest: whatever arrives, nothing is taken but what was signed; every
// refusal has a reason without a number; and a form means the same here as at
// the door of one machine, which is net/http's.
func FuzzRequest(f *testing.F) {
	f.Add(http.MethodPost, wiring.CallbackPath, "campaign=spring&contact=c-001&attempt=a", "CallSid=CA1&CallStatus=busy", "c2ln", false)
	f.Add(http.MethodPost, wiring.CallbackPath, "", "Q2FsbFNpZD1DQTE=", "", true)
	f.Add(http.MethodPost, wiring.CallbackPath, "%zz", "a;b&%+15005550006", "", false)
	f.Add(http.MethodGet, "/", "", "", "", false)
	f.Fuzz(func(t *testing.T, method, path, query, body, signature string, encoded bool) {
		e := events.LambdaFunctionURLRequest{RawPath: path, RawQueryString: query, Body: body, IsBase64Encoded: encoded,
			Headers: map[string]string{"x-twilio-signature": signature}}
		e.RequestContext.DomainName, e.RequestContext.HTTP.Method = "example.lambda-url.eu-central-1.on.aws", method
		var arrived *wiring.Callback
		answer, err := handler{func(ctx context.Context, c wiring.Callback) *wiring.Refusal {
			arrived = &c
			return wiring.TakeCallback(ctx, nil, token, c) // no agent: nobody can guess a signature
		}}.handle(t.Context(), e)
		if err != nil || answer.StatusCode == http.StatusNoContent {
			t.Fatalf("taken unsigned: %+v, %v", answer, err)
		}
		if answer.Body == "" || strings.Contains(answer.Body, "5005550006") {
			t.Errorf("refused with %q", answer.Body)
		}
		if arrived != nil && !encoded {
			sameForm(t, arrived.Form, body)
		}
		if arrived != nil && twilio.ValidSignature(token, arrived.URL, arrived.Form, signature) {
			t.Error("guessed")
		}
	})
}

// sameForm compares a form with what net/http makes of the same body.
func sameForm(t *testing.T, form url.Values, body string) {
	t.Helper()
	r := httptest.NewRequest(http.MethodPost, wiring.CallbackPath, strings.NewReader(body))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	if err := r.ParseForm(); err != nil {
		t.Fatalf("net/http refuses the form: %v", err)
	}
	if form.Encode() != r.PostForm.Encode() {
		t.Errorf("%q is %v here and %v there", body, form, r.PostForm)
	}
}
