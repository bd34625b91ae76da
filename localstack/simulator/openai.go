package simulator

import (
	"crypto/subtle"
	"encoding/json"
	"fmt"
	"net/http"
	"regexp"
	"slices"
	"strings"
)

// llmAPI is OpenAI.
type llmAPI struct{ sim *Simulator }

func (*llmAPI) name() string { return llm }

func (l *llmAPI) routes() []route {
	return []route{
		{name: "completions", pattern: "POST /v1/chat/completions", paid: true, serve: l.authorized(l.complete)},
		{name: "models", pattern: "GET /v1/models", serve: l.authorized(l.models)},
		{name: "model", pattern: "GET /v1/models/{model}", serve: l.authorized(l.model)},
		{pattern: "GET /{path...}", serve: func(in inbound) answer {
			return llmError(http.StatusNotFound, "invalid_request_error", "Invalid URL (GET "+in.URL.Path+")", "", "")
		}},
	}
}

func (l *llmAPI) stamp(h http.Header) {
	setAbsent(h, "X-Request-Id", "req_"+l.sim.ids.hex())
	setAbsent(h, "Openai-Version", "2020-10-01")
	setAbsent(h, "Openai-Processing-Ms", "180")
	setAbsent(h, "X-Ratelimit-Limit-Requests", "5000")
	setAbsent(h, "X-Ratelimit-Remaining-Requests", "4999")
	setAbsent(h, "X-Ratelimit-Reset-Requests", "12ms")
}

func (l *llmAPI) fail(f Fault) answer { return l.refuse(f.status(), f.Code) }

func (l *llmAPI) refuse(status int, code string) answer {
	kind, usual, message := "invalid_request_error", "", "The request was refused."
	switch status {
	case http.StatusUnauthorized:
		usual, message = "invalid_api_key", "Incorrect API key provided."
	case http.StatusForbidden:
		kind, usual, message = "request_forbidden", "unsupported_country_region_territory", "Country, region, or territory not supported"
	case http.StatusNotFound:
		usual, message = "model_not_found", "The model does not exist or you do not have access to it."
	case http.StatusTooManyRequests:
		kind, usual, message = "requests", "rate_limit_exceeded", "Rate limit reached for requests per minute."
	case http.StatusServiceUnavailable:
		kind, usual, message = "service_unavailable_error", "server_is_overloaded", "The server is overloaded."
	default:
		if status >= 500 {
			kind, message = "server_error", "The server had an error while processing your request."
		}
	}
	switch {
	case slices.Contains(quotaCodes, code):
		kind, message = "insufficient_quota", "You exceeded your current quota, please check your plan and billing details."
	case code == "context_length_exceeded":
		message = "The messages are longer than this model's maximum context length."
	case code == "":
		code = usual
	}
	return llmError(status, kind, message, "", code)
}

// llmError writes OpenAI's error body, in which what is unknown is null.
func llmError(status int, kind, message, param, code string) answer {
	null := func(s string) any {
		if s == "" {
			return nil
		}
		return s
	}
	return jsonAnswer(status, map[string]any{"error": map[string]any{
		"message": message, "type": kind, "param": null(param), "code": null(code)}})
}

func (l *llmAPI) authorized(serve func(inbound) answer) func(inbound) answer {
	return func(in inbound) answer {
		key, given := strings.CutPrefix(in.Header.Get("Authorization"), "Bearer ")
		switch {
		case !given || key == "":
			return llmError(http.StatusUnauthorized, "invalid_request_error", "You didn't provide an API key.", "", "")
		case !same(key, l.sim.cfg.Keys.OpenAI):
			return l.refuse(http.StatusUnauthorized, "")
		}
		return serve(in)
	}
}

// same compares credentials.
func same(a, b string) bool { return subtle.ConstantTimeCompare([]byte(a), []byte(b)) == 1 }

// completion is what of a request the simulator looks at.
type completion struct {
	Model    string `json:"model"`
	Messages []struct {
		Role    string          `json:"role"`
		Content json.RawMessage `json:"content"`
	} `json:"messages"`
	MaxTokens           *int     `json:"max_tokens"`
	MaxCompletionTokens *int     `json:"max_completion_tokens"`
	Temperature         *float64 `json:"temperature"`
	Stream              bool     `json:"stream"`
}

// fault names the first thing that is wrong with a request.
func (c completion) fault() (message, param, code string) {
	roles := []string{"system", "developer", "user", "assistant", "tool", "function"}
	switch {
	case c.Model == "":
		return "you must provide a model parameter", "", ""
	case len(c.Messages) == 0:
		return "Invalid 'messages': empty array. Expected an array with minimum length 1.", "messages", "empty_array"
	case c.Temperature != nil && (*c.Temperature < 0 || *c.Temperature > 2):
		return "Invalid 'temperature': expected a value between 0 and 2.", "temperature", "decimal_out_of_range"
	case c.limit() != nil && *c.limit() < 1:
		return "Invalid 'max_tokens': expected a value of at least 1.", "max_tokens", "integer_below_min_value"
	case c.Stream:
		return "This model does not support streaming.", "stream", "unsupported_value"
	}
	for i, m := range c.Messages {
		if !slices.Contains(roles, m.Role) {
			return "Invalid value: the role is not supported.", fmt.Sprintf("messages[%d].role", i), "invalid_value"
		}
		if said(m.Content) == "" && m.Role != "assistant" {
			return "Invalid value for 'content': expected a string or an array of parts.", fmt.Sprintf("messages[%d].content", i), "invalid_type"
		}
	}
	return "", "", ""
}

func (c completion) limit() *int {
	if c.MaxCompletionTokens != nil {
		return c.MaxCompletionTokens
	}
	return c.MaxTokens
}

// said reads the content of a message: a string, or a list of parts.
func said(content json.RawMessage) string {
	var s string
	if json.Unmarshal(content, &s) == nil {
		return s
	}
	var parts []struct{ Text string }
	if json.Unmarshal(content, &parts) != nil {
		return ""
	}
	for _, p := range parts {
		s += p.Text
	}
	return s
}

func (l *llmAPI) complete(in inbound) answer {
	var c completion
	if err := json.Unmarshal(in.body, &c); err != nil {
		return llmError(http.StatusBadRequest, "invalid_request_error", "We could not parse the JSON body of your request.", "", "")
	}
	if message, param, code := c.fault(); message != "" {
		return llmError(http.StatusBadRequest, "invalid_request_error", message, param, code)
	}
	line, reason := script(callee(c)), "stop"
	if limit := c.limit(); limit != nil && *limit < tokens(line) {
		line, reason = string([]rune(line)[:4*(*limit)-1]), "length"
	}
	asked := 0
	for _, m := range c.Messages {
		asked += tokens(said(m.Content)) + 4
	}
	answered := tokens(line)
	return jsonAnswer(http.StatusOK, map[string]any{
		"id": "chatcmpl-" + l.sim.ids.hex(), "object": "chat.completion", "created": l.sim.clock.Now().Unix(), "model": c.Model,
		"choices": []any{map[string]any{"index": 0, "finish_reason": reason, "logprobs": nil,
			"message": map[string]any{"role": "assistant", "content": line, "refusal": nil}}},
		"usage":              map[string]any{"prompt_tokens": asked, "completion_tokens": answered, "total_tokens": asked + answered},
		"system_fingerprint": nil,
	})
}

// tokens is a rough count: four characters make one.
func tokens(s string) int { return len([]rune(s))/4 + 1 }

var namePattern = regexp.MustCompile(`(?i)\bname["']?\s*(?:is|:|=)\s*["']?(\p{L}[\p{L}\p{M}'’ -]{0,60})`)

// callee looks for the name of the person to call, in the last message first.
func callee(c completion) string {
	for _, m := range slices.Backward(c.Messages) {
		if found := namePattern.FindStringSubmatch(said(m.Content)); found != nil {
			return strings.Trim(found[1], " '’-")
		}
	}
	return ""
}

func script(name string) string {
	if name != "" {
		name = " " + name
	}
	return "Hello" + name + ", this is an automated call with a short message for you. " +
		"There is news about your account, and it takes less than a minute to go through. " +
		"If this is a bad time, you can hang up and we will not disturb you again today. Thank you and goodbye."
}

// llmModels are the models that are listed. Completions take any name.
var llmModels = []string{"gpt-4o-mini", "gpt-4o", "gpt-4.1-mini"}

func shownModel(id string) map[string]any {
	return map[string]any{"id": id, "object": "model", "created": 1721172741, "owned_by": "system"}
}

func (l *llmAPI) models(inbound) answer {
	var list []any
	for _, id := range llmModels {
		list = append(list, shownModel(id))
	}
	return jsonAnswer(http.StatusOK, map[string]any{"object": "list", "data": list})
}

func (l *llmAPI) model(in inbound) answer {
	id := in.PathValue("model")
	if !slices.Contains(llmModels, id) {
		return llmError(http.StatusNotFound, "invalid_request_error", "The model '"+id+"' does not exist", "model", "model_not_found")
	}
	return jsonAnswer(http.StatusOK, shownModel(id))
}
