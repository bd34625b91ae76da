// Package openai writes scripts with the chat completions of OpenAI or of any
// server that speaks the same API.
//
// Each method sends one request: POST {base}/chat/completions. The limit on
// the answer's length travels as max_completion_tokens to OpenAI's own hosts,
// whose newer models refuse the older name, and as max_tokens everywhere else,
// because that is the name that every compatible server knows.
package openai

import (
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
	"time"

	"callagent/core/agent"
	"callagent/core/call"
	"callagent/core/fault"
	"callagent/infra/httpcall"
)

// service is the name in faults.
const service = "llm"

// probeTokens bounds what a probe may cost. Smaller limits are refused by some
// models.
const probeTokens = 16

// Config says which server and which model to use.
type Config struct {
	APIKey  string           // "" sends no Authorization, as servers at home like it
	BaseURL string           // "" means https://api.openai.com/v1
	Model   string           // "" means gpt-4o-mini
	Connect time.Duration    // see [httpcall.New]
	Now     func() time.Time // for dates in Retry-After; nil means time.Now
}

// Client is the LLM. It is safe for concurrent use.
type Client struct {
	http  *httpcall.Client
	key   string
	base  string
	model string
	older bool // the bound on the answer's tokens travels under its older name
	now   func() time.Time
}

var _ agent.Writer = (*Client)(nil)

// New returns a client. White space around the key is dropped, and so is a
// slash at the end of the base URL.
func New(c Config) *Client {
	if c.BaseURL == "" {
		c.BaseURL = "https://api.openai.com/v1"
	}
	if c.Model == "" {
		c.Model = "gpt-4o-mini"
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	return &Client{
		http:  httpcall.New(service, c.Connect),
		key:   strings.TrimSpace(c.APIKey),
		base:  strings.TrimRight(c.BaseURL, "/"),
		model: c.Model,
		older: !isOpenAI(c.BaseURL),
		now:   c.Now,
	}
}

// isOpenAI tells OpenAI's own hosts, Azure's included.
func isOpenAI(baseURL string) bool {
	u, err := url.Parse(baseURL)
	if err != nil {
		return false
	}
	host := "." + u.Hostname()
	return strings.HasSuffix(host, ".openai.com") || strings.HasSuffix(host, ".openai.azure.com")
}

// Close ends idle connections.
func (c *Client) Close() { c.http.Close() }

// Script lets the model write. White space around the text is dropped. A text
// that was cut at MaxTokens is a fault of the contact and not a script: nobody
// should hear half a sentence, and what is missing may be the way to opt out.
// It is suspected to be the account's, because a limit that is too small cuts
// everybody's script.
func (c *Client) Script(ctx context.Context, r call.ScriptRequest) (string, error) {
	messages := []message{{Role: "user", Content: r.User}}
	if r.System != "" {
		messages = append([]message{{Role: "system", Content: r.System}}, messages...)
	}
	answer, f := c.complete(ctx, messages, r.MaxTokens)
	if f != nil {
		return "", f
	}
	text, f := answer.text()
	if f != nil {
		return "", f
	}
	return text, nil
}

// Probe asks for a completion of a few tokens. A well-formed answer is enough,
// whatever it says and even if it says nothing. There is no cheaper request
// that would notice an exhausted quota, so last does not matter.
func (c *Client) Probe(ctx context.Context, _ *fault.Fault) error {
	if _, f := c.complete(ctx, []message{{Role: "user", Content: "Answer with: ok"}}, probeTokens); f != nil {
		return f
	}
	return nil
}

// request is the part of the API's request body that is used. A bound of 0
// tokens is left out.
type request struct {
	Model               string    `json:"model"`
	Messages            []message `json:"messages"`
	MaxTokens           int       `json:"max_tokens,omitempty"`
	MaxCompletionTokens int       `json:"max_completion_tokens,omitempty"`
}

func (r *request) bound(tokens int, older bool) {
	if older {
		r.MaxTokens = max(0, tokens)
	} else {
		r.MaxCompletionTokens = max(0, tokens)
	}
}

type message struct {
	Role    string `json:"role"`
	Content string `json:"content"`
}

// complete makes the request. maxTokens 0 leaves the length to the server.
func (c *Client) complete(ctx context.Context, messages []message, maxTokens int) (choice, *fault.Fault) {
	r := request{Model: c.model, Messages: messages}
	r.bound(maxTokens, c.older)
	body, err := json.Marshal(r)
	if err != nil {
		return choice{}, fault.From(service, err)
	}
	header := c.header()
	header.Set("Content-Type", "application/json")
	answer, f := c.http.Do(ctx, httpcall.Request{Method: http.MethodPost, URL: c.base + "/chat/completions", Header: header, Body: body})
	if f != nil {
		return choice{}, f
	}
	if answer.Status != http.StatusOK {
		return choice{}, c.classify(answer.Status, answer.Header, answer.Body)
	}
	return c.read(answer)
}

// header is what every request carries.
func (c *Client) header() http.Header {
	h := http.Header{"Accept": {"application/json"}}
	if c.key != "" {
		h.Set("Authorization", "Bearer "+c.key)
	}
	return h
}
