package smtp

import (
	"context"
	"crypto/tls"
	"io"
	"net"
	"runtime"
	"strings"
	"testing"
	"time"

	"callagent/core/fault"
	"callagent/infra/httpcall/httpcalltest"
)

// TestWires: whatever a mail server does with a connection, the mail comes to an
// end soon, with a fault that passes, and without much memory.
func TestWires(t *testing.T) {
	for name, c := range map[string]struct {
		talk  func(net.Conn)
		limit time.Duration
		kind  fault.Kind
	}{
		"one byte a second":            {func(conn net.Conn) { httpcalltest.Drip(conn, "220 fake\r\n") }, 150 * time.Millisecond, fault.Timeout},
		"cut in the middle of a reply": {func(conn net.Conn) { _, _ = io.WriteString(conn, "220 fa") }, time.Minute, fault.Network},
		"a reply without an end":       {func(conn net.Conn) { endless(conn, "220 "+strings.Repeat("x", 60_000)) }, time.Minute, fault.BadResponse},
		"lines without an end":         {func(conn net.Conn) { endless(conn, strings.Repeat("220-x\r\n", 10_000)) }, time.Minute, fault.BadResponse},
	} {
		t.Run(name, func(t *testing.T) {
			f, bytes := meet(t, "smtp://"+httpcalltest.Listen(t, c.talk), c.limit)
			if f == nil || f.Class != fault.Transient || f.Kind != c.kind {
				t.Errorf("%v, want %v", f, c.kind)
			}
			if bytes > 32<<20 {
				t.Errorf("it took %d bytes of memory", bytes)
			}
		})
	}
}

// endless writes a text again and again, until the client has enough.
func endless(conn net.Conn, text string) {
	for range 1 << 30 / len(text) {
		if _, err := io.WriteString(conn, text); err != nil {
			return
		}
	}
}

// meet sends a mail, which has to end soon after its limit.
func meet(t *testing.T, url string, limit time.Duration) (f *fault.Fault, bytes uint64) {
	t.Helper()
	c, err := New(Config{URL: url, From: "agent@example.com", To: []string{"ada@example.org"}})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), limit)
	defer cancel()
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	began := time.Now()
	f = fault.From("", c.Notify(ctx, message))
	if took := time.Since(began); took > 10*time.Second {
		t.Errorf("it took %s", took)
	}
	runtime.ReadMemStats(&after)
	return f, after.TotalAlloc - before.TotalAlloc
}

func TestAnExpiredCertificate(t *testing.T) {
	config, _ := certify(t, "127.0.0.1")
	address := httpcalltest.Listen(t, func(conn net.Conn) { _ = tls.Server(conn, config).Handshake() })
	f, _ := meet(t, "smtps://"+address, time.Minute)
	if f == nil || f.Class != fault.Transient || f.Message != "its TLS certificate is not valid for the host in SMTP_URL while connecting" {
		t.Errorf("%v", f)
	}
}

func TestANameThatDoesNotResolve(t *testing.T) {
	f, _ := meet(t, "smtp://no..such..host", time.Minute)
	if f == nil || f.Class != fault.Transient || f.Message != "its host name does not resolve while connecting" {
		t.Errorf("%v", f)
	}
}
