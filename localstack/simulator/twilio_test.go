package simulator_test

import (
	"encoding/json"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"callagent/localstack/simulator"
)

func TestCallResource(t *testing.T) {
	w := start(t, simulator.Config{})
	r := w.dial(t.Context())
	for key, want := range map[string]any{"status": "queued", "to": callee, "from": "+15005550006", "to_formatted": "(202) 555-0123",
		"direction": "outbound-api", "queue_time": "0", "price": nil, "price_unit": "USD", "duration": nil, "start_time": nil, "end_time": nil,
		"answered_by": nil, "api_version": "2010-04-01", "account_sid": w.env["TWILIO_ACCOUNT_SID"]} {
		if got := r.at(key); got != want {
			t.Errorf("%s is %v, want %v", key, got, want)
		}
	}
	sid, _ := r.at("sid").(string)
	if r.status != 201 || len(sid) != 34 || !strings.HasPrefix(sid, "CA") {
		t.Fatalf("status %d, sid %q; want 201 and CA with 32 digits", r.status, sid)
	}
	created, _ := r.at("date_created").(string)
	if at, err := time.Parse(time.RFC1123Z, created); err != nil || at.Before(noon) {
		t.Errorf("date_created %q", created)
	}
	eventually(t, "end of the call", func() bool {
		return w.twilio(t.Context(), "GET", "/Calls/"+sid+".json", nil).at("status") == "completed"
	})
	last := w.twilio(t.Context(), "GET", "/Calls/"+sid+".json", nil)
	if got := last.at("duration"); got == nil || got == "0" {
		t.Errorf("duration %v, want the talk", got)
	}
	if last.at("start_time") == nil || last.at("end_time") == nil {
		t.Errorf("times missing in %s", last.body)
	}
	if got := w.Rings(); !maps.Equal(got, map[string]int{callee: 1}) {
		t.Errorf("rings %v, want one", got)
	}
}

func TestOutcomes(t *testing.T) {
	for _, tc := range []struct {
		behaviour, detect, timeout string
		status, by                 string
		rings                      int
	}{
		{"answered", "Enable", "60", "completed", "human", 1},
		{"answered", "", "60", "completed", "", 1},
		{"busy", "", "60", "busy", "", 1},
		{"no-answer", "", "5", "no-answer", "", 1},
		{"voicemail", "Enable", "60", "completed", "machine_start", 1},
		{"voicemail", "DetectMessageEnd", "60", "completed", "machine_end_beep", 1},
		{"fax", "Enable", "60", "completed", "fax", 1},
		{"failed", "", "60", "failed", "", 0},
	} {
		t.Run(tc.behaviour+tc.detect, func(t *testing.T) {
			w := start(t, simulator.Config{Numbers: map[string]string{callee: tc.behaviour}})
			form := w.callForm("Timeout", tc.timeout)
			if tc.detect != "" {
				form.Set("MachineDetection", tc.detect)
			}
			w.twilio(t.Context(), "POST", "/Calls.json", form)
			eventually(t, "end of the call", func() bool { return !w.Calls()[0].Ended.IsZero() })
			if got := w.Calls()[0]; got.Status != tc.status || got.AnsweredBy != tc.by || w.Rings()[callee] != tc.rings || got.Rang != (tc.rings == 1) {
				t.Errorf("%+v with %d rings; want %s by %q with %d", got, w.Rings()[callee], tc.status, tc.by, tc.rings)
			}
		})
	}
}

func TestRingingEndsWithTheTimeout(t *testing.T) {
	w := start(t, simulator.Config{Ring: time.Hour})
	w.twilio(t.Context(), "POST", "/Calls.json", w.callForm("Timeout", "1"))
	eventually(t, "end of the call", func() bool { return w.Calls()[0].Status == "no-answer" })
}

func TestCreateRefusals(t *testing.T) {
	w := start(t, simulator.Config{Numbers: map[string]string{"+12025550100": "geo", "+12025550101": "unverified"}})
	for _, tc := range []struct {
		name string
		set  []string
		code float64
	}{
		{"no To", []string{"To", ""}, 21201},
		{"no From", []string{"From", ""}, 21213},
		{"To", []string{"To", "12025550123"}, 21211},
		{"magic To", []string{"To", "+15005550003"}, 21215},
		{"magic From", []string{"From", "+15005550001"}, 21212},
		{"other From", []string{"From", "+12025550199"}, 21210},
		{"geo", []string{"To", "+12025550100"}, 21215},
		{"unverified", []string{"To", "+12025550101"}, 21219},
		{"nothing to say", []string{"Twiml", ""}, 21205},
		{"Url", []string{"Twiml", "", "Url", "twiml.xml"}, 21205},
		{"long Twiml", []string{"Twiml", strings.Repeat("x", 4001)}, 20001},
		{"callback", []string{"StatusCallback", "not a url"}, 21609},
		{"event", []string{"StatusCallback", "http://localhost/", "StatusCallbackEvent", "ringing|ended"}, 21626},
		{"timeout", []string{"Timeout", "soon"}, 20001},
	} {
		r := w.twilio(t.Context(), "POST", "/Calls.json", w.callForm(tc.set...))
		if got := r.at("code"); r.status != 400 || got != tc.code || r.at("status") != 400.0 {
			t.Errorf("%s: status %d, %s; want 400 with code %v", tc.name, r.status, r.body, tc.code)
		}
	}
	if got := len(w.Calls()); got != 0 {
		t.Errorf("%d calls, want none", got)
	}
}

func TestTwilioCredentials(t *testing.T) {
	w := start(t, simulator.Config{})
	sid := w.env["TWILIO_ACCOUNT_SID"]
	if r := w.twilio(t.Context(), "GET", ".json", nil); r.at("status") != "active" || r.at("sid") != sid {
		t.Errorf("account: %s", r.body)
	}
	if r := w.twilio(t.Context(), "GET", "/Calls/CA0.json", nil); r.status != 404 || r.at("code") != 20404.0 {
		t.Errorf("unknown call: status %d, %s", r.status, r.body)
	}
	w.env["TWILIO_ACCOUNT_SID"] = "AC" + strings.Repeat("9", 32)
	if r := w.dial(t.Context()); r.status != 401 || r.at("code") != 20003.0 {
		t.Errorf("wrong account: status %d, %s", r.status, r.body)
	}
	w.env["TWILIO_ACCOUNT_SID"], w.env["TWILIO_AUTH_TOKEN"] = sid, "wrong"
	if r := w.dial(t.Context()); r.status != 401 || r.at("message") != "Authenticate" {
		t.Errorf("wrong token: status %d, %s", r.status, r.body)
	}
}

func TestLostAnswersRingOncePerCreate(t *testing.T) {
	w := start(t, simulator.Config{Faults: []simulator.Fault{{Service: "twilio", Answer: "lost_answer", Route: "create"}}})
	for range 3 {
		if r := w.dial(t.Context()); r.err == nil {
			t.Fatalf("status %d, want a lost answer", r.status)
		}
	}
	eventually(t, "calls to end", func() bool {
		calls := w.Calls()
		return len(calls) == 3 && !slices.ContainsFunc(calls, func(c simulator.Call) bool { return c.Status != "completed" })
	})
	if got := w.Rings()[callee]; got != 3 {
		t.Errorf("%d rings, want 3", got)
	}
	found := w.twilio(t.Context(), "GET", "/Calls.json?To="+url.QueryEscape(callee), nil)
	if list, _ := found.at("calls").([]any); len(list) != 3 {
		t.Errorf("%d calls listed, want 3", len(list))
	}
}

func TestACanceledCallNeverRings(t *testing.T) {
	w := start(t, simulator.Config{CallsPerSecond: 0.001})
	w.dial(t.Context())
	second := w.dial(t.Context())
	sid, _ := second.at("sid").(string)
	if got := second.at("queue_time"); got == "0" {
		t.Errorf("queue_time %v, want a wait", got)
	}
	eventually(t, "end of the first call", func() bool { return w.Calls()[0].Status == "completed" })
	r := w.twilio(t.Context(), "POST", "/Calls/"+sid+".json", url.Values{"Status": {"canceled"}})
	if r.status != 200 || r.at("status") != "canceled" {
		t.Errorf("status %d, %s", r.status, r.body)
	}
	if r := w.twilio(t.Context(), "POST", "/Calls/"+sid+".json", url.Values{"Status": {"canceled"}}); r.status != 400 || r.at("code") != 21220.0 {
		t.Errorf("again: status %d, %s; want 21220", r.status, r.body)
	}
	w.Close() // nothing runs any more, so nothing can ring later
	if got := w.Calls()[1]; got.Rang || got.Status != "canceled" || w.Rings()[callee] != 1 {
		t.Errorf("%+v and %d rings, want only the first call to ring", got, w.Rings()[callee])
	}
}

func TestStuckCallsStayQueued(t *testing.T) {
	w := start(t, simulator.Config{Numbers: map[string]string{callee: "stuck"}})
	sid, _ := w.dial(t.Context()).at("sid").(string)
	r := w.twilio(t.Context(), "POST", "/Calls/"+sid+".json", url.Values{"Status": {"completed"}})
	if r.at("status") != "canceled" || len(w.Rings()) != 0 {
		t.Errorf("%s with rings %v, want canceled without any", r.body, w.Rings())
	}
}

func TestHangUp(t *testing.T) {
	w := start(t, simulator.Config{Talk: 1000 * time.Hour})
	sid, _ := w.dial(t.Context()).at("sid").(string)
	eventually(t, "answer", func() bool { return w.Calls()[0].Status == "in-progress" })
	if r := w.twilio(t.Context(), "POST", "/Calls/"+sid+".json", url.Values{"Status": {"canceled"}}); r.status != 400 {
		t.Errorf("cancel: status %d, want 400", r.status)
	}
	if r := w.twilio(t.Context(), "POST", "/Calls/"+sid+".json", url.Values{"Status": {"busy"}}); r.status != 400 {
		t.Errorf("busy: status %d, want 400", r.status)
	}
	if r := w.twilio(t.Context(), "POST", "/Calls/"+sid+".json", url.Values{"Status": {"completed"}}); r.at("status") != "completed" {
		t.Errorf("hang up: %s", r.body)
	}
}

func TestListPages(t *testing.T) {
	w := start(t, simulator.Config{Numbers: map[string]string{"+12025550111": "stuck"}})
	var want []string
	for range 5 {
		sid, _ := w.dial(t.Context()).at("sid").(string)
		want = append([]string{sid}, want...)
		w.twilio(t.Context(), "POST", "/Calls.json", w.callForm("To", "+12025550111"))
	}
	var got []string
	query := url.Values{"To": {callee}, "From": {w.env["TWILIO_FROM"]}, "PageSize": {"2"}}
	next := "/Calls.json?" + query.Encode()
	for pages := 0; next != ""; pages++ {
		if pages == 1 {
			w.dial(t.Context()) // must not shift the pages
		}
		r := w.twilio(t.Context(), "GET", next, nil)
		var page struct {
			Calls []struct{ SID string }
			Next  string `json:"next_page_uri"`
		}
		if err := json.Unmarshal([]byte(r.body), &page); err != nil || pages > 3 {
			t.Fatalf("page %d: %v", pages, err)
		}
		for _, c := range page.Calls {
			got = append(got, c.SID)
		}
		next = strings.TrimPrefix(page.Next, "/2010-04-01/Accounts/"+w.env["TWILIO_ACCOUNT_SID"])
	}
	if !slices.Equal(got, want) {
		t.Errorf("listed %v, want %v", got, want)
	}
}

func TestListFilters(t *testing.T) {
	w := start(t, simulator.Config{Numbers: map[string]string{callee: "stuck"}})
	w.dial(t.Context())
	w.twilio(t.Context(), "POST", "/Calls.json", w.callForm("To", "+12025550100"))
	eventually(t, "end of the second call", func() bool { return w.Calls()[1].Status == "completed" })
	for query, want := range map[string]int{
		"": 2, "Status=queued": 1, "Status=completed": 1, "StartTime>=2026-03-01": 1, "StartTime<=2026-02-28": 0,
		"StartTime=2026-03-01": 1, "From=%2B12025550100": 0,
	} {
		r := w.twilio(t.Context(), "GET", "/Calls.json?"+query, nil)
		if list, _ := r.at("calls").([]any); r.status != 200 || len(list) != want {
			t.Errorf("%q: status %d, %d calls; want %d", query, r.status, len(list), want)
		}
	}
	if r := w.twilio(t.Context(), "GET", "/Calls.json?StartTime=today", nil); r.status != 400 {
		t.Errorf("bad date: status %d, want 400", r.status)
	}
}

func TestPlay(t *testing.T) {
	media := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/twiml":
			_, _ = rw.Write([]byte(`<Response><Play>http://` + r.Host + `/audio.mp3</Play></Response>`))
		case "/audio.mp3":
			_, _ = rw.Write([]byte("0123456789"))
		default:
			http.NotFound(rw, r)
		}
	}))
	defer media.Close()
	for _, tc := range []struct {
		name, twiml, url        string
		bytes, warning, fetched int
	}{
		{"inline", `<Response><Play>` + media.URL + `/audio.mp3</Play><Hangup/></Response>`, "", 10, 0, 1},
		{"by URL", "", media.URL + "/twiml", 10, 0, 1},
		{"gone", `<Response><Play>` + media.URL + `/gone.mp3</Play></Response>`, "", 0, 11200, 0},
		{"TwiML gone", "", media.URL + "/gone", 0, 11200, 0},
		{"no TwiML", `<Response>`, "", 0, 12100, 0},
	} {
		t.Run(tc.name, func(t *testing.T) {
			w := start(t, simulator.Config{})
			w.twilio(t.Context(), "POST", "/Calls.json", w.callForm("Twiml", tc.twiml, "Url", tc.url))
			eventually(t, "end of the call", func() bool { return w.Calls()[0].Status == "completed" })
			if got := w.Report(); got.Calls[0].AudioBytes != tc.bytes || got.Calls[0].Warning != tc.warning || got.AudioFetched != tc.fetched {
				t.Errorf("%+v with %d recordings; want %d bytes, warning %d, %d recordings", got.Calls[0], got.AudioFetched, tc.bytes, tc.warning, tc.fetched)
			}
		})
	}
}
