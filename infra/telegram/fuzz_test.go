package telegram

import (
	"context"
	"strings"
	"testing"

	"callagent/infra/httpcall/httpcalltest"
)

// FuzzAnswers: whatever the Bot API says is a success or a fault of the table.
func FuzzAnswers(f *testing.F) {
	_, secret, _ := strings.Cut(token, ":")
	httpcalltest.Fuzz(f, httpcalltest.Config{Secrets: []string{token, secret}, Call: func(ctx context.Context, baseURL string) error {
		c, err := New(Config{Token: token, ChatID: "-100123", BaseURL: baseURL})
		if err != nil {
			return err
		}
		defer c.Close()
		return c.Notify(ctx, message)
	}},
		httpcalltest.Answer{Status: 200, Body: `{"ok":true,"result":{"message_id":1}}`},
		httpcalltest.Answer{Status: 200, Body: `{"ok":false,"error_code":15005550006,"description":"$PHONE"}`},
		httpcalltest.Answer{Status: 200, Body: `{"ok":false,"error_code":429,"parameters":{"retry_after":1e300}}`},
		httpcalltest.Answer{Status: 400, Body: `{"ok":false,"error_code":400,"description":"Bad Request: chat not found"}`},
		httpcalltest.Answer{Status: 400, Body: `{"ok":false,"parameters":{"migrate_to_chat_id":-100}}`},
		httpcalltest.Answer{Status: 429, Body: `{"ok":false,"error_code":429,"parameters":{"retry_after":-5}}`},
	)
}
