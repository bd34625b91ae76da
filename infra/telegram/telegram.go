// Package telegram tells alerts to one Telegram chat through a bot.
//
// The title and the labels are bold by means of message entities and not of a
// markup language, so no text needs escaping, none can be refused for its
// markup, and lengths are counted as Telegram counts them: in UTF-16 units of
// the plain text.
//
// The bot's token is part of the URL. No error repeats it.
package telegram

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"callagent/core/alert"
	"callagent/core/fault"
	"callagent/infra/httpcall"
)

// service is the channel's name in faults.
const service = "telegram"

// Config says which bot writes to which chat. Token and ChatID are needed.
type Config struct {
	Token   string           // from @BotFather
	ChatID  string           // a number, negative for groups, or a public "@name"
	BaseURL string           // "" means https://api.telegram.org
	Connect time.Duration    // bounds dialling and the TLS handshake; 0 means 5 s
	Now     func() time.Time // nil means time.Now
	// Moved is told the chat's new id when the group has become a supergroup,
	// once for each new id, from any goroutine. nil tells nobody.
	Moved func(chat string)
}

// Channel writes to one chat. It is safe for concurrent use.
type Channel struct {
	url    string // with the token
	token  string
	chat   string
	moved  atomic.Int64 // the chat's new id, 0 while it has not moved
	tell   func(chat string)
	now    func() time.Time
	client *httpcall.Client
}

var (
	tokens   = regexp.MustCompile(`^[\w:-]+$`)
	channels = regexp.MustCompile(`^@\w+$`)
)

// New checks the configuration. Its errors name the setting to change and
// never repeat the token.
func New(c Config) (*Channel, error) {
	if !tokens.MatchString(c.Token) {
		return nil, errors.New("telegram: set TELEGRAM_BOT_TOKEN to the token that @BotFather gave, digits:letters")
	}
	if _, err := strconv.ParseInt(c.ChatID, 10, 64); err != nil && !channels.MatchString(c.ChatID) {
		return nil, errors.New("telegram: set TELEGRAM_CHAT_ID to the chat's number or to the @name of a public channel")
	}
	base := cmp.Or(c.BaseURL, "https://api.telegram.org")
	u, err := url.Parse(base)
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
		return nil, errors.New("telegram: set TELEGRAM_BASE_URL to a whole URL that begins with https:// or http://, or leave it out")
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.Moved == nil {
		c.Moved = func(string) {}
	}
	return &Channel{
		url:   strings.TrimRight(base, "/") + "/bot" + c.Token + "/sendMessage",
		token: c.Token, chat: c.ChatID, tell: c.Moved, now: c.Now, client: httpcall.New(service, c.Connect),
	}, nil
}

// Close ends idle connections.
func (c *Channel) Close() { c.client.Close() }

// Notify sends the message, shortened to what one Telegram message holds; an
// info arrives without a sound.
//
// It makes one request, with one exception: when the answer says that the group
// has become a supergroup with another id, the message goes to the new id at
// once, and so does every later one of this Channel. A message whose answer was
// lost may arrive twice.
func (c *Channel) Notify(ctx context.Context, m alert.Message) error {
	out := compose(m)
	f, moved := c.send(ctx, out)
	if moved != 0 {
		if c.moved.Swap(moved) != moved {
			c.tell(strconv.FormatInt(moved, 10))
		}
		f, _ = c.send(ctx, out)
	}
	if f != nil {
		return f
	}
	return nil
}

// send makes one request to the chat's newest id. moved is the chat's next id
// when the answer tells one.
func (c *Channel) send(ctx context.Context, out outgoing) (f *fault.Fault, moved int64) {
	out.Chat = c.address()
	body, err := json.Marshal(out)
	if err != nil {
		return &fault.Fault{Service: service, Class: fault.Permanent, Kind: fault.InvalidRequest,
			Scope: fault.Contact, Message: "the alert cannot be written as JSON"}, 0
	}
	a, f := c.client.Do(ctx, httpcall.Request{Method: http.MethodPost, URL: c.url, Body: body,
		Header: http.Header{"Content-Type": {"application/json"}, "Accept": {"application/json"}}})
	if f != nil {
		return f, 0
	}
	var r reply
	if json.Unmarshal(a.Body, &r) != nil {
		r = reply{}
	}
	return c.classify(a, r), r.Parameters.MovedTo
}

// address gives the chat as the API wants it: a number, or a channel's name.
func (c *Channel) address() any {
	if id := c.moved.Load(); id != 0 {
		return id
	}
	if id, err := strconv.ParseInt(c.chat, 10, 64); err == nil {
		return id
	}
	return c.chat
}

// reply is what the API answers, whatever the status.
type reply struct {
	OK          bool   `json:"ok"`
	Code        int    `json:"error_code"`
	Description string `json:"description"`
	Result      struct {
		ID int64 `json:"message_id"`
	} `json:"result"`
	Parameters struct {
		MovedTo    int64   `json:"migrate_to_chat_id"`
		RetryAfter float64 `json:"retry_after"` // seconds
	} `json:"parameters"`
}
