package simulator_test

import (
	"net/http"
	"strings"
	"testing"

	"callagent/localstack/simulator"
)

func TestAccount(t *testing.T) {
	w := start(t, simulator.Config{Account: simulator.Account{Status: "suspended", Trial: true, Balance: "-3.20", Mute: true, Verified: []string{callee}}})
	get := func(path string) result { return w.twilio(t.Context(), "GET", path, nil) }
	if r := get(".json"); r.at("status") != "suspended" || r.at("type") != "Trial" {
		t.Errorf("account: %s", r.body)
	}
	if r := get("/Balance.json"); r.at("balance") != "-3.20" || r.at("currency") != "USD" {
		t.Errorf("balance: %s", r.body)
	}
	if r := get("/IncomingPhoneNumbers.json?PhoneNumber=%2B15005550006"); r.at("incoming_phone_numbers", 0, "phone_number") != "+15005550006" ||
		r.at("incoming_phone_numbers", 0, "capabilities", "voice") != false {
		t.Errorf("our number: %s", r.body)
	}
	if r := get("/IncomingPhoneNumbers.json?PhoneNumber=5550006"); r.at("incoming_phone_numbers", 0) == nil {
		t.Errorf("a part of our number: %s", r.body)
	}
	if r := get("/IncomingPhoneNumbers.json?PhoneNumber=%2B15005550007"); r.at("incoming_phone_numbers", 0) != nil {
		t.Errorf("another number: %s", r.body)
	}
	if r := get("/OutgoingCallerIds.json"); r.at("outgoing_caller_ids", 0, "phone_number") != callee {
		t.Errorf("verified numbers: %s", r.body)
	}
	if r := w.dial(t.Context()); r.status != http.StatusForbidden || r.at("code") != 20005.0 || len(w.Rings()) != 0 {
		t.Errorf("a suspended account calls: %d %s", r.status, r.body)
	}
}

func TestAccountIsActiveByItself(t *testing.T) {
	w := start(t, simulator.Config{})
	if r := w.twilio(t.Context(), "GET", ".json", nil); r.at("status") != "active" || r.at("type") != "Full" {
		t.Errorf("account: %s", r.body)
	}
}

func TestModels(t *testing.T) {
	w := start(t, simulator.Config{})
	get := func(path string) result {
		return w.do("GET", w.env["OPENAI_BASE_URL"]+path, bearer(w.env["OPENAI_API_KEY"]), "")
	}
	if r := get("/models/gpt-4o-mini"); r.status != 200 || r.at("id") != "gpt-4o-mini" {
		t.Errorf("a model: %d %s", r.status, r.body)
	}
	if r := get("/models/gpt-99"); r.status != 404 || r.at("error", "code") != "model_not_found" {
		t.Errorf("no model: %d %s", r.status, r.body)
	}
	if r := get("/nowhere"); r.status != 404 || r.at("error", "code") != nil || !strings.Contains(r.body, "Invalid URL (GET /v1/nowhere)") {
		t.Errorf("no path: %d %s", r.status, r.body)
	}
}

func TestHubSpotScopes(t *testing.T) {
	w := start(t, simulator.Config{Scopes: []string{"crm.objects.contacts.read"}})
	ask := func(token string) result {
		return w.crm("POST", "/oauth/v2/private-apps/get/access-token-info", `{"tokenKey":"`+token+`"}`)
	}
	if r := ask(w.env["HUBSPOT_TOKEN"]); r.status != 200 || r.at("scopes", 0) != "crm.objects.contacts.read" || r.at("scopes", 1) != nil {
		t.Errorf("scopes: %d %s", r.status, r.body)
	}
	if r := ask("another"); r.status != 401 {
		t.Errorf("another token: %d %s", r.status, r.body)
	}
	if r := w.crm("GET", "/crm/v3/objects/contacts?limit=1", ""); r.status != 200 {
		t.Errorf("reading: %d %s", r.status, r.body)
	}
	if r := w.crm("POST", "/crm/v3/objects/contacts", `{"properties":{"phone":"+15005550009"}}`); r.status != 403 || r.at("category") != "MISSING_SCOPES" {
		t.Errorf("writing: %d %s", r.status, r.body)
	}
}

func TestHubSpotProperties(t *testing.T) {
	w := start(t, simulator.Config{Properties: map[string]bool{"contacts ours": true, "contacts common": false}})
	get := func(name string) result { return w.crm("GET", "/crm/v3/properties/contacts/"+name, "") }
	if r := get("ours"); r.status != 200 || r.at("name") != "ours" || r.at("hasUniqueValue") != true {
		t.Errorf("ours: %d %s", r.status, r.body)
	}
	if r := get("common"); r.at("hasUniqueValue") != false {
		t.Errorf("common: %s", r.body)
	}
	if r := get("none"); r.status != 404 {
		t.Errorf("none: %d %s", r.status, r.body)
	}
	for name, want := range map[string]string{"common": "upsert by non-unique", "none": "PROPERTY_DOESNT_EXIST", "ours": "COMPLETE"} {
		r := w.crm("POST", "/crm/v3/objects/contacts/batch/upsert", `{"inputs":[{"id":"c-1","idProperty":"`+name+`","properties":{}}]}`)
		if !strings.Contains(r.body, want) {
			t.Errorf("upsert by %s: %d %s", name, r.status, r.body)
		}
	}
}

func TestWebhookOptions(t *testing.T) {
	w := start(t, simulator.Config{})
	r := w.do("OPTIONS", w.env["ALERT_WEBHOOK_URL"], nil, "")
	if r.status != http.StatusNoContent || r.header.Get("Allow") != "POST, OPTIONS" || len(w.Report().Webhooks) != 0 {
		t.Errorf("%d, Allow %q", r.status, r.header.Get("Allow"))
	}
}
