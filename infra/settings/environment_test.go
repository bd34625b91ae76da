package settings

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// full sets every variable to something that can be recognised.
func full() map[string]string {
	vars := map[string]string{}
	for _, v := range new(Providers).variables() {
		vars[v.name] = "value-of-" + strings.ToLower(v.name)
		if v.check != nil {
			vars[v.name] = "https://host.example/" + strings.ToLower(v.name)
		}
	}
	vars["TWILIO_FROM"] = "+15005550006"
	vars["SMTP_URL"] = "smtp://user:very-secret@mail.example:587"
	vars["ALERT_EMAIL_FROM"] = "agent@example.com"
	vars["ALERT_EMAIL_TO"] = "ada@example.com, grace@example.com"
	return vars
}

func TestEveryVariableIsRead(t *testing.T) {
	vars := full()
	s := load(t, Source{Env: environment(vars)})
	for _, v := range s.Providers.variables() {
		got := ""
		switch {
		case v.hide != nil:
			got = string(*v.hide)
		case v.list != nil:
			got = strings.Join(*v.list, ", ")
		default:
			got = *v.to
		}
		if got != vars[v.name] {
			t.Errorf("%s is %q, want %q", v.name, got, vars[v.name])
		}
	}
	if missing := s.Missing(); missing != nil {
		t.Errorf("with everything set %v is missing", missing)
	}
}

func TestNoSecretIsEverPrinted(t *testing.T) {
	s := load(t, Source{Env: environment(full())})
	secrets := s.Secrets()
	for _, want := range []string{"value-of-openai_api_key", "value-of-twilio_auth_token", "very-secret", "https://host.example/alert_webhook_url", "value-of-operator_token"} {
		if !slices.Contains(secrets, want) {
			t.Errorf("Secrets lacks the one like %q", want)
		}
	}
	var written bytes.Buffer
	if err := Write(&written, s); err != nil {
		t.Fatal(err)
	}
	data, err := json.Marshal(s)
	if err != nil {
		t.Fatal(err)
	}
	providers, err := json.Marshal(s.Providers)
	if err != nil {
		t.Fatal(err)
	}
	for form, text := range map[string]string{
		"Write": written.String(), "JSON": string(data), "JSON of the providers": string(providers),
		"%v": fmt.Sprintf("%v", s), "%+v": fmt.Sprintf("%+v", s), "%#v": fmt.Sprintf("%#v", s), "%q": fmt.Sprintf("%q", s.Providers),
	} {
		for i, secret := range secrets {
			if strings.Contains(text, secret) {
				t.Errorf("secret %d is in the form %s", i, form)
			}
		}
	}
	for _, line := range []string{"# OPENAI_API_KEY = (hidden)\n", "# ALERT_EMAIL_TO = ada@example.com,grace@example.com\n", "# OPENAI_MODEL = value-of-openai_model\n"} {
		if !strings.Contains(written.String(), line) {
			t.Errorf("no line %q in:\n%s", line, written.String())
		}
	}
}

func TestAVariableThatCannotBeReadIsNamedWithoutItsValue(t *testing.T) {
	const canary = "canary"
	tests := map[string]string{
		"OPENAI_BASE_URL":   "is no web address: write it whole, like https://host.example/path",
		"ALERT_WEBHOOK_URL": "is no web address: write it whole, like https://host.example/path",
		"TWILIO_FROM":       "is no phone number: write +, the country code and the number, digits only",
		"SMTP_URL":          "is no mail server: write it like smtp://user:password@host:587 with special characters percent-encoded, or smtps:// for TLS from the start",
		"ALERT_EMAIL_TO":    "is no e-mail address: write it like alerts@example.com, several with commas between them",
	}
	for name, problem := range tests {
		vars := full()
		vars[name] = canary
		_, err := Load(Source{Env: environment(vars)})
		if want := "environment variable " + name + " " + problem; err == nil || err.Error() != want {
			t.Errorf("%s: got %v, want %s", name, err, want)
		}
	}
}

// An operator of the serverless set has no secrets, and needs none.
func TestSecretsMayBeElsewhere(t *testing.T) {
	vars := map[string]string{"TWILIO_ACCOUNT_SID": "AC1", "TELEGRAM_CHAT_ID": "1", "ALERT_EMAIL_FROM": "a@example.com", "SECRETS_PATH": "/callagent/prod"}
	_, err := Load(Source{Env: environment(vars)})
	if want := "environment variable ALERT_EMAIL_TO is not set although ALERT_EMAIL_FROM is: set both or neither"; fmt.Sprint(err) != want {
		t.Errorf("got %v, want %s", err, want)
	}
	delete(vars, "ALERT_EMAIL_FROM")
	if _, err := Load(Source{Env: environment(vars)}); err != nil {
		t.Error(err)
	}
	vars["SECRETS_PATH"] = ""
	if _, err := Load(Source{Env: environment(vars)}); err == nil {
		t.Error("nobody has the secrets, and nothing is said")
	}
}

func TestHalfAConfigurationIsAnError(t *testing.T) {
	_, err := Load(Source{Env: environment(map[string]string{
		"TELEGRAM_BOT_TOKEN": "123:abc", "TWILIO_AUTH_TOKEN": "t", "SMTP_URL": "smtp://mail.example", "ALERT_EMAIL_FROM": "a@example.com",
	})})
	want := `environment variable TWILIO_ACCOUNT_SID is not set although TWILIO_AUTH_TOKEN is: set both or neither
environment variable TELEGRAM_CHAT_ID is not set although TELEGRAM_BOT_TOKEN is: set both or neither
environment variable ALERT_EMAIL_TO is not set although SMTP_URL is: set both or neither`
	if got := fmt.Sprint(err); got != want {
		t.Errorf("got:\n%s\nwant:\n%s", got, want)
	}
}

func TestMissingNamesWhatACallNeeds(t *testing.T) {
	env := environment(map[string]string{"OPENAI_API_KEY": "k", "ELEVENLABS_API_KEY": "  \n"})
	s := load(t, Source{Env: env})
	if d := cmp.Diff([]string{"ELEVENLABS_API_KEY", "ELEVENLABS_VOICE_ID", "TWILIO_ACCOUNT_SID", "TWILIO_AUTH_TOKEN", "TWILIO_FROM"}, s.Missing()); d != "" {
		t.Errorf("missing (-want +got):\n%s", d)
	}
	s = load(t, Source{Env: env, Over: []Layer{layer(t, "[campaign.default]\nfrom = '+15005550006'")}})
	if slices.Contains(s.Missing(), "TWILIO_FROM") {
		t.Error("TWILIO_FROM is missing although every campaign has its own number")
	}
}
