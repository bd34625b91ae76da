// Package wiring has what processes of both worlds are put together from: the
// providers and channels that the settings name, and the answers that the agent
// needs about campaigns, numbers and time zones. Packages machine and cloud do
// the rest. They are the only ones that know all adapters; what is wired knows
// none of them.
package wiring

import (
	"crypto/hmac"
	cryptorand "crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"math/rand/v2"
	"strings"

	"callagent/core/agent"
	"callagent/core/alert"
	"callagent/core/call"
	"callagent/infra/settings"
)

// AgentOptions are the options of an agent that do not depend on where it
// runs. secret keys the hashes of phone numbers, channels are the names of the
// channels there are, and public is where the providers reach us.
func AgentOptions(s settings.Settings, p agent.Providers, channels []string, secret []byte, public string) agent.Options {
	return agent.Options{
		Providers: p,
		Random:    rand.Float64,
		NewID:     NewID,
		Policies:  policies(s),
		Campaign: func(name string) (call.Campaign, bool) {
			c, ok := s.Campaigns[name]
			return c, ok
		},
		From:        s.Providers.Twilio.From,
		Number:      func(phone string) string { return HashNumber(secret, phone) },
		Zones:       zonesOf,
		ValidZone:   validZone,
		CallbackURL: func(k call.Key, attempt string) string { return callbackURL(public, k, attempt) },
		Channels:    func(a alert.Alert) []string { return Routes(s.Alerts, channels, a) },
	}
}

// Routes gives those of the channels that want an alert.
func Routes(s settings.Alerts, channels []string, a alert.Alert) []string {
	wants := map[string]settings.Subscription{email: s.Email, telegramChat: s.Telegram, webhookURL: s.Webhook}
	var names []string
	for _, name := range channels {
		if wants[name].Takes(a) {
			names = append(names, name)
		}
	}
	return names
}

// policies translates the settings of the services.
func policies(s settings.Settings) map[string]agent.Policy {
	ps := map[string]agent.Policy{}
	for name, v := range s.Services {
		ps[name] = agent.Policy{Retry: v.Retry, Circuit: v.Circuit, Timeout: v.Timeout, Rate: v.Rate, AtOnce: v.AtOnce}
	}
	return ps
}

// HashNumber is the keyed hash under which a store with this secret knows a
// phone number in E.164.
func HashNumber(secret []byte, phone string) string {
	mac := hmac.New(sha256.New, secret)
	mac.Write([]byte(phone))
	return hex.EncodeToString(mac.Sum(nil)[:16])
}

// NewID is never the same twice.
func NewID() string { return strings.ToLower(cryptorand.Text()) }
