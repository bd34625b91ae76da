package simulator

import (
	"context"
	"crypto/hmac"
	"crypto/sha1"
	"encoding/base64"
	"encoding/xml"
	"errors"
	"io"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
)

// perform carries out the TwiML of an answered call as far as it can be heard
// from outside: it fetches what is to be played.
func (p *phoneAPI) perform(ctx context.Context, c *call) {
	document, warning := []byte(c.twiml), 0
	if c.twiml == "" {
		p.mu.Lock()
		form := p.facts(c, statusInProgress)
		p.mu.Unlock()
		var err error
		if document, err = p.request(ctx, http.MethodPost, c.url, form, nil); err != nil {
			warning = 11200
		}
	}
	var audio int
	if warning == 0 {
		audio, warning = p.play(ctx, document)
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	c.AudioBytes, c.Warning = audio, warning
}

// play fetches every recording in a document. It returns the bytes it got and
// the code of a complaint, or 0.
func (p *phoneAPI) play(ctx context.Context, document []byte) (audio, warning int) {
	var response struct {
		XMLName xml.Name `xml:"Response"`
		Play    []string `xml:"Play"`
	}
	if xml.Unmarshal(document, &response) != nil {
		return 0, 12100
	}
	for _, link := range response.Play {
		data, err := p.request(ctx, http.MethodGet, strings.TrimSpace(link), nil, nil)
		if err != nil || len(data) == 0 {
			warning = 11200
			continue
		}
		audio += len(data)
		p.mu.Lock()
		p.fetched++
		p.mu.Unlock()
	}
	return audio, warning
}

// tell reports an event to the StatusCallback if it was asked for. Reports of
// one call may overtake each other, as Twilio's do. The lock is held.
func (p *phoneAPI) tell(c *call, event string, sip int) {
	sequence := c.sequence
	c.sequence++
	if c.callback == "" || p.sim.cfg.NoCallbacks || !slices.Contains(c.events, event) {
		return
	}
	status := c.Status
	if event == "initiated" {
		status = event
	}
	form := p.facts(c, status)
	form.Set("Timestamp", c.updated.UTC().Format(time.RFC1123Z))
	form.Set("CallbackSource", "call-progress-events")
	form.Set("SequenceNumber", strconv.Itoa(sequence))
	if final(c.Status) {
		seconds := c.seconds()
		form.Set("CallDuration", strconv.Itoa(seconds))
		form.Set("Duration", strconv.Itoa((seconds+59)/60))
		form.Set("SipResponseCode", strconv.Itoa(sip))
	}
	method := http.MethodPost
	if c.callbackGet {
		method = http.MethodGet
	}
	token := p.sim.ids.uuid()
	p.sim.spawn(func() { p.deliver(c, method, form, token) })
}

// deliver posts a report and, if that fails, posts it once more under the same
// token.
func (p *phoneAPI) deliver(c *call, method string, form url.Values, token string) {
	for range 2 {
		header := http.Header{"I-Twilio-Idempotency-Token": {token}}
		if _, err := p.request(p.sim.ctx, method, c.callback, form, header); err == nil {
			p.mu.Lock()
			c.Callbacks++
			p.mu.Unlock()
			return
		}
	}
}

// facts are the parameters of everything that Twilio says about a call. The
// lock is held.
func (p *phoneAPI) facts(c *call, status string) url.Values {
	form := url.Values{
		"AccountSid": {p.sim.cfg.Keys.TwilioAccount}, "ApiVersion": {"2010-04-01"}, "CallSid": {c.SID}, "CallStatus": {status},
		"Called": {c.To}, "Caller": {c.From}, "Direction": {"outbound-api"}, "From": {c.From}, "To": {c.To},
	}
	for _, who := range []string{"Called", "Caller", "From", "To"} {
		for _, where := range []string{"City", "Country", "State", "Zip"} {
			form.Set(who+where, "")
		}
	}
	if c.AnsweredBy != "" {
		form.Set("AnsweredBy", c.AnsweredBy)
	}
	return form
}

// request is one signed request of Twilio's. Anything but a 2xx is an error.
func (p *phoneAPI) request(ctx context.Context, method, link string, form url.Values, header http.Header) ([]byte, error) {
	link, _, _ = strings.Cut(link, "#") // the fragment holds options of the connection
	var body io.Reader
	signed := form
	switch {
	case form == nil:
	case method == http.MethodPost:
		body = strings.NewReader(form.Encode())
	default: // a GET carries its parameters in the URL, which is signed as it is
		separator := "?"
		if strings.Contains(link, "?") {
			separator = "&"
		}
		link, signed = link+separator+form.Encode(), nil
	}
	req, err := http.NewRequestWithContext(ctx, method, link, body)
	if err != nil {
		return nil, err
	}
	for key, values := range header {
		req.Header[key] = values
	}
	if body != nil {
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded; charset=UTF-8")
	}
	req.Header.Set("User-Agent", "TwilioProxy/1.1")
	req.Header.Set("X-Twilio-Signature", signature(p.sim.cfg.Keys.TwilioToken, link, signed))
	res, err := p.out.Do(req)
	if err != nil {
		return nil, err
	}
	defer func() { _ = res.Body.Close() }()
	data, err := io.ReadAll(io.LimitReader(res.Body, 16<<20))
	if err == nil && (res.StatusCode < 200 || res.StatusCode > 299) {
		err = errors.New(res.Status)
	}
	return data, err
}

// reaching dials, and knows the addresses of hosts by the ends of their names.
func reaching(addresses map[string]string) func(context.Context, string, string) (net.Conn, error) {
	var dialer net.Dialer
	return func(ctx context.Context, network, address string) (net.Conn, error) {
		host, _, _ := net.SplitHostPort(address)
		for end, known := range addresses {
			if strings.HasSuffix(host, end) {
				return dialer.DialContext(ctx, network, known)
			}
		}
		return dialer.DialContext(ctx, network, address)
	}
}

// signature is what Twilio signs its requests with: the URL, then each
// parameter of the form in the order of their names.
func signature(token, link string, form url.Values) string {
	mac := hmac.New(sha1.New, []byte(token))
	io.WriteString(mac, link)
	keys := make([]string, 0, len(form))
	for key := range form {
		keys = append(keys, key)
	}
	slices.Sort(keys)
	for _, key := range keys {
		for _, value := range form[key] {
			io.WriteString(mac, key+value)
		}
	}
	return base64.StdEncoding.EncodeToString(mac.Sum(nil))
}
