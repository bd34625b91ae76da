package twilio_test

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"callagent/core/call"
	"callagent/core/fault"
)

const created = "Tue, 31 Aug 2010 20:36:28 +0000"

var createdAt = time.Date(2010, 8, 31, 20, 36, 28, 0, time.UTC)

// body writes a call as Twilio does; the fields replace those of a queued one.
func body(fields string) string {
	return `{"sid":"` + sid + `","to":"` + to + `","from":"` + from + `","date_created":"` + created +
		`","status":"queued","duration":null,"answered_by":null,"price":null,"queue_time":"1000",` +
		`"direction":"outbound-api","start_time":null,"subresource_uris":{}` + fields + `}`
}

func TestLook(t *testing.T) {
	base := call.Look{SID: sid, To: to, From: from, Created: createdAt}
	with := func(change func(*call.Look)) call.Look { l := base; change(&l); return l }
	ended := func(status string, r call.Result, d time.Duration) call.Look {
		return with(func(l *call.Look) { l.Status, l.Result, l.Duration = status, r, d })
	}
	for fields, want := range map[string]call.Look{
		``:                                      with(func(l *call.Look) { l.Status, l.Queued = "queued", true }),
		`,"status":"ringing"`:                   with(func(l *call.Look) { l.Status = "ringing" }),
		`,"status":"in-progress"`:               with(func(l *call.Look) { l.Status = "in-progress" }),
		`,"status":"busy"`:                      ended("busy", call.Busy, 0),
		`,"status":"no-answer"`:                 ended("no-answer", call.NoAnswer, 0),
		`,"status":"failed"`:                    ended("failed", call.NotConnected, 0),
		`,"status":"canceled"`:                  ended("canceled", call.Canceled, 0),
		`,"status":"completed"`:                 ended("completed", call.Answered, 0),
		answeredBy("human"):                     ended("completed", call.Answered, 42*time.Second),
		answeredBy("unknown"):                   ended("completed", call.Answered, 42*time.Second),
		answeredBy("machine"):                   ended("completed", call.Voicemail, 42*time.Second),
		answeredBy("fax"):                       ended("completed", call.Fax, 42*time.Second),
		answeredBy("something"):                 ended("completed", call.Answered, 42*time.Second),
		`,"status":"completed","duration":"-1"`: ended("completed", call.Answered, 0),
		`,"status":"busy","answered_by":"machine_start"`:   ended("busy", call.Busy, 0),
		answeredBy("machine_start"):                        ended("completed", call.Voicemail, 42*time.Second),
		answeredBy("machine_end_beep"):                     ended("completed", call.Voicemail, 42*time.Second),
		answeredBy("machine_end_silence"):                  ended("completed", call.Voicemail, 42*time.Second),
		answeredBy("machine_end_other"):                    ended("completed", call.Voicemail, 42*time.Second),
		`,"date_created":"Wed, 1 Sep 2010 00:36:28 +0400"`: with(func(l *call.Look) { l.Status, l.Queued = "queued", true }),
	} {
		t.Run(fields, func(t *testing.T) {
			s := serve(t, says(200, body(fields)))
			got, err := s.client(t).Look(t.Context(), sid)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("look (-want +got):\n%s", diff)
			}
			if got.Final() != (want.Result != "") {
				t.Errorf("final %v", got.Final())
			}
			if one := s.onlyRequest(t); one.Method != http.MethodGet || one.Target != prefix+"/Calls/"+sid+".json" {
				t.Errorf("%s %s", one.Method, one.Target)
			}
		})
	}
}

func answeredBy(who string) string {
	return `,"status":"completed","duration":"42","answered_by":"` + who + `"`
}

func TestUnreadableCalls(t *testing.T) {
	want := &fault.Fault{Kind: fault.BadResponse, Service: "twilio", Status: 200,
		Message: "its answer lacks what its API promises"}
	for _, fields := range []string{`,"sid":null,"sid":""`, `,"status":""`, `,"status":"dreaming"`,
		`,"date_created":""`, `,"date_created":"yesterday"`, `,"to":7`} {
		t.Run(fields, func(t *testing.T) {
			s := serve(t, says(200, body(fields)), says(200, `{"calls":[`+body(fields)+`]}`))
			c := s.client(t)
			_, err := c.Look(t.Context(), sid)
			if diff := cmp.Diff(want, fault.From("", err)); diff != "" {
				t.Errorf("look (-want +got):\n%s", diff)
			}
			_, err = c.List(t.Context(), to, from, time.Time{})
			if diff := cmp.Diff(want, fault.From("", err)); diff != "" {
				t.Errorf("list (-want +got):\n%s", diff)
			}
		})
	}
}

// at writes a call that was created some seconds after createdAt.
func at(id string, seconds int) string {
	when := createdAt.Add(time.Duration(seconds) * time.Second).Format(time.RFC1123Z)
	return body(`,"sid":"` + id + `","date_created":"` + when + `"`)
}

func page(next string, calls ...string) http.HandlerFunc {
	return says(200, fmt.Sprintf(`{"calls":[%s],"next_page_uri":%s}`, strings.Join(calls, ","), next))
}

func TestListReadsAllPages(t *testing.T) {
	second := prefix + "/Calls.json?To=%2B15005550009&From=%2B15005550006&PageSize=100&Page=1&PageToken=PA" + sid
	s := serve(t, page(`"`+second+`"`, at(other, 30), at(sid, 20), at("CA9", 0)), page("null", at("CA8", 19), at("CA7", 18)))
	since := createdAt.Add(18*time.Second + 900*time.Millisecond)
	got, err := s.client(t).List(t.Context(), to, from, since)
	if err != nil {
		t.Fatal(err)
	}
	var ids []string
	for _, l := range got {
		ids = append(ids, l.SID)
	}
	if diff := cmp.Diff([]string{"CA7", "CA8", sid, other}, ids); diff != "" {
		t.Errorf("calls (-want +got):\n%s", diff)
	}
	requests := s.got()
	if len(requests) != 2 || requests[1].Target != second {
		t.Fatalf("requests %+v", requests)
	}
	path, query, _ := strings.Cut(requests[0].Target, "?")
	if requests[0].Method != http.MethodGet || path != prefix+"/Calls.json" {
		t.Errorf("%s %s", requests[0].Method, path)
	}
	sent, err := url.ParseQuery(query)
	if err != nil {
		t.Fatal(err)
	}
	// No StartTime: a call that waits has none and would be left out.
	if diff := cmp.Diff(url.Values{"To": {to}, "From": {from}, "PageSize": {"100"}}, sent); diff != "" {
		t.Errorf("query (-want +got):\n%s", diff)
	}
}

func TestListOfNothing(t *testing.T) {
	s := serve(t, page("null"))
	got, err := s.client(t).List(t.Context(), to, from, createdAt)
	if err != nil || len(got) != 0 {
		t.Errorf("List = %v, %v", got, err)
	}
}

func TestListThatDoesNotEnd(t *testing.T) {
	again := page(`"`+prefix+`/Calls.json?Page=1"`, at(sid, 0))
	answers := make([]http.HandlerFunc, 20)
	for i := range answers {
		answers[i] = again
	}
	s := serve(t, answers...)
	_, err := s.client(t).List(t.Context(), to, from, time.Time{})
	f := fault.From("", err)
	if f == nil || f.Class != fault.Transient || f.Kind != fault.BadResponse {
		t.Errorf("fault %+v", f)
	}
	if n := len(s.got()); n != 20 {
		t.Errorf("%d requests, want 20", n)
	}
}

func TestListStopsAtAFailedPage(t *testing.T) {
	s := serve(t, page(`"`+prefix+`/Calls.json?Page=1"`, at(sid, 0)), says(500, ""))
	got, err := s.client(t).List(t.Context(), to, from, time.Time{})
	if f := fault.From("", err); got != nil || f == nil || f.Status != 500 || f.Class != fault.Transient {
		t.Errorf("List = %v, %v", got, err)
	}
}

// The next page is asked for with the key of the account, so it has to be a
// page of this account's calls.
func TestListGoesNowhereElse(t *testing.T) {
	for _, next := range []string{"https://example.com/", "@example.com/", "//example.com/",
		"/2010-04-01/Accounts/AC00000000000000000000000000000002/Calls.json?Page=1", prefix + "/Messages.json?Page=1"} {
		t.Run(next, func(t *testing.T) {
			s := serve(t, page(`"`+next+`"`, at(sid, 0)))
			_, err := s.client(t).List(t.Context(), to, from, time.Time{})
			if f := fault.From("", err); f == nil || f.Kind != fault.BadResponse {
				t.Errorf("fault %+v", f)
			}
			s.onlyRequest(t)
		})
	}
}

func TestSIDsAreEscaped(t *testing.T) {
	s := serve(t, says(404, ""))
	if _, err := s.client(t).Look(t.Context(), "../Messages?x"); err == nil {
		t.Error("no error")
	}
	if one := s.onlyRequest(t); one.Target != prefix+"/Calls/..%2FMessages%3Fx.json" {
		t.Errorf("target %s", one.Target)
	}
}
