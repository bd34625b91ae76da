package wiring

import (
	"net"
	"net/url"
	"time"

	"callagent/core/agent"
	"callagent/core/journal"
	"callagent/infra/clock"
	"callagent/infra/elevenlabs"
	"callagent/infra/hubspot"
	"callagent/infra/openai"
	"callagent/infra/settings"
	"callagent/infra/smtp"
	"callagent/infra/telegram"
	"callagent/infra/twilio"
	"callagent/infra/webhook"
)

// The channels by the names that the outbox and the settings use.
const (
	email        = "email"
	telegramChat = "telegram"
	webhookURL   = "webhook"
)

// OpenProviders makes the four clients. The CRM is switched off without its
// token.
func OpenProviders(p settings.Providers, c *clock.Clock) (agent.Providers, func() error) {
	llm := openai.New(openai.Config{APIKey: string(p.OpenAI.APIKey), BaseURL: p.OpenAI.BaseURL, Model: p.OpenAI.Model, Now: c.Now})
	speech := elevenlabs.New(elevenlabs.Config{
		APIKey: string(p.ElevenLabs.APIKey), BaseURL: p.ElevenLabs.BaseURL, Voice: p.ElevenLabs.Voice, Model: p.ElevenLabs.ModelID, Now: c.Now,
	})
	phone := twilio.New(twilio.Config{
		AccountSID: string(p.Twilio.AccountSID), AuthToken: string(p.Twilio.AuthToken), BaseURL: p.Twilio.BaseURL, Now: c.Now,
	})
	ps := agent.Providers{Writer: llm, Speaker: speech, Dialer: phone}
	closers := []func(){llm.Close, speech.Close, phone.Close}
	if p.HubSpot.Token != "" {
		crm := hubspot.New(hubspot.Config{Token: string(p.HubSpot.Token), BaseURL: p.HubSpot.BaseURL, Now: c.Now})
		ps.CRM = crm
		closers = append(closers, crm.Close)
	}
	return ps, closing(closers)
}

// closing closes all of them.
func closing(closers []func()) func() error {
	return func() error {
		for _, f := range closers {
			f()
		}
		return nil
	}
}

// NoticeTimeout is how long a channel may take for one message.
const NoticeTimeout = 15 * time.Second

// ChannelNames lists the channels that are configured.
func ChannelNames(p settings.Providers) []string {
	var names []string
	for _, c := range []struct {
		name string
		key  settings.Secret
	}{{email, p.Email.SMTP}, {telegramChat, p.Telegram.BotToken}, {webhookURL, p.Webhook.URL}} {
		if c.key != "" {
			names = append(names, c.name)
		}
	}
	return names
}

// OpenChannels makes the channels that are configured, and says what is wrong
// with those that cannot be made, by their names. The journal, which may
// be nil, gets what a person has to change although everything goes on.
func OpenChannels(p settings.Providers, c *clock.Clock, j agent.Journal) (channels map[string]agent.Notifier, problems map[string]error, done func() error) {
	channels, problems = map[string]agent.Notifier{}, map[string]error{}
	var closers []func()
	add := func(name string, n agent.Notifier, err error) {
		if err != nil {
			problems[name] = err
			return
		}
		channels[name] = n
		if c, ok := n.(interface{ Close() }); ok {
			closers = append(closers, c.Close)
		}
	}
	if p.Email.SMTP != "" {
		n, err := smtp.New(smtp.Config{URL: string(p.Email.SMTP), From: p.Email.From, To: p.Email.To, Now: c.Now})
		add(email, n, err)
	}
	if p.Telegram.BotToken != "" {
		n, err := telegram.New(telegram.Config{Token: string(p.Telegram.BotToken), ChatID: p.Telegram.ChatID, BaseURL: p.Telegram.BaseURL, Now: c.Now, Moved: chatMoved(c, j)})
		add(telegramChat, n, err)
	}
	if p.Webhook.URL != "" {
		n, err := webhook.New(webhook.Config{URL: string(p.Webhook.URL), Secret: string(p.Webhook.Secret), Now: c.Now})
		add(webhookURL, n, err)
	}
	return channels, problems, closing(closers)
}

// chatMoved tells the journal that a chat has another id.
func chatMoved(c *clock.Clock, j agent.Journal) func(string) {
	if j == nil {
		return nil
	}
	return func(chat string) {
		j.Write(journal.Entry{Time: c.Now(), Level: journal.Warning, Service: telegramChat, Event: "chat_moved",
			Message: "The Telegram group has become a supergroup with another id. Alerts go there, as long as this process runs: set TELEGRAM_CHAT_ID to " + chat + "."})
	}
}

// Simulated reports whether Twilio is one on this machine, so that no phone
// can ring.
func Simulated(s settings.Settings) bool {
	u, err := url.Parse(s.Providers.Twilio.BaseURL)
	if err != nil {
		return false
	}
	ip := net.ParseIP(u.Hostname())
	return u.Hostname() == "localhost" || ip != nil && ip.IsLoopback()
}
