package simulator

import (
	"encoding/json"
	"maps"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"
)

// Record is one object in the CRM.
type Record struct {
	Type       string            `json:"type"` // contacts or calls
	ID         string            `json:"id"`
	Key        string            `json:"key,omitempty"` // property=value that upserts found it by
	Properties map[string]string `json:"properties"`
	Created    time.Time         `json:"created"`
	Updated    time.Time         `json:"updated"`
	Updates    int               `json:"updates"` // writes after the one that created it
	// Associated are the ids of the objects on the other side.
	Associated []string `json:"associated,omitempty"`
}

// crmAPI is HubSpot.
type crmAPI struct {
	sim *Simulator

	mu      sync.Mutex
	records []*Record
	index   map[string]*Record // by kind and id, and by kind and key
}

func (*crmAPI) name() string { return crm }

func (h *crmAPI) routes() []route {
	var list []route
	for _, kind := range []string{"contacts", "calls"} {
		objects := "/crm/v3/objects/" + kind
		of := func(serve func(inbound, string) answer) func(inbound) answer {
			return h.authorized(func(in inbound) answer { return serve(in, kind) })
		}
		list = append(list,
			route{name: kind, pattern: "POST " + objects + "/batch/upsert", serve: of(h.upsert)},
			route{name: kind, pattern: "POST " + objects, serve: of(h.create)},
			route{name: kind, pattern: "PATCH " + objects + "/{id}", serve: of(h.change)},
			route{name: "read", pattern: "GET " + objects + "/{id}", serve: of(h.read)},
			route{name: "read", pattern: "GET " + objects, serve: of(h.list)},
		)
	}
	list = append(list,
		route{name: "property", pattern: "GET /crm/v3/properties/{kind}/{name}", serve: h.authorized(h.property)},
		route{name: "scopes", pattern: "POST /oauth/v2/private-apps/get/access-token-info", serve: h.token})
	return append(list, route{name: "associate", serve: h.authorized(h.associate),
		pattern: "PUT /crm/v4/objects/{from}/{fromID}/associations/default/{to}/{toID}"})
}

func (h *crmAPI) stamp(header http.Header) {
	setAbsent(header, "X-Hubspot-Correlation-Id", h.sim.ids.uuid())
	setAbsent(header, "X-Hubspot-Ratelimit-Max", "190")
	setAbsent(header, "X-Hubspot-Ratelimit-Remaining", "189")
	setAbsent(header, "X-Hubspot-Ratelimit-Interval-Milliseconds", "10000")
	setAbsent(header, "X-Hubspot-Ratelimit-Daily", "650000")
	setAbsent(header, "X-Hubspot-Ratelimit-Daily-Remaining", "649000")
}

func (h *crmAPI) fail(f Fault) answer { return h.refuse(f.status(), f.Code) }

func (h *crmAPI) refuse(status int, code string) answer {
	usual := map[int][2]string{
		400: {"VALIDATION_ERROR", "The request is not valid"},
		401: {"INVALID_AUTHENTICATION", "Authentication credentials not found or not valid."},
		403: {"MISSING_SCOPES", "This app hasn't been granted all required scopes to make this call."},
		404: {"OBJECT_NOT_FOUND", "The object does not exist"},
		409: {"CONFLICT", "The object already exists."},
		429: {"TEN_SECONDLY_ROLLING", "You have reached your ten_secondly_rolling limit."},
	}[status]
	if code == "" {
		code = usual[0]
	}
	body := map[string]any{"status": "error", "message": usual[1], "correlationId": h.sim.ids.uuid()}
	switch {
	case status == http.StatusTooManyRequests:
		body["errorType"], body["policyName"], body["requestId"] = "RATE_LIMIT", code, h.sim.ids.uuid()
		body["message"] = "You have reached your " + strings.ToLower(code) + " limit."
	case code == "":
		body["message"] = http.StatusText(status)
	default:
		body["category"] = code
	}
	if body["message"] == "" {
		body["message"] = "The request was refused"
	}
	return jsonAnswer(status, body)
}

// invalid refuses a request and says why.
func (h *crmAPI) invalid(message string) answer {
	return jsonAnswer(http.StatusBadRequest, map[string]any{"status": "error", "message": message,
		"correlationId": h.sim.ids.uuid(), "category": "VALIDATION_ERROR"})
}

func (h *crmAPI) authorized(serve func(inbound) answer) func(inbound) answer {
	return func(in inbound) answer {
		if key, _ := strings.CutPrefix(in.Header.Get("Authorization"), "Bearer "); !same(key, h.sim.cfg.Keys.HubSpot) {
			return h.refuse(http.StatusUnauthorized, "")
		}
		if !h.permits(in) {
			return h.refuse(http.StatusForbidden, "")
		}
		h.mu.Lock()
		defer h.mu.Unlock()
		return serve(in)
	}
}

// input is one object to write.
type input struct {
	ID           string             `json:"id"`
	IDProperty   string             `json:"idProperty"`
	Properties   map[string]*string `json:"properties"` // null empties a property
	Associations []association      `json:"associations"`
}

type association struct {
	To struct {
		ID json.Number `json:"id"`
	} `json:"to"`
}

const notReadable = "Invalid input JSON: a property's value has to be a string"

// upsert changes the objects that have the given value of a unique property
// and creates the others: all of them or, when one is not valid, none.
func (h *crmAPI) upsert(in inbound, kind string) answer {
	var batch struct {
		Inputs []input `json:"inputs"`
	}
	began := h.sim.clock.Now()
	if json.Unmarshal(in.body, &batch) != nil {
		return h.invalid(notReadable)
	}
	if len(batch.Inputs) == 0 || len(batch.Inputs) > 100 {
		return h.invalid("A batch has from 1 to 100 inputs")
	}
	found := make([]*Record, len(batch.Inputs))
	for i, one := range batch.Inputs {
		if one.ID == "" || one.IDProperty == "" {
			return h.invalid("Every input needs id and idProperty")
		}
		if problem := h.unusable(kind, one.IDProperty); problem != "" {
			return h.invalid(problem)
		}
		found[i] = h.byKey(kind, one.IDProperty+"="+one.ID)
		if problem := missing(kind, one, found[i]); problem != "" {
			return h.invalid(problem)
		}
	}
	results := make([]map[string]any, len(found))
	for i, one := range batch.Inputs {
		r := found[i]
		if r == nil { // an earlier input may have the same key
			r = h.byKey(kind, one.IDProperty+"="+one.ID)
		}
		fresh := r == nil
		if fresh {
			r = h.add(kind, one)
			r.Key = one.IDProperty + "=" + one.ID
			h.index[kind+" by "+r.Key] = r
			r.Properties[one.IDProperty] = one.ID
		} else {
			h.write(r, one)
		}
		results[i] = shown(r)
		results[i]["new"] = fresh
	}
	return jsonAnswer(http.StatusOK, h.complete(results, began))
}

func (h *crmAPI) complete(results []map[string]any, began time.Time) map[string]any {
	return map[string]any{"status": "COMPLETE", "results": results,
		"startedAt": began.UTC().Format(time.RFC3339Nano), "completedAt": h.sim.clock.Now().UTC().Format(time.RFC3339Nano)}
}

// missing names what an input lacks; old is what it would change, or nil.
func missing(kind string, one input, old *Record) string {
	if at := one.Properties["hs_timestamp"]; kind == "calls" && old == nil && (at == nil || *at == "") {
		return "Error creating CALL. Some required properties were not set: hs_timestamp"
	}
	return ""
}

// Both finders give nil for what is not there.
func (h *crmAPI) byKey(kind, key string) *Record { return h.index[kind+" by "+key] }
func (h *crmAPI) byID(kind, id string) *Record   { return h.index[kind+" "+id] }

func (h *crmAPI) add(kind string, one input) *Record {
	now := h.sim.clock.Now()
	r := &Record{Type: kind, ID: strconv.Itoa(501 + len(h.records)), Properties: map[string]string{}, Created: now, Updated: now}
	for name, value := range one.Properties {
		if value != nil {
			r.Properties[name] = *value
		}
	}
	for _, a := range one.Associations {
		r.Associated = append(r.Associated, a.To.ID.String())
	}
	h.records = append(h.records, r)
	h.index[kind+" "+r.ID] = r
	return r
}

func (h *crmAPI) write(r *Record, one input) {
	r.Updates++
	r.Updated = h.sim.clock.Now()
	for name, value := range one.Properties {
		if value == nil {
			delete(r.Properties, name)
		} else {
			r.Properties[name] = *value
		}
	}
}

// shown is a record as HubSpot's API shows it.
func shown(r *Record) map[string]any {
	properties := maps.Clone(r.Properties)
	properties["hs_object_id"] = r.ID
	return map[string]any{"id": r.ID, "properties": properties, "archived": false,
		"createdAt": r.Created.UTC().Format(time.RFC3339Nano), "updatedAt": r.Updated.UTC().Format(time.RFC3339Nano)}
}

func (h *crmAPI) create(in inbound, kind string) answer {
	var one input
	if json.Unmarshal(in.body, &one) != nil {
		return h.invalid(notReadable)
	}
	if problem := missing(kind, one, nil); problem != "" {
		return h.invalid(problem)
	}
	return jsonAnswer(http.StatusCreated, shown(h.add(kind, one)))
}

func (h *crmAPI) change(in inbound, kind string) answer {
	r := h.byID(kind, in.PathValue("id"))
	if r == nil {
		return h.refuse(http.StatusNotFound, "")
	}
	var one input
	if json.Unmarshal(in.body, &one) != nil {
		return h.invalid(notReadable)
	}
	h.write(r, one)
	return jsonAnswer(http.StatusOK, shown(r))
}

// read gives one object by its id or, with idProperty, by a unique property.
func (h *crmAPI) read(in inbound, kind string) answer {
	r := h.byID(kind, in.PathValue("id"))
	if property := in.URL.Query().Get("idProperty"); property != "" {
		r = h.byKey(kind, property+"="+in.PathValue("id"))
	}
	if r == nil {
		return h.refuse(http.StatusNotFound, "")
	}
	return jsonAnswer(http.StatusOK, shown(r))
}
