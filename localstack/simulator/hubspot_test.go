package simulator_test

import (
	"maps"
	"slices"
	"testing"

	"callagent/localstack/simulator"
)

// crm sends a request to HubSpot.
func (w *world) crm(method, path, body string) result {
	return w.do(method, w.env["HUBSPOT_BASE_URL"]+path, bearer(w.env["HUBSPOT_TOKEN"]), body)
}

func TestUpsert(t *testing.T) {
	w := start(t, simulator.Config{})
	const path = "/crm/v3/objects/contacts/batch/upsert"
	first := w.crm("POST", path, `{"inputs":[{"idProperty":"phone","id":"+12025550123","properties":{"firstname":"Ada","plan":"gold"}}]}`)
	if first.status != 200 || first.at("status") != "COMPLETE" || first.at("results", 0, "new") != true {
		t.Fatalf("status %d, %s", first.status, first.body)
	}
	second := w.crm("POST", path, `{"inputs":[{"idProperty":"phone","id":"+12025550123","properties":{"firstname":"Bo","plan":null}},
		{"idProperty":"phone","id":"+12025550100","properties":{}}]}`)
	if second.at("results", 0, "new") != false || second.at("results", 0, "id") != first.at("results", 0, "id") || second.at("results", 1, "new") != true {
		t.Errorf("second: %s", second.body)
	}
	got := w.Report().CRM
	want := map[string]string{"firstname": "Bo", "phone": "+12025550123"}
	if len(got) != 2 || got[0].Updates != 1 || got[0].Key != "phone=+12025550123" || got[1].Updates != 0 || !maps.Equal(got[0].Properties, want) {
		t.Errorf("records %+v, want one that was updated and one that was not", got)
	}
}

func TestHubSpotRequests(t *testing.T) {
	w := start(t, simulator.Config{})
	const upsert = "/batch/upsert"
	for _, tc := range []struct {
		name, method, path, body string
		status                   int
		at                       []any
		want                     any
	}{
		{"number", "POST", "contacts" + upsert, `{"inputs":[{"idProperty":"k","id":"1","properties":{"n":7}}]}`, 400, []any{"category"}, "VALIDATION_ERROR"},
		{"no key", "POST", "contacts" + upsert, `{"inputs":[{"id":"1","properties":{}}]}`, 400, []any{"message"}, "Every input needs id and idProperty"},
		{"nothing", "POST", "contacts" + upsert, `{"inputs":[]}`, 400, []any{"status"}, "error"},
		{"no time", "POST", "calls" + upsert, `{"inputs":[{"idProperty":"k","id":"1","properties":{"hs_call_title":"x"}}]}`, 400, []any{"category"}, "VALIDATION_ERROR"},
		{"create", "POST", "calls", `{"properties":{"hs_timestamp":"2026-03-01T12:00:00Z"},"associations":[{"to":{"id":77}}]}`, 201, []any{"id"}, "501"},
		{"create bad", "POST", "calls", `{"properties":{"hs_timestamp":1}}`, 400, []any{"category"}, "VALIDATION_ERROR"},
		{"create without time", "POST", "calls", `{"properties":{}}`, 400, []any{"category"}, "VALIDATION_ERROR"},
		{"read", "GET", "calls/501", "", 200, []any{"properties", "hs_object_id"}, "501"},
		{"read by key", "GET", "calls/none?idProperty=k", "", 404, []any{"category"}, "OBJECT_NOT_FOUND"},
		{"change", "PATCH", "calls/501", `{"properties":{"hs_call_status":"BUSY"}}`, 200, []any{"properties", "hs_call_status"}, "BUSY"},
		{"change nothing", "PATCH", "calls/9", `{}`, 404, []any{"category"}, "OBJECT_NOT_FOUND"},
		{"change badly", "PATCH", "calls/501", `[]`, 400, []any{"category"}, "VALIDATION_ERROR"},
		{"limit", "GET", "contacts?limit=101", "", 400, []any{"category"}, "VALIDATION_ERROR"},
		{"after", "GET", "contacts?after=x", "", 400, []any{"category"}, "VALIDATION_ERROR"},
	} {
		r := w.crm(tc.method, "/crm/v3/objects/"+tc.path, tc.body)
		if got := r.at(tc.at...); r.status != tc.status || got != tc.want {
			t.Errorf("%s: status %d, %s; want %d with %v", tc.name, r.status, r.body, tc.status, tc.want)
		}
	}
	if got := w.Report().CRM[0]; got.Updates != 1 || !slices.Equal(got.Associated, []string{"77"}) {
		t.Errorf("record %+v, want one update and one association", got)
	}
	w.env["HUBSPOT_TOKEN"] = "wrong"
	if r := w.crm("GET", "/crm/v3/objects/contacts?limit=1", ""); r.status != 401 || r.at("category") != "INVALID_AUTHENTICATION" {
		t.Errorf("wrong key: status %d, %s", r.status, r.body)
	}
}

func TestAssociations(t *testing.T) {
	w := start(t, simulator.Config{})
	call := w.record(t.Context()).at("results", 0, "id").(string)
	contact := w.crm("POST", "/crm/v3/objects/contacts", `{"properties":{"firstname":"Ada"}}`).at("id").(string)
	path := "/crm/v4/objects/call/" + call + "/associations/default/contact/"
	for range 2 {
		r := w.crm("PUT", path+contact, "")
		if r.status != 200 || r.at("results", 0, "associationSpec", "associationTypeId") != 194.0 || r.at("results", 1, "associationSpec", "associationTypeId") != 193.0 {
			t.Errorf("status %d, %s", r.status, r.body)
		}
	}
	if r := w.crm("PUT", path+"999", ""); r.status != 404 {
		t.Errorf("to nobody: status %d, want 404", r.status)
	}
	got := w.Report().CRM
	if !slices.Equal(got[0].Associated, []string{contact}) || !slices.Equal(got[1].Associated, []string{call}) {
		t.Errorf("associated %v and %v, want each other", got[0].Associated, got[1].Associated)
	}
}

func TestContactPages(t *testing.T) {
	w := start(t, simulator.Config{})
	for range 3 {
		w.crm("POST", "/crm/v3/objects/contacts", `{"properties":{}}`)
	}
	r := w.crm("GET", "/crm/v3/objects/contacts?limit=2", "")
	after, _ := r.at("paging", "next", "after").(string)
	if list, _ := r.at("results").([]any); len(list) != 2 || after != "503" {
		t.Errorf("first page: %s", r.body)
	}
	r = w.crm("GET", "/crm/v3/objects/contacts?limit=2&after="+after, "")
	if list, _ := r.at("results").([]any); len(list) != 1 || r.at("paging") != nil {
		t.Errorf("second page: %s", r.body)
	}
}
