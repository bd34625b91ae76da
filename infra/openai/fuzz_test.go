package openai

import (
	"context"
	"errors"
	"strings"
	"testing"

	"callagent/core/call"
	"callagent/infra/httpcall/httpcalltest"
)

// FuzzAnswers: a script is a text without white space around it, and whatever
// else the server says is a fault of the table.
func FuzzAnswers(f *testing.F) {
	httpcalltest.Fuzz(f, httpcalltest.Config{Secrets: []string{planted}, Call: func(ctx context.Context, baseURL string) error {
		c := New(Config{APIKey: planted, BaseURL: baseURL + "/v1"})
		defer c.Close()
		text, err := c.Script(ctx, call.ScriptRequest{User: "x"})
		if err == nil && (text == "" || strings.TrimSpace(text) != text) {
			return errors.New("the script is empty, or has white space around it")
		}
		return err
	}},
		httpcalltest.Answer{Status: 200, Body: `{"choices":[{"message":{"content":" Hello Ada. "},"finish_reason":"stop"}]}`},
		httpcalltest.Answer{Status: 200, Body: `{"choices":[{"message":{"content":"Hello","refusal":null},"finish_reason":"length"}]}`},
		httpcalltest.Answer{Status: 200, Body: `{"choices":[{"message":{"content":null,"refusal":"no"},"finish_reason":"content_filter"}]}`},
		httpcalltest.Answer{Status: 200, Body: `{"error":{"message":"$KEY","type":"insufficient_quota","code":15005550006}}`},
		httpcalltest.Answer{Status: 429, Header: "X-Ratelimit-Remaining-Tokens: 0\nX-Ratelimit-Reset-Tokens: 6m0s", Body: `{"error":{"code":"rate_limit_exceeded"}}`},
		httpcalltest.Answer{Status: 429, Header: "X-Ratelimit-Remaining-Requests: 0\nX-Ratelimit-Reset-Requests: 99999h", Body: "{}"},
		httpcalltest.Answer{Status: 429, Header: "Retry-After-Ms: 1500", Body: `{"error":{"code":"insufficient_quota","message":"$PHONE"}}`},
		httpcalltest.Answer{Status: 400, Body: `{"error":"no \u202e \n way, $PHONE"}`},
	)
}
