package telegram

import (
	"cmp"
	"net/http"
	"strings"

	"callagent/core/fault"
	"callagent/infra/httpcall"
)

// chatFaults are the descriptions of a 400 that would meet every message to
// this chat, in lower case.
var chatFaults = []struct {
	text string
	kind fault.Kind
}{
	{"chat not found", fault.NotFound},
	{"chat_id is empty", fault.InvalidRequest},
	{"message thread not found", fault.NotFound},
	{"topic_closed", fault.Permission},
	{"have no rights to send", fault.Permission},
	{"not enough rights", fault.Permission},
	{"upgraded to a supergroup", fault.NotFound},
}

// classify reads an answer; nil means that the message was sent. Any other 400
// is taken to be this message's own, so that one text that Telegram does not
// like holds up no other.
func (c *Channel) classify(a httpcall.Answer, r reply) *fault.Fault {
	status := a.Status
	if status == http.StatusOK {
		if r.OK && r.Result.ID != 0 {
			return nil
		}
		if r.Code >= http.StatusBadRequest && r.Code < 600 {
			status = r.Code
		}
	}
	_, secret, _ := strings.Cut(c.token, ":")
	f := httpcall.FromStatus(status)
	f.Service = service
	f.Message = httpcall.Clean(cmp.Or(r.Description, string(a.Body)), c.url, c.token, secret)
	switch {
	case status < 300:
		f.Message = "the answer is not one of the Bot API"
	case status < 400:
		f.Message = "the API redirects: check TELEGRAM_BASE_URL"
	case status == http.StatusBadRequest:
		for _, known := range chatFaults {
			if strings.Contains(strings.ToLower(r.Description), known.text) {
				f.Scope, f.Kind, f.Suspect = fault.Account, known.kind, false
			}
		}
	case status == http.StatusUnauthorized, status == http.StatusNotFound:
		f.Kind, f.Message = fault.Authentication, "the bot's token is not accepted: check TELEGRAM_BOT_TOKEN"
	case status == http.StatusTooManyRequests:
		f.RetryAfter = cmp.Or(httpcall.Seconds(r.Parameters.RetryAfter), httpcall.RetryAfter(a.Header, c.now()))
	}
	return &f
}
