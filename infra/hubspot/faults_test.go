package hubspot_test

import (
	"context"
	"encoding/json"
	"os"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"callagent/core/fault"
	"callagent/infra/httpcall/httpcalltest"
	"callagent/infra/hubspot"
)

// vector is one row of testdata/answers.json: an answer and what it means. A
// body that is a JSON string is sent as that text.
type vector struct {
	Name   string
	Status int
	Header map[string]string
	Body   json.RawMessage
	Want   struct {
		Class      fault.Class
		Kind       fault.Kind
		Scope      fault.Scope
		Code       string
		Message    string
		Suspect    bool
		RetryAfter string `json:"retry_after"`
	}
}

func (v vector) fault(t *testing.T) *fault.Fault {
	t.Helper()
	f := &fault.Fault{Class: v.Want.Class, Kind: v.Want.Kind, Scope: v.Want.Scope, Service: "crm", Status: v.Status,
		Code: v.Want.Code, Message: v.Want.Message, Suspect: v.Want.Suspect}
	if v.Want.RetryAfter != "" {
		wait, err := time.ParseDuration(v.Want.RetryAfter)
		if err != nil {
			t.Fatal(err)
		}
		f.RetryAfter = wait
	}
	return f
}

func (v vector) answer() answer {
	body := string(v.Body)
	var text string
	if json.Unmarshal(v.Body, &text) == nil {
		body = text
	}
	return answer{v.Status, v.Header, body}
}

func TestAnswers(t *testing.T) {
	data, err := os.ReadFile("testdata/answers.json")
	if err != nil {
		t.Fatal(err)
	}
	var vectors []vector
	if err := json.Unmarshal(data, &vectors); err != nil {
		t.Fatal(err)
	}
	for _, v := range vectors {
		t.Run(v.Name, func(t *testing.T) {
			s := serve(t, v.answer())
			if diff := cmp.Diff(v.fault(t), fault.From("", record(t.Context(), s.client(t)))); diff != "" {
				t.Errorf("fault (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff([]string{contactsUpsert}, s.lines()); diff != "" {
				t.Errorf("requests (-want +got):\n%s", diff)
			}
		})
	}
}

func TestNetworks(t *testing.T) {
	for name, send := range map[string]func(context.Context, *hubspot.Client) error{
		"record": record,
		"probe":  func(ctx context.Context, c *hubspot.Client) error { return c.Probe(ctx, nil) },
	} {
		t.Run(name, func(t *testing.T) {
			httpcalltest.Suite(t, httpcalltest.Config{
				Secrets: []string{token},
				Call: func(ctx context.Context, baseURL string) error {
					c := hubspot.New(hubspot.Config{Token: token, BaseURL: baseURL})
					defer c.Close()
					return send(ctx, c)
				},
			})
		})
	}
}
