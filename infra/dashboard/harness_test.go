package dashboard_test

import (
	"fmt"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"golang.org/x/sync/errgroup"

	"callagent/core/breaker"
	"callagent/core/call"
	"callagent/core/fault"
	"callagent/core/journal"
	"callagent/infra/dashboard"
	"callagent/infra/sqlite"
)

// What is in the store and must be in nothing that is shown.
const (
	plantedPhone = "+14155550123"
	plantedToken = "operator-token-7f3a9c51d2e84b60"
)

// desk is a dashboard over a real store, and a browser that looks at it.
type desk struct {
	t      testing.TB
	store  *sqlite.Store
	server *httptest.Server
	client *http.Client
}

func newDesk(t testing.TB, change func(*dashboard.Options)) *desk {
	t.Helper()
	store, err := sqlite.Open(t.Context(), filepath.Join(t.TempDir(), "calls.db"), sqlite.Options{})
	must(t, err)
	t.Cleanup(func() { must(t, store.Close()) })
	o := dashboard.Options{Store: store, Source: "sqlite:calls.db", User: "tester", Zone: time.UTC, Patience: time.Minute}
	for _, name := range []string{"llm", "elevenlabs", "twilio", "crm"} {
		o.Services = append(o.Services, dashboard.Service{Name: name, Circuit: breaker.DefaultConfig()})
	}
	if change != nil {
		change(&o)
	}
	d := &desk{t: t, store: store, server: httptest.NewServer(dashboard.New(o))}
	t.Cleanup(d.server.Close)
	d.client = d.browser()
	return d
}

// browser is another one, without cookies.
func (d *desk) browser() *http.Client {
	jar, err := cookiejar.New(nil)
	must(d.t, err)
	return &http.Client{Jar: jar, Transport: d.server.Client().Transport}
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// get reads a page that must have the status.
func (d *desk) get(status int, path string) string {
	d.t.Helper()
	r, err := http.NewRequestWithContext(d.t.Context(), http.MethodGet, d.server.URL+path, nil)
	must(d.t, err)
	return d.does(status, r)
}

// post sends a form as a page of ours does, with the token of its forms.
func (d *desk) post(status int, path string, values url.Values) string {
	d.t.Helper()
	values.Set("form", d.form())
	return d.does(status, d.request(path, values))
}

// request is a form without anything else.
func (d *desk) request(path string, values url.Values) *http.Request {
	d.t.Helper()
	r, err := http.NewRequestWithContext(d.t.Context(), http.MethodPost, d.server.URL+path, strings.NewReader(values.Encode()))
	must(d.t, err)
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	return r
}

func (d *desk) does(status int, r *http.Request) string {
	d.t.Helper()
	res, err := d.client.Do(r)
	must(d.t, err)
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	must(d.t, err)
	if res.StatusCode != status {
		d.t.Fatalf("%s %s answers %d, want %d:\n%s", r.Method, r.URL.Path, res.StatusCode, status, body)
	}
	return string(body)
}

var formToken = regexp.MustCompile(`name="form" value="([^"]+)"`)

// form is the token of the forms that this browser was given.
func (d *desk) form() string {
	d.t.Helper()
	for _, path := range []string{"/", "/sign-in"} {
		if m := formToken.FindStringSubmatch(d.get(http.StatusOK, path)); m != nil {
			return m[1]
		}
	}
	d.t.Fatal("no page has a form")
	return ""
}

// signIn gives the operator token.
func (d *desk) signIn(name string) string {
	d.t.Helper()
	return d.post(http.StatusOK, "/sign-in", url.Values{"name": {name}, "token": {plantedToken}})
}

// journal reads what the store says was done.
func (d *desk) journal() string {
	d.t.Helper()
	events, err := d.store.Latest(d.t.Context(), 100)
	must(d.t, err)
	var b strings.Builder
	for _, e := range events {
		b.WriteString(e.Message + "\n")
	}
	return b.String()
}

// has fails the test unless the page has every part.
func has(t testing.TB, page string, parts ...string) {
	t.Helper()
	for _, part := range parts {
		if !strings.Contains(page, part) {
			t.Errorf("%q is not in:\n%s", part, page)
		}
	}
}

// fill puts n calls into the store that ended within the hours before now, of
// which two in a hundred wait for ElevenLabs and a few need a person.
func (d *desk) fill(n int, hours float64) {
	d.t.Helper()
	var group errgroup.Group
	group.SetLimit(64)
	now := time.Now()
	for i := range n {
		age := time.Duration(float64(i) / float64(n) * hours * float64(time.Hour))
		group.Go(func() error { return d.store.Put(d.t.Context(), call.Write{Call: specimen(i, now.Add(-age))}) })
	}
	must(d.t, group.Wait())
}

// ends are how specimens end, as often as they are listed.
var ends = []call.Result{
	call.Answered, call.Answered, call.Answered, call.NoAnswer, call.Answered, call.Voicemail, call.Answered, call.Busy,
	call.Answered, call.NoAnswer, call.Answered, call.Voicemail, call.Answered, call.Answered, call.NotConnected, call.Answered,
}

var names = []string{"Ada Okafor", "Oliver Brandt", "Mei Tanaka", "Lucía Fernández", "Noor Haddad"}

// specimen is a call that ended at a time.
func specimen(i int, ended time.Time) call.Call {
	campaign := []string{"spring", "spring", "renewals"}[i%3]
	c := call.Call{
		Key:     call.Key{Campaign: campaign, Contact: fmt.Sprintf("c-%05d", i)},
		Contact: call.Contact{Campaign: campaign, ID: fmt.Sprintf("c-%05d", i), Phone: plantedPhone, Name: names[i%len(names)], Variables: map[string]string{"mobile": plantedPhone}},
		Number:  fmt.Sprintf("hash-%d", i), CreatedAt: ended.Add(-90 * time.Second), FinishedAt: ended,
		Script: "script", Speech: "speech", SID: fmt.Sprintf("CA%032d", i), State: call.Completed,
		Result: ends[i*7%len(ends)], Recorded: call.Yes, Talk: 42 * time.Second,
		History: []call.Event{{At: ended.Add(-90 * time.Second), What: "claimed"}, {At: ended.Add(-60 * time.Second), What: "dialled"}, {At: ended, What: "ended"}},
	}
	switch {
	case i%50 == 3:
		c.State, c.Result, c.FinishedAt, c.Recorded, c.Speech, c.SID = call.Parked, "", time.Time{}, "", "", ""
		c.Talk, c.History = 0, c.History[:1]
		c.Park = call.Park{Number: 1, Service: "elevenlabs", Reason: "its circuit is open", Since: ended}
	case i%40 == 9:
		c.State, c.Result, c.SID, c.Recorded, c.Reason = call.Failed, "", "", "", "twilio: invalid_request (400) 21211"
	case i%400 == 101:
		c.State, c.Result, c.SID, c.Recorded, c.Talk = call.Unknown, "", "", "", 0
		c.History[2].What = "asked the provider three times: it lists no such call"
		c.Reason = "the dial’s answer was lost and the provider lists no call"
		c.Intent = &call.Intent{Attempt: fmt.Sprintf("attempt-%d", i), At: ended, Deadline: ended, From: "+15005550006"}
	}
	return c
}

// circuit stores a record of a service.
func (d *desk) circuit(r breaker.Record) {
	d.t.Helper()
	now, err := d.store.Load(d.t.Context(), r.Service)
	must(d.t, err)
	r.Version = now.Version
	_, err = d.store.Swap(d.t.Context(), r)
	must(d.t, err)
}

// open is ElevenLabs not working.
func open(now time.Time, next time.Duration) breaker.Record {
	return breaker.Record{
		Service: "elevenlabs", State: breaker.Open, Epoch: 1, Streak: 3, OpenedAt: now.Add(-95 * time.Second), OpenUntil: now.Add(next),
		LastFault: &fault.Fault{Kind: fault.ServiceUnavailable, Service: "elevenlabs", Status: 503, Message: "The service is temporarily unavailable."},
	}
}

// tell puts events into the journal.
func (d *desk) tell(entries ...journal.Entry) {
	d.t.Helper()
	must(d.t, d.store.Append(d.t.Context(), entries))
}

// outage is what the journal says when ElevenLabs stops working.
func outage(now time.Time) []journal.Entry {
	at := func(ago time.Duration) time.Time { return now.Add(-ago) }
	return []journal.Entry{
		{Time: at(2 * time.Minute), Service: "twilio", Event: "call_completed", Message: "Completed: answered", Contact: "c-00040", Campaign: "spring"},
		{Time: at(2 * time.Minute), Service: "llm", Event: "step_done", Message: "script done, as for every call", Contact: "c-00041", Campaign: "spring"},
		{Time: at(118 * time.Second), Level: journal.Warning, Service: "elevenlabs", Event: "retry_scheduled", Message: "Retry 1 of 3 in 5.4s.", Contact: "c-00003", Campaign: "spring"},
		{Time: at(112 * time.Second), Level: journal.Warning, Service: "elevenlabs", Event: "retry_scheduled", Message: "Retry 2 of 3 in 11.2s.", Contact: "c-00003", Campaign: "spring"},
		{Time: at(101 * time.Second), Level: journal.Warning, Service: "elevenlabs", Event: "retry_scheduled", Message: "Retry 3 of 3 in 21.0s.", Contact: "c-00003", Campaign: "spring"},
		{Time: at(96 * time.Second), Level: journal.Error, Service: "elevenlabs", Event: "retries_spent", Message: "All 3 retries failed: service_unavailable (503).", Contact: "c-00003", Campaign: "spring"},
		{Time: at(95 * time.Second), Level: journal.Error, Service: "elevenlabs", Event: "circuit_opened", Circuit: "OPEN", Message: "Circuit OPEN for 10s: no request is sent before the next health check."},
		{Time: at(94 * time.Second), Level: journal.Warning, Service: "elevenlabs", Event: "call_parked", Message: "Skipped, next contact. Set aside: the circuit of ElevenLabs is not closed", Contact: "c-00053", Campaign: "renewals"},
	}
}
