package simulator

import (
	"encoding/json"
	"fmt"
	"net/http"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
	"unicode/utf16"
)

// Chat is one message in the Telegram chat.
type Chat struct {
	At        time.Time `json:"at"`
	ID        int       `json:"message_id"`
	Text      string    `json:"text"`
	ParseMode string    `json:"parse_mode,omitempty"`
	Silent    bool      `json:"disable_notification,omitempty"`
	Source    string    `json:"source"` // the request as it came, see [Hook]
}

// chatAPI is Telegram's bot interface.
type chatAPI struct {
	sim *Simulator

	mu       sync.Mutex
	messages []Chat
}

func (*chatAPI) name() string { return telegram }

func (c *chatAPI) routes() []route {
	list := []route{}
	for name, serve := range map[string]func(inbound) answer{"sendMessage": c.send, "getMe": c.me, "getChat": c.chat} {
		list = append(list,
			route{name: name, pattern: "POST /{bot}/" + name, serve: c.authorized(serve)},
			route{name: name, pattern: "GET /{bot}/" + name, serve: c.authorized(serve)})
	}
	slices.SortFunc(list, func(a, b route) int { return strings.Compare(a.pattern, b.pattern) })
	return list
}

func (*chatAPI) stamp(h http.Header) { setAbsent(h, "Server", "nginx/1.18.0") }

var usualDescriptions = map[int]string{
	400: "Bad Request: chat not found", 401: "Unauthorized", 403: "Forbidden: bot was blocked by the user",
	404: "Not Found", 409: "Conflict", 429: "Too Many Requests", 500: "Internal Server Error",
	502: "Bad Gateway", 503: "Service Unavailable",
}

func (c *chatAPI) refuse(status int, code string) answer {
	if code == "" {
		code = usualDescriptions[status]
	}
	return jsonAnswer(status, map[string]any{"ok": false, "error_code": status, "description": code})
}

// fail says in the body, too, how long to wait.
func (c *chatAPI) fail(f Fault) answer {
	seconds, err := strconv.Atoi(f.RetryAfter)
	if err != nil {
		return c.refuse(f.status(), f.Code)
	}
	return jsonAnswer(f.status(), map[string]any{"ok": false, "error_code": f.status(),
		"description": fmt.Sprintf("Too Many Requests: retry after %d", seconds),
		"parameters":  map[string]any{"retry_after": seconds}})
}

var tokenShape = regexp.MustCompile(`^bot[0-9]+:[A-Za-z0-9_-]+$`)

func (c *chatAPI) authorized(serve func(inbound) answer) func(inbound) answer {
	return func(in inbound) answer {
		switch bot := in.PathValue("bot"); {
		case !tokenShape.MatchString(bot):
			return c.refuse(http.StatusNotFound, "")
		case !same(bot, "bot"+c.sim.cfg.Keys.TelegramToken):
			return c.refuse(http.StatusUnauthorized, "")
		}
		return serve(in)
	}
}

// parameters reads what Telegram takes as JSON, as a form or in the URL; every
// value comes out as text.
func parameters(in inbound) map[string]string {
	out := map[string]string{}
	for name := range in.URL.Query() {
		out[name] = in.URL.Query().Get(name)
	}
	if !strings.HasPrefix(in.Header.Get("Content-Type"), "application/json") {
		form, _ := in.form() // what cannot be read is absent
		for name := range form {
			out[name] = form.Get(name)
		}
		return out
	}
	var fields map[string]json.RawMessage
	_ = json.Unmarshal(in.body, &fields)
	for name, raw := range fields {
		var s string
		if json.Unmarshal(raw, &s) != nil {
			s = string(raw)
		}
		out[name] = s
	}
	return out
}

func (c *chatAPI) send(in inbound) answer {
	const longest = 4096
	p := parameters(in)
	text, problem := p["text"], ""
	switch length := len(utf16.Encode([]rune(text))); {
	case p["chat_id"] == "":
		problem = "chat_id is empty"
	case p["chat_id"] != c.sim.cfg.Keys.TelegramChat:
		problem = "chat not found"
	case strings.TrimSpace(text) == "":
		problem = "message text is empty"
	case length > longest:
		problem = "message is too long"
	default:
		problem = markup(p["parse_mode"], text)
	}
	if problem != "" {
		return c.refuse(http.StatusBadRequest, "Bad Request: "+problem)
	}
	now := c.sim.clock.Now()
	c.mu.Lock()
	defer c.mu.Unlock()
	m := Chat{At: now, ID: len(c.messages) + 1, Text: text, ParseMode: p["parse_mode"], Silent: p["disable_notification"] == "true", Source: in.source(telegram)}
	c.messages = append(c.messages, m)
	return c.ok(map[string]any{"message_id": m.ID, "from": c.bot(), "chat": c.room(), "date": now.Unix(), "text": text})
}

func (c *chatAPI) ok(result any) answer {
	return jsonAnswer(http.StatusOK, map[string]any{"ok": true, "result": result})
}

func (c *chatAPI) bot() map[string]any {
	digits, _, _ := strings.Cut(c.sim.cfg.Keys.TelegramToken, ":")
	return map[string]any{"id": json.Number(digits), "is_bot": true, "first_name": "Simulated bot", "username": "simulated_bot"}
}

// room shows the chat. Its id is a number unless it is a channel's name.
func (c *chatAPI) room() map[string]any {
	id := c.sim.cfg.Keys.TelegramChat
	if n, err := strconv.ParseInt(id, 10, 64); err == nil {
		return map[string]any{"id": n, "type": "private", "first_name": "Operator"}
	}
	return map[string]any{"id": -1001, "type": "channel", "title": "Operators", "username": strings.TrimPrefix(id, "@")}
}

func (c *chatAPI) me(inbound) answer { return c.ok(c.bot()) }

func (c *chatAPI) chat(in inbound) answer {
	if parameters(in)["chat_id"] != c.sim.cfg.Keys.TelegramChat {
		return c.refuse(http.StatusBadRequest, "")
	}
	return c.ok(c.room())
}

func (c *chatAPI) report() []Chat {
	c.mu.Lock()
	defer c.mu.Unlock()
	return append([]Chat{}, c.messages...)
}

var (
	tag = regexp.MustCompile(`<(/?)([a-zA-Z-]*)([^>]*)>?`)
	// reserved are the characters that MarkdownV2 wants escaped, where they
	// are. The ones that open and close markup are let through.
	reserved = regexp.MustCompile(`(?:^|[^\\])([.!>#+=|{}-])`)
	tagNames = []string{"b", "strong", "i", "em", "u", "ins", "s", "strike", "del", "a", "code", "pre", "span", "tg-spoiler", "tg-emoji", "blockquote"}
)

// markup says what Telegram cannot parse in a text, or "".
func markup(mode, text string) string {
	const cannot = "can't parse entities: "
	switch strings.ToLower(mode) {
	case "", "markdown":
		return ""
	case "markdownv2":
		if found := reserved.FindStringSubmatch(text); found != nil {
			return cannot + "Character '" + found[1] + "' is reserved and must be escaped with the preceding '\\'"
		}
		return ""
	case "html":
	default:
		return "unsupported parse_mode"
	}
	var open []string
	for _, t := range tag.FindAllStringSubmatch(text, -1) {
		name := strings.ToLower(t[2])
		switch {
		case !slices.Contains(tagNames, name):
			return cannot + "Unsupported start tag \"" + name + "\""
		case t[1] == "":
			open = append(open, name)
		case len(open) == 0 || open[len(open)-1] != name:
			return cannot + "Unexpected end tag"
		default:
			open = open[:len(open)-1]
		}
	}
	if len(open) > 0 {
		return cannot + "Can't find end tag corresponding to start tag \"" + open[len(open)-1] + "\""
	}
	return ""
}
