package hubspot_test

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"

	"callagent/core/agent"
	"callagent/core/call"
	"callagent/core/fault"
	"callagent/infra/hubspot"
)

var _ agent.CRM = (*hubspot.Client)(nil)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const (
	token = "token-of-the-app"

	contactsUpsert = "POST /crm/v3/objects/contacts/batch/upsert"
	contactsRead   = "POST /crm/v3/objects/contacts/batch/read"
	callsUpsert    = "POST /crm/v3/objects/calls/batch/upsert"
	callsRead      = "POST /crm/v3/objects/calls/batch/read"
	join           = "PUT /crm/v4/objects/calls/901/associations/default/contacts/501"
	probe          = "GET /crm/v3/objects/contacts?limit=1"
)

// arrived is one request as the server saw it; Body is nil when it had none.
type arrived struct {
	Line string // method and target
	Body map[string]any
}

// answer is what the server says to a request.
type answer struct {
	status int
	header map[string]string
	body   string
}

// api is a loopback HubSpot that answers from a script and keeps what it gets.
type api struct {
	*httptest.Server
	mu       sync.Mutex
	requests []arrived
}

// serve answers the first request with the first answer and so on; further
// requests fail the test.
func serve(t *testing.T, answers ...answer) *api {
	t.Helper()
	s := &api{}
	s.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if got := r.Header.Get("Authorization"); got != "Bearer "+token {
			t.Error("the Authorization header is not the bearer token")
		}
		one := arrived{Line: r.Method + " " + r.RequestURI}
		data, err := io.ReadAll(r.Body)
		if err != nil {
			t.Errorf("reading the request: %v", err)
		}
		if len(data) > 0 {
			if got := r.Header.Get("Content-Type"); got != "application/json" {
				t.Errorf("Content-Type %q", got)
			}
			if err := json.Unmarshal(data, &one.Body); err != nil {
				t.Errorf("the body is not JSON: %v", err)
			}
		}
		s.mu.Lock()
		s.requests = append(s.requests, one)
		n := len(s.requests)
		s.mu.Unlock()
		if n > len(answers) {
			t.Errorf("request %d: only %d expected", n, len(answers))
			return
		}
		a := answers[n-1]
		for name, value := range a.header {
			w.Header().Set(name, value)
		}
		w.WriteHeader(a.status)
		_, _ = io.WriteString(w, a.body)
	}))
	t.Cleanup(s.Close)
	return s
}

// got lists the requests that have arrived.
func (s *api) got() []arrived {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.requests
}

// lines lists methods and targets of the requests that have arrived.
func (s *api) lines() []string {
	var all []string
	for _, r := range s.got() {
		all = append(all, r.Line)
	}
	return all
}

func (s *api) client(t *testing.T) *hubspot.Client {
	t.Helper()
	c := hubspot.New(hubspot.Config{Token: token, BaseURL: s.URL + "/", Connect: time.Second, Now: now})
	t.Cleanup(c.Close)
	return c
}

func now() time.Time { return time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC) }

// found is the answer to a batch of one that went well.
func found(status int, id string) answer {
	return answer{status: status, body: `{"status":"COMPLETE","results":[{"id":"` + id + `","new":true,"properties":{}}]}`}
}

func joined() answer { return answer{status: 200, body: `{"status":"COMPLETE","results":[{}]}`} }

func conflict() answer {
	return answer{status: 409, body: `{"status":"error","category":"CONFLICT","message":"Contact already exists. Existing ID: 123"}`}
}

func entry() call.Entry {
	return call.Entry{
		Key:     call.Key{Campaign: "spring", Contact: "c-001"},
		Contact: call.Contact{Campaign: "spring", ID: "c-001", Phone: "+15005550009", Name: "Ada Augusta King"},
		SID:     "CA1", From: "+15005550006", Result: call.Answered,
		Started:  time.Date(2026, 1, 5, 16, 4, 5, 678_900_000, time.FixedZone("", 3600)),
		Duration: 42*time.Second + 500*time.Millisecond,
		Script:   "Hello <Ada> & all.\nGoodbye.",
	}
}

func record(ctx context.Context, c *hubspot.Client) error {
	_, err := c.Record(ctx, entry())
	return err
}

func TestRecord(t *testing.T) {
	s := serve(t, found(200, "501"), found(200, "901"), joined())
	id, err := s.client(t).Record(t.Context(), entry())
	if err != nil || id != "901" {
		t.Fatalf("Record = %q, %v", id, err)
	}
	want := []arrived{
		{contactsUpsert, map[string]any{"inputs": []any{map[string]any{
			"id": "c-001", "idProperty": "callagent_contact",
			"properties": map[string]any{
				"callagent_contact": "c-001", "phone": "+15005550009", "firstname": "Ada", "lastname": "Augusta King",
			}}}}},
		{callsUpsert, map[string]any{"inputs": []any{map[string]any{
			"id": "spring/c-001", "idProperty": "callagent_call",
			"properties": map[string]any{
				"callagent_call":      "spring/c-001",
				"hs_timestamp":        "2026-01-05T15:04:05.678Z",
				"hs_call_title":       "Call for spring: answered",
				"hs_call_body":        "Hello &lt;Ada&gt; &amp; all.<br>Goodbye.<br><br>Call id at the provider: CA1",
				"hs_call_duration":    "42500",
				"hs_call_direction":   "OUTBOUND",
				"hs_call_status":      "COMPLETED",
				"hs_call_disposition": "f240bbac-87c9-4f6e-bf70-924b57d47db7",
				"hs_call_from_number": "+15005550006",
				"hs_call_to_number":   "+15005550009",
			}}}}},
		{join, nil},
	}
	if diff := cmp.Diff(want, s.got()); diff != "" {
		t.Errorf("requests (-want +got):\n%s", diff)
	}
}

// properties records an entry and gives the properties of its contact and of
// its call as they were sent.
func properties(t *testing.T, e call.Entry) (contact, engagement map[string]any) {
	t.Helper()
	s := serve(t, found(201, "501"), found(201, "901"), answer{status: 201, body: "{}"})
	if _, err := s.client(t).Record(t.Context(), e); err != nil {
		t.Fatal(err)
	}
	sent := func(i int) map[string]any {
		return s.got()[i].Body["inputs"].([]any)[0].(map[string]any)["properties"].(map[string]any)
	}
	return sent(0), sent(1)
}

func TestResults(t *testing.T) {
	for result, want := range map[call.Result][2]string{
		call.Answered:     {"COMPLETED", "f240bbac-87c9-4f6e-bf70-924b57d47db7"},
		call.Voicemail:    {"COMPLETED", "b2cf5968-551e-4856-9783-52b3da59a7d0"},
		call.Fax:          {"COMPLETED", ""},
		call.Busy:         {"BUSY", "9d9162e7-6cf3-4944-bf63-4dff82258764"},
		call.NoAnswer:     {"NO_ANSWER", "73a0d17f-1163-4015-bdd5-ec830791da20"},
		call.NotConnected: {"FAILED", ""},
		call.Canceled:     {"CANCELED", ""},
	} {
		t.Run(string(result), func(t *testing.T) {
			e := entry()
			e.Result = result
			_, got := properties(t, e)
			if got["hs_call_status"] != want[0] || got["hs_call_disposition"] != want[1] {
				t.Errorf("status %v, disposition %v; want %v", got["hs_call_status"], got["hs_call_disposition"], want)
			}
			if title := "Call for spring: " + string(result); got["hs_call_title"] != title {
				t.Errorf("title %v, want %s", got["hs_call_title"], title)
			}
		})
	}
}

func TestSparseEntries(t *testing.T) {
	contact, engagement := properties(t, call.Entry{Key: call.Key{Campaign: "spring", Contact: "c-002"},
		Contact: call.Contact{ID: "c-002", Phone: "+15005550009"}, Result: call.NoAnswer})
	if diff := cmp.Diff(map[string]any{"callagent_contact": "c-002", "phone": "+15005550009"}, contact); diff != "" {
		t.Errorf("contact (-want +got):\n%s", diff)
	}
	if got := engagement["hs_timestamp"]; got != "2026-03-01T12:00:00.000Z" {
		t.Errorf("hs_timestamp %v, want the present", got)
	}
	// Left out, they would keep what an earlier record of the call wrote.
	for _, name := range []string{"hs_call_body", "hs_call_from_number"} {
		if got, there := engagement[name]; !there || got != "" {
			t.Errorf("%s = %v, %v; want it empty", name, got, there)
		}
	}
	contact, _ = properties(t, call.Entry{Contact: call.Contact{ID: "c-003", Name: "  Ada "}})
	if _, there := contact["lastname"]; contact["firstname"] != "Ada" || there {
		t.Errorf("names %v", contact)
	}
}

func TestRecordStopsAtTheFirstFault(t *testing.T) {
	broken := answer{status: 502, body: "<html>bad gateway</html>"}
	for name, tt := range map[string]struct {
		answers []answer
		want    []string
	}{
		"contact": {[]answer{broken}, []string{contactsUpsert}},
		"call":    {[]answer{found(200, "501"), broken}, []string{contactsUpsert, callsUpsert}},
		"join":    {[]answer{found(200, "501"), found(200, "901"), broken}, []string{contactsUpsert, callsUpsert, join}},
	} {
		t.Run(name, func(t *testing.T) {
			s := serve(t, tt.answers...)
			_, err := s.client(t).Record(t.Context(), entry())
			want := &fault.Fault{Kind: fault.ServiceUnavailable, Service: "crm", Status: 502}
			if diff := cmp.Diff(want, fault.From("", err)); diff != "" {
				t.Errorf("fault (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(tt.want, s.lines()); diff != "" {
				t.Errorf("requests (-want +got):\n%s", diff)
			}
		})
	}
}

func TestConflictsAreLookedUp(t *testing.T) {
	in207 := answer{status: 207, body: `{"results":[],"errors":[{"status":"error","category":"CONFLICT","message":"exists"}]}`}
	for name, tt := range map[string]struct {
		answers []answer
		want    []string
	}{
		"contact": {[]answer{conflict(), found(200, "501"), found(200, "901"), joined()},
			[]string{contactsUpsert, contactsRead, callsUpsert, join}},
		"call": {[]answer{found(200, "501"), conflict(), found(200, "901"), joined()},
			[]string{contactsUpsert, callsUpsert, callsRead, join}},
		"in multi-status": {[]answer{found(200, "501"), in207, found(200, "901"), joined()},
			[]string{contactsUpsert, callsUpsert, callsRead, join}},
		"join": {[]answer{found(200, "501"), found(200, "901"), conflict()},
			[]string{contactsUpsert, callsUpsert, join}},
		"everywhere": {[]answer{conflict(), found(200, "501"), conflict(), found(200, "901"), conflict()},
			[]string{contactsUpsert, contactsRead, callsUpsert, callsRead, join}},
	} {
		t.Run(name, func(t *testing.T) {
			s := serve(t, tt.answers...)
			id, err := s.client(t).Record(t.Context(), entry())
			if err != nil || id != "901" {
				t.Errorf("Record = %q, %v", id, err)
			}
			if diff := cmp.Diff(tt.want, s.lines()); diff != "" {
				t.Errorf("requests (-want +got):\n%s", diff)
			}
		})
	}
}

func TestLookUpAsksForOurKey(t *testing.T) {
	s := serve(t, found(200, "501"), conflict(), found(200, "901"), joined())
	if err := record(t.Context(), s.client(t)); err != nil {
		t.Fatal(err)
	}
	want := map[string]any{"idProperty": "callagent_call", "inputs": []any{map[string]any{"id": "spring/c-001"}},
		"properties": []any{"callagent_call"}, "propertiesWithHistory": []any{}}
	if diff := cmp.Diff(want, s.got()[2].Body); diff != "" {
		t.Errorf("look-up (-want +got):\n%s", diff)
	}
}

func TestLookUpThatFails(t *testing.T) {
	clash := &fault.Fault{Class: fault.Permanent, Kind: fault.Conflict, Scope: fault.Contact, Service: "crm",
		Status: 409, Code: "CONFLICT", Message: "Contact already exists. Existing ID: 123"}
	for name, tt := range map[string]struct {
		answer answer
		want   *fault.Fault
	}{
		"nothing there": {answer{status: 207,
			body: `{"results":[],"errors":[{"category":"OBJECT_NOT_FOUND","message":"gone"}]}`}, clash},
		"not found":   {answer{status: 404}, clash},
		"unavailable": {answer{status: 503}, &fault.Fault{Kind: fault.ServiceUnavailable, Service: "crm", Status: 503}},
	} {
		t.Run(name, func(t *testing.T) {
			s := serve(t, conflict(), tt.answer)
			err := record(t.Context(), s.client(t))
			if diff := cmp.Diff(tt.want, fault.From("", err)); diff != "" {
				t.Errorf("fault (-want +got):\n%s", diff)
			}
		})
	}
}

// An association is told in a batch, too: a 200 may hold a failure.
func TestJoinThatFails(t *testing.T) {
	s := serve(t, found(200, "501"), found(200, "901"), answer{status: 200,
		body: `{"results":[],"errors":[{"category":"OBJECT_NOT_FOUND","message":"no contact 501"}]}`})
	want := &fault.Fault{Class: fault.Permanent, Kind: fault.NotFound, Scope: fault.Contact, Service: "crm", Status: 200,
		Code: "OBJECT_NOT_FOUND", Message: "no contact 501"}
	if diff := cmp.Diff(want, fault.From("", record(t.Context(), s.client(t)))); diff != "" {
		t.Errorf("fault (-want +got):\n%s", diff)
	}
}

func TestRecordTwiceWritesTheSame(t *testing.T) {
	s := serve(t, found(200, "501"), found(200, "901"), joined(), found(200, "501"), found(200, "901"), joined())
	c := s.client(t)
	for range 2 {
		if err := record(t.Context(), c); err != nil {
			t.Fatal(err)
		}
	}
	all := s.got()
	if diff := cmp.Diff(all[:3], all[3:]); diff != "" {
		t.Errorf("the second time differs (-first +second):\n%s", diff)
	}
}

func TestProbe(t *testing.T) {
	for _, body := range []string{`{"results":[]}`, `{"results":[{"id":"501"}],"paging":{}}`} {
		s := serve(t, answer{status: 200, body: body})
		if err := s.client(t).Probe(t.Context(), &fault.Fault{Kind: fault.Timeout}); err != nil {
			t.Errorf("%s: %v", body, err)
		}
		if diff := cmp.Diff([]string{probe}, s.lines()); diff != "" {
			t.Errorf("requests (-want +got):\n%s", diff)
		}
	}
	s := serve(t, answer{status: 200, body: `{"hello":"world"}`})
	f := fault.From("", s.client(t).Probe(t.Context(), nil))
	if f == nil || f.Class != fault.Transient || f.Kind != fault.BadResponse {
		t.Errorf("no list: %+v", f)
	}
}

func TestFaultsTellNothingPersonal(t *testing.T) {
	s := serve(t, answer{status: 400, body: `{"category":"VALIDATION_ERROR","message":"` + token + ` sent +1 500-555-0009"}`})
	err := record(t.Context(), s.client(t))
	if err == nil || strings.Contains(err.Error(), token) || strings.Contains(err.Error(), "555") {
		t.Errorf("error %v", err)
	}
}
