package leaktest

import (
	"encoding/base64"
	"fmt"
	"net/url"
	"regexp"
	"slices"
	"strings"

	"callagent/localstack/simulator"
)

// keys are the credentials that the providers take here. Every one is of the
// shape that the provider gives out and stands nowhere else in this module.
var keys = simulator.Keys{
	OpenAI:        "sk-proj-plantedopenaikey4711",
	ElevenLabs:    "plantedelevenlabskey4711",
	TwilioAccount: "AC" + strings.Repeat("0a1b2c3d", 4),
	TwilioToken:   "plantedtwiliotoken4711",
	TwilioFrom:    "+14155550199",
	HubSpot:       "pat-eu1-plantedhubspottoken4711",
	TelegramToken: "4711471147:plantedtelegramtokenof35characters4",
	MailUser:      "postmaster",
	MailPassword:  "planted:mail/password",
	WebhookSecret: "whsec_" + base64.StdEncoding.EncodeToString([]byte("planted webhook secret, 24 b")),
}

const (
	operatorToken = "planted-operator-token-7f3a9c51"
	hookPath      = "/services/planted/hook" // such addresses are passwords by themselves
)

// secrets are all credentials, by what they are.
func secrets(google map[string]string) map[string]string {
	key := strings.Join(strings.Split(google["private_key"], "\n")[1:], "")
	return map[string]string{
		"OpenAI's key": keys.OpenAI, "ElevenLabs' key": keys.ElevenLabs, "Twilio's account": keys.TwilioAccount,
		"Twilio's token": keys.TwilioToken, "Twilio's log-in": base64.StdEncoding.EncodeToString([]byte(keys.TwilioAccount + ":" + keys.TwilioToken)),
		"HubSpot's token": keys.HubSpot, "Telegram's token": keys.TelegramToken, "the mail password": keys.MailPassword,
		"the webhook's secret": strings.TrimPrefix(keys.WebhookSecret, "whsec_"), "the webhook's address": hookPath,
		"the operator's token": operatorToken, "Google's private key": key[100:140],
	}
}

// phone is the number of contact n, and others that are nobody's.
func phone(n int) string { return fmt.Sprintf("+1415555%04d", 100+n) }

// numbers finds any of them.
var numbers = regexp.MustCompile(`4155550[12]\d\d`)

// written are the ways in which a secret may stand in a text.
func written(secret string) []string {
	forms := []string{secret, url.QueryEscape(secret), url.PathEscape(secret), base64.StdEncoding.EncodeToString([]byte(secret)),
		strings.ReplaceAll(secret, "/", `\/`)}
	slices.Sort(forms)
	return slices.Compact(forms)
}

// separators are what people write within a number.
var separators = regexp.MustCompile(`(\d)[ ().\-\x{a0}]{1,3}(\d)`)

// leaks names what is planted and stands in a text, with what stands around it.
func leaks(text string, secrets map[string]string) []string {
	return append(credentials(text, secrets), phones(text)...)
}

func credentials(text string, secrets map[string]string) []string {
	var found []string
	for what, secret := range secrets {
		for _, form := range written(secret) {
			if i := strings.Index(text, form); i >= 0 {
				found = append(found, fmt.Sprintf("%s: …%s…", what, around(text, i, i+len(form))))
			}
		}
	}
	return found
}

// phones finds planted numbers however they are written.
func phones(text string) []string {
	var found []string
	for line := range strings.Lines(text) {
		joined := separators.ReplaceAllString(separators.ReplaceAllString(line, "$1$2"), "$1$2")
		if at := numbers.FindStringIndex(joined); at != nil {
			found = append(found, fmt.Sprintf("a phone number: …%s…", around(joined, at[0], at[1])))
		}
	}
	return found
}

func around(text string, from, to int) string {
	return strings.Join(strings.Fields(text[max(0, from-60):min(len(text), to+30)]), " ")
}
