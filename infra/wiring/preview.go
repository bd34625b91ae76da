package wiring

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"callagent/core/agent"
	"callagent/core/call"
	"callagent/core/fault"
	"callagent/infra/clock"
	"callagent/infra/settings"
)

// Preview makes what a contact would hear: no store, no telephone, and nothing
// is recorded. Close it.
type Preview struct {
	settings  settings.Settings
	clock     *clock.Clock
	providers agent.Providers
	close     func() error
}

// NewPreview needs the keys of the LLM and of ElevenLabs; it does no I/O.
func NewPreview(s settings.Settings, c *clock.Clock) (*Preview, error) {
	missing := slices.DeleteFunc(s.Missing(), func(name string) bool { return strings.HasPrefix(name, "TWILIO_") })
	if len(missing) > 0 {
		return nil, &settings.Error{Problem: fmt.Sprintf("nothing can be previewed without %s: set them in the environment (README.md, \"Real keys\")", strings.Join(missing, ", "))}
	}
	p := &Preview{settings: s, clock: c}
	p.providers, p.close = OpenProviders(s.Providers, c)
	return p, nil
}

// Make asks once for the script and once for the recording. When the second
// fails, the script is given all the same.
func (p *Preview) Make(ctx context.Context, c call.Contact) (script string, audio call.Audio, err error) {
	campaign, ok := p.settings.Campaigns[c.Campaign]
	if !ok {
		return "", audio, fmt.Errorf("campaign %q is not known: add [campaign.%s] to the settings", c.Campaign, c.Campaign)
	}
	ask, err := campaign.Request(c)
	if err != nil {
		return "", audio, err
	}
	err = p.request(ctx, agent.LLM, func(ctx context.Context) (err error) {
		script, err = p.providers.Writer.Script(ctx, ask)
		return err
	})
	if err != nil {
		return "", audio, fmt.Errorf("contact %s has no script: %w", c.ID, err)
	}
	err = p.request(ctx, agent.ElevenLabs, func(ctx context.Context) (err error) {
		audio, err = p.providers.Speaker.Speak(ctx, call.SpeechRequest{Text: script, Voice: campaign.Voice, Language: campaign.Language})
		return err
	})
	if err != nil {
		return script, audio, fmt.Errorf("contact %s has no recording: %w", c.ID, err)
	}
	return script, audio, nil
}

// request sends one request within the service's time limit. What goes wrong
// with it is one line.
func (p *Preview) request(ctx context.Context, service string, send func(context.Context) error) error {
	limited, cancel := p.clock.WithTimeout(ctx, p.settings.Services[service].Timeout)
	defer cancel()
	err := send(limited)
	switch {
	case err == nil:
		return nil
	case ctx.Err() != nil:
		return ctx.Err()
	}
	return fault.From(service, err)
}

// Close ends the connections.
func (p *Preview) Close() error { return p.close() }
