package main

import (
	"context"
	"encoding/base64"
	"net/http"
	"net/url"
	"strings"

	"github.com/aws/aws-lambda-go/events"

	"callagent/infra/wiring"
)

// handler translates between a function URL and the agent; see
// [cloud.Process.Callback].
type handler struct {
	take func(ctx context.Context, c wiring.Callback) *wiring.Refusal
}

// handle answers one request: 204 when the report is stored or brings nothing
// new, 503 when Twilio should send it again.
func (h handler) handle(ctx context.Context, r events.LambdaFunctionURLRequest) (events.LambdaFunctionURLResponse, error) {
	if r.RequestContext.HTTP.Method != http.MethodPost || r.RawPath != wiring.CallbackPath {
		return answer(&wiring.Refusal{Status: http.StatusNotFound, Reason: "there is nothing here but POST " + wiring.CallbackPath}), nil
	}
	form, err := formOf(r)
	if err != nil {
		return answer(&wiring.Refusal{Status: http.StatusBadRequest, Reason: "the form cannot be read"}), nil
	}
	return answer(h.take(ctx, wiring.Callback{URL: urlOf(r), Form: form, Signature: header(r, "X-Twilio-Signature")})), nil
}

// urlOf is the URL that Twilio was given. Its host is the one that the request
// arrived at, which no sender can choose.
func urlOf(r events.LambdaFunctionURLRequest) string {
	u := "https://" + r.RequestContext.DomainName + r.RawPath
	if r.RawQueryString != "" {
		u += "?" + r.RawQueryString
	}
	return u
}

func formOf(r events.LambdaFunctionURLRequest) (url.Values, error) {
	body := r.Body
	if r.IsBase64Encoded {
		plain, err := base64.StdEncoding.DecodeString(body)
		if err != nil {
			return nil, err
		}
		body = string(plain)
	}
	return url.ParseQuery(body)
}

// header finds a header; a function URL gives their names in lower case.
func header(r events.LambdaFunctionURLRequest, name string) string {
	return r.Headers[strings.ToLower(name)]
}

func answer(refused *wiring.Refusal) events.LambdaFunctionURLResponse {
	if refused == nil {
		return events.LambdaFunctionURLResponse{StatusCode: http.StatusNoContent}
	}
	return events.LambdaFunctionURLResponse{
		StatusCode: refused.Status, Body: refused.Reason, Headers: map[string]string{"Content-Type": "text/plain; charset=utf-8"},
	}
}
