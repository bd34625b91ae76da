// Package elevenlabs turns text into speech with ElevenLabs.
//
// The audio is MP3 at 44.1 kHz and 128 kbit/s: every tier may ask for it, and
// telephony providers play it as it is.
package elevenlabs

import (
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
	"time"

	"callagent/core/agent"
	"callagent/core/call"
	"callagent/core/fault"
	"callagent/infra/httpcall"
)

// service is the name in faults.
const service = "elevenlabs"

// maxAudio bounds a recording: 20 MB are 20 minutes.
const maxAudio = 20 << 20

// Config says which account, voice and model to use.
type Config struct {
	APIKey  string
	BaseURL string           // "" means https://api.elevenlabs.io
	Voice   string           // id of the voice for requests that name none
	Model   string           // "" means eleven_multilingual_v2
	Connect time.Duration    // see [httpcall.New]
	Now     func() time.Time // for dates in Retry-After; nil means time.Now
}

// Client is the speech service. It is safe for concurrent use.
type Client struct {
	http  *httpcall.Client
	key   string
	base  string
	voice string
	model string
	now   func() time.Time
}

var _ agent.Speaker = (*Client)(nil)

// New returns a client. White space around the key is dropped, and so is a
// slash at the end of the base URL.
func New(c Config) *Client {
	if c.BaseURL == "" {
		c.BaseURL = "https://api.elevenlabs.io"
	}
	if c.Model == "" {
		c.Model = "eleven_multilingual_v2"
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	return &Client{
		http:  httpcall.New(service, c.Connect),
		key:   strings.TrimSpace(c.APIKey),
		base:  strings.TrimRight(c.BaseURL, "/"),
		voice: c.Voice,
		model: c.Model,
		now:   c.Now,
	}
}

// Close ends idle connections.
func (c *Client) Close() { c.http.Close() }

// speech is the part of the API's request body that is used.
type speech struct {
	Text     string `json:"text"`
	Model    string `json:"model_id"`
	Language string `json:"language_code,omitempty"`
}

// Speak asks for one recording. The language is sent only to models that can
// be held to one; the others refuse the request and hear the language
// themselves.
func (c *Client) Speak(ctx context.Context, r call.SpeechRequest) (call.Audio, error) {
	voice := r.Voice
	if voice == "" {
		voice = c.voice
	}
	if voice == "" {
		return call.Audio{}, &fault.Fault{Class: fault.Permanent, Kind: fault.InvalidRequest, Scope: fault.Account,
			Service: service, Message: "no voice is configured"}
	}
	s := speech{Text: r.Text, Model: c.model}
	if takesLanguage(c.model) {
		s.Language = r.Language
	}
	body, err := json.Marshal(s)
	if err != nil {
		return call.Audio{}, fault.From(service, err)
	}
	answer, f := c.http.Do(ctx, httpcall.Request{
		Method:  http.MethodPost,
		URL:     c.base + "/v1/text-to-speech/" + url.PathEscape(voice) + "?output_format=mp3_44100_128",
		Header:  http.Header{"Xi-Api-Key": {c.key}, "Content-Type": {"application/json"}},
		Body:    body,
		MaxBody: maxAudio,
	})
	if f != nil {
		return call.Audio{}, f
	}
	audio, f := c.listen(answer)
	if f != nil {
		return call.Audio{}, f
	}
	return audio, nil
}

// takesLanguage tells the models that accept a language code: the turbo and
// flash models of version 2.5, and version 3.
func takesLanguage(model string) bool {
	return strings.HasSuffix(model, "_v2_5") || strings.HasPrefix(model, "eleven_v3")
}
