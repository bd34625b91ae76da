package openai

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"

	"callagent/core/call"
	"callagent/core/fault"
	"callagent/infra/httpcall/httpcalltest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const planted = "sk-planted-key-4711"

// sent is one request as the server saw it.
type sent struct {
	method, path, authorization, contentType string
	body                                     map[string]any
}

// answering starts a server with one answer and returns a client for it.
func answering(t *testing.T, status int, body string) (*Client, *[]sent) {
	var log []sent
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		seen := sent{method: r.Method, path: r.RequestURI, authorization: r.Header.Get("Authorization"),
			contentType: r.Header.Get("Content-Type")}
		if err := json.NewDecoder(r.Body).Decode(&seen.body); err != nil {
			t.Errorf("the request is not JSON: %v", err)
		}
		log = append(log, seen)
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(status)
		_, _ = io.WriteString(w, body)
	}))
	c := New(Config{APIKey: planted + "\n", BaseURL: s.URL + "/v1/"})
	t.Cleanup(func() { c.Close(); s.Close() })
	return c, &log
}

// completion is a 200 with one choice.
func completion(content, finish string) string {
	return `{"id":"chatcmpl-1","object":"chat.completion","created":1790000000,"model":"gpt-4o-mini","choices":[` +
		`{"index":0,"message":{"role":"assistant","content":` + content + `,"refusal":null},"finish_reason":"` + finish + `"}],` +
		`"usage":{"prompt_tokens":9,"completion_tokens":3,"total_tokens":12},"error":null}`
}

func TestScriptSendsThePublishedRequest(t *testing.T) {
	user := map[string]any{"role": "user", "content": "Ada, plan gold"}
	for _, tt := range []struct {
		name string
		ask  call.ScriptRequest
		want map[string]any
	}{
		{"everything", call.ScriptRequest{System: "Be brief.", User: "Ada, plan gold", MaxTokens: 300}, map[string]any{
			"model": "gpt-4o-mini", "max_tokens": 300.0,
			"messages": []any{map[string]any{"role": "system", "content": "Be brief."}, user}}},
		{"no instructions, no bound", call.ScriptRequest{User: "Ada, plan gold"}, map[string]any{
			"model": "gpt-4o-mini", "messages": []any{user}}},
		{"senseless bound", call.ScriptRequest{User: "Ada, plan gold", MaxTokens: -1}, map[string]any{
			"model": "gpt-4o-mini", "messages": []any{user}}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c, log := answering(t, http.StatusOK, completion(`"  Hello Ada.\n"`, "stop"))
			text, err := c.Script(t.Context(), tt.ask)
			if err != nil || text != "Hello Ada." {
				t.Fatalf("text %q, error %v", text, err)
			}
			want := []sent{{"POST", "/v1/chat/completions", "Bearer " + planted, "application/json", tt.want}}
			if diff := cmp.Diff(want, *log, cmp.AllowUnexported(sent{})); diff != "" {
				t.Errorf("requests (-want +got):\n%s", diff)
			}
		})
	}
}

func TestBoundIsNamedAsTheServerKnowsIt(t *testing.T) {
	for base, older := range map[string]bool{
		"":                                   false,
		"https://api.openai.com/v1":          false,
		"https://eu.api.openai.com/v1":       false,
		"https://x.openai.azure.com/openai":  false,
		"https://notopenai.com/v1":           true,
		"https://api.openai.com.example/v1":  true,
		"http://127.0.0.1:11434/v1":          true,
		"https://openrouter.example/api/v1/": true,
		"http://[broken":                     true,
	} {
		c := New(Config{BaseURL: base})
		c.Close()
		if c.older != older {
			t.Errorf("%q: older name %v, want %v", base, c.older, older)
		}
	}
	for older, want := range map[bool]string{
		true:  `{"model":"m","messages":null,"max_tokens":5}`,
		false: `{"model":"m","messages":null,"max_completion_tokens":5}`,
	} {
		r := request{Model: "m"}
		r.bound(5, older)
		got, err := json.Marshal(r)
		if err != nil || string(got) != want {
			t.Errorf("older %v: %s, %v; want %s", older, got, err, want)
		}
	}
}

func TestNewDefaults(t *testing.T) {
	c := New(Config{})
	defer c.Close()
	if c.base != "https://api.openai.com/v1" || c.model != "gpt-4o-mini" || c.now == nil {
		t.Errorf("base %q, model %q", c.base, c.model)
	}
}

func TestWithoutKeyNoAuthorization(t *testing.T) {
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if _, there := r.Header["Authorization"]; there {
			t.Error("an Authorization header arrived")
		}
		_, _ = io.WriteString(w, completion(`"Hello."`, "stop"))
	}))
	defer s.Close()
	c := New(Config{BaseURL: s.URL})
	defer c.Close()
	if _, err := c.Script(t.Context(), call.ScriptRequest{User: "x"}); err != nil {
		t.Error(err)
	}
}

// What a 200 can hold, and what Script and Probe make of it.
func TestGoodStatusBadContent(t *testing.T) {
	bad := func(message, code string) fault.Fault {
		return fault.Fault{Kind: fault.BadResponse, Service: "llm", Status: 200, Message: message, Code: code}
	}
	refused := func(code, message string, suspect bool) fault.Fault {
		return fault.Fault{Class: fault.Permanent, Kind: fault.InvalidRequest, Scope: fault.Contact, Suspect: suspect,
			Service: "llm", Status: 200, Code: code, Message: message}
	}
	const notJSON, noChoice, noText = "its answer is not the JSON of a completion", "its answer holds no choice", "its answer holds no text"
	for _, tt := range []struct {
		name, body string
		script     fault.Fault
		probeOK    bool
	}{
		{"nothing", "", bad(notJSON, ""), false},
		{"HTML", "<html>Welcome</html>", bad(notJSON, ""), false},
		{"malformed", `{"choices":[`, bad(notJSON, ""), false},
		{"a list", `[]`, bad(notJSON, ""), false},
		{"null", `null`, bad(noChoice, ""), false},
		{"content of another type", completion(`{"a":1}`, "stop"), bad(notJSON, ""), false},
		{"no choices", `{"choices":[]}`, bad(noChoice, ""), false},
		{"choices null", `{"choices":null}`, bad(noChoice, ""), false},
		{"no message", `{"choices":[{"index":0,"finish_reason":"stop"}]}`, bad(noChoice, ""), false},
		{"error", `{"error":{"message":"Provider returned error","code":502}}`, bad("Provider returned error", "502"), false},
		{"error as text", `{"error":"out of memory","choices":[]}`, bad("out of memory", ""), false},
		{"error without words", `{"error":{}}`, bad("it sent an error with status 200", ""), false},
		{"billing error", `{"error":{"type":"insufficient_quota"}}`, bad("it sent an error with status 200", "insufficient_quota"), false},
		{"empty text", completion(`""`, "stop"), bad(noText, ""), true},
		{"no text", completion(`null`, "tool_calls"), bad(noText, ""), true},
		{"white space", completion(`" \n\t "`, "stop"), bad(noText, ""), true},
		{"cut to nothing", completion(`""`, "length"), bad(noText, ""), true},
		{"cut", completion(`"Hello Ada, I am"`, "length"), refused("length", "the script exceeds its token limit", true), true},
		{"filtered", completion(`""`, "content_filter"),
			refused("content_filter", "the content filter stopped the script", false), true},
		{"filtered halfway", completion(`"Hello"`, "content_filter"),
			refused("content_filter", "the content filter stopped the script", false), true},
		{"refused", strings.Replace(completion(`null`, "stop"), `"refusal":null`, `"refusal":"I cannot."`, 1),
			refused("refusal", "the model refuses to write the script", false), true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c, _ := answering(t, http.StatusOK, tt.body)
			text, err := c.Script(t.Context(), call.ScriptRequest{User: "x"})
			var f *fault.Fault
			if !errors.As(err, &f) || *f != tt.script || text != "" {
				t.Errorf("text %q, error %#v; want %#v", text, err, tt.script)
			}
			if err := c.Probe(t.Context(), nil); (err == nil) != tt.probeOK {
				t.Errorf("probe: %v", err)
			}
		})
	}
}

func TestProbeIsOneTinyCompletion(t *testing.T) {
	for _, last := range []*fault.Fault{nil, {Kind: fault.QuotaExceeded}, {Kind: fault.Timeout}} {
		c, log := answering(t, http.StatusOK, completion(`"ok"`, "stop"))
		if err := c.Probe(t.Context(), last); err != nil {
			t.Error(err)
		}
		want := []sent{{"POST", "/v1/chat/completions", "Bearer " + planted, "application/json", map[string]any{
			"model": "gpt-4o-mini", "max_tokens": 16.0,
			"messages": []any{map[string]any{"role": "user", "content": "Answer with: ok"}}}}}
		if diff := cmp.Diff(want, *log, cmp.AllowUnexported(sent{})); diff != "" {
			t.Errorf("requests (-want +got):\n%s", diff)
		}
	}
}

func TestSurvivesBrokenServers(t *testing.T) {
	for name, send := range map[string]func(context.Context, *Client) error{
		"script": func(ctx context.Context, c *Client) error {
			_, err := c.Script(ctx, call.ScriptRequest{User: "x"})
			return err
		},
		"probe": func(ctx context.Context, c *Client) error { return c.Probe(ctx, nil) },
	} {
		t.Run(name, func(t *testing.T) {
			httpcalltest.Suite(t, httpcalltest.Config{Secrets: []string{planted},
				Call: func(ctx context.Context, baseURL string) error {
					c := New(Config{APIKey: planted, BaseURL: baseURL + "/v1"})
					defer c.Close()
					return send(ctx, c)
				}})
		})
	}
}
