package simulator

import (
	"encoding/json"
	"net/http"
	"slices"
)

// has says whether a kind of object has a property, and whether its values are
// unique.
func (h *crmAPI) has(kind, name string) (unique, exists bool) {
	if h.sim.cfg.Properties == nil {
		return true, true
	}
	unique, exists = h.sim.cfg.Properties[kind+" "+name]
	return unique, exists
}

// unusable says why objects cannot be found by a property, or "".
func (h *crmAPI) unusable(kind, name string) string {
	switch unique, exists := h.has(kind, name); {
	case !exists:
		return "Property values were not valid: [{\"isValid\":false,\"error\":\"PROPERTY_DOESNT_EXIST\",\"name\":\"" + name + "\"}]"
	case !unique:
		return "Cannot upsert by non-unique property " + name
	}
	return ""
}

// property describes one property.
func (h *crmAPI) property(in inbound) answer {
	name := in.PathValue("name")
	unique, exists := h.has(in.PathValue("kind"), name)
	if !exists {
		return h.refuse(http.StatusNotFound, "")
	}
	return jsonAnswer(http.StatusOK, map[string]any{"name": name, "label": name, "type": "string", "fieldType": "text",
		"groupName": "contactinformation", "hasUniqueValue": unique, "archived": false, "options": []any{}})
}

// token tells about a private app's token. It is a POST because the token is
// the body; it changes nothing.
func (h *crmAPI) token(in inbound) answer {
	var ask struct {
		Token string `json:"tokenKey"`
	}
	if json.Unmarshal(in.body, &ask) != nil || !same(ask.Token, h.sim.cfg.Keys.HubSpot) {
		return h.refuse(http.StatusUnauthorized, "")
	}
	return jsonAnswer(http.StatusOK, map[string]any{"userId": 1, "hubId": 2, "appId": 3, "scopes": h.scopes()})
}

// scopes are what the token may do.
func (h *crmAPI) scopes() []string {
	if h.sim.cfg.Scopes == nil {
		return []string{"crm.objects.contacts.read", "crm.objects.contacts.write"}
	}
	return h.sim.cfg.Scopes
}

// permits reports whether the token has the scope for a request: contacts and
// calls share theirs.
func (h *crmAPI) permits(in inbound) bool {
	need := "crm.objects.contacts.write"
	if in.Method == http.MethodGet {
		need = "crm.objects.contacts.read"
	}
	return slices.Contains(h.scopes(), need)
}
