package smtp

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/mail"
	"net/textproto"
	"slices"
	"strings"
	"time"

	wire "github.com/wneessen/go-mail/smtp"

	"callagent/core/fault"
)

const (
	// clientName is what EHLO says; the machine's own name is nobody's business.
	clientName = "localhost"
	// longest bounds a delivery whose context has no deadline.
	longest = time.Minute
	// farewell bounds the wait for the answer to QUIT.
	farewell = time.Second
)

// stage is what was going on when something failed.
type stage string

const (
	connecting   stage = "connecting"
	greeting     stage = "greeting the server"
	encrypting   stage = "starting TLS"
	loggingIn    stage = "logging in"
	namingSender stage = "naming the sender"
	namingReader stage = "naming a recipient"
	handingOver  stage = "handing over the mail"
	confirming   stage = "waiting for the server to confirm the mail"
)

// deliver sends one mail on a connection of its own.
func (c *Channel) deliver(ctx context.Context, letter []byte) *fault.Fault {
	return c.converse(ctx, func(s *wire.Client) *fault.Fault { return c.send(ctx, s, letter) })
}

// converse logs in on a new connection, does something and takes its leave.
func (c *Channel) converse(ctx context.Context, do func(*wire.Client) *fault.Fault) *fault.Fault {
	ctx, cancel := context.WithTimeout(ctx, longest)
	defer cancel()
	conn, err := c.connect(ctx)
	if err != nil {
		return c.classify(ctx, connecting, err)
	}
	defer func() { _ = conn.Close() }()
	// Whatever is being read or written ends with the context.
	defer context.AfterFunc(ctx, func() { _ = conn.Close() })()
	s, err := wire.NewClient(conn, c.host)
	if err != nil {
		return c.classify(ctx, greeting, err)
	}
	f := c.introduce(ctx, s)
	if f == nil {
		f = do(s)
	}
	if f == nil || f.Status != 0 { // the server still listens
		_ = conn.SetDeadline(time.Now().Add(farewell))
		_ = s.Quit()
	}
	return f
}

// mostSaid is how many bytes a server may say in a conversation, TLS included:
// many times what any does.
const mostSaid = 1 << 20

// bounded is a connection that gives up a server which never stops: the reader
// of replies would keep a line of any length.
type bounded struct {
	net.Conn
	left int
}

// Read reads until left is used up.
func (b *bounded) Read(p []byte) (int, error) {
	if b.left <= 0 {
		return 0, textproto.ProtocolError("a reply without an end")
	}
	n, err := b.Conn.Read(p[:min(len(p), b.left)])
	b.left -= n
	return n, err
}

// connect opens the connection, encrypted for smtps.
func (c *Channel) connect(ctx context.Context) (net.Conn, error) {
	plain, err := (&net.Dialer{}).DialContext(ctx, "tcp", c.address)
	if err != nil {
		return nil, err
	}
	conn := &bounded{Conn: plain, left: mostSaid}
	if !c.implicit {
		return conn, nil
	}
	encrypted := tls.Client(conn, c.tls)
	if err := encrypted.HandshakeContext(ctx); err != nil {
		_ = conn.Close() // the handshake's error says more
		return nil, err
	}
	return encrypted, nil
}

// introduce greets, encrypts and logs in, each where needed.
func (c *Channel) introduce(ctx context.Context, s *wire.Client) *fault.Fault {
	if err := s.Hello(clientName); err != nil {
		return c.classify(ctx, greeting, err)
	}
	offered, _ := s.Extension("STARTTLS")
	switch {
	case c.implicit:
	case offered:
		if err := s.StartTLS(c.tls); err != nil {
			return c.classify(ctx, encrypting, err)
		}
	case c.user != "" && !c.loopback:
		return refusal(fault.Authentication, "the server offers no STARTTLS, so the password was not sent: use smtps:// or another port in SMTP_URL")
	}
	if c.user == "" {
		return nil
	}
	method := c.method(s)
	if method == nil {
		return refusal(fault.Authentication, "the server offers no way to log in with a password: use its submission port, or take user and password out of SMTP_URL")
	}
	if err := s.Auth(method); err != nil {
		return c.classify(ctx, loggingIn, err)
	}
	return nil
}

// refusal is a permanent fault of the configuration that we found ourselves.
func refusal(k fault.Kind, message string) *fault.Fault {
	return &fault.Fault{Service: service, Class: fault.Permanent, Scope: fault.Account, Kind: k, Message: message}
}

// method picks how to log in, nil when nothing the server offers will do. The
// plain methods come first: the connection is encrypted or local, and they
// have the fewest surprises.
func (c *Channel) method(s *wire.Client) wire.Auth {
	_, line := s.Extension("AUTH")
	offered := strings.Fields(strings.ToUpper(line))
	for _, m := range []struct {
		name string
		auth wire.Auth
	}{
		{"PLAIN", wire.PlainAuth("", c.user, c.password, c.host, true)},
		{"LOGIN", wire.LoginAuth(c.user, c.password, c.host, true)},
		{"SCRAM-SHA-256", wire.ScramSHA256Auth(c.user, c.password)},
		{"CRAM-MD5", wire.CRAMMD5Auth(c.user, c.password)},
	} {
		if slices.Contains(offered, m.name) {
			return m.auth
		}
	}
	return nil
}

// send hands over one mail. The result is about refused recipients when the
// others got it.
func (c *Channel) send(ctx context.Context, s *wire.Client, letter []byte) *fault.Fault {
	if err := s.Mail(path(c.from)); err != nil {
		return c.classify(ctx, namingSender, err)
	}
	refused, broken := c.nameReaders(ctx, s)
	if broken != nil {
		return broken
	}
	if len(refused) == len(c.to) {
		return worst(refused)
	}
	w, err := s.Data()
	if err != nil {
		return c.classify(ctx, handingOver, err)
	}
	at := confirming
	_, failed := w.Write(letter)
	err = w.Close()
	var said *textproto.Error
	if failed != nil && !errors.As(err, &said) { // a server that has enough may say so before it hangs up
		at, err = handingOver, failed
	}
	if err != nil {
		return c.classify(ctx, at, err)
	}
	if len(refused) == 0 {
		return nil
	}
	f := worst(refused)
	f.Message = fmt.Sprintf("%d of %d recipients were refused, the others have the mail: %s", len(refused), len(c.to), f.Message)
	return f
}

// nameReaders names all recipients. broken ends the conversation.
func (c *Channel) nameReaders(ctx context.Context, s *wire.Client) (refused []*fault.Fault, broken *fault.Fault) {
	for _, to := range c.to {
		err := s.Rcpt(path(to))
		if err == nil {
			continue
		}
		f := c.classify(ctx, namingReader, err)
		if f.Status == 0 || f.Status == closing {
			return nil, f
		}
		refused = append(refused, f)
	}
	return refused, nil
}

// path is an address as the protocol writes it.
func path(a mail.Address) string { return (&mail.Address{Address: a.Address}).String() }

// worst picks the refusal to tell: one that can pass when there is one, so
// that trying again reaches everybody who can be reached.
func worst(refused []*fault.Fault) *fault.Fault {
	i := slices.IndexFunc(refused, func(f *fault.Fault) bool { return f.Class == fault.Transient })
	return refused[max(i, 0)]
}
