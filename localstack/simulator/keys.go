package simulator

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"net/url"
	"strings"
	"sync/atomic"
)

// Keys are the credentials and names that the providers accept. A request with
// another key gets the answer that the real provider gives.
type Keys struct {
	OpenAI           string
	ElevenLabs       string
	Voice            string // the one voice that ElevenLabs knows
	TwilioAccount    string
	TwilioToken      string
	TwilioFrom       string // the one number that may call
	HubSpot          string
	TelegramToken    string
	TelegramChat     string // the one chat that the bot is in
	MailUser         string
	MailPassword     string
	WebhookSecret    string // whsec_ and base64
	Spreadsheet      string // the one spreadsheet that is shared
	SheetsAccount    string // the service account that it is shared with
	MailFrom, MailTo string // only for Env: the mail server takes any address
}

func (k Keys) withDefaults() Keys {
	for _, f := range []struct {
		field *string
		value string
	}{
		{&k.OpenAI, "simulated-openai-key"},
		{&k.ElevenLabs, "simulated-elevenlabs-key"},
		{&k.Voice, "21m00Tcm4TlvDq8ikWAM"},
		{&k.TwilioAccount, "AC" + strings.Repeat("0", 31) + "1"},
		{&k.TwilioToken, "simulated-twilio-token"},
		{&k.TwilioFrom, "+15005550006"},
		{&k.HubSpot, "simulated-hubspot-token"},
		{&k.TelegramToken, "110201543:simulated-telegram-token-of-35ch"},
		{&k.TelegramChat, "4242"},
		{&k.MailUser, "simulator"},
		{&k.MailPassword, "simulated-mail-password"},
		{&k.WebhookSecret, "whsec_" + base64.StdEncoding.EncodeToString([]byte("simulated webhook secret, 32 by."))},
		{&k.Spreadsheet, "1simulated-spreadsheet-0123456789abcdefghijk"},
		{&k.SheetsAccount, "callagent@simulated.iam.gserviceaccount.com"},
		{&k.MailFrom, "callagent@example.com"},
		{&k.MailTo, "operator@example.com"},
	} {
		if *f.field == "" {
			*f.field = f.value
		}
	}
	return k
}

// URLs gives the base URL of each service by its name, as the provider's own
// client library takes it, and that of the control endpoint under "control".
func (s *Simulator) URLs() map[string]string {
	urls := make(map[string]string, len(s.addresses))
	for service, address := range s.addresses {
		urls[service] = "http://" + address
	}
	urls[llm] += "/v1"
	urls[webhook] += "/alerts"
	urls[email] = (&url.URL{Scheme: "smtp", Host: s.addresses[email],
		User: url.UserPassword(s.cfg.Keys.MailUser, s.cfg.Keys.MailPassword)}).String()
	return urls
}

// Env gives the environment, as NAME=value, that points an agent at this
// simulator with keys that work. The file with the service account's key is
// written for it and is there until Close.
func (s *Simulator) Env() []string {
	u, k := s.URLs(), s.cfg.Keys
	return []string{
		"OPENAI_API_KEY=" + k.OpenAI,
		"OPENAI_BASE_URL=" + u[llm],
		"ELEVENLABS_API_KEY=" + k.ElevenLabs,
		"ELEVENLABS_BASE_URL=" + u[elevenLabs],
		"ELEVENLABS_VOICE_ID=" + k.Voice,
		"TWILIO_ACCOUNT_SID=" + k.TwilioAccount,
		"TWILIO_AUTH_TOKEN=" + k.TwilioToken,
		"TWILIO_FROM=" + k.TwilioFrom,
		"TWILIO_BASE_URL=" + u[twilio],
		"HUBSPOT_TOKEN=" + k.HubSpot,
		"HUBSPOT_BASE_URL=" + u[crm],
		"TELEGRAM_BOT_TOKEN=" + k.TelegramToken,
		"TELEGRAM_CHAT_ID=" + k.TelegramChat,
		"TELEGRAM_BASE_URL=" + u[telegram],
		"SMTP_URL=" + u[email],
		"ALERT_EMAIL_FROM=" + k.MailFrom,
		"ALERT_EMAIL_TO=" + k.MailTo,
		"ALERT_WEBHOOK_URL=" + u[webhook],
		"ALERT_WEBHOOK_SECRET=" + k.WebhookSecret,
		"SHEETS_SPREADSHEET_ID=" + k.Spreadsheet,
		"SHEETS_ENDPOINT=" + u[sheetsName],
		"GOOGLE_APPLICATION_CREDENTIALS=" + s.sheet.file.at(s.tokenURL()),
	}
}

// ids makes identifiers that repeat with the seed and never within a run.
type ids struct {
	seed int64
	last atomic.Int64
}

// hex gives 32 hexadecimal digits.
func (i *ids) hex() string {
	sum := sha256.Sum256(fmt.Appendf(nil, "%d/%d", i.seed, i.last.Add(1)))
	return hex.EncodeToString(sum[:16])
}

// uuid gives 32 hexadecimal digits in the groups of a UUID.
func (i *ids) uuid() string {
	h := i.hex()
	return h[:8] + "-" + h[8:12] + "-" + h[12:16] + "-" + h[16:20] + "-" + h[20:]
}
