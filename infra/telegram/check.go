package telegram

import (
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"callagent/core/fault"
	"callagent/infra/httpcall"
)

// CheckBot fails unless the token is a bot's.
func (c *Channel) CheckBot(ctx context.Context) error {
	if _, f := c.ask(ctx, "getMe", nil); f != nil {
		return f
	}
	return nil
}

// CheckChat fails unless the bot can see the chat. A group that became a
// supergroup is a fault, and moved is its new id; else moved is "". Whether the
// bot may write there, only a message shows.
func (c *Channel) CheckChat(ctx context.Context) (moved string, err error) {
	r, f := c.ask(ctx, "getChat", url.Values{"chat_id": {c.chat}})
	if r.Parameters.MovedTo != 0 {
		moved = strconv.FormatInt(r.Parameters.MovedTo, 10)
	}
	if f != nil {
		return moved, f
	}
	return moved, nil
}

// ask calls a method that reads.
func (c *Channel) ask(ctx context.Context, method string, query url.Values) (reply, *fault.Fault) {
	address := strings.TrimSuffix(c.url, "sendMessage") + method
	if query != nil {
		address += "?" + query.Encode()
	}
	a, f := c.client.Do(ctx, httpcall.Request{Method: http.MethodGet, URL: address, Header: http.Header{"Accept": {"application/json"}}})
	if f != nil {
		return reply{}, f
	}
	var r reply
	if json.Unmarshal(a.Body, &r) != nil {
		r = reply{}
	}
	if a.Status == http.StatusOK && r.OK {
		return r, nil
	}
	return r, c.classify(a, r)
}
