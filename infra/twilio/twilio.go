// Package twilio places calls through Twilio and reads what became of them.
//
// The dial is the one request of the whole system that must not happen twice:
// it is sent once, follows no redirect, carries no idempotency header (Twilio
// knows none, and Go's transport would take it as leave to send again), and
// every answer that leaves its effect open is an ambiguous fault. All other
// requests only read or withdraw, so the same answers are transient there.
package twilio

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"encoding/xml"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"callagent/core/call"
	"callagent/core/fault"
	"callagent/infra/httpcall"
)

const (
	service     = "twilio"
	origin      = "https://api.twilio.com"
	version     = "/2010-04-01/Accounts/"
	longestML   = 4000              // characters of TwiML that a request may carry
	longestRing = 600 * time.Second // what Twilio accepts
)

// Config names the account and where it is reached.
type Config struct {
	AccountSID string
	AuthToken  string
	BaseURL    string           // "" means https://api.twilio.com
	Connect    time.Duration    // bounds dialling and TLS; 0 means 5 s
	Now        func() time.Time // reads Retry-After dates; nil means time.Now
}

// Client speaks for one account. It is safe for concurrent use.
type Client struct {
	http    *httpcall.Client
	base    string
	account string // path of the account, without a suffix
	auth    string // the Authorization header
	token   string
	secrets []string // never in a fault
	now     func() time.Time
}

// New returns a client; it sends nothing yet.
func New(c Config) *Client {
	if c.BaseURL == "" {
		c.BaseURL = origin
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	return &Client{
		http:    httpcall.New(service, c.Connect),
		base:    strings.TrimRight(c.BaseURL, "/"),
		account: version + url.PathEscape(c.AccountSID),
		auth:    "Basic " + base64.StdEncoding.EncodeToString([]byte(c.AccountSID+":"+c.AuthToken)),
		token:   c.AuthToken,
		secrets: []string{c.AuthToken, c.AccountSID},
		now:     c.Now,
	}
}

// Close ends idle connections.
func (c *Client) Close() { c.http.Close() }

// Dial asks Twilio to ring a number once and play the recording. Durations are
// rounded up to whole seconds; zero leaves them to Twilio (60 s of ringing),
// and ringing is never asked for longer than 600 s. A recording whose address
// does not fit into a request is refused before anything is sent.
func (c *Client) Dial(ctx context.Context, r call.DialRequest) (string, error) {
	script, err := play(r.AudioURL)
	if err != nil {
		return "", err
	}
	form := url.Values{"To": {r.To}, "From": {r.From}, "Twiml": {script}}
	setSeconds(form, "Timeout", min(r.RingTimeout, longestRing))
	setSeconds(form, "TimeLimit", r.MaxLength)
	if r.CallbackURL != "" {
		form.Set("StatusCallback", r.CallbackURL)
		form.Set("StatusCallbackMethod", http.MethodPost)
		form["StatusCallbackEvent"] = []string{"initiated", "ringing", "answered", "completed"}
	}
	if r.MachineDetection {
		form.Set("MachineDetection", "Enable")
	}
	var created struct {
		SID string `json:"sid"`
	}
	a, err := c.send(ctx, request{http.MethodPost, c.account + "/Calls.json", form, placesCall})
	if err != nil {
		return "", err
	}
	if json.Unmarshal(a.Body, &created) != nil || !callID.MatchString(created.SID) {
		return "", c.classify(a, placesCall)
	}
	return created.SID, nil
}

// Cancel withdraws a call that waits or rings. A call that is over or already
// answered stays as it is, without an error.
func (c *Client) Cancel(ctx context.Context, sid string) error {
	_, err := c.send(ctx, request{http.MethodPost, c.callPath(sid), url.Values{"Status": {"canceled"}}, namesCall})
	if f := fault.From(service, err); f != nil && f.Code == codeCallOver {
		return nil
	}
	return err
}

// Probe reads the account and fails unless it is active. That proves the key
// and the account, not that a call would get through.
func (c *Client) Probe(ctx context.Context, _ *fault.Fault) error {
	account, err := c.CheckAccount(ctx)
	if err != nil {
		return err
	}
	if account.Status != "active" {
		return &fault.Fault{Class: fault.Permanent, Kind: fault.Permission, Scope: fault.Account, Service: service,
			Status: http.StatusOK, Message: "the account is " + account.Status + ", not active"}
	}
	return nil
}

// request is one request to the API, addressed below the base URL.
type request struct {
	method, path string
	form         url.Values
	purpose      purpose
}

// send makes one request and returns its answer if that is a 2xx.
func (c *Client) send(ctx context.Context, r request) (httpcall.Answer, error) {
	header := http.Header{"Authorization": {c.auth}, "Accept": {"application/json"}}
	var body []byte
	if r.form != nil {
		header.Set("Content-Type", "application/x-www-form-urlencoded")
		body = []byte(r.form.Encode())
	}
	a, f := c.http.Do(ctx, httpcall.Request{Method: r.method, URL: c.base + r.path, Header: header, Body: body,
		Once: r.purpose == placesCall})
	if f != nil {
		return a, f
	}
	if a.Status < 200 || a.Status > 299 {
		return a, c.classify(a, r.purpose)
	}
	return a, nil
}

func (c *Client) callPath(sid string) string {
	return c.account + "/Calls/" + url.PathEscape(sid) + ".json"
}

// play writes the instructions for a call that plays one recording.
func play(audio string) (string, error) {
	var b strings.Builder
	b.WriteString("<Response><Play>")
	err := xml.EscapeText(&b, []byte(audio))
	b.WriteString("</Play></Response>")
	if err != nil || utf8.RuneCountInString(b.String()) > longestML {
		return "", &fault.Fault{Class: fault.Permanent, Kind: fault.InvalidRequest, Scope: fault.Contact, Suspect: true,
			Service: service, Message: "the address of the recording is too long for a call"}
	}
	return b.String(), nil
}

func setSeconds(form url.Values, name string, d time.Duration) {
	if d > 0 {
		form.Set(name, strconv.FormatInt(int64((d+time.Second-1)/time.Second), 10))
	}
}
