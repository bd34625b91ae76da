package telegram

import (
	"encoding/json"
	"errors"
	"net/http"
	"strings"
	"testing"
	"unicode/utf16"

	"callagent/core/agent/notifytest"
)

// chat reads a request as the chat shows it: the bold beginning is the title.
func chat(_ *http.Request, body []byte) (notifytest.Arrival, error) {
	var m outgoing
	if err := json.Unmarshal(body, &m); err != nil {
		return notifytest.Arrival{}, err
	}
	text := utf16.Encode([]rune(m.Text))
	switch {
	case len(text) > 4096:
		return notifytest.Arrival{}, errors.New(failed(400, "Bad Request: message is too long", ""))
	case len(m.Entities) == 0 || m.Entities[0].Type != "bold" || m.Entities[0].Offset != 0 || m.Entities[0].Length > len(text):
		return notifytest.Arrival{}, errors.New(failed(400, "Bad Request: no title", ""))
	}
	title, rest := text[:m.Entities[0].Length], text[m.Entities[0].Length:]
	return notifytest.Arrival{Title: string(utf16.Decode(title)), Text: strings.TrimPrefix(string(utf16.Decode(rest)), "\n\n")}, nil
}

func TestNotifierSuite(t *testing.T) {
	_, secret, _ := strings.Cut(token, ":")
	notifytest.Run(t, func(t *testing.T) notifytest.Harness {
		r := notifytest.ServeHTTP(t, notifytest.Dialect{
			Read: chat, Accept: sent,
			Refuse: func(reason string) string { return failed(401, reason, "") },
		})
		return notifytest.Harness{Notifier: open(t, r.URL, "-100123"), Receiver: r, Secrets: []string{token, secret}, NoIDs: true}
	})
}
