package sheets_test

import (
	"context"
	"testing"

	"callagent/infra/httpcall/httpcalltest"
	"callagent/infra/sheets"
)

func TestNetworks(t *testing.T) {
	key, tokens := privateKey(t), tokenService(t)
	check := func(tokenURL func(baseURL string) string) func(context.Context, string) error {
		return func(ctx context.Context, baseURL string) error {
			b, err := sheets.New(sheets.Config{Spreadsheet: "1x", Credentials: keyFile(t, key, tokenURL(baseURL)), Endpoint: baseURL, Clock: &clock{now: noon}})
			if err != nil {
				return err
			}
			defer b.Close()
			_, err = b.Check(ctx)
			return err
		}
	}
	t.Run("the sheet", func(t *testing.T) {
		httpcalltest.Suite(t, httpcalltest.Config{Secrets: []string{accessToken}, Call: check(func(string) string { return tokens })})
	})
	t.Run("the token", func(t *testing.T) {
		httpcalltest.Suite(t, httpcalltest.Config{Call: check(func(baseURL string) string { return baseURL })})
	})
}
