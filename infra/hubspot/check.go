package hubspot

import (
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"slices"

	"callagent/core/fault"
)

// scopes are what a private app's token needs.
var scopes = []string{"crm.objects.contacts.read", "crm.objects.contacts.write"}

// CheckScopes gives the scopes that the token lacks. Tokens of other kinds than
// a private app's are not known there: that is a fault. The request is a POST
// because the token is its body; it changes nothing.
func (c *Client) CheckScopes(ctx context.Context) (missing []string, err error) {
	a, err := c.send(ctx, http.MethodPost, "/oauth/v2/private-apps/get/access-token-info", map[string]string{"tokenKey": c.token})
	if err != nil {
		return nil, err
	}
	var info struct {
		Scopes *[]string `json:"scopes"`
	}
	if json.Unmarshal(a.Body, &info) != nil || info.Scopes == nil {
		return nil, c.classify(a)
	}
	for _, s := range scopes {
		if !slices.Contains(*info.Scopes, s) {
			missing = append(missing, s)
		}
	}
	return missing, nil
}

// CheckProperties gives those of our properties that do not exist or whose
// values are not unique, as "property of object". It makes a request for each.
func (c *Client) CheckProperties(ctx context.Context) (wrong []string, err error) {
	for _, o := range []object{contacts, calls} {
		ok, err := c.hasProperty(ctx, o)
		if err != nil {
			return nil, err
		}
		if !ok {
			wrong = append(wrong, o.key+" of "+o.name)
		}
	}
	return wrong, nil
}

func (c *Client) hasProperty(ctx context.Context, o object) (bool, error) {
	a, err := c.send(ctx, http.MethodGet, "/crm/v3/properties/"+o.name+"/"+url.PathEscape(o.key), nil)
	if f := fault.From(service, err); f != nil {
		if f.Kind == fault.NotFound {
			return false, nil
		}
		return false, f
	}
	var p struct {
		Name   string `json:"name"`
		Unique bool   `json:"hasUniqueValue"`
	}
	if json.Unmarshal(a.Body, &p) != nil || p.Name == "" {
		return false, c.classify(a)
	}
	return p.Unique, nil
}
