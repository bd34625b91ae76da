// Package webhook tells alerts to any HTTP endpoint, in the form and with the
// signature of the Standard Webhooks specification, so that receivers can
// check them with a library they already have.
package webhook

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"callagent/core/alert"
	"callagent/core/fault"
	"callagent/infra/httpcall"
)

// service is the channel's name in faults.
const service = "webhook"

// maxBody is the size in bytes that a payload keeps to by leaving out alerts of
// a digest; its text still counts them all.
const maxBody = 20_000

// Config says where to send alerts. Only URL is needed.
type Config struct {
	URL     string           // http or https; redirects are not followed
	Secret  string           // "whsec_" and base64, or any text; "" sends without a signature
	Connect time.Duration    // bounds dialling and the TLS handshake; 0 means 5 s
	Now     func() time.Time // nil means time.Now
}

// Channel posts alerts to one endpoint. It is safe for concurrent use.
type Channel struct {
	url     string
	secret  string
	secrets []string // what no error may repeat
	now     func() time.Time
	client  *httpcall.Client
}

// New checks the configuration. Its errors name the setting to change and
// repeat neither the URL nor the secret.
func New(c Config) (*Channel, error) {
	u, err := url.Parse(c.URL)
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
		return nil, errors.New("webhook: set ALERT_WEBHOOK_URL to a whole URL that begins with https:// or http://")
	}
	if c.Secret != "" {
		if _, err := key(c.Secret); err != nil {
			return nil, err
		}
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	secrets := []string{c.Secret, strings.TrimPrefix(c.Secret, prefix), c.URL}
	if uri := u.RequestURI(); len(uri) > 1 {
		secrets = append(secrets, uri)
	}
	if password, ok := u.User.Password(); ok {
		secrets = append(secrets, password)
	}
	return &Channel{url: c.URL, secret: c.Secret, secrets: secrets, now: c.Now,
		client: httpcall.New(service, c.Connect)}, nil
}

// Close ends idle connections.
func (c *Channel) Close() { c.client.Close() }

// Notify posts the message once. Any 2xx answer is a success, whatever its
// body. Every attempt carries the same webhook-id, a timestamp of its own and a
// signature over both and the body.
func (c *Channel) Notify(ctx context.Context, m alert.Message) error {
	body, err := payload(m)
	if err != nil {
		return &fault.Fault{Service: service, Class: fault.Permanent, Kind: fault.InvalidRequest,
			Scope: fault.Contact, Message: "the alert cannot be written as JSON"}
	}
	at, id := c.now(), headerID(m.ID)
	header := http.Header{
		"Content-Type":  {"application/json"},
		"Accept":        {"*/*"},
		idHeader:        {id},
		timestampHeader: {strconv.FormatInt(at.Unix(), 10)},
	}
	if c.secret != "" {
		signature, err := Sign(c.secret, id, at, body)
		if err != nil {
			return &fault.Fault{Service: service, Class: fault.Permanent, Kind: fault.Authentication,
				Scope: fault.Account, Message: "the configured secret cannot sign"}
		}
		header[signatureHeader] = []string{signature}
	}
	a, f := c.client.Do(ctx, httpcall.Request{Method: http.MethodPost, URL: c.url, Header: header, Body: body})
	if f == nil {
		f = c.classify(a)
	}
	if f != nil {
		return f
	}
	return nil
}

// event is the body of a request.
type event struct {
	Type string    `json:"type"` // "alert." and the kind
	At   time.Time `json:"timestamp"`
	Data data      `json:"data"`
}

type data struct {
	alert.Message
	Omitted int `json:"alerts_omitted,omitempty"`
}

// payload writes the body, with as many of a digest's alerts as fit.
func payload(m alert.Message) ([]byte, error) {
	all := len(m.Alerts)
	for {
		body, err := json.Marshal(event{Type: "alert." + string(m.Kind), At: m.At.UTC(),
			Data: data{Message: m, Omitted: all - len(m.Alerts)}})
		if err != nil || len(body) <= maxBody || len(m.Alerts) == 0 {
			return body, err
		}
		m.Alerts = m.Alerts[:len(m.Alerts)*3/4]
	}
}

// headerID is the message's id where a header can carry it, and else a digest
// of it, which is as constant.
func headerID(id string) string {
	if strings.IndexFunc(id, func(r rune) bool { return r <= ' ' || r > '~' }) < 0 {
		return id
	}
	sum := sha256.Sum256([]byte(id))
	return "msg_" + hex.EncodeToString(sum[:16])
}

// classify reads an answer; nil means that the alert was taken. Refusals are
// the account's even where the status blames the content, because every alert
// has the same form.
func (c *Channel) classify(a httpcall.Answer) *fault.Fault {
	if a.Status >= 200 && a.Status < 300 {
		return nil
	}
	f := httpcall.FromStatus(a.Status)
	f.Service, f.Message = service, httpcall.Clean(string(a.Body), c.secrets...)
	if f.Class == fault.Transient {
		f.RetryAfter = httpcall.RetryAfter(a.Header, c.now())
	} else {
		f.Scope, f.Suspect = fault.Account, false
	}
	switch s := a.Status; {
	case (s == http.StatusBadGateway || s == http.StatusGatewayTimeout) && f.RetryAfter > 0:
		f.Kind = fault.Throttled
	case s == http.StatusGone:
		f.Kind, f.Message = fault.NotFound, "the receiver is gone for good: remove ALERT_WEBHOOK_URL or set a new one"
	case s >= 300 && s < 400:
		f.Message = "the URL redirects, which is not followed: set ALERT_WEBHOOK_URL to the final address"
	}
	return &f
}
