package simulator_test

import (
	"context"
	"encoding/json"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"callagent/localstack/simulator"
)

// good are the requests that each HTTP service answers with success.
var good = map[string]func(*world, context.Context) result{
	"llm": (*world).script, "elevenlabs": (*world).speech, "twilio": (*world).dial, "crm": (*world).record,
	"telegram": (*world).chat, "webhook": (*world).hook,
}

// effects counts what the good request leaves behind; those of llm and
// elevenlabs have no effect but their answer.
func effects(r simulator.Report) map[string]int {
	return map[string]int{"twilio": len(r.Calls), "crm": len(r.CRM), "telegram": len(r.Telegram), "webhook": len(r.Webhooks)}
}

func TestFaultsOfEveryService(t *testing.T) {
	for service, request := range good {
		for _, tc := range []struct {
			answer   string
			status   int // that the client sees; 0 for a broken connection
			executed bool
		}{
			{answer: "503", status: 503},
			{answer: "reset"},
			{answer: "reset_after"},
			{answer: "lost_answer", executed: true},
			{answer: "slow", status: 200, executed: true},
			{answer: "malformed", status: 200},
			{answer: "empty", status: 200},
		} {
			t.Run(service+"/"+tc.answer, func(t *testing.T) {
				w := start(t, simulator.Config{Faults: []simulator.Fault{{Service: service, Answer: tc.answer, Delay: time.Second}}})
				r := request(w, t.Context())
				want := tc.status
				if service == "twilio" && tc.answer == "slow" {
					want = 201
				}
				if r.status != want || (r.err != nil) != (want == 0) {
					t.Errorf("status %d, error %v; want status %d", r.status, r.err, want)
				}
				if readable := json.Valid([]byte(r.body)); tc.answer == "malformed" && (readable || r.body == "") || tc.answer == "empty" && r.body != "" {
					t.Errorf("body %q", r.body)
				}
				eventually(t, "log entry", func() bool {
					got := w.Requests()
					return len(got) == 1 && got[0].Service == service && got[0].Fault == tc.answer &&
						got[0].Executed == tc.executed && got[0].Status == want
				})
				if n, counted := effects(w.Report())[service]; counted && (n == 1) != tc.executed {
					t.Errorf("%d effects, executed should be %v", n, tc.executed)
				}
			})
		}
	}
}

func TestTimeoutLastsUntilTheClientLeaves(t *testing.T) {
	for service, request := range good {
		t.Run(service, func(t *testing.T) {
			w := start(t, simulator.Config{Faults: []simulator.Fault{{Service: service, Answer: "timeout"}}})
			ctx, cancel := context.WithCancel(t.Context())
			done := make(chan result)
			go func() { done <- request(w, ctx) }()
			eventually(t, "arrival", func() bool { return len(w.Requests()) == 1 })
			cancel()
			if r := <-done; r.err == nil {
				t.Errorf("status %d, want no answer", r.status)
			}
			if got := w.Requests()[0]; got.Executed || got.Status != 0 {
				t.Errorf("logged %+v, want neither status nor effect", got)
			}
		})
	}
}

func TestCloseEndsRequestsThatWait(t *testing.T) {
	w := start(t, simulator.Config{Faults: []simulator.Fault{{Service: "llm", Answer: "timeout"}}})
	done := make(chan result)
	go func() { done <- w.script(context.Background()) }()
	eventually(t, "arrival", func() bool { return len(w.Requests()) == 1 })
	w.Close()
	if r := <-done; r.err == nil {
		t.Errorf("status %d, want a broken connection", r.status)
	}
}

func TestVendorErrors(t *testing.T) {
	for _, tc := range []struct {
		service, answer, code, retry string
		path                         []any
		want                         any
	}{
		{"llm", "401", "", "", []any{"error", "code"}, "invalid_api_key"},
		{"llm", "429", "", "7", []any{"error", "code"}, "rate_limit_exceeded"},
		{"llm", "429", "insufficient_quota", "", []any{"error", "type"}, "insufficient_quota"},
		{"llm", "429", "project_spend_limit_exceeded", "", []any{"error", "type"}, "insufficient_quota"},
		{"llm", "503", "", "", []any{"error", "code"}, "server_is_overloaded"},
		{"llm", "500", "", "", []any{"error", "code"}, nil},
		{"elevenlabs", "401", "quota_exceeded", "", []any{"detail", "status"}, "quota_exceeded"},
		{"elevenlabs", "402", "", "", []any{"detail", "code"}, "insufficient_credits"},
		{"elevenlabs", "422", "", "", []any{"detail", 0, "type"}, "missing"},
		{"elevenlabs", "429", "concurrent_limit_exceeded", "", []any{"detail", "status"}, "too_many_concurrent_requests"},
		{"elevenlabs", "429", "system_busy", "3", []any{"detail", "code"}, "system_busy"},
		{"elevenlabs", "503", "", "", []any{"detail", "type"}, "service_unavailable"},
		{"elevenlabs", "418", "", "", []any{"detail"}, "I'm a teapot"},
		{"twilio", "429", "", "", []any{"code"}, 20429.0},
		{"twilio", "500", "", "", []any{"code"}, 20500.0},
		{"twilio", "503", "", "", []any{"code"}, 20503.0},
		{"twilio", "403", "10001", "", []any{"message"}, "Account is not active"},
		{"crm", "401", "", "", []any{"category"}, "INVALID_AUTHENTICATION"},
		{"crm", "429", "", "", []any{"policyName"}, "TEN_SECONDLY_ROLLING"},
		{"crm", "429", "DAILY", "", []any{"message"}, "You have reached your daily limit."},
		{"crm", "477", "", "60", []any{"status"}, "error"},
		{"telegram", "429", "", "34", []any{"parameters", "retry_after"}, 34.0},
		{"telegram", "403", "", "", []any{"description"}, "Forbidden: bot was blocked by the user"},
		{"telegram", "400", "Bad Request: TOPIC_CLOSED", "", []any{"description"}, "Bad Request: TOPIC_CLOSED"},
		{"webhook", "410", "", "", []any{"error"}, "Gone"},
	} {
		t.Run(tc.service+tc.answer+tc.code, func(t *testing.T) {
			w := start(t, simulator.Config{Faults: []simulator.Fault{
				{Service: tc.service, Answer: tc.answer, Code: tc.code, RetryAfter: tc.retry}}})
			r := good[tc.service](w, t.Context())
			if got := strconv.Itoa(r.status); got != tc.answer {
				t.Fatalf("status %s, error %v; want %s", got, r.err, tc.answer)
			}
			if got := r.at(tc.path...); got != tc.want {
				t.Errorf("%v is %v, want %v in %s", tc.path, got, tc.want, r.body)
			}
			if got := r.header.Get("Retry-After"); got != tc.retry {
				t.Errorf("Retry-After %q, want %q", got, tc.retry)
			}
		})
	}
}

func TestGatewayPages(t *testing.T) {
	for _, f := range []simulator.Fault{
		{Service: "twilio", Answer: "502"}, {Service: "llm", Answer: "520"}, {Service: "twilio", Answer: "503", Code: "html"},
	} {
		w := start(t, simulator.Config{Faults: []simulator.Fault{f}})
		r := good[f.Service](w, t.Context())
		if got := r.header.Get("Content-Type"); got != "text/html" || !strings.HasPrefix(r.body, "<html>") {
			t.Errorf("%s: content type %q, body %q; want a page", f.Answer, got, r.body)
		}
	}
}

func TestTimeLine(t *testing.T) {
	clock := &manual{now: noon}
	w := start(t, simulator.Config{Clock: clock, Faults: []simulator.Fault{
		{Service: "llm", From: 10 * time.Second, For: 5 * time.Second, Answer: "503"},
		{Service: "llm", From: 12 * time.Second, Answer: "429"},
	}})
	status := func(after time.Duration) int {
		clock.set(after)
		return w.script(t.Context()).status
	}
	var got []int
	for _, after := range []int{0, 9, 10, 14, 15, 3600} {
		got = append(got, status(time.Duration(after)*time.Second))
	}
	if want := []int{200, 200, 503, 503, 429, 429}; !slices.Equal(got, want) {
		t.Errorf("statuses %v, want %v", got, want)
	}
	w.ClearFaults()
	if got := status(2 * time.Hour); got != 200 {
		t.Errorf("status %d without faults, want 200", got)
	}
	if err := w.AddFaults(simulator.Fault{Service: "llm", From: time.Second, Answer: "500"}); err != nil {
		t.Fatal(err)
	}
	if before, after := status(2*time.Hour), status(2*time.Hour+time.Second); before != 200 || after != 500 {
		t.Errorf("statuses %d and %d around a fault that was added, want 200 and 500", before, after)
	}
}

func TestRateRepeatsWithItsSeed(t *testing.T) {
	play := func(seed int64) (hit []bool) {
		w := start(t, simulator.Config{Seed: seed, Faults: []simulator.Fault{{Service: "llm", Answer: "503", Rate: 0.5}}})
		for range 40 {
			hit = append(hit, w.script(t.Context()).status == 503)
		}
		return hit
	}
	one, again, other := play(7), play(7), play(8)
	if !slices.Equal(one, again) {
		t.Error("the same seed gave another sequence")
	}
	if slices.Equal(one, other) {
		t.Error("another seed gave the same sequence")
	}
	if !slices.Contains(one, true) || !slices.Contains(one, false) {
		t.Errorf("hits %v, want some of 40", one)
	}
}

func TestRoutesNarrowAFault(t *testing.T) {
	w := start(t, simulator.Config{Faults: []simulator.Fault{{Service: "twilio", Answer: "503", Route: "create"}}})
	if got := w.dial(t.Context()).status; got != 503 {
		t.Errorf("create: status %d, want 503", got)
	}
	if got := w.twilio(t.Context(), "GET", ".json", nil).status; got != 200 {
		t.Errorf("account: status %d, want 200", got)
	}
}

func TestQuotaFaultsLeaveTheSubscriptionReadable(t *testing.T) {
	w := start(t, simulator.Config{Faults: []simulator.Fault{{Service: "elevenlabs", Answer: "401", Code: "quota_exceeded"}}})
	if got := w.speech(t.Context()).status; got != 401 {
		t.Errorf("speech: status %d, want 401", got)
	}
	left := func() float64 {
		r := w.do("GET", w.env["ELEVENLABS_BASE_URL"]+"/v1/user/subscription", map[string]string{"xi-api-key": w.env["ELEVENLABS_API_KEY"]}, "")
		limit, _ := r.at("character_limit").(float64)
		count, _ := r.at("character_count").(float64)
		return limit - count
	}
	if got := left(); got != 0 {
		t.Errorf("%v characters left, want 0", got)
	}
	w.ClearFaults()
	if got := left(); got != 1_000_000 {
		t.Errorf("%v characters left after the fault, want 1000000", got)
	}
}

func TestFaultsThatMakeNoSense(t *testing.T) {
	for _, tc := range []struct {
		fault simulator.Fault
		want  string
	}{
		{simulator.Fault{Service: "fax", Answer: "503"}, "no service"},
		{simulator.Fault{Service: "llm", Answer: "200"}, "neither a status"},
		{simulator.Fault{Service: "llm", Answer: "slow"}, "needs a delay"},
		{simulator.Fault{Service: "llm", Answer: "503", Rate: 1.5}, "not between 0 and 1"},
		{simulator.Fault{Service: "llm", Answer: "503", From: -1}, "negative"},
		{simulator.Fault{Service: "twilio", Answer: "503", Route: "creates"}, "only create, list, fetch, update, account"},
		{simulator.Fault{Service: "email", Answer: "421", Route: "create"}, "only connect, auth, mail, rcpt, data"},
	} {
		_, err := simulator.Start(simulator.Config{Faults: []simulator.Fault{tc.fault}})
		if err == nil || !strings.Contains(err.Error(), tc.want) {
			t.Errorf("%+v: error %v, want one with %q", tc.fault, err, tc.want)
		}
	}
	if _, err := simulator.Start(simulator.Config{Numbers: map[string]string{callee: "asleep"}}); err == nil {
		t.Error("an unknown behaviour was accepted")
	}
}
