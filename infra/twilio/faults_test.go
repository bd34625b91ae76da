package twilio_test

import (
	"context"
	"encoding/json"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"callagent/core/fault"
	"callagent/infra/httpcall/httpcalltest"
	"callagent/infra/twilio"
)

// vector is one row of testdata/answers.json: an answer and what it means. A
// body that is a JSON string is sent as that text.
type vector struct {
	Name    string
	Request string
	Status  int
	Header  map[string]string
	Body    json.RawMessage
	Want    struct {
		Class      fault.Class
		Kind       fault.Kind
		Scope      fault.Scope
		Code       string
		Message    string
		Suspect    bool
		RetryAfter string `json:"retry_after"`
	}
}

func vectors(t *testing.T) []vector {
	t.Helper()
	data, err := os.ReadFile("testdata/answers.json")
	if err != nil {
		t.Fatal(err)
	}
	var all []vector
	if err := json.Unmarshal(data, &all); err != nil {
		t.Fatal(err)
	}
	return all
}

func (v vector) fault(t *testing.T) *fault.Fault {
	t.Helper()
	f := &fault.Fault{Class: v.Want.Class, Kind: v.Want.Kind, Scope: v.Want.Scope, Service: "twilio", Status: v.Status,
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

func (v vector) answer(w http.ResponseWriter, _ *http.Request) {
	for name, value := range v.Header {
		w.Header().Set(name, value)
	}
	body := []byte(v.Body)
	var text string
	if json.Unmarshal(body, &text) == nil {
		body = []byte(text)
	}
	w.WriteHeader(v.Status)
	_, _ = w.Write(body)
}

func TestAnswers(t *testing.T) {
	for _, v := range vectors(t) {
		t.Run(v.Request+" "+v.Name, func(t *testing.T) {
			s := serve(t, v.answer)
			err := methods[v.Request](t.Context(), s.client(t))
			if diff := cmp.Diff(v.fault(t), fault.From("", err)); diff != "" {
				t.Errorf("fault (-want +got):\n%s", diff)
			}
			s.onlyRequest(t)
		})
	}
}

// A refused dial is withdrawn and may be repeated, so no answer that leaves the
// phone ringing may look like a refusal.
func TestOnlyTheDialIsAmbiguous(t *testing.T) {
	for _, v := range vectors(t) {
		if v.Want.Class == fault.Ambiguous && v.Request != "dial" {
			t.Errorf("%s %s: ambiguous", v.Request, v.Name)
		}
	}
	unclear := []int{200, 201, 202, 204, 408, 500, 501, 502, 503, 504, 520, 524, 599}
	for _, status := range unclear {
		for name, call := range methods {
			s := serve(t, says(status, `{"message":"nothing of use"}`))
			f := fault.From("", call(t.Context(), s.client(t)))
			if name == "cancel" && status < 300 {
				if f != nil {
					t.Errorf("%s %d: %v", name, status, f)
				}
				continue
			}
			want := fault.Transient
			if name == "dial" {
				want = fault.Ambiguous
			}
			if f == nil || f.Class != want || f.Scope != fault.Service {
				t.Errorf("%s %d: %+v, want class %v", name, status, f, want)
			}
		}
	}
}

func TestNetworks(t *testing.T) {
	for name, call := range methods {
		config := httpcalltest.Config{
			Secrets: []string{token, account},
			Once:    name == "dial",
			Want:    map[httpcalltest.Condition]httpcalltest.Want{},
			Call: func(ctx context.Context, baseURL string) error {
				c := twilio.New(twilio.Config{AccountSID: account, AuthToken: token, BaseURL: baseURL})
				defer c.Close()
				return call(ctx, c)
			},
		}
		switch name {
		case "dial":
			config.Want[httpcalltest.Status(408)] = httpcalltest.Want{Class: fault.Ambiguous, Kind: fault.Timeout}
		case "cancel": // what a 2xx says is not read
			config.Want[httpcalltest.Garbage] = httpcalltest.Want{OK: true}
		}
		t.Run(name, func(t *testing.T) { httpcalltest.Suite(t, config) })
	}
}

func TestFaultsHideTheNumber(t *testing.T) {
	s := serve(t, says(400, `{"code":21211,"message":"Invalid 'To' Phone Number: `+to+`","status":400}`))
	_, err := s.client(t).Dial(t.Context(), request())
	if err == nil || strings.Contains(err.Error(), to[3:]) {
		t.Errorf("error %v", err)
	}
	if want := "twilio: invalid_request (400) 21211: Invalid 'To' Phone Number: ***09"; err.Error() != want {
		t.Errorf("error %q, want %q", err, want)
	}
}

// Retry-After may be a date; the client reads it by its own clock.
func TestRetryAfterDate(t *testing.T) {
	now := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	s := serve(t, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Retry-After", now.Add(42*time.Second).Format(http.TimeFormat))
		w.WriteHeader(http.StatusTooManyRequests)
	})
	c := twilio.New(twilio.Config{AccountSID: account, AuthToken: token, BaseURL: s.URL, Now: func() time.Time { return now }})
	defer c.Close()
	_, err := c.Dial(t.Context(), request())
	if f := fault.From("", err); f == nil || f.RetryAfter != 42*time.Second {
		t.Errorf("fault %+v, want a wait of 42s", f)
	}
}
