package openai

import (
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"callagent/core/fault"
	"callagent/infra/httpcall"
)

// Model is the model that the client asks.
func (c *Client) Model() string { return c.model }

// CheckModel fails unless the key is accepted and may use the model. It spends
// nothing, so it cannot tell whether there is credit left: OpenAI says so only
// to a request that costs some.
//
// Servers that know no single models are asked for the list. A fault of kind
// Permission may mean no more than that the key cannot look at models, and one
// of kind BadResponse that the server has no list.
func (c *Client) CheckModel(ctx context.Context) error {
	a, f := c.get(ctx, "/models/"+url.PathEscape(c.model))
	switch {
	case f != nil:
		return f
	case a.Status == http.StatusOK:
		return nil
	case a.Status != http.StatusNotFound || readComplaint(a.Body).Code == "model_not_found":
		return c.lookedAt(a)
	}
	return c.inList(ctx)
}

// inList looks for the model in the list of all.
func (c *Client) inList(ctx context.Context) error {
	a, f := c.get(ctx, "/models")
	switch {
	case f != nil:
		return f
	case a.Status != http.StatusOK && a.Status != http.StatusNotFound:
		return c.lookedAt(a)
	}
	var list struct {
		Data *[]struct{ ID string } `json:"data"`
	}
	if a.Status == http.StatusNotFound || json.Unmarshal(a.Body, &list) != nil || list.Data == nil {
		return &fault.Fault{Service: service, Kind: fault.BadResponse, Status: a.Status, Message: "the server has no list of models"}
	}
	if !slices.ContainsFunc(*list.Data, func(m struct{ ID string }) bool { return m.ID == c.model }) {
		missing := noModel
		missing.Service, missing.Message = service, "the model is not in the server's list"
		return &missing
	}
	return nil
}

// lookedAt classifies a refusal. A key that is restricted to completions is
// refused with 401 or 403, and its missing scope is named.
func (c *Client) lookedAt(a httpcall.Answer) *fault.Fault {
	f := c.classify(a.Status, a.Header, a.Body)
	if strings.Contains(f.Message, "Missing scopes") {
		f.Kind = fault.Permission
	}
	return f
}

// get reads something below the base URL.
func (c *Client) get(ctx context.Context, path string) (httpcall.Answer, *fault.Fault) {
	return c.http.Do(ctx, httpcall.Request{Method: http.MethodGet, URL: c.base + path, Header: c.header()})
}
