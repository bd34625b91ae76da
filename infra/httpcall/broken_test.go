package httpcall_test

import (
	"bufio"
	"context"
	"crypto/tls"
	"errors"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"callagent/core/fault"
	"callagent/infra/httpcall"
	"callagent/infra/httpcall/httpcalltest"
)

// request reads one request with its body.
func request(conn net.Conn) bool {
	r, err := http.ReadRequest(bufio.NewReader(conn))
	if err != nil {
		return false
	}
	_, err = io.Copy(io.Discard, r.Body)
	return err == nil
}

func hangUp(conn net.Conn) { _ = conn.(*net.TCPConn).SetLinger(0) }

// wait holds the connection until the client gives it up.
func wait(conn net.Conn) { _, _ = io.Copy(io.Discard, conn) }

// secure is a TLS server with the given certificate and versions.
func secure(t *testing.T, config *tls.Config) string {
	s := httptest.NewUnstartedServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {
		t.Error("a request arrived")
	}))
	s.Config.ErrorLog = log.New(io.Discard, "", 0)
	s.TLS = config
	s.StartTLS()
	t.Cleanup(s.Close)
	return s.URL
}

func expired(t *testing.T) tls.Certificate {
	certificate, err := httpcalltest.Overdue()
	if err != nil {
		t.Fatal(err)
	}
	return certificate
}

// breakdown is one way for a request to get no complete answer.
type breakdown struct {
	name    string
	url     func(t *testing.T) string
	limit   time.Duration // of the context; 0 means generous
	kind    fault.Kind
	message string
	sent    bool // the server may have executed the request
	status  int
	cause   error
}

func plain(talk func(net.Conn)) func(*testing.T) string {
	return func(t *testing.T) string { return "http://" + httpcalltest.Listen(t, talk) }
}

const short = 100 * time.Millisecond

var breakdowns = []breakdown{
	{name: "refused", kind: fault.Network, message: "it refuses connections", cause: syscall.ECONNREFUSED,
		url: func(t *testing.T) string {
			l, err := net.Listen("tcp", "127.0.0.1:0")
			if err != nil {
				t.Fatal(err)
			}
			defer func() { _ = l.Close() }()
			return "http://" + l.Addr().String()
		}},
	{name: "unknown host", kind: fault.Network, message: "its host name does not resolve",
		url: func(*testing.T) string { return "http://no..such..host" }},
	{name: "expired certificate", kind: fault.Network, message: "its TLS certificate is not valid",
		url: func(t *testing.T) string {
			return secure(t, &tls.Config{Certificates: []tls.Certificate{expired(t)}})
		}},
	{name: "certificate of a stranger", kind: fault.Network, message: "its TLS certificate is not valid",
		url: func(t *testing.T) string { return secure(t, nil) }},
	{name: "outdated TLS", kind: fault.Network, message: "the TLS handshake failed",
		url: func(t *testing.T) string { return secure(t, &tls.Config{MaxVersion: tls.VersionTLS11}) }},
	{name: "no TLS at all", kind: fault.Network, message: "the TLS handshake failed",
		url: func(t *testing.T) string {
			return "https://" + httpcalltest.Listen(t, func(c net.Conn) { _, _ = io.WriteString(c, "220 ready\r\n"); wait(c) })
		}},
	{name: "handshake without an answer", kind: fault.Timeout, message: "no answer within the time limit",
		limit: short, cause: context.DeadlineExceeded,
		url: func(t *testing.T) string { return "https://" + httpcalltest.Listen(t, wait) }},
	{name: "hung up during the handshake", kind: fault.Network, message: "the connection broke",
		url: func(t *testing.T) string { return "https://" + httpcalltest.Listen(t, func(net.Conn) {}) }},
	{name: "no answer", kind: fault.Timeout, message: "no answer within the time limit", sent: true,
		limit: short, cause: context.DeadlineExceeded, url: plain(wait)},
	{name: "closed after the request", kind: fault.Network, message: "the connection broke", sent: true,
		cause: io.EOF, url: plain(func(c net.Conn) { request(c) })},
	{name: "reset after the request", kind: fault.Network, message: "the connection broke", sent: true,
		cause: syscall.ECONNRESET, url: plain(func(c net.Conn) { request(c); hangUp(c) })},
	{name: "no HTTP", kind: fault.Network, message: "the connection broke", sent: true,
		url: plain(func(c net.Conn) { request(c); _, _ = io.WriteString(c, "220 "+secret+"\r\n\r\n") })},
	{name: "cut in the middle", kind: fault.Network, message: "the connection broke", sent: true, status: 201,
		cause: io.ErrUnexpectedEOF, url: plain(func(c net.Conn) {
			request(c)
			_, _ = io.WriteString(c, "HTTP/1.1 201 Created\r\nContent-Length: 9\r\n\r\nhalf")
		})},
	{name: "stuck in the middle", kind: fault.Timeout, message: "no answer within the time limit", sent: true,
		status: 200, limit: short, cause: context.DeadlineExceeded, url: plain(func(c net.Conn) {
			request(c)
			_, _ = io.WriteString(c, "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf")
			wait(c)
		})},
}

func TestBroken(t *testing.T) {
	for _, b := range breakdowns {
		t.Run(b.name, func(t *testing.T) {
			url := b.url(t)
			for _, once := range []bool{false, true} {
				b.check(t, url, once)
			}
		})
	}
}

func (b breakdown) check(t *testing.T, url string, once bool) {
	limit := b.limit
	if limit == 0 {
		limit = time.Minute
	}
	ctx, cancel := context.WithTimeout(t.Context(), limit)
	defer cancel()
	r := post(url)
	r.Once = once
	_, f := client(t).Do(ctx, r)
	if f == nil {
		t.Fatal("no fault")
	}
	want := fault.Fault{Service: "sample", Kind: b.kind, Message: b.message, Status: b.status, Cause: f.Cause}
	if once && b.sent {
		want.Class = fault.Ambiguous
		want.Message += " after the request was sent"
	}
	if *f != want {
		t.Errorf("once = %v: fault %#v, want %#v", once, *f, want)
	}
	if b.cause != nil && !errors.Is(f, b.cause) {
		t.Errorf("once = %v: cause %v, want %v", once, f.Cause, b.cause)
	}
	_, address, _ := strings.Cut(url, "://")
	noSecret(t, f, address)
}

func TestBrokenByTheConnectLimit(t *testing.T) {
	c := httpcall.New("sample", short)
	defer c.Close()
	r := post("https://" + httpcalltest.Listen(t, wait))
	r.Once = true
	_, f := c.Do(t.Context(), r)
	if f == nil || f.Class != fault.Transient || f.Kind != fault.Timeout {
		t.Errorf("fault %v, want a transient timeout: nothing was sent", f)
	}
}

func TestBrokenByTheCaller(t *testing.T) {
	arrived := make(chan struct{}, 1)
	stuck := httpcalltest.Listen(t, func(c net.Conn) { arrived <- struct{}{}; wait(c) })
	half := httpcalltest.Listen(t, func(c net.Conn) {
		request(c)
		_, _ = io.WriteString(c, "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf")
		arrived <- struct{}{}
		wait(c)
	})
	for name, tt := range map[string]struct {
		url   string
		class fault.Class
	}{
		"in the handshake":         {"https://" + stuck, fault.Transient},
		"in the middle of a body":  {"http://" + half, fault.Ambiguous},
		"with a reason of its own": {"http://" + half, fault.Ambiguous},
	} {
		t.Run(name, func(t *testing.T) {
			ctx, cancel := context.WithCancelCause(t.Context())
			go func() { <-arrived; cancel(errors.New(secret)) }()
			r := post(tt.url)
			r.Once = true
			_, f := client(t).Do(ctx, r)
			if !errors.Is(f, context.Canceled) || f.Class != tt.class || f.Kind != fault.Unknown {
				t.Errorf("fault %#v, want class %v, context.Canceled visible", f, tt.class)
			}
			noSecret(t, f, "127.0.0.1")
		})
	}
}

// A kept-alive connection dies after it swallowed the second request. Sending
// that again is harmless for a GET only, even though net/http believes a POST
// with an Idempotency-Key.
func TestBrokenKeptAliveConnection(t *testing.T) {
	for _, tt := range []struct {
		method string
		body   []byte
		want   int32
		fails  bool
	}{
		{http.MethodPost, []byte(secret), 2, true},
		{http.MethodPost, nil, 2, true},
		{http.MethodPut, []byte(secret), 2, true},
		{http.MethodGet, nil, 3, false},
	} {
		var requests atomic.Int32
		address := httpcalltest.Listen(t, func(c net.Conn) {
			for request(c) {
				if requests.Add(1) == 2 {
					return
				}
				_, _ = io.WriteString(c, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
			}
		})
		c := httpcall.New("sample", time.Second)
		r := httpcall.Request{Method: tt.method, URL: "http://" + address, Body: tt.body, Header: http.Header{}}
		if tt.body != nil {
			r.Header.Set("Idempotency-Key", "1")
		}
		if _, f := c.Do(t.Context(), r); f != nil {
			t.Fatal(f)
		}
		_, f := c.Do(t.Context(), r)
		if (f != nil) != tt.fails {
			t.Errorf("%s: fault %v", tt.method, f)
		}
		c.Close()
		if n := requests.Load(); n != tt.want {
			t.Errorf("%s with %d bytes: %d requests arrived, want %d", tt.method, len(tt.body), n, tt.want)
		}
	}
}
