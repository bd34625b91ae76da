package smtp

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"callagent/core/agent"
	"callagent/core/alert"
	"callagent/core/fault"
)

const password = "planted:pass/word"

// credentials are the user and the password as a URL writes them.
const credentials = "ops%40example.com:planted%3Apass%2Fword@"

var (
	_ agent.Notifier = (*Channel)(nil)

	message = alert.Message{ID: "a-1", Severity: alert.Critical, Title: "Twilio is down", Text: "No calls."}

	hello = "EHLO localhost"
	from  = "MAIL FROM:<agent@example.com>"
	ada   = "RCPT TO:<ada@example.org>"
	bob   = "RCPT TO:<bob@example.org>"
)

// open returns a channel to a server, which it believes to be host unless that
// is "".
func open(t *testing.T, f *fake, url, host string) *Channel {
	t.Helper()
	name := host
	if host == "" {
		name = f.address()
	}
	c, err := New(Config{URL: url + name, From: "Callagent <agent@example.com>", To: []string{"ada@example.org", "Bob <bob@example.org>"},
		Now: func() time.Time { return time.Date(2026, 3, 4, 5, 6, 7, 0, time.UTC) }})
	if err != nil {
		t.Fatal(err)
	}
	c.address = f.address()
	return c
}

func TestNotifySendsOneMailToEverybody(t *testing.T) {
	f := (&fake{}).start(t)
	if err := open(t, f, "smtp://", "").Notify(t.Context(), message); err != nil {
		t.Fatal(err)
	}
	commands, mails := f.heard()
	if d := cmp.Diff([]string{hello, from, ada, bob, "DATA", "QUIT"}, commands); d != "" {
		t.Error(d)
	}
	if len(mails) != 1 || !strings.Contains(mails[0], "Subject: [critical] Twilio is down\r\n") {
		t.Errorf("mails: %q", mails)
	}
}

func TestNotifyEncrypts(t *testing.T) {
	serve, trust := certify(t, "mail.example.com")
	login, noLogin := []string{"STARTTLS", "AUTH LOGIN PLAIN"}, []string{"STARTTLS"}
	encrypted := func(lines ...string) []string {
		for i := range lines {
			lines[i] = "TLS:" + lines[i]
		}
		return lines
	}
	auth := plain("ops@example.com", password)
	for _, c := range []struct {
		name, url, host string
		server          *fake
		want            []string
	}{
		{"with credentials", "smtp://" + credentials, "mail.example.com", &fake{offers: login},
			append([]string{hello, "STARTTLS"}, encrypted(hello, auth, from, ada, bob, "DATA", "QUIT")...)},
		{"without credentials when offered", "smtp://", "mail.example.com", &fake{offers: noLogin},
			append([]string{hello, "STARTTLS"}, encrypted(hello, from, ada, bob, "DATA", "QUIT")...)},
		{"not without an offer", "smtp://", "mail.example.com", &fake{},
			[]string{hello, from, ada, bob, "DATA", "QUIT"}},
		{"from the beginning", "smtps://" + credentials, "mail.example.com", &fake{offers: login, implicit: true},
			encrypted(hello, auth, from, ada, bob, "DATA", "QUIT")},
		{"not on this machine without an offer", "smtp://" + credentials, "", &fake{offers: []string{"AUTH PLAIN"}},
			[]string{hello, auth, from, ada, bob, "DATA", "QUIT"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			c.server.tls = serve
			f := c.server.start(t)
			ch := open(t, f, c.url, c.host)
			ch.tls.RootCAs = trust
			if err := ch.Notify(t.Context(), message); err != nil {
				t.Fatal(err)
			}
			commands, mails := f.heard()
			if d := cmp.Diff(c.want, commands); d != "" || len(mails) != 1 {
				t.Errorf("%d mails, %s", len(mails), d)
			}
		})
	}
}

func TestNotifyKeepsThePassword(t *testing.T) {
	serve, trust := certify(t, "mail.example.com")
	authentication := fault.Fault{Service: "email", Class: fault.Permanent, Scope: fault.Account, Kind: fault.Authentication}
	with := func(f fault.Fault, message string) fault.Fault { f.Message = message; return f }
	for _, c := range []struct {
		name, host string
		server     *fake
		want       fault.Fault
	}{
		{"from a server without STARTTLS", "mail.example.com", &fake{offers: []string{"AUTH PLAIN"}},
			with(authentication, "the server offers no STARTTLS, so the password was not sent: use smtps:// or another port in SMTP_URL")},
		{"from a server of another name", "mail.example.net", &fake{offers: []string{"STARTTLS", "AUTH PLAIN"}},
			fault.Fault{Service: "email", Kind: fault.Network, Message: "its TLS certificate is not valid for the host in SMTP_URL while starting TLS"}},
		{"from a server that wants none", "mail.example.com", &fake{offers: []string{"STARTTLS", "AUTH GSSAPI"}},
			with(authentication, "the server offers no way to log in with a password: use its submission port, or take user and password out of SMTP_URL")},
	} {
		t.Run(c.name, func(t *testing.T) {
			c.server.tls = serve
			f := c.server.start(t)
			ch := open(t, f, "smtp://"+credentials, c.host)
			ch.tls.RootCAs = trust
			if d := cmp.Diff(c.want, *fault.From("", ch.Notify(t.Context(), message))); d != "" {
				t.Error(d)
			}
			commands, _ := f.heard()
			if got := strings.Join(commands, "\n"); strings.Contains(got, "AUTH") {
				t.Errorf("it was sent:\n%s", got)
			}
		})
	}
}

func TestNotifyTellsSMTPFromSMTPS(t *testing.T) {
	f := (&fake{}).start(t)
	got := fault.From("", open(t, f, "smtps://", "").Notify(t.Context(), message))
	if want := "email: network: the port in SMTP_URL does not begin with TLS: use smtp:// for it while connecting"; got == nil || got.Error() != want {
		t.Errorf("%v", got)
	}
}

// refusedWith is the fault of a refused command.
func refusedWith(s fault.Scope, k fault.Kind) fault.Fault {
	return fault.Fault{Class: fault.Permanent, Scope: s, Kind: k}
}

func TestClassifyReplies(t *testing.T) {
	passes := fault.Fault{Kind: fault.ServiceUnavailable}
	login := refusedWith(fault.Account, fault.Authentication)
	setting := refusedWith(fault.Account, fault.InvalidRequest)
	reader := refusedWith(fault.Account, fault.NotFound)
	content := refusedWith(fault.Contact, fault.InvalidRequest)
	for _, c := range []struct {
		at, reply string
		want      fault.Fault
	}{
		{"greeting", "421 too busy", passes},
		{"greeting", "554 no mail here", setting},
		{"EHLO", "421 closing", passes},
		{"AUTH", "535 5.7.8 not accepted", login},
		{"AUTH", "530 encrypt first", login},
		{"AUTH", "534 too weak", login},
		{"AUTH", "454 4.7.0 later", passes},
		{"AUTH", "504 unknown", setting},
		{"MAIL", "450 later", passes},
		{"MAIL", "451 local error", passes},
		{"MAIL", "452 full", passes},
		{"MAIL", "454 Throttling failure: Maximum sending rate exceeded.", fault.Fault{Kind: fault.Throttled}},
		{"MAIL", "530 log in first", login},
		{"MAIL", "550 not your address", setting},
		{"MAIL", "553 not an address", setting},
		{"RCPT", "450 greylisted", passes},
		{"RCPT", "550 no such user", reader},
		{"RCPT", "551 not here", reader},
		{"RCPT", "553 not an address", setting},
		{"RCPT", "554 not to him", setting},
		{"RCPT", "421 too many", passes},
		{"DATA", "451 later", passes},
		{"DATA", "554 no valid recipients", content},
		{".", "452 full", passes},
		{".", "432 other", passes},
		{".", "454 Throttling failure: Daily message quota exceeded.", fault.Fault{Kind: fault.Throttled}},
		{".", "550 policy", setting},
		{".", "552 too big", content},
		{".", "554 looks like spam", content},
		{".", "571 other", setting},
	} {
		t.Run(c.at+" "+c.reply, func(t *testing.T) {
			said := script{c.at: c.reply}
			if c.at == "EHLO" {
				said["HELO"] = c.reply
			}
			f := (&fake{script: said, offers: []string{"AUTH PLAIN"}}).start(t)
			err := open(t, f, "smtp://"+credentials, "").Notify(t.Context(), message)
			var got *fault.Fault
			if !errors.As(err, &got) {
				t.Fatalf("no fault: %v", err)
			}
			want := c.want
			want.Service, want.Message = "email", c.reply[4:]
			if _, err := fmt.Sscan(c.reply, &want.Status); err != nil {
				t.Fatal(err)
			}
			if d := cmp.Diff(want, *got); d != "" {
				t.Error(d)
			}
		})
	}
}

func TestClassifyBrokenConversations(t *testing.T) {
	for at, want := range map[string]string{
		"greeting": "greeting the server", "EHLO": "greeting the server", "AUTH": "logging in", "MAIL": "naming the sender",
		"RCPT": "naming a recipient", "DATA": "handing over the mail", ".": "waiting for the server to confirm the mail",
	} {
		t.Run("dropped at "+at, func(t *testing.T) {
			f := (&fake{script: script{at: drop}, offers: []string{"AUTH PLAIN"}}).start(t)
			got := fault.From("", open(t, f, "smtp://"+credentials, "").Notify(t.Context(), message))
			if got == nil || got.Class != fault.Transient || got.Kind != fault.Network || got.Message != "the connection broke while "+want {
				t.Errorf("%v", got)
			}
		})
		t.Run("canceled at "+at, func(t *testing.T) {
			f := (&fake{script: script{at: hang}, offers: []string{"AUTH PLAIN"}}).start(t)
			ctx, cancel := context.WithCancel(t.Context())
			go func() { <-f.waiting; cancel() }()
			err := open(t, f, "smtp://"+credentials, "").Notify(ctx, message)
			got := fault.From("", err)
			if !errors.Is(err, context.Canceled) || got.Class != fault.Transient || !strings.HasPrefix(got.Message, "canceled while ") {
				t.Errorf("%v", err)
			}
		})
		t.Run("late at "+at, func(t *testing.T) {
			f := (&fake{script: script{at: hang}, offers: []string{"AUTH PLAIN"}}).start(t)
			ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
			defer cancel()
			err := open(t, f, "smtp://"+credentials, "").Notify(ctx, message)
			got := fault.From("", err)
			if !errors.Is(err, context.DeadlineExceeded) || got.Kind != fault.Timeout || got.Message != "no answer within the time limit while "+want {
				t.Errorf("%v", err)
			}
		})
	}
}

func TestClassifyServersThatAreNoServers(t *testing.T) {
	f := (&fake{script: script{"greeting": "HTTP/1.1 400 Bad Request"}}).start(t)
	c := open(t, f, "smtp://", "")
	if got := fault.From("", c.Notify(t.Context(), message)); got == nil || got.Kind != fault.BadResponse || got.Class != fault.Transient {
		t.Errorf("%v", got)
	}
	_ = f.listener.Close()
	if got := fault.From("", c.Notify(t.Context(), message)); got == nil || got.Error() != "email: network: it refuses connections while connecting" {
		t.Errorf("%v", got)
	}
}

func TestNotifyReachesTheOthers(t *testing.T) {
	const gone, later = "550 no such user", "450 later"
	for _, c := range []struct {
		name  string
		ada   string
		bob   string
		mails int
		want  string
	}{
		{"one is gone", gone, "", 1, "email: not_found (550): 1 of 2 recipients were refused, the others have the mail: no such user"},
		{"one has to wait", "", later, 1, "email: service_unavailable (450): 1 of 2 recipients were refused, the others have the mail: later"},
		{"nobody is left", gone, gone, 0, "email: not_found (550): no such user"},
		{"trying again helps one of them", gone, later, 0, "email: service_unavailable (450): later"},
		{"the server hangs up", gone, "421 enough", 0, "email: service_unavailable (421): enough"},
	} {
		t.Run(c.name, func(t *testing.T) {
			f := (&fake{script: script{"RCPT <ada@example.org>": c.ada, "RCPT <bob@example.org>": c.bob}}).start(t)
			err := open(t, f, "smtp://", "").Notify(t.Context(), message)
			_, mails := f.heard()
			if err == nil || err.Error() != c.want || len(mails) != c.mails {
				t.Errorf("%d mails, %v", len(mails), err)
			}
		})
	}
}

func TestADeliveredMailIsDelivered(t *testing.T) {
	for _, end := range []string{drop, "500 what?", "421 bye"} {
		f := (&fake{script: script{"QUIT": end}}).start(t)
		if err := open(t, f, "smtp://", "").Notify(t.Context(), message); err != nil {
			t.Errorf("QUIT answered with %q: %v", end, err)
		}
	}
}

func TestNewNamesTheRemedy(t *testing.T) {
	const (
		form   = "email: SMTP_URL is not of the form smtp://user:password@host:port: write special characters of user and password as %40 and so on"
		scheme = "email: begin SMTP_URL with smtp:// or smtps:// and the name of the mail server"
		both   = "email: give SMTP_URL both a user and a password, or neither"
		sender = "email: set ALERT_EMAIL_FROM to one email address"
	)
	good := Config{URL: "smtp://mail.example.com", From: "a@example.com", To: []string{"b@example.com"}}
	for _, c := range []struct {
		change func(*Config)
		want   string
	}{
		{func(c *Config) { c.URL = "smtp://u:planted#x@mail.example.com" }, form},
		{func(c *Config) { c.URL = "smtp://u:planted/x@mail.example.com" }, form},
		{func(c *Config) { c.URL = "smtp://u:planted?x@mail.example.com" }, form},
		{func(c *Config) { c.URL = "smtp://u:planted%zz@mail.example.com" }, form},
		{func(c *Config) { c.URL = "" }, scheme},
		{func(c *Config) { c.URL = "mail.example.com" }, form},
		{func(c *Config) { c.URL = "https://mail.example.com" }, scheme},
		{func(c *Config) { c.URL = "smtp://" }, scheme},
		{func(c *Config) { c.URL = "smtp://planted@mail.example.com" }, both},
		{func(c *Config) { c.URL = "smtp://:planted@mail.example.com" }, both},
		{func(c *Config) { c.From = "" }, sender},
		{func(c *Config) { c.From = "a@example.com, b@example.com" }, sender},
		{func(c *Config) { c.To = nil }, "email: set ALERT_EMAIL_TO to at least one email address"},
		{func(c *Config) { c.To = []string{"b@example.com", "c"} }, "email: set ALERT_EMAIL_TO to email addresses separated by commas"},
	} {
		config := good
		c.change(&config)
		if _, err := New(config); err == nil || err.Error() != c.want {
			t.Errorf("%q, %q: %v", config.From, config.To, err)
		}
	}
}

func TestPorts(t *testing.T) {
	for url, want := range map[string]string{
		"smtp://mail.example.com": "mail.example.com:587", "smtps://mail.example.com": "mail.example.com:465",
		"smtp://mail.example.com:25/": "mail.example.com:25", "smtp://[::1]": "[::1]:587",
	} {
		s, err := parse(url)
		if err != nil || s.address != want || s.loopback != strings.Contains(url, "::1") {
			t.Errorf("%s: %s, loopback %v, %v", url, s.address, s.loopback, err)
		}
	}
}
