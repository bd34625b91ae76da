package hubspot_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"unicode"

	"callagent/infra/httpcall/httpcalltest"
	"callagent/infra/hubspot"
)

// FuzzAnswers: a record that was written has an id that can be kept, and
// whatever else HubSpot says is a fault of the table.
func FuzzAnswers(f *testing.F) {
	httpcalltest.Fuzz(f, httpcalltest.Config{Secrets: []string{token}, Call: func(ctx context.Context, baseURL string) error {
		c := hubspot.New(hubspot.Config{Token: token, BaseURL: baseURL})
		defer c.Close()
		id, err := c.Record(ctx, entry())
		if err == nil && (id == "" || len(id) > 64 || strings.ContainsFunc(id, func(r rune) bool { return r <= ' ' || r >= unicode.MaxASCII })) {
			return errors.New("this is no id of a record")
		}
		return err
	}},
		httpcalltest.Answer{Status: 200, Body: `{"results":[{"id":"512"}]}`},
		httpcalltest.Answer{Status: 201, Body: `{"results":[]}`},
		httpcalltest.Answer{Status: 207, Body: `{"results":[],"errors":[{"category":"RATE_LIMITS","message":"$PHONE $KEY","policyName":"DAILY"}]}`},
		httpcalltest.Answer{Status: 400, Body: `{"category":"VALIDATION_ERROR","message":"PROPERTY_DOESNT_EXIST","errors":[{"code":"PROPERTY_DOESNT_EXIST"}]}`},
		httpcalltest.Answer{Status: 403, Body: `{"category":"MISSING_SCOPES","message":"$PHONE"}`},
		httpcalltest.Answer{Status: 409, Body: `{"category":"CONFLICT","message":"$KEY exists"}`},
		httpcalltest.Answer{Status: 423}, httpcalltest.Answer{Status: 477, Header: "Retry-After: 3600"},
		httpcalltest.Answer{Status: 429, Body: `{"policyName":"TEN_SECONDLY_ROLLING"}`},
	)
}
