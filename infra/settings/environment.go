package settings

import (
	"errors"
	"fmt"
	"net/mail"
	"net/url"
	"slices"
	"strings"

	"callagent/core/call"
	"callagent/core/journal"
)

// Secret is a value that printing never shows; string(s) is the value itself.
type Secret string

const (
	hidden = "(hidden)"
	notSet = "(not set)"
)

// String says only whether there is a value.
func (s Secret) String() string {
	if s == "" {
		return notSet
	}
	return hidden
}

// GoString is String, for %#v.
func (s Secret) GoString() string { return s.String() }

// MarshalText is String, for JSON and TOML.
func (s Secret) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// Providers is what the environment says of the services, the channels and the
// cloud. An empty value is one that is not set; a base URL that is not set is
// the provider's own.
type Providers struct {
	OpenAI struct {
		APIKey         Secret
		BaseURL, Model string
	}
	ElevenLabs struct {
		APIKey                  Secret
		BaseURL, Voice, ModelID string
	}
	Twilio struct {
		AccountSID, AuthToken Secret
		From, BaseURL         string
	}
	HubSpot struct {
		Token   Secret
		BaseURL string
	}
	Telegram struct {
		BotToken        Secret
		ChatID, BaseURL string
	}
	Email struct {
		SMTP Secret // a URL with user and password
		From string
		To   []string
	}
	Webhook struct{ URL, Secret Secret } // such URLs are passwords by themselves
	Sheets  struct {
		Spreadsheet, Endpoint string
		Credentials           Secret // the key itself as JSON, or the path of its file
	}
	AWS struct {
		Endpoint                                               string // "" is AWS itself
		ContactsQueue, ContactsDeadLetters                     string
		TicksQueue, AlertsQueue, JournalQueue                  string
		CircuitsTable, CallsTable, AudioBucket, SettingsObject string
	}
	PublicURL     string // where the providers reach this process
	OperatorToken Secret // opens the dashboard's buttons
}

// variable is one environment variable and the place that it fills.
type variable struct {
	name  string
	to    *string // exactly one of to, hide and list is set
	hide  *Secret
	list  *[]string
	check func(string) error // nil takes anything
	phone bool               // is shown masked
}

func (p *Providers) variables() []variable {
	return []variable{
		{name: "OPENAI_API_KEY", hide: &p.OpenAI.APIKey},
		{name: "OPENAI_BASE_URL", to: &p.OpenAI.BaseURL, check: checkWeb},
		{name: "OPENAI_MODEL", to: &p.OpenAI.Model},
		{name: "ELEVENLABS_API_KEY", hide: &p.ElevenLabs.APIKey},
		{name: "ELEVENLABS_BASE_URL", to: &p.ElevenLabs.BaseURL, check: checkWeb},
		{name: "ELEVENLABS_VOICE_ID", to: &p.ElevenLabs.Voice},
		{name: "ELEVENLABS_MODEL_ID", to: &p.ElevenLabs.ModelID},
		{name: "TWILIO_ACCOUNT_SID", hide: &p.Twilio.AccountSID},
		{name: "TWILIO_AUTH_TOKEN", hide: &p.Twilio.AuthToken},
		{name: "TWILIO_FROM", to: &p.Twilio.From, check: checkPhone, phone: true},
		{name: "TWILIO_BASE_URL", to: &p.Twilio.BaseURL, check: checkWeb},
		{name: "HUBSPOT_TOKEN", hide: &p.HubSpot.Token},
		{name: "HUBSPOT_BASE_URL", to: &p.HubSpot.BaseURL, check: checkWeb},
		{name: "TELEGRAM_BOT_TOKEN", hide: &p.Telegram.BotToken},
		{name: "TELEGRAM_CHAT_ID", to: &p.Telegram.ChatID},
		{name: "TELEGRAM_BASE_URL", to: &p.Telegram.BaseURL, check: checkWeb},
		{name: "SMTP_URL", hide: &p.Email.SMTP, check: checkSMTP},
		{name: "ALERT_EMAIL_FROM", to: &p.Email.From, check: checkAddress},
		{name: "ALERT_EMAIL_TO", list: &p.Email.To, check: checkAddress},
		{name: "ALERT_WEBHOOK_URL", hide: &p.Webhook.URL, check: checkWeb},
		{name: "ALERT_WEBHOOK_SECRET", hide: &p.Webhook.Secret},
		{name: "SHEETS_SPREADSHEET_ID", to: &p.Sheets.Spreadsheet},
		{name: "GOOGLE_APPLICATION_CREDENTIALS", hide: &p.Sheets.Credentials},
		{name: "SHEETS_ENDPOINT", to: &p.Sheets.Endpoint, check: checkWeb},
		{name: "PUBLIC_URL", to: &p.PublicURL, check: checkWeb},
		{name: "OPERATOR_TOKEN", hide: &p.OperatorToken},
		{name: "AWS_ENDPOINT_URL", to: &p.AWS.Endpoint, check: checkWeb},
		{name: "CONTACTS_QUEUE_URL", to: &p.AWS.ContactsQueue, check: checkWeb},
		{name: "CONTACTS_DEAD_LETTERS_URL", to: &p.AWS.ContactsDeadLetters, check: checkWeb},
		{name: "TICKS_QUEUE_URL", to: &p.AWS.TicksQueue, check: checkWeb},
		{name: "ALERTS_QUEUE_URL", to: &p.AWS.AlertsQueue, check: checkWeb},
		{name: "JOURNAL_QUEUE_URL", to: &p.AWS.JournalQueue, check: checkWeb},
		{name: "CIRCUITS_TABLE", to: &p.AWS.CircuitsTable},
		{name: "CALLS_TABLE", to: &p.AWS.CallsTable},
		{name: "AUDIO_BUCKET", to: &p.AWS.AudioBucket},
		{name: "SETTINGS_OBJECT", to: &p.AWS.SettingsObject},
	}
}

func (v variable) set(s string) error {
	parts := []string{s}
	if v.list != nil {
		parts = strings.FieldsFunc(s, func(r rune) bool { return r == ',' || r == ' ' })
	}
	for _, part := range parts {
		if v.check == nil {
			break
		}
		if err := v.check(part); err != nil {
			return err
		}
	}
	switch {
	case v.to != nil:
		*v.to = s
	case v.hide != nil:
		*v.hide = Secret(s)
	default:
		*v.list = parts
	}
	return nil
}

// shown is the value as it may be printed.
func (v variable) shown() string {
	switch {
	case v.hide != nil:
		return v.hide.String()
	case v.list != nil:
		return orNotSet(strings.Join(*v.list, ","))
	case v.phone:
		return orNotSet(journal.Mask(*v.to))
	default:
		return orNotSet(*v.to)
	}
}

func orNotSet(s string) string {
	if s == "" {
		return notSet
	}
	return s
}

// SecretsPath names where secrets are that need not be in the environment: SSM
// parameters, which the functions lay over it.
const SecretsPath = "SECRETS_PATH"

// together lists variables that make sense only with each other.
var together = [][]string{
	{"TWILIO_ACCOUNT_SID", "TWILIO_AUTH_TOKEN"},
	{"TELEGRAM_BOT_TOKEN", "TELEGRAM_CHAT_ID"},
	{"SMTP_URL", "ALERT_EMAIL_FROM", "ALERT_EMAIL_TO"},
}

// readEnvironment takes what is set. Blanks around a value are dropped, and
// what is left empty is not set. Its errors never repeat a value.
func readEnvironment(env func(string) (string, bool)) (Providers, error) {
	var p Providers
	if env == nil {
		return p, nil
	}
	var problems []error
	path, _ := env(SecretsPath)
	set, elsewhere := map[string]bool{}, map[string]bool{}
	for _, v := range p.variables() {
		s, _ := env(v.name)
		if s = strings.TrimSpace(s); s == "" {
			elsewhere[v.name] = v.hide != nil && path != ""
			continue
		}
		set[v.name] = true
		if err := v.set(s); err != nil {
			problems = append(problems, &Error{Key: v.name, Problem: err.Error()})
		}
	}
	for _, group := range together {
		i := slices.IndexFunc(group, func(name string) bool { return set[name] })
		if i < 0 {
			continue
		}
		for _, name := range group {
			if !set[name] && !elsewhere[name] {
				problems = append(problems, &Error{Key: name, Problem: fmt.Sprintf("is not set although %s is: set both or neither", group[i])})
			}
		}
	}
	return p, errors.Join(problems...)
}

// Missing names the environment variables without which no call can be made.
// What may be switched off (CRM, alert channels, sheet) is not among them.
func (s Settings) Missing() []string {
	need := map[string]bool{
		"OPENAI_API_KEY": true, "ELEVENLABS_API_KEY": true, "TWILIO_ACCOUNT_SID": true, "TWILIO_AUTH_TOKEN": true,
	}
	for _, c := range s.Campaigns {
		need["TWILIO_FROM"] = need["TWILIO_FROM"] || c.From == ""
		need["ELEVENLABS_VOICE_ID"] = need["ELEVENLABS_VOICE_ID"] || c.Voice == ""
	}
	var names []string
	for _, v := range s.Providers.variables() {
		if need[v.name] && v.shown() == notSet {
			names = append(names, v.name)
		}
	}
	return names
}

// Secrets lists every value that must never be printed: keys and tokens, and
// the passwords inside URLs.
func (s Settings) Secrets() []string {
	var secrets []string
	for _, v := range s.Providers.variables() {
		if v.hide == nil || *v.hide == "" {
			continue
		}
		secrets = append(secrets, string(*v.hide))
		if u, err := url.Parse(string(*v.hide)); err == nil && u.User != nil {
			if password, ok := u.User.Password(); ok && password != "" {
				secrets = append(secrets, password)
			}
		}
	}
	return secrets
}

func checkWeb(s string) error {
	u, err := url.Parse(s)
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
		return errors.New("is no web address: write it whole, like https://host.example/path")
	}
	return nil
}

func checkSMTP(s string) error {
	u, err := url.Parse(s)
	if err != nil || u.Host == "" || u.Scheme != "smtp" && u.Scheme != "smtps" {
		return errors.New("is no mail server: write it like smtp://user:password@host:587 with special characters percent-encoded, or smtps:// for TLS from the start")
	}
	return nil
}

func checkAddress(s string) error {
	if _, err := mail.ParseAddress(s); err != nil {
		return errors.New("is no e-mail address: write it like alerts@example.com, several with commas between them")
	}
	return nil
}

func checkPhone(s string) error {
	if !call.E164(s) {
		return errors.New("is no phone number: write +, the country code and the number, digits only")
	}
	return nil
}
