package hubspot_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"callagent/core/fault"
)

func TestCheckScopes(t *testing.T) {
	const read, write = "crm.objects.contacts.read", "crm.objects.contacts.write"
	for _, c := range []struct {
		body string
		want []string
	}{
		{`{"scopes":["oauth","` + read + `","` + write + `"]}`, nil},
		{`{"scopes":["` + read + `"]}`, []string{write}},
		{`{"scopes":[]}`, []string{read, write}},
	} {
		s := serve(t, answer{status: 200, body: c.body})
		got, err := s.client(t).CheckScopes(t.Context())
		if err != nil || !slices.Equal(got, c.want) {
			t.Errorf("%s: %q, %v", c.body, got, err)
		}
		asked := []arrived{{Line: "POST /oauth/v2/private-apps/get/access-token-info", Body: map[string]any{"tokenKey": token}}}
		if d := cmp.Diff(asked, s.got()); d != "" {
			t.Error(d)
		}
	}
}

func TestCheckProperties(t *testing.T) {
	there := answer{status: 200, body: `{"name":"x","hasUniqueValue":true}`}
	common := answer{status: 200, body: `{"name":"x","hasUniqueValue":false}`}
	none := answer{status: 404, body: `{"category":"OBJECT_NOT_FOUND"}`}
	const ofContacts, ofCalls = "callagent_contact of contacts", "callagent_call of calls"
	for _, c := range []struct {
		answers []answer
		want    []string
	}{
		{[]answer{there, there}, nil},
		{[]answer{common, there}, []string{ofContacts}},
		{[]answer{there, none}, []string{ofCalls}},
		{[]answer{none, common}, []string{ofContacts, ofCalls}},
	} {
		s := serve(t, c.answers...)
		got, err := s.client(t).CheckProperties(t.Context())
		if err != nil || !slices.Equal(got, c.want) {
			t.Errorf("%v: %q, %v", c.answers, got, err)
		}
		asked := []string{"GET /crm/v3/properties/contacts/callagent_contact", "GET /crm/v3/properties/calls/callagent_call"}
		if d := cmp.Diff(asked, s.lines()); d != "" {
			t.Error(d)
		}
	}
}

func TestChecksThatFail(t *testing.T) {
	for _, c := range []struct {
		answer answer
		kind   fault.Kind
	}{
		{answer{status: 401, body: `{"category":"INVALID_AUTHENTICATION","message":"` + token + `"}`}, fault.Authentication},
		{answer{status: 403, body: `{"category":"MISSING_SCOPES"}`}, fault.Permission},
		{answer{status: 200, body: `<html>`}, fault.BadResponse},
		{answer{status: 200, body: `{}`}, fault.BadResponse},
	} {
		_, scopes := serve(t, c.answer).client(t).CheckScopes(t.Context())
		_, properties := serve(t, c.answer).client(t).CheckProperties(t.Context())
		for _, err := range []error{scopes, properties} {
			if f := fault.From("crm", err); f == nil || f.Kind != c.kind || strings.Contains(f.Error(), token) {
				t.Errorf("%v: %v, want %s", c.answer, f, c.kind)
			}
		}
	}
}
