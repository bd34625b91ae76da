package main

import (
	"context"
	"net/http"
	"strings"
	"testing"

	"github.com/aws/aws-lambda-go/events"

	"callagent/functions/internal/eventtest"
	"callagent/infra/twilio"
	"callagent/infra/wiring"
)

// token signed the events.
const token = "0123456789abcdef0123456789abcdef"

// verifying is a taker that judges the signature and the form.
type verifying struct{ taken []wiring.Callback }

func (v *verifying) Callback(_ context.Context, c wiring.Callback) *wiring.Refusal {
	if !twilio.ValidSignature(token, c.URL, c.Form, c.Signature) {
		return &wiring.Refusal{Status: http.StatusForbidden, Reason: "signature"}
	}
	if _, err := twilio.ParseCallback(c.Form); err != nil {
		return &wiring.Refusal{Status: http.StatusBadRequest, Reason: "form"}
	}
	v.taken = append(v.taken, c)
	return nil
}

// send hands an event to the function.
func send(t *testing.T, v *verifying, e events.LambdaFunctionURLRequest) int {
	t.Helper()
	answer, err := handler{v.Callback}.handle(t.Context(), e)
	if err != nil {
		t.Fatal(err)
	}
	return answer.StatusCode
}

func TestTheEventsAreAnsweredAsTheirNamesSay(t *testing.T) {
	for name, want := range map[string]int{
		"valid":           http.StatusNoContent,
		"wrong-signature": http.StatusForbidden,
		"malformed":       http.StatusBadRequest,
		"unknown-status":  http.StatusBadRequest,
		"wrong-path":      http.StatusNotFound,
	} {
		v := &verifying{}
		if got := send(t, v, eventtest.Read[events.LambdaFunctionURLRequest](t, name)); got != want {
			t.Errorf("%s is answered with %d, want %d", name, got, want)
		}
		if taken := len(v.taken) == 1; taken != (want == http.StatusNoContent) {
			t.Errorf("%s: taken %t", name, taken)
		}
	}
}

func TestTheSignatureIsOverTheHostThatTheRequestArrivedAt(t *testing.T) {
	e := eventtest.Read[events.LambdaFunctionURLRequest](t, "valid")
	e.Headers["host"] = "elsewhere.example.com"
	if got := send(t, &verifying{}, e); got != http.StatusNoContent {
		t.Errorf("a Host header of the sender's choice counts: %d", got)
	}
	e.RequestContext.DomainName = "elsewhere.example.com"
	if got := send(t, &verifying{}, e); got != http.StatusForbidden {
		t.Errorf("a request to another host is answered with %d", got)
	}
}

func TestABodyThatIsNotEncodedIsReadToo(t *testing.T) {
	e := eventtest.Read[events.LambdaFunctionURLRequest](t, "valid")
	form, err := formOf(e)
	if err != nil {
		t.Fatal(err)
	}
	e.Body, e.IsBase64Encoded = form.Encode(), false
	if got := send(t, &verifying{}, e); got != http.StatusNoContent {
		t.Errorf("answered with %d", got)
	}
	e.Body, e.IsBase64Encoded = "not base64!", true
	if got := send(t, &verifying{}, e); got != http.StatusBadRequest {
		t.Errorf("nonsense is answered with %d", got)
	}
}

func TestOnlyPostIsTaken(t *testing.T) {
	e := eventtest.Read[events.LambdaFunctionURLRequest](t, "valid")
	e.RequestContext.HTTP.Method = http.MethodGet
	answer, err := handler{(&verifying{}).Callback}.handle(t.Context(), e)
	if err != nil || answer.StatusCode != http.StatusNotFound || !strings.Contains(answer.Body, "POST /twilio/status") {
		t.Errorf("answer %+v, %v", answer, err)
	}
}
