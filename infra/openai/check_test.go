package openai

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"callagent/core/fault"
)

// models starts a server that knows some paths and gives a client for it.
func models(t *testing.T, paths map[string]string) (*Client, *[]string) {
	t.Helper()
	var asked []string
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked = append(asked, r.Method+" "+r.URL.Path)
		status, body := 404, ""
		if _, err := fmt.Sscanf(paths[r.URL.Path], "%d", &status); err == nil {
			body = paths[r.URL.Path][len("200 "):]
		}
		w.WriteHeader(status)
		_, _ = io.WriteString(w, body)
	}))
	c := New(Config{APIKey: planted, BaseURL: s.URL + "/v1", Model: "llama"})
	t.Cleanup(func() { c.Close(); s.Close() })
	return c, &asked
}

func TestCheckModel(t *testing.T) {
	const one, all = "/v1/models/llama", "/v1/models"
	for _, c := range []struct {
		name  string
		paths map[string]string
		kind  fault.Kind
		fine  bool
		asks  int
	}{
		{"there", map[string]string{one: `200 {"id":"llama"}`}, 0, true, 1},
		{"not there", map[string]string{one: `404 {"error":{"code":"model_not_found"}}`}, fault.NotFound, false, 1},
		{"in the list only", map[string]string{all: `200 {"data":[{"id":"mistral"},{"id":"llama"}]}`}, 0, true, 2},
		{"not in the list", map[string]string{all: `200 {"data":[{"id":"mistral"}]}`}, fault.NotFound, false, 2},
		{"no list", nil, fault.BadResponse, false, 2},
		{"a page for a list", map[string]string{all: `200 <html>`}, fault.BadResponse, false, 2},
		{"a key that may only write, in the older form", map[string]string{one: `401 {"error":{"message":"You have insufficient permissions for this operation. Missing scopes: api.model.read."}}`}, fault.Permission, false, 1},
		{"a key that may only write", map[string]string{one: `403 {"error":{"message":"Missing scopes: api.model.read"}}`}, fault.Permission, false, 1},
		{"a wrong key", map[string]string{one: `401 {"error":{"code":"invalid_api_key","message":"Incorrect API key: ` + planted + `"}}`}, fault.Authentication, false, 1},
		{"the list is refused", map[string]string{all: `401 {"error":{"code":"invalid_api_key"}}`}, fault.Authentication, false, 2},
		{"down", map[string]string{one: `503 `}, fault.ServiceUnavailable, false, 1},
	} {
		t.Run(c.name, func(t *testing.T) {
			client, asked := models(t, c.paths)
			f := fault.From(service, client.CheckModel(t.Context()))
			if (f == nil) != c.fine || f != nil && f.Kind != c.kind {
				t.Errorf("%v, want %v", f, c.kind)
			}
			if len(*asked) != c.asks || (*asked)[0] != "GET "+one {
				t.Errorf("asked %q", *asked)
			}
			if f != nil && strings.Contains(f.Error(), planted) {
				t.Errorf("%q tells the key", f)
			}
		})
	}
}
