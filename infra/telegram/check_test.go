package telegram

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"callagent/core/fault"
)

func TestChecks(t *testing.T) {
	for _, c := range []struct {
		method, reply, moved string
		status               int
		kind                 fault.Kind
		fine                 bool
	}{
		{"getMe", `{"ok":true,"result":{"id":4711,"is_bot":true}}`, "", 200, 0, true},
		{"getMe", `{"ok":false,"error_code":401,"description":"Unauthorized"}`, "", 401, fault.Authentication, false},
		{"getMe", `<html>`, "", 200, fault.BadResponse, false},
		{"getChat", `{"ok":true,"result":{"id":-42,"type":"group"}}`, "", 200, 0, true},
		{"getChat", `{"ok":false,"error_code":400,"description":"Bad Request: chat not found"}`, "", 400, fault.NotFound, false},
		{"getChat", `{"ok":false,"error_code":400,"description":"Bad Request: group chat was upgraded to a supergroup chat","parameters":{"migrate_to_chat_id":-10042}}`, "-10042", 400, fault.NotFound, false},
		{"getChat", `{"ok":false,"error_code":403,"description":"Forbidden: bot was kicked"}`, "", 403, fault.Permission, false},
	} {
		s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			want := "/bot" + token + "/" + c.method
			if r.Method != http.MethodGet || r.URL.Path != want || c.method == "getChat" && r.URL.Query().Get("chat_id") != "-42" {
				t.Errorf("asked %s %s", r.Method, strings.ReplaceAll(r.RequestURI, token, "TOKEN"))
			}
			w.WriteHeader(c.status)
			_, _ = io.WriteString(w, c.reply)
		}))
		ch, moved := open(t, s.URL, "-42"), ""
		var err error
		if c.method == "getMe" {
			err = ch.CheckBot(t.Context())
		} else {
			moved, err = ch.CheckChat(t.Context())
		}
		f := fault.From(service, err)
		if (f == nil) != c.fine || f != nil && f.Kind != c.kind || moved != c.moved {
			t.Errorf("%s with %s: %v, moved to %q", c.method, c.reply, f, moved)
		}
		if f != nil && strings.Contains(f.Error(), token) {
			t.Errorf("%q tells the token", f)
		}
		s.Close()
	}
}
