package doctor

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"callagent/core/call"
	"callagent/core/journal"
	"callagent/infra/clock"
	"callagent/infra/elevenlabs"
	"callagent/infra/hubspot"
	"callagent/infra/openai"
	"callagent/infra/twilio"
	"callagent/infra/wiring"
)

// planProviders looks at the services that a call goes through.
func (e *exam) planProviders() {
	p := e.Settings.Providers
	clients, closeAll := wiring.OpenProviders(p, &clock.Clock{})
	e.onClose(func() { _ = closeAll() })
	if p.OpenAI.APIKey == "" {
		e.found(writer, "key", verdict{off, nil})
	} else {
		e.planLLM(clients.Writer.(*openai.Client))
	}
	if p.ElevenLabs.APIKey == "" {
		e.found(speech, "key", verdict{off, nil})
	} else {
		e.planSpeech(clients.Speaker.(*elevenlabs.Client))
	}
	if p.Twilio.AccountSID == "" {
		e.found(phone, "key", verdict{off, nil})
	} else {
		e.planPhone(clients.Dialer.(*twilio.Client))
	}
	if p.HubSpot.Token == "" {
		e.found(crm, "key", verdict{off, nil})
	} else {
		e.planCRM(clients.CRM.(*hubspot.Client))
	}
}

func (e *exam) planLLM(c *openai.Client) {
	e.add(writer, "model", func(ctx context.Context) verdict {
		err := c.CheckModel(ctx)
		v := judged(err, words{"what": fmt.Sprintf("%q", c.Model())})
		switch {
		case v.result == permission && strings.Contains(v.words["why"], "Missing scopes"):
			v.result = "unseen"
		case v.result == strange && strings.Contains(v.words["why"], "no list of models"):
			v.result = "unlisted"
		}
		return v
	})
}

func (e *exam) planSpeech(c *elevenlabs.Client) {
	e.add(speech, "model", func(ctx context.Context) verdict {
		return judged(c.CheckModel(ctx), words{"what": fmt.Sprintf("%q", c.Model())})
	})
	for _, v := range e.named(func(c call.Campaign) string { return c.Voice }, e.Settings.Providers.ElevenLabs.Voice, "voice", "ELEVENLABS_VOICE_ID") {
		if v.value == "" {
			e.found(speech, "voice", verdict{"unset", words{"campaign": v.campaign}})
			continue
		}
		e.add(speech, "voice", func(ctx context.Context) verdict {
			name, err := c.CheckVoice(ctx, v.value)
			return judged(err, words{"what": fmt.Sprintf("%q", cmp.Or(name, v.value)), "where": v.where})
		})
	}
	e.add(speech, "credit", func(ctx context.Context) verdict {
		left, err := c.CheckCredit(ctx)
		if err != nil {
			return judged(err, nil)
		}
		return judgeCredit(left)
	})
}

// fewCharacters are some ten calls.
const fewCharacters = 3000

func judgeCredit(c elevenlabs.Credit) verdict {
	left := words{"what": fmt.Sprintf("%d of %d", c.Left, c.Limit)}
	switch {
	case c.Unpaid:
		return verdict{"unpaid", nil}
	case c.Unbounded:
		return verdict{fine, words{"what": fmt.Sprintf("%d, and more at a price,", max(0, c.Left))}}
	case c.Left <= 0:
		return verdict{"spent", nil}
	case c.Left < fewCharacters:
		return verdict{"low", left}
	}
	return verdict{fine, left}
}

func (e *exam) planPhone(c *twilio.Client) {
	if !twilio.IsAccount(string(e.Settings.Providers.Twilio.AccountSID)) {
		e.found(phone, "account", verdict{"malformed", nil})
		return
	}
	e.add(phone, "account", func(ctx context.Context) verdict {
		a, err := c.CheckAccount(ctx)
		switch {
		case err != nil:
			return phoneJudged(err, nil)
		case a.Status != "active":
			return verdict{inactive, words{"what": a.Status}}
		case a.Trial:
			return verdict{"trial", nil}
		}
		return verdict{fine, nil}
	})
	e.planCallers(c)
	e.add(phone, "balance", func(ctx context.Context) verdict { return balance(ctx, c) })
}

// planCallers looks at the numbers that are called from.
func (e *exam) planCallers(c *twilio.Client) {
	for _, n := range e.named(func(c call.Campaign) string { return c.From }, e.Settings.Providers.Twilio.From, "from", "TWILIO_FROM") {
		if n.value == "" {
			e.found(phone, "caller id", verdict{"unset", words{"campaign": n.campaign}})
			continue
		}
		e.add(phone, "caller id", func(ctx context.Context) verdict {
			is, err := c.CheckCaller(ctx, n.value)
			v := phoneJudged(err, words{"what": journal.Mask(n.value), "where": n.where})
			if err == nil {
				v.result = map[twilio.Caller]string{twilio.Owned: fine, twilio.Verified: "verified", twilio.Mute: "mute", twilio.Foreign: "foreign"}[is]
			}
			return v
		})
	}
}

func balance(ctx context.Context, c *twilio.Client) verdict {
	amount, currency, err := c.CheckBalance(ctx)
	v := phoneJudged(err, words{"what": fmt.Sprintf("%.2f %s", amount, currency)})
	switch {
	case v.result == missing, v.result == inactive:
		v.result = "untold"
	case v.result == fine && amount <= 0:
		v.result = "spent"
	}
	return v
}

// phoneJudged knows that what Twilio forbids it forbids to accounts that are
// not active.
func phoneJudged(err error, w words) verdict {
	v := judged(err, w)
	if v.result == permission {
		return verdict{inactive, words{"what": "not active (" + v.words["why"] + ")"}}
	}
	return v
}

func (e *exam) planCRM(c *hubspot.Client) {
	e.add(crm, "access", func(ctx context.Context) verdict { return judged(c.Probe(ctx, nil), nil) })
	e.add(crm, "scopes", func(ctx context.Context) verdict {
		lacking, err := c.CheckScopes(ctx)
		v := judged(err, words{"what": strings.Join(lacking, " and ")})
		switch {
		case len(lacking) > 0:
			v.result = "lacking"
		case v.result == permission, v.result == missing, v.result == strange:
			v.result = "untold"
		}
		return v
	})
	e.add(crm, "properties", func(ctx context.Context) verdict {
		lacking, err := c.CheckProperties(ctx)
		v := judged(err, words{"what": strings.Join(lacking, " and ")})
		if len(lacking) > 0 {
			v.result = "lacking"
		}
		return v
	})
}

// naming is a value that the settings name for a campaign.
type naming struct{ campaign, value, where string }

// named lists the different values that the campaigns have, or take from the
// environment. Of campaigns with the same value it names the first.
func (e *exam) named(of func(call.Campaign) string, general, field, variable string) []naming {
	var list []naming
	for _, name := range slices.Sorted(maps.Keys(e.Settings.Campaigns)) {
		n := naming{campaign: name, value: of(e.Settings.Campaigns[name]), where: field + " in [campaign." + name + "]"}
		if n.value == "" {
			n.value, n.where = general, variable
		}
		if !slices.ContainsFunc(list, func(o naming) bool { return o.value == n.value }) {
			list = append(list, n)
		}
	}
	return list
}
