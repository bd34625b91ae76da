package doctor

import (
	"strings"
	"time"

	"callagent/localstack/simulator"
)

// patient is a set-up of which one thing is wrong.
type patient struct {
	name   string
	world  simulator.Config
	faults []simulator.Fault
	env    map[string]string // above that of the simulator; "" is not set
	file   string            // callagent.toml
	change func(*Options)
	// want is what is not all right, as "status service check", in order.
	want []string
}

// realTwilio is the simulator under a name that is not taken for this machine.
const realTwilio = "http://LOCALHOST:{phone}"

// stranger is the key of an account that Google does not know.
const stranger = "{stranger}"

func broken(service, route, answer, code string) []simulator.Fault {
	return []simulator.Fault{{Service: service, Route: route, Answer: answer, Code: code}}
}

var patients = []patient{
	{name: "healthy"},
	{name: "nothing is set", env: unset(), want: []string{"warning machine clock", "error machine address", "error llm key", "error elevenlabs key", "error twilio key", "warning machine alerts"}},

	{name: "LLM: wrong key", env: map[string]string{"OPENAI_API_KEY": "sk-wrong"}, want: []string{"error llm model"}},
	{name: "LLM: unknown model", env: map[string]string{"OPENAI_MODEL": "gpt-99"}, want: []string{"error llm model"}},
	{name: "LLM: base URL without /v1", env: map[string]string{"OPENAI_BASE_URL": "{llm}"}, want: []string{"warning llm model"}},
	{name: "LLM: refuses connections", env: map[string]string{"OPENAI_BASE_URL": "http://127.0.0.1:{closed}/v1"}, want: []string{"error llm model"}},
	{name: "LLM: quota spent", faults: broken("llm", "model", "429", "insufficient_quota"), want: []string{"error llm model"}},
	{name: "LLM: too many requests", faults: broken("llm", "", "429", ""), want: []string{"warning llm model"}},
	{name: "LLM: country not served", faults: broken("llm", "", "403", ""), want: []string{"error llm model"}},
	{name: "LLM: down", faults: broken("llm", "", "503", ""), want: []string{"warning llm model"}},
	{name: "LLM: silent", faults: broken("llm", "", "timeout", ""), change: func(o *Options) { o.Limit = 3 * time.Second }, want: []string{"error llm model"}},

	{name: "ElevenLabs: wrong key", env: map[string]string{"ELEVENLABS_API_KEY": "wrong"}, want: []string{"error elevenlabs model"}},
	{name: "ElevenLabs: unknown voice", env: map[string]string{"ELEVENLABS_VOICE_ID": "nobody"}, want: []string{"error elevenlabs voice"}},
	{name: "ElevenLabs: unknown voice of a campaign", file: "[campaign.spring]\nvoice = \"nobody\"\n", want: []string{"error elevenlabs voice"}},
	{name: "ElevenLabs: no voice", env: map[string]string{"ELEVENLABS_VOICE_ID": ""}, want: []string{"error elevenlabs voice"}},
	{name: "ElevenLabs: unknown model", env: map[string]string{"ELEVENLABS_MODEL_ID": "eleven_v99"}, want: []string{"error elevenlabs model"}},
	{name: "ElevenLabs: quota spent", faults: broken("elevenlabs", "", "401", "quota_exceeded"), want: []string{"error elevenlabs credit"}},
	{name: "ElevenLabs: key that may only speak", faults: broken("elevenlabs", "voice", "401", "missing_permissions"), want: []string{"warning elevenlabs voice"}},
	{name: "ElevenLabs: an answer that is cut", faults: broken("elevenlabs", "models", "malformed", ""), want: []string{"error elevenlabs model"}},

	{name: "Twilio: wrong token", env: map[string]string{"TWILIO_AUTH_TOKEN": "wrong"}, want: []string{"error twilio account"}},
	{name: "Twilio: account id malformed", env: map[string]string{"TWILIO_ACCOUNT_SID": "SK" + strings.Repeat("0", 32)}, want: []string{"error twilio account"}},
	{name: "Twilio: no such account", faults: broken("twilio", "account", "404", ""), want: []string{"error twilio account"}},
	{name: "Twilio: suspended", world: simulator.Config{Account: simulator.Account{Status: "suspended"}}, want: []string{"error twilio account"}},
	{name: "Twilio: suspended, and refusing", faults: broken("twilio", "", "403", "20005"), want: []string{"error twilio account"}},
	{name: "Twilio: trial", world: simulator.Config{Account: simulator.Account{Trial: true}}, want: []string{"warning twilio account"}},
	{name: "Twilio: caller id not ours", env: map[string]string{"TWILIO_FROM": "+15005550009"}, want: []string{"error twilio caller id"}},
	{name: "Twilio: caller id of a campaign not ours", file: "[campaign.spring]\nfrom = \"+15005550009\"\n", want: []string{"error twilio caller id"}},
	{name: "Twilio: caller id verified", world: simulator.Config{Account: simulator.Account{Verified: []string{"+15005550009"}}}, env: map[string]string{"TWILIO_FROM": "+15005550009"}},
	{name: "Twilio: caller id without voice", world: simulator.Config{Account: simulator.Account{Mute: true}}, want: []string{"error twilio caller id"}},
	{name: "Twilio: no caller id", env: map[string]string{"TWILIO_FROM": ""}, want: []string{"error twilio caller id"}},
	{name: "Twilio: nothing left", world: simulator.Config{Account: simulator.Account{Balance: "-0.53"}}, want: []string{"warning twilio balance"}},
	{name: "Twilio: balance not told", faults: broken("twilio", "balance", "404", "")},

	{name: "HubSpot: wrong token", env: map[string]string{"HUBSPOT_TOKEN": "pat-eu1-wrong"}, want: []string{"error crm access"}},
	{name: "HubSpot: scope to write missing", world: simulator.Config{Scopes: []string{"crm.objects.contacts.read"}}, want: []string{"error crm scopes"}},
	{name: "HubSpot: all scopes missing", world: simulator.Config{Scopes: []string{}}, want: []string{"error crm access", "error crm scopes", "warning crm properties"}},
	{name: "HubSpot: scopes not told", faults: broken("crm", "scopes", "404", ""), want: []string{"warning crm scopes"}},
	{name: "HubSpot: properties missing", world: simulator.Config{Properties: map[string]bool{"contacts callagent_contact": false}}, want: []string{"error crm properties"}},
	{name: "HubSpot: day's requests used up", faults: broken("crm", "", "429", "DAILY"), want: []string{"warning crm access"}},

	{name: "email: wrong password", env: map[string]string{"SMTP_URL": "smtp://simulator:wrong@{host}:{mail}"}, want: []string{"error email login"}},
	{name: "email: refuses connections", env: map[string]string{"SMTP_URL": "smtp://{host}:{closed}"}, want: []string{"error email login"}},
	{name: "email: no mail server", env: map[string]string{"SMTP_URL": "smtp://{host}:{phone}"}, change: func(o *Options) { o.Limit = 3 * time.Second }, want: []string{"error email login"}},
	{name: "email: a server of another kind", faults: broken("email", "connect", "malformed", ""), want: []string{"error email login"}},
	{name: "email: user without password", env: map[string]string{"SMTP_URL": "smtp://somebody@{host}"}, want: []string{"error email settings"}},

	{name: "Telegram: wrong token", env: map[string]string{"TELEGRAM_BOT_TOKEN": "110201543:wrong-wrong-wrong-wrong-wrong"}, want: []string{"error telegram bot"}},
	{name: "Telegram: wrong chat", env: map[string]string{"TELEGRAM_CHAT_ID": "4711"}, want: []string{"error telegram chat"}},
	{name: "Telegram: chat is no number", env: map[string]string{"TELEGRAM_CHAT_ID": "ops"}, want: []string{"error telegram settings"}},
	{name: "Telegram: thrown out", faults: broken("telegram", "getChat", "403", "Forbidden: bot was kicked from the supergroup chat"), want: []string{"error telegram chat"}},

	{name: "webhook: refuses connections", env: map[string]string{"ALERT_WEBHOOK_URL": "http://127.0.0.1:{closed}/alerts"}, want: []string{"error webhook reach"}},
	{name: "webhook: gone", faults: broken("webhook", "", "410", ""), want: []string{"error webhook reach"}},
	{name: "webhook: redirects", faults: broken("webhook", "", "301", ""), want: []string{"error webhook reach"}},
	{name: "webhook: not signed", env: map[string]string{"ALERT_WEBHOOK_SECRET": ""}, want: []string{"warning webhook signature"}},
	{name: "webhook: in clear text", env: map[string]string{"ALERT_WEBHOOK_URL": "http://hooks-.invalid/alerts"}, want: []string{"warning webhook address", "error webhook reach"}},

	{name: "sheet: not shared", faults: broken("sheets", "get", "403", ""), want: []string{"error sheets spreadsheet"}},
	{name: "sheet: not found", env: map[string]string{"SHEETS_SPREADSHEET_ID": "1another-spreadsheet"}, want: []string{"error sheets spreadsheet"}},
	{name: "sheet: API not switched on", faults: broken("sheets", "get", "403", "SERVICE_DISABLED"), want: []string{"error sheets spreadsheet"}},
	{name: "sheet: key of a stranger", env: map[string]string{"GOOGLE_APPLICATION_CREDENTIALS": stranger}, want: []string{"error sheets spreadsheet"}},
	{name: "sheet: no key file", env: map[string]string{"GOOGLE_APPLICATION_CREDENTIALS": "nowhere.json"}, want: []string{"error sheets settings"}},

	{name: "clock: an hour slow", change: func(o *Options) { o.Now = func() time.Time { return time.Now().Add(-time.Hour) } }, want: []string{"error machine clock"}},
	{name: "clock: half a minute fast", change: func(o *Options) { o.Now = func() time.Time { return time.Now().Add(30 * time.Second) } }, want: []string{"warning machine clock"}},

	{name: "PUBLIC_URL: not set", env: map[string]string{"TWILIO_BASE_URL": realTwilio}, want: []string{"error machine address"}},
	{name: "PUBLIC_URL: http", env: map[string]string{"TWILIO_BASE_URL": realTwilio, "PUBLIC_URL": "http://calls-.invalid"}, want: []string{"warning machine address", "error machine audio"}},
	{name: "PUBLIC_URL: https, does not resolve", env: map[string]string{"TWILIO_BASE_URL": realTwilio, "PUBLIC_URL": "https://calls-.invalid"}, want: []string{"error machine audio"}},
	{name: "PUBLIC_URL: this machine", env: map[string]string{"TWILIO_BASE_URL": realTwilio, "PUBLIC_URL": "http://192.168.1.20:8080"}, want: []string{"error machine address"}},
	{name: "PUBLIC_URL: refuses connections", env: map[string]string{"PUBLIC_URL": "http://127.0.0.1:{closed}"}, want: []string{"error machine audio"}},
	{name: "PUBLIC_URL: leads elsewhere", env: map[string]string{"PUBLIC_URL": "{llm}"}, change: func(o *Options) { o.Listen = "127.0.0.1:0" }, want: []string{"error machine audio"}},
	{name: "PUBLIC_URL: answered", env: map[string]string{"PUBLIC_URL": "{llm}"}},
	{name: "PUBLIC_URL: address to listen at is none", env: map[string]string{"PUBLIC_URL": "{llm}"}, change: func(o *Options) { o.Listen = "nonsense" }, want: []string{"error machine audio"}},

	{name: "store: there", change: func(o *Options) { o.Settings.Store = "sqlite:doctor_test.go" }},
	{name: "store: no such folder", change: func(o *Options) { o.Settings.Store = "sqlite:nowhere/calls.db" }, want: []string{"error store file"}},
	{name: "store: a folder", change: func(o *Options) { o.Settings.Store = "sqlite:testdata" }, want: []string{"error store file"}},
}

// unset takes everything out of the environment.
func unset() map[string]string {
	env := map[string]string{}
	for _, name := range []string{"OPENAI_API_KEY", "ELEVENLABS_API_KEY", "TWILIO_ACCOUNT_SID", "TWILIO_AUTH_TOKEN", "TWILIO_FROM", "TWILIO_BASE_URL",
		"HUBSPOT_TOKEN", "TELEGRAM_BOT_TOKEN", "TELEGRAM_CHAT_ID", "SMTP_URL", "ALERT_EMAIL_FROM", "ALERT_EMAIL_TO", "ALERT_WEBHOOK_URL",
		"ALERT_WEBHOOK_SECRET", "SHEETS_SPREADSHEET_ID", "GOOGLE_APPLICATION_CREDENTIALS"} {
		env[name] = ""
	}
	return env
}
