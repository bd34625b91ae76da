package telegram

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"callagent/core/agent"
	"callagent/core/alert"
	"callagent/core/fault"
	"callagent/infra/httpcall/httpcalltest"
)

const token = "4711:planted-Token_of_the_bot"

var (
	_ agent.Notifier = (*Channel)(nil)

	message = alert.Message{ID: "a-1", Severity: alert.Critical, Title: "Twilio is down", Text: "No calls."}
)

const sent = `{"ok":true,"result":{"message_id":42}}`

// api starts a Bot API that answers each request with what answer returns.
func api(t *testing.T, answer func(chat, body string) (status int, reply string)) string {
	t.Helper()
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		data, _ := io.ReadAll(r.Body)
		var in struct {
			Chat json.RawMessage `json:"chat_id"`
		}
		if err := json.Unmarshal(data, &in); err != nil || r.Method != http.MethodPost || r.URL.Path != "/bot"+token+"/sendMessage" ||
			r.Header.Get("Content-Type") != "application/json" {
			t.Errorf("unexpected %s %s (%v)", r.Method, strings.ReplaceAll(r.URL.Path, token, "TOKEN"), err)
		}
		status, reply := answer(string(in.Chat), string(data))
		w.WriteHeader(status)
		_, _ = io.WriteString(w, reply)
	}))
	t.Cleanup(s.Close)
	return s.URL
}

func open(t *testing.T, baseURL, chat string) *Channel {
	t.Helper()
	c, err := New(Config{Token: token, ChatID: chat, BaseURL: baseURL})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	return c
}

func TestNotifySendsOneMessage(t *testing.T) {
	for chat, want := range map[string]string{"-100123": `-100123`, "@alerts": `"@alerts"`} {
		bodies := make(chan string, 2)
		url := api(t, func(_, body string) (int, string) { bodies <- body; return 200, sent })
		if err := open(t, url+"/", chat).Notify(t.Context(), message); err != nil {
			t.Fatal(err)
		}
		body := `{"chat_id":` + want + `,"text":"Twilio is down\n\nNo calls.",` +
			`"entities":[{"type":"bold","offset":0,"length":14}],"link_preview_options":{"is_disabled":true}}`
		if d := cmp.Diff(body, <-bodies); d != "" || len(bodies) != 0 {
			t.Errorf("%d more requests, %s", len(bodies), d)
		}
	}
}

// failed writes an answer of the API.
func failed(code int, description, parameters string) string {
	return fmt.Sprintf(`{"ok":false,"error_code":%d,"description":%q,"parameters":{%s}}`, code, description, parameters)
}

func TestClassify(t *testing.T) {
	const noToken = "the bot's token is not accepted: check TELEGRAM_BOT_TOKEN"
	chat := func(k fault.Kind) fault.Fault {
		return fault.Fault{Class: fault.Permanent, Scope: fault.Account, Kind: k}
	}
	own := fault.Fault{Class: fault.Permanent, Scope: fault.Contact, Kind: fault.InvalidRequest, Suspect: true}
	refused := chat(fault.Authentication)
	refused.Message = noToken
	for _, c := range []struct {
		code        int
		description string
		parameters  string
		want        fault.Fault // an empty Message stands for the description
	}{
		{400, "Bad Request: chat not found", "", chat(fault.NotFound)},
		{400, "Bad Request: chat_id is empty", "", chat(fault.InvalidRequest)},
		{400, "Bad Request: have no rights to send a message", "", chat(fault.Permission)},
		{400, "Bad Request: not enough rights to send text messages to the chat", "", chat(fault.Permission)},
		{400, "Bad Request: TOPIC_CLOSED", "", chat(fault.Permission)},
		{400, "Bad Request: message thread not found", "", chat(fault.NotFound)},
		{400, "Bad Request: can't parse entities: unsupported start tag", "", own},
		{400, "Bad Request: message is too long", "", own},
		{400, "Bad Request: message text is empty", "", own},
		{400, "Bad Request: group chat was upgraded to a supergroup chat", "", chat(fault.NotFound)},
		{401, "Unauthorized", "", refused},
		{404, "Not Found", "", refused},
		{403, "Forbidden: bot was blocked by the user", "", chat(fault.Permission)},
		{403, "Forbidden: bot was kicked from the supergroup chat", "", chat(fault.Permission)},
		{403, "Forbidden: user is deactivated", "", chat(fault.Permission)},
		{403, "Forbidden: bot can't initiate conversation with a user", "", chat(fault.Permission)},
		{429, "Too Many Requests: retry after 34", `"retry_after":34`, fault.Fault{Kind: fault.Throttled, RetryAfter: 34 * time.Second}},
		{500, "Internal Server Error", "", fault.Fault{Kind: fault.ServiceUnavailable}},
		{502, "Bad Gateway", "", fault.Fault{Kind: fault.ServiceUnavailable}},
		{408, "Request Timeout", "", fault.Fault{Kind: fault.Timeout}},
	} {
		for _, status := range []int{c.code, 200} { // some proxies of the API answer 200 always
			t.Run(fmt.Sprint(status, c.description), func(t *testing.T) {
				requests := 0
				url := api(t, func(_, _ string) (int, string) {
					requests++
					return status, failed(c.code, c.description, c.parameters)
				})
				err := open(t, url, "12").Notify(t.Context(), message)
				want := c.want
				want.Service, want.Status = "telegram", c.code
				if want.Message == "" {
					want.Message = c.description
				}
				var f *fault.Fault
				if !errors.As(err, &f) {
					t.Fatalf("no fault: %v", err)
				}
				if d := cmp.Diff(want, *f); d != "" || requests != 1 {
					t.Errorf("%d requests, %s", requests, d)
				}
			})
		}
	}
}

func TestClassifyAnswersThatAreNotTheAPIs(t *testing.T) {
	const text = "the answer is not one of the Bot API"
	redirect := fault.Fault{Service: "telegram", Status: 302, Class: fault.Permanent, Scope: fault.Account,
		Kind: fault.InvalidRequest, Message: "the API redirects: check TELEGRAM_BASE_URL"}
	for _, c := range []struct {
		status int
		body   string
		want   fault.Fault
	}{
		{200, "", fault.Fault{Service: "telegram", Status: 200, Kind: fault.BadResponse, Message: text}},
		{200, `{"ok":true}`, fault.Fault{Service: "telegram", Status: 200, Kind: fault.BadResponse, Message: text}},
		{200, `{"ok":"yes"}`, fault.Fault{Service: "telegram", Status: 200, Kind: fault.BadResponse, Message: text}},
		{302, "", redirect},
	} {
		url := api(t, func(_, _ string) (int, string) { return c.status, c.body })
		var f *fault.Fault
		if err := open(t, url, "12").Notify(t.Context(), message); !errors.As(err, &f) {
			t.Fatalf("%q: %v", c.body, err)
		}
		if d := cmp.Diff(c.want, *f); d != "" {
			t.Errorf("%q: %s", c.body, d)
		}
	}
}

func TestNotifyFollowsAGroupThatMoved(t *testing.T) {
	var old, renewed atomic.Int32
	url := api(t, func(chat, _ string) (int, string) {
		if chat == "-5" {
			old.Add(1)
			return 400, failed(400, "Bad Request: group chat was upgraded to a supergroup chat", `"migrate_to_chat_id":-1001234567890`)
		}
		if chat != "-1001234567890" {
			t.Errorf("chat %s", chat)
		}
		renewed.Add(1)
		return 200, sent
	})
	var told []string
	c, err := New(Config{Token: token, ChatID: "-5", BaseURL: url, Moved: func(chat string) { told = append(told, chat) }})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	if err := c.Notify(t.Context(), message); err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff([]string{"-1001234567890"}, told); d != "" {
		t.Error(d)
	}
	if old.Load() != 1 || renewed.Load() != 1 {
		t.Errorf("%d requests to the old id and %d to the new one, want one each", old.Load(), renewed.Load())
	}
	var several sync.WaitGroup
	for range 5 {
		several.Go(func() {
			if err := c.Notify(t.Context(), message); err != nil {
				t.Error(err)
			}
		})
	}
	several.Wait()
	if old.Load() != 1 || renewed.Load() != 6 || len(told) != 1 {
		t.Errorf("later: %d requests to the old id and %d to the new one", old.Load(), renewed.Load())
	}
}

func TestNotifyFollowsOnlyOnce(t *testing.T) {
	var requests atomic.Int64
	url := api(t, func(_, _ string) (int, string) {
		n := requests.Add(1)
		return 400, failed(400, "Bad Request: group chat was upgraded to a supergroup chat", fmt.Sprintf(`"migrate_to_chat_id":-%d`, n))
	})
	f := fault.From("", open(t, url, "-5").Notify(t.Context(), message))
	if requests.Load() != 2 || f == nil || f.Class != fault.Permanent || f.Scope != fault.Account {
		t.Errorf("%d requests, %v", requests.Load(), f)
	}
}

func TestSuite(t *testing.T) {
	_, secret, _ := strings.Cut(token, ":")
	httpcalltest.Suite(t, httpcalltest.Config{
		Secrets: []string{token, secret},
		Call: func(ctx context.Context, baseURL string) error {
			c, err := New(Config{Token: token, ChatID: "-100123", BaseURL: baseURL})
			if err != nil {
				return err
			}
			defer c.Close()
			return c.Notify(ctx, message)
		},
	})
}

func TestNewNamesTheRemedy(t *testing.T) {
	const (
		badToken = "telegram: set TELEGRAM_BOT_TOKEN to the token that @BotFather gave, digits:letters"
		badChat  = "telegram: set TELEGRAM_CHAT_ID to the chat's number or to the @name of a public channel"
		badURL   = "telegram: set TELEGRAM_BASE_URL to a whole URL that begins with https:// or http://, or leave it out"
	)
	for _, c := range []struct {
		config Config
		want   string
	}{
		{Config{ChatID: "1"}, badToken},
		{Config{Token: "a/../b", ChatID: "1"}, badToken},
		{Config{Token: token}, badChat},
		{Config{Token: token, ChatID: "alerts"}, badChat},
		{Config{Token: token, ChatID: "1", BaseURL: "api.telegram.org"}, badURL},
		{Config{Token: token, ChatID: "1", BaseURL: "https://"}, badURL},
	} {
		if _, err := New(c.config); err == nil || err.Error() != c.want {
			t.Errorf("%q, %q: %v", c.config.ChatID, c.config.BaseURL, err)
		}
	}
	c, err := New(Config{Token: token, ChatID: "-1"})
	if err != nil || !strings.HasPrefix(c.url, "https://api.telegram.org/bot") {
		t.Errorf("the default origin is not Telegram's, %v", err)
	}
}
