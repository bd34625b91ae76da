// Package httpcall makes one HTTP request and says what became of it. It is
// the only HTTP client code that the adapters share.
//
// It never retries, follows no redirect, keeps no cookies and reads at most a
// bounded answer. Only a GET can reach a server twice: net/http sends it again
// when a kept-alive connection turns out to be dead. No error that leaves the
// package carries a URL, a header or a body of a request: tokens live there.
package httpcall

import (
	"bytes"
	"context"
	"io"
	"net"
	"net/http"
	"net/http/httptrace"
	"strings"
	"sync/atomic"
	"time"

	"callagent/core/fault"
)

// MaxBody is how much of an answer is read unless a request says otherwise, and
// of an error whatever it says.
const MaxBody = 1 << 20

// Client makes requests to one service. It is safe for concurrent use.
type Client struct {
	service string
	pooled  *http.Client
	fresh   *http.Client // a new connection for each request
}

// New returns a client for the named service with a connection pool of its
// own. connect bounds dialling and the TLS handshake; 0 means 5 s. The time
// limit of a whole request is the context's.
func New(service string, connect time.Duration) *Client {
	if connect <= 0 {
		connect = 5 * time.Second
	}
	pooled := &http.Transport{
		Proxy:               http.ProxyFromEnvironment,
		DialContext:         (&net.Dialer{Timeout: connect, KeepAlive: 30 * time.Second}).DialContext,
		TLSHandshakeTimeout: connect,
		MaxIdleConnsPerHost: 64,
		IdleConnTimeout:     90 * time.Second,
		ForceAttemptHTTP2:   true,
	}
	fresh := pooled.Clone()
	fresh.DisableKeepAlives = true
	return &Client{service: service, pooled: through(pooled), fresh: through(fresh)}
}

func through(t *http.Transport) *http.Client {
	return &http.Client{Transport: t, CheckRedirect: func(*http.Request, []*http.Request) error {
		return http.ErrUseLastResponse
	}}
}

// Close ends idle connections.
func (c *Client) Close() { c.pooled.CloseIdleConnections() }

// Request is one request. Body may be nil.
type Request struct {
	Method, URL string
	Header      http.Header
	Body        []byte
	MaxBody     int64 // of a 2xx answer; 0 means the package's MaxBody, as it is for all others
	// Once marks a request whose effect must not happen twice: when it may
	// have been executed and no answer arrived, the fault is ambiguous. It
	// travels on a connection of its own, because a kept-alive one that died
	// unnoticed makes a request look delivered that never was.
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
	var wrote atomic.Bool
	req, problem := r.build(httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{
		WroteHeaderField: func(string, []string) { wrote.Store(true) },
		WroteHeaders:     func() { wrote.Store(true) },
	}))
	if problem != "" {
		return Answer{}, &fault.Fault{Class: fault.Permanent, Kind: fault.InvalidRequest, Scope: fault.Account,
			Service: c.service, Message: problem}
	}
	client := c.pooled
	if r.Once {
		client = c.fresh
	}
	res, err := client.Do(req)
	if err != nil {
		return Answer{}, c.broken(ctx, err, r.Once && wrote.Load())
	}
	defer func() { _ = res.Body.Close() }()
	limit := r.MaxBody
	if limit <= 0 || res.StatusCode >= 300 {
		limit = MaxBody
	}
	data, err := io.ReadAll(io.LimitReader(res.Body, limit+1))
	if err != nil {
		f := c.broken(ctx, err, r.Once)
		f.Status = res.StatusCode
		return Answer{}, f
	}
	a := Answer{Status: res.StatusCode, Header: res.Header, Body: data}
	if int64(len(data)) > limit {
		a.Body, a.Cut = data[:limit], true
	}
	return a, nil
}

// build makes the request for net/http, or names the setting that forbids it.
func (r Request) build(ctx context.Context) (req *http.Request, problem string) {
	var body io.Reader
	if r.Body != nil {
		body = onlyReader{bytes.NewReader(r.Body)}
	}
	req, err := http.NewRequestWithContext(ctx, r.Method, r.URL, body)
	if err != nil || req.URL.Host == "" || (req.URL.Scheme != "http" && req.URL.Scheme != "https") {
		return nil, "the configured base URL is not a URL"
	}
	if r.Body != nil {
		req.ContentLength = int64(len(r.Body))
	}
	for name, values := range r.Header {
		for _, v := range values {
			if strings.ContainsFunc(v, forbidden) {
				return nil, "a configured credential holds a line break or another control character"
			}
		}
		req.Header[name] = values
	}
	if req.Header.Get("User-Agent") == "" {
		req.Header.Set("User-Agent", "callagent")
	}
	return req, ""
}

// forbidden tells the characters that no header value may hold.
func forbidden(r rune) bool { return r < ' ' && r != '\t' || r == 0x7f }

// onlyReader hides that a body could be rewound. A transport sends some
// requests again by itself when a kept-alive connection dies; a body that it
// cannot rewind forbids that.
type onlyReader struct{ io.Reader }
