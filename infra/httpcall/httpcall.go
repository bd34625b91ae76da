// Package httpcall makes one HTTP request and says what became of it. It is
// the only HTTP client code that the adapters share.
//
// It never retries, follows no redirect, keeps no cookies, reads at most a
// bounded answer and drains what it leaves unread. No error that leaves it
// carries a URL, a header or a body of a request: tokens live there.
package httpcall

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptrace"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"callagent/core/fault"
)

// MaxBody is how much of an answer is read unless a request says otherwise.
const MaxBody = 1 << 20

// Client makes requests to one service. It is safe for concurrent use.
type Client struct {
	service string
	http    *http.Client
}

// New returns a client for the named service with a connection pool of its
// own. connect bounds dialling and the TLS handshake; 0 means 5 s. The time
// limit of a whole request is the context's.
func New(service string, connect time.Duration) *Client {
	if connect <= 0 {
		connect = 5 * time.Second
	}
	return &Client{service: service, http: &http.Client{
		Transport: &http.Transport{
			Proxy:               http.ProxyFromEnvironment,
			DialContext:         (&net.Dialer{Timeout: connect, KeepAlive: 30 * time.Second}).DialContext,
			TLSHandshakeTimeout: connect,
			MaxIdleConnsPerHost: 64,
			IdleConnTimeout:     90 * time.Second,
			ForceAttemptHTTP2:   true,
		},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}
}

// Close ends idle connections.
func (c *Client) Close() { c.http.CloseIdleConnections() }

// Request is one request. Body may be nil.
type Request struct {
	Method, URL string
	Header      http.Header
	Body        []byte
	MaxBody     int64 // 0 means the package's MaxBody
	// Once marks a request whose effect must not happen twice: when it may
	// have been executed and no answer arrived, the fault is ambiguous.
	Once bool
}

// Answer is a complete answer of any status.
type Answer struct {
	Status int
	Header http.Header
	Body   []byte // at most MaxBody bytes
	Cut    bool   // the body was longer than MaxBody
}

// Do sends the request once. The fault is nil when an answer arrived, whatever
// its status; what a status means is the adapter's business.
func (c *Client) Do(ctx context.Context, r Request) (Answer, *fault.Fault) {
	// A transport sends some requests again by itself when a kept-alive
	// connection dies. A body it cannot rewind forbids that.
	var body io.Reader
	if r.Body != nil {
		body = onlyReader{bytes.NewReader(r.Body)}
	}
	var wrote atomic.Bool
	trace := &httptrace.ClientTrace{
		WroteHeaderField: func(string, []string) { wrote.Store(true) },
		WroteHeaders:     func() { wrote.Store(true) },
	}
	req, err := http.NewRequestWithContext(httptrace.WithClientTrace(ctx, trace), r.Method, r.URL, body)
	if err != nil {
		return Answer{}, &fault.Fault{Class: fault.Permanent, Kind: fault.InvalidRequest, Scope: fault.Account,
			Service: c.service, Message: "the configured base URL is not a URL"}
	}
	if r.Body != nil {
		req.ContentLength = int64(len(r.Body))
	}
	for k, v := range r.Header {
		req.Header[k] = v
	}
	if req.Header.Get("User-Agent") == "" {
		req.Header.Set("User-Agent", "callagent")
	}
	res, err := c.http.Do(req)
	if err != nil {
		return Answer{}, c.broken(ctx, err, r.Once && wrote.Load())
	}
	defer drain(res.Body)
	limit := r.MaxBody
	if limit <= 0 {
		limit = MaxBody
	}
	data, err := io.ReadAll(io.LimitReader(res.Body, limit+1))
	if err != nil {
		return Answer{}, c.broken(ctx, err, r.Once)
	}
	a := Answer{Status: res.StatusCode, Header: res.Header, Body: data}
	if int64(len(data)) > limit {
		a.Body, a.Cut = data[:limit], true
	}
	return a, nil
}

// onlyReader hides that a body could be rewound.
type onlyReader struct{ io.Reader }

// drain reads a little of what is left so that the connection can be used
// again, and gives up on a body that has much more to say.
func drain(body io.ReadCloser) {
	_, _ = io.Copy(io.Discard, io.LimitReader(body, 64<<10))
	_ = body.Close()
}

// broken classifies a request that got no complete answer.
func (c *Client) broken(ctx context.Context, err error, maybeExecuted bool) *fault.Fault {
	f := &fault.Fault{Service: c.service, Kind: fault.Network, Message: "the connection broke", Cause: cause(ctx, err)}
	var dns *net.DNSError
	var op *net.OpError
	var netErr net.Error
	var cert *tls.CertificateVerificationError
	switch {
	case errors.As(err, &cert):
		f.Message = "its TLS certificate is not valid"
	case errors.As(err, &dns):
		f.Message = "its host name does not resolve"
	case errors.As(err, &op) && op.Op == "dial" && !op.Timeout():
		f.Message = "it refuses connections"
	case errors.Is(err, context.DeadlineExceeded), errors.As(err, &netErr) && netErr.Timeout():
		f.Kind, f.Message = fault.Timeout, "no answer within the time limit"
	}
	if maybeExecuted {
		f.Class = fault.Ambiguous
		f.Message += " after the request was sent"
	}
	return f
}

// cause keeps what errors.Is has to find and drops the rest, because the text
// of a *url.Error is the URL.
func cause(ctx context.Context, err error) error {
	for _, known := range []error{context.Canceled, context.DeadlineExceeded, io.EOF, io.ErrUnexpectedEOF} {
		if errors.Is(err, known) {
			return known
		}
	}
	return ctx.Err()
}

// RetryAfter reads a Retry-After header: whole or decimal seconds, or an HTTP
// date seen from now. Absent, negative and unreadable values give 0.
func RetryAfter(h http.Header, now time.Time) time.Duration {
	v := strings.TrimSpace(h.Get("Retry-After"))
	if v == "" {
		return 0
	}
	if s, err := strconv.ParseFloat(v, 64); err == nil {
		return Seconds(s)
	}
	if t, err := http.ParseTime(v); err == nil {
		return max(0, t.Sub(now))
	}
	return 0
}

// Seconds converts without overflow; values that make no sense give 0.
func Seconds(s float64) time.Duration {
	const most = float64(366 * 24 * time.Hour / time.Second)
	if !(s > 0) {
		return 0
	}
	return time.Duration(min(s, most) * float64(time.Second))
}
