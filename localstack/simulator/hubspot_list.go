package simulator

import (
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
)

// list shows the objects of one kind in the order of their ids, in pages of
// ten unless a limit up to 100 is given. The token of a page is the id of its
// first object.
func (h *crmAPI) list(in inbound, kind string) answer {
	q := in.URL.Query()
	limit, after := 10, 0
	for name, field := range map[string]*int{"limit": &limit, "after": &after} {
		if v := q.Get(name); v != "" {
			n, err := strconv.Atoi(v)
			if err != nil {
				return h.invalid(name + " has to be a number")
			}
			*field = n
		}
	}
	if limit < 1 || limit > 100 {
		return h.invalid("limit has to be from 1 to 100")
	}
	results := []map[string]any{}
	page := map[string]any{}
	for _, r := range h.records {
		id, _ := strconv.Atoi(r.ID) // our own ids are numbers
		if r.Type != kind || id < after {
			continue
		}
		if len(results) == limit {
			page["paging"] = map[string]any{"next": map[string]any{"after": r.ID}}
			break
		}
		results = append(results, shown(r))
	}
	page["results"] = results
	return jsonAnswer(http.StatusOK, page)
}

// associate links two objects in the default way. Doing it again changes
// nothing.
func (h *crmAPI) associate(in inbound) answer {
	began := h.sim.clock.Now()
	from := h.byID(plural(in.PathValue("from")), in.PathValue("fromID"))
	to := h.byID(plural(in.PathValue("to")), in.PathValue("toID"))
	if from == nil || to == nil {
		return h.refuse(http.StatusNotFound, "")
	}
	link := func(from, to *Record, kind int) map[string]any {
		if !slices.Contains(from.Associated, to.ID) {
			from.Associated = append(from.Associated, to.ID)
		}
		return map[string]any{"from": map[string]any{"id": from.ID}, "to": map[string]any{"id": to.ID},
			"associationSpec": map[string]any{"associationCategory": "HUBSPOT_DEFINED", "associationTypeId": kind}}
	}
	const callToContact, contactToCall = 194, 193
	there, back := callToContact, contactToCall
	if from.Type == "contacts" {
		there, back = back, there
	}
	return jsonAnswer(http.StatusOK, h.complete([]map[string]any{link(from, to, there), link(to, from, back)}, began))
}

// plural takes an object type in either of its spellings.
func plural(kind string) string { return strings.TrimSuffix(kind, "s") + "s" }

func (h *crmAPI) report() []Record {
	h.mu.Lock()
	defer h.mu.Unlock()
	list := make([]Record, 0, len(h.records))
	for _, r := range h.records {
		c := *r
		c.Properties, c.Associated = maps.Clone(r.Properties), slices.Clone(r.Associated)
		list = append(list, c)
	}
	return list
}
