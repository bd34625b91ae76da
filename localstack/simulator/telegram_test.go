package simulator_test

import (
	"strings"
	"testing"

	"callagent/localstack/simulator"
)

func TestTelegramMessages(t *testing.T) {
	w := start(t, simulator.Config{})
	for _, tc := range []struct {
		name, chat, text, mode string
		want                   string // part of the refusal; "" for none
	}{
		{"plain", "4242", "Circuit <opened> 1.5", "", ""},
		{"no chat", "", "x", "", "chat_id is empty"},
		{"other chat", "1", "x", "", "chat not found"},
		{"empty", "4242", " ", "", "message text is empty"},
		{"longest", "4242", strings.Repeat("a", 4096), "", ""},
		{"longer in UTF-16", "4242", strings.Repeat("😀", 2049), "", "message is too long"},
		{"HTML", "4242", "<b>Open</b> &lt;now&gt;", "HTML", ""},
		{"HTML tag", "4242", "<h1>Open</h1>", "HTML", "Unsupported start tag"},
		{"HTML bracket", "4242", "1 < 2", "HTML", "Unsupported start tag"},
		{"HTML end", "4242", "<b>Open", "HTML", "Can't find end tag"},
		{"HTML order", "4242", "<b><i>Open</b></i>", "HTML", "Unexpected end tag"},
		{"Markdown", "4242", `*Open* 1\.5`, "MarkdownV2", ""},
		{"Markdown dot", "4242", "Open 1.5", "MarkdownV2", "Character '.' is reserved"},
		{"mode", "4242", "x", "RTF", "unsupported parse_mode"},
	} {
		r := w.telegram(t.Context(), "sendMessage", `{"chat_id":"`+tc.chat+`","text":"`+strings.ReplaceAll(tc.text, `\`, `\\`)+`","parse_mode":"`+tc.mode+`"}`)
		description, _ := r.at("description").(string)
		if ok := r.at("ok") == true; ok != (tc.want == "") || ok && r.at("result", "text") != tc.text || !ok && !strings.Contains(description, tc.want) {
			t.Errorf("%s: status %d, %s; want %q", tc.name, r.status, r.body, tc.want)
		}
	}
	if got := w.Report().Telegram; len(got) != 4 || got[0].Text != "Circuit <opened> 1.5" || got[3].ID != 4 || got[2].ParseMode != "HTML" {
		t.Errorf("%d messages, want 4", len(got))
	}
	source := w.Report().Telegram[0].Source
	if !strings.HasPrefix(source, "POST /bot***/sendMessage HTTP/1.1\n") || !strings.HasSuffix(source, "\n\n"+`{"chat_id":"4242","text":"Circuit <opened> 1.5","parse_mode":""}`) {
		t.Errorf("the request is kept as %q", source)
	}
}

func TestTelegramTokens(t *testing.T) {
	w := start(t, simulator.Config{})
	token := w.env["TELEGRAM_BOT_TOKEN"]
	if r := w.telegram(t.Context(), "getMe", ""); r.at("result", "is_bot") != true || r.at("result", "id") != 110201543.0 {
		t.Errorf("getMe: %s", r.body)
	}
	if r := w.telegram(t.Context(), "getChat", `{"chat_id":4242}`); r.at("result", "id") != 4242.0 {
		t.Errorf("getChat: %s", r.body)
	}
	if r := w.telegram(t.Context(), "getChat", `{"chat_id":1}`); r.status != 400 {
		t.Errorf("getChat of another: status %d, want 400", r.status)
	}
	if r := w.do("GET", w.env["TELEGRAM_BASE_URL"]+"/bot"+token+"/sendMessage?chat_id=4242&text=hi", nil, ""); r.at("result", "text") != "hi" {
		t.Errorf("by URL: %s", r.body)
	}
	form := map[string]string{"Content-Type": "application/x-www-form-urlencoded"}
	if r := w.do("POST", w.env["TELEGRAM_BASE_URL"]+"/bot"+token+"/sendMessage", form, "chat_id=4242&text=ho"); r.at("result", "text") != "ho" {
		t.Errorf("by form: %s", r.body)
	}
	for bad, status := range map[string]int{"1:wrong": 401, "wrong": 404} {
		w.env["TELEGRAM_BOT_TOKEN"] = bad
		if r := w.telegram(t.Context(), "getMe", ""); r.status != status || r.at("error_code") != float64(status) {
			t.Errorf("token %q: status %d, want %d", bad, r.status, status)
		}
	}
	for _, r := range w.Requests() {
		if strings.Contains(r.Path, token) || !strings.HasPrefix(r.Path, "/bot***/") {
			t.Errorf("the path of a %s request shows the token", r.Route)
		}
	}
}

func TestTelegramChannels(t *testing.T) {
	w := start(t, simulator.Config{Keys: simulator.Keys{TelegramChat: "@operators"}})
	if r := w.chat(t.Context()); r.at("result", "chat", "username") != "operators" {
		t.Errorf("status %d, %s", r.status, r.body)
	}
}
