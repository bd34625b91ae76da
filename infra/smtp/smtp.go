// Package smtp tells alerts by email through any SMTP server.
//
// Every message travels on a connection of its own. The password is sent over
// TLS only, or to the machine itself, and no error repeats it.
package smtp

import (
	"context"
	"crypto/tls"
	"errors"
	"net"
	"net/mail"
	"net/url"
	"strings"
	"time"

	"callagent/core/alert"
	"callagent/core/fault"
)

// service is the channel's name in faults.
const service = "email"

// Config says which server takes the mail and who gets it. All but Now are
// needed.
type Config struct {
	// URL is smtp://user:password@host:587 or smtps://host:465, credentials
	// and port being optional; special characters in them are written as %40
	// and so on. smtps encrypts from the beginning. smtp encrypts when the
	// server offers STARTTLS, and with credentials insists on it unless the
	// host is this machine.
	URL  string
	From string           // an address, with a name or without
	To   []string         // one address each, with a name or without
	Now  func() time.Time // nil means time.Now
}

// Channel sends mail to a fixed list of people. It is safe for concurrent use.
type Channel struct {
	server
	from mail.Address
	to   []mail.Address
	now  func() time.Time
}

// server is where the mail goes and how.
type server struct {
	host, address  string // the name to verify, and host:port to connect to
	user, password string
	implicit       bool // TLS from the beginning
	loopback       bool
	tls            *tls.Config
}

// New checks the configuration. Its errors name the setting to change and
// never repeat the URL.
func New(c Config) (*Channel, error) {
	s, err := parse(c.URL)
	if err != nil {
		return nil, err
	}
	from, err := mail.ParseAddress(c.From)
	if err != nil {
		return nil, errors.New("email: set ALERT_EMAIL_FROM to one email address")
	}
	ch := &Channel{server: s, from: *from, now: c.Now}
	for _, one := range c.To {
		to, err := mail.ParseAddress(one)
		if err != nil {
			return nil, errors.New("email: set ALERT_EMAIL_TO to email addresses separated by commas")
		}
		ch.to = append(ch.to, *to)
	}
	if len(ch.to) == 0 {
		return nil, errors.New("email: set ALERT_EMAIL_TO to at least one email address")
	}
	if ch.now == nil {
		ch.now = time.Now
	}
	return ch, nil
}

// parse reads the URL. What net/url says of a bad one is dropped, because it
// repeats the URL.
func parse(raw string) (server, error) {
	u, err := url.Parse(raw)
	if err != nil || u.RawQuery != "" || u.Fragment != "" || strings.Trim(u.Path, "/") != "" {
		return server{}, errors.New("email: SMTP_URL is not of the form smtp://user:password@host:port: write special characters of user and password as %40 and so on")
	}
	ports := map[string]string{"smtp": "587", "smtps": "465"}
	port, known := ports[u.Scheme]
	if !known || u.Hostname() == "" {
		return server{}, errors.New("email: begin SMTP_URL with smtp:// or smtps:// and the name of the mail server")
	}
	if u.Port() != "" {
		port = u.Port()
	}
	s := server{host: u.Hostname(), address: net.JoinHostPort(u.Hostname(), port), implicit: u.Scheme == "smtps"}
	s.user = u.User.Username()
	s.password, _ = u.User.Password()
	if (s.user == "") != (s.password == "") {
		return server{}, errors.New("email: give SMTP_URL both a user and a password, or neither")
	}
	ip := net.ParseIP(s.host)
	s.loopback = s.host == "localhost" || ip != nil && ip.IsLoopback()
	s.tls = &tls.Config{ServerName: s.host, MinVersion: tls.VersionTLS12}
	return s, nil
}

// Notify sends the message to everybody at once.
//
// When the server refuses some of the addresses, the others get the mail and
// the refusal is returned afterwards. Sent again, or again after a lost answer,
// the mail has the same Message-ID, by which mail programs drop copies.
func (c *Channel) Notify(ctx context.Context, m alert.Message) error {
	letter, err := c.compose(m)
	if err != nil {
		return &fault.Fault{Service: service, Class: fault.Permanent, Kind: fault.InvalidRequest,
			Scope: fault.Contact, Message: "the alert cannot be written as a mail"}
	}
	if f := c.deliver(ctx, letter); f != nil {
		return f
	}
	return nil
}
