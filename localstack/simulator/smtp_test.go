package simulator_test

import (
	"errors"
	"io"
	"net"
	"net/smtp"
	"net/textproto"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"callagent/localstack/simulator"
)

const message = "From: Agent <agent@example.com>\r\nTo: ops@example.com\r\nSubject: =?utf-8?q?Circuit_=C3=B6pened?=\r\n" +
	"MIME-Version: 1.0\r\nContent-Type: multipart/alternative; boundary=b\r\n\r\n" +
	"--b\r\nContent-Type: text/html\r\n\r\n<p>no</p>\r\n" +
	"--b\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\nIt is =C3=B6pen.\r\n.dot\r\n--b--\r\n"

// mail sends one message and returns the first error.
func (w *world) mail(auth func(user, password, host string) smtp.Auth, password string) error {
	u, err := url.Parse(w.env["SMTP_URL"])
	if err != nil {
		w.t.Fatal(err)
	}
	if password == "" {
		password, _ = u.User.Password()
	}
	conn, err := net.Dial("tcp", u.Host)
	if err != nil {
		return err
	}
	defer conn.Close()
	if err := conn.SetDeadline(time.Now().Add(2 * time.Second)); err != nil {
		return err
	}
	c, err := smtp.NewClient(conn, u.Hostname())
	if err != nil {
		return err
	}
	if err := c.Auth(auth(u.User.Username(), password, u.Hostname())); err != nil {
		return err
	}
	if err := c.Mail("agent@example.com"); err != nil {
		return err
	}
	for _, to := range []string{"ops@example.com", "boss@example.com"} {
		if err := c.Rcpt(to); err != nil {
			return err
		}
	}
	data, err := c.Data()
	if err != nil {
		return err
	}
	if _, err := io.WriteString(data, message); err != nil {
		return err
	}
	if err := data.Close(); err != nil {
		return err
	}
	return c.Quit()
}

func plain(user, password, host string) smtp.Auth { return smtp.PlainAuth("", user, password, host) }

// login is AUTH LOGIN, which net/smtp does not have.
type login struct{ user, password string }

func (login) Start(*smtp.ServerInfo) (string, []byte, error) { return "LOGIN", nil, nil }
func (l login) Next(prompt []byte, more bool) ([]byte, error) {
	switch {
	case !more:
		return nil, nil
	case string(prompt) == "Username:":
		return []byte(l.user), nil
	default:
		return []byte(l.password), nil
	}
}

func TestEmail(t *testing.T) {
	w := start(t, simulator.Config{})
	for name, auth := range map[string]func(user, password, host string) smtp.Auth{
		"PLAIN": plain, "LOGIN": func(user, password, _ string) smtp.Auth { return login{user, password} },
	} {
		if err := w.mail(auth, ""); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	got := w.Report().Email
	if len(got) != 2 {
		t.Fatalf("%d messages, want 2", len(got))
	}
	m := got[0]
	if m.From != "agent@example.com" || !slices.Equal(m.To, []string{"ops@example.com", "boss@example.com"}) ||
		m.Subject != "Circuit öpened" || m.Text != "It is öpen.\n.dot" || len(m.Header["Content-Type"]) != 1 {
		t.Errorf("message %+v", m)
	}
	if !strings.Contains(m.Source, "Subject: =?") || strings.Contains(m.Source, "\r") {
		t.Errorf("the message is kept as %q", m.Source)
	}
	if r := w.Requests(); len(r) != 2 || r[0].Service != "email" || r[0].Status != 250 || !r[0].Executed {
		t.Errorf("requests %+v", r)
	}
}

func TestEmailFaults(t *testing.T) {
	for _, tc := range []struct {
		answer, route string
		code          int // that the client sees; 0 for a broken connection
		kept          bool
	}{
		{"421", "", 421, false},
		{"454", "", 454, false},
		{"535", "", 535, false},
		{"550", "", 550, false},
		{"451", "", 451, false},
		{"552", "", 552, false},
		{"550", "mail", 550, false},
		{"reset", "", 0, false},
		{"reset_after", "", 0, false},
		{"lost_answer", "", 0, true},
		{"empty", "", 0, false},
		{"malformed", "", 0, false},
		{"timeout", "", 0, false},
		{"slow", "", 250, true},
	} {
		t.Run(tc.answer+tc.route, func(t *testing.T) {
			w := start(t, simulator.Config{Faults: []simulator.Fault{{Service: "email", Answer: tc.answer, Route: tc.route, Delay: time.Second}}})
			err := w.mail(plain, "")
			var reply *textproto.Error
			switch said := errors.As(err, &reply); {
			case tc.code == 250:
				if err != nil {
					t.Errorf("error %v, want none", err)
				}
			case tc.code == 0:
				if err == nil || said {
					t.Errorf("error %v, want a broken connection", err)
				}
			case !said || reply.Code != tc.code:
				t.Errorf("error %v, want %d", err, tc.code)
			}
			if got := len(w.Report().Email) == 1; got != tc.kept {
				t.Errorf("kept %v, want %v", got, tc.kept)
			}
			if r := w.Requests(); len(r) != 1 || r[0].Fault != tc.answer || r[0].Executed != tc.kept {
				t.Errorf("requests %+v", r)
			}
		})
	}
}

func TestEmailNeedsCredentials(t *testing.T) {
	w := start(t, simulator.Config{})
	var reply *textproto.Error
	if err := w.mail(plain, "wrong"); !errors.As(err, &reply) || reply.Code != 535 {
		t.Errorf("wrong password: %v, want 535", err)
	}
	u, _ := url.Parse(w.env["SMTP_URL"])
	c, err := textproto.Dial("tcp", u.Host)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if _, _, err := c.ReadResponse(220); err != nil {
		t.Fatal(err)
	}
	for _, step := range []struct {
		line string
		code int
	}{
		{"HELO me", 250}, {"MAIL FROM:<a@example.com>", 530}, {"RCPT TO:<a@example.com>", 503}, {"DATA", 503},
		{"AUTH CRAM-MD5", 535}, {"AUTH PLAIN AHNpbXVsYXRvcgBzaW11bGF0ZWQtbWFpbC1wYXNzd29yZA==", 235}, {"MAIL FROM a", 501},
		{"MAIL FROM:<a@example.com> SIZE=10", 250}, {"RCPT TO:", 501}, {"RSET", 250}, {"NOOP", 250}, {"VRFY", 500}, {"QUIT", 221},
	} {
		if err := c.PrintfLine("%s", step.line); err != nil {
			t.Fatal(err)
		}
		if _, _, err := c.ReadResponse(step.code); err != nil {
			t.Errorf("%.9s: %v, want %d", step.line, err, step.code)
		}
	}
}
