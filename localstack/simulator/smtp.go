package simulator

import (
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net"
	"net/textproto"
	"strings"
	"sync"
)

// mailStages are the places of a session where a fault may strike: the
// greeting, the credentials, sender, recipient, and the end of the message.
var mailStages = []string{"connect", "auth", "mail", "rcpt", "data"}

// stage is where a fault of the mail server strikes when it names no route. An
// empty answer is to hang up at once.
func (f Fault) stage() string {
	switch f.Answer {
	case answerTimeout, answerReset, answerMalformed, answerEmpty, "421", "554":
		return "connect"
	case "454", "530", "534", "535":
		return "auth"
	case "450", "550", "551", "553":
		return "rcpt"
	case "451", "452":
		return "mail"
	default:
		return "data"
	}
}

// mailServer takes messages by SMTP, without TLS and only after AUTH.
type mailServer struct {
	sim      *Simulator
	listener net.Listener

	mu     sync.Mutex
	conns  map[net.Conn]bool
	emails []Email
}

func newMailServer(s *Simulator) *mailServer {
	return &mailServer{sim: s, conns: map[net.Conn]bool{}}
}

func (m *mailServer) serve() {
	for {
		conn, err := m.listener.Accept()
		if err != nil {
			return // closed
		}
		m.sim.spawn(func() {
			defer func() { _ = conn.Close() }()
			if m.track(conn) {
				defer m.untrack(conn)
				(&mailSession{server: m, conn: conn, text: textproto.NewConn(conn)}).run()
			}
		})
	}
}

// track keeps a connection for close; false means that it came too late.
func (m *mailServer) track(conn net.Conn) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.conns == nil {
		return false
	}
	m.conns[conn] = true
	return true
}

func (m *mailServer) untrack(conn net.Conn) {
	m.mu.Lock()
	defer m.mu.Unlock()
	delete(m.conns, conn)
}

func (m *mailServer) close() {
	if m.listener != nil {
		_ = m.listener.Close()
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	for conn := range m.conns {
		_ = conn.Close()
	}
	m.conns = nil
}

func (m *mailServer) report() []Email {
	m.mu.Lock()
	defer m.mu.Unlock()
	return append([]Email{}, m.emails...)
}

// mailSession is one connection.
type mailSession struct {
	server *mailServer
	conn   net.Conn
	text   *textproto.Conn
	known  bool // has given the right credentials
	from   string
	to     []string
}

var errHungUp = errors.New("the session is over")

func (m *mailSession) run() {
	if m.faulted("connect") != nil || m.reply("220 simulator.example.com ESMTP") != nil {
		return
	}
	for {
		line, err := m.text.ReadLine()
		if err != nil {
			return
		}
		verb, rest, _ := strings.Cut(line, " ")
		if m.obey(strings.ToUpper(verb), rest) != nil {
			return
		}
	}
}

func (m *mailSession) reply(lines ...string) error {
	return m.text.PrintfLine("%s", strings.Join(lines, "\r\n"))
}

// obey carries out one command; an error ends the session.
func (m *mailSession) obey(verb, rest string) error {
	switch verb {
	case "EHLO":
		return m.reply("250-simulator.example.com", "250-8BITMIME", fmt.Sprintf("250-SIZE %d", maxBody), "250 AUTH PLAIN LOGIN")
	case "HELO":
		return m.reply("250 simulator.example.com")
	case "AUTH":
		return m.authenticate(rest)
	case "MAIL":
		return m.sender(rest)
	case "RCPT":
		return m.recipient(rest)
	case "DATA":
		return m.data()
	case "RSET":
		m.from, m.to = "", nil
		return m.reply("250 2.0.0 OK")
	case "NOOP":
		return m.reply("250 2.0.0 OK")
	case "QUIT":
		_ = m.reply("221 2.0.0 Bye")
		return errHungUp
	default:
		return m.reply("500 5.5.1 Unknown command")
	}
}

func (m *mailSession) authenticate(rest string) error {
	user, password, ok := m.credentials(rest)
	if err := m.faulted("auth"); err != nil {
		return hold(err)
	}
	k := m.server.sim.cfg.Keys
	if !ok || !same(user, k.MailUser) || !same(password, k.MailPassword) {
		m.note("auth", 535, "", false)
		return m.reply("535 5.7.8 Authentication Credentials Invalid")
	}
	m.known = true
	return m.reply("235 2.7.0 Authentication successful")
}

// credentials reads those of AUTH PLAIN, with or without an initial response,
// and of AUTH LOGIN.
func (m *mailSession) credentials(rest string) (user, password string, ok bool) {
	mechanism, initial, _ := strings.Cut(rest, " ")
	ask := func(prompt string) string {
		if m.reply("334 "+base64.StdEncoding.EncodeToString([]byte(prompt))) != nil {
			return ""
		}
		line, _ := m.text.ReadLine() // a broken connection shows at the next command
		return line
	}
	decoded := func(s string) string {
		b, _ := base64.StdEncoding.DecodeString(s) // nonsense is a wrong password
		return string(b)
	}
	switch strings.ToUpper(mechanism) {
	case "PLAIN":
		if initial == "" {
			initial = ask("")
		}
		parts := strings.Split(decoded(initial), "\x00")
		if len(parts) != 3 {
			return "", "", false
		}
		return parts[1], parts[2], true
	case "LOGIN":
		if initial == "" {
			initial = ask("Username:")
		}
		return decoded(initial), decoded(ask("Password:")), true
	default:
		return "", "", false
	}
}

func (m *mailSession) sender(rest string) error {
	if err := m.faulted("mail"); err != nil {
		return hold(err)
	}
	address, ok := path(rest, "FROM:")
	switch {
	case !m.known:
		m.note("mail", 530, "", false)
		return m.reply("530 5.7.0 Authentication Required")
	case !ok:
		return m.reply("501 5.5.4 Syntax error in parameters")
	}
	m.from, m.to = address, nil
	return m.reply("250 2.1.0 OK")
}

func (m *mailSession) recipient(rest string) error {
	if err := m.faulted("rcpt"); err != nil {
		return hold(err)
	}
	address, ok := path(rest, "TO:")
	switch {
	case m.from == "":
		return m.reply("503 5.5.1 Bad sequence of commands")
	case !ok || address == "":
		return m.reply("501 5.5.4 Syntax error in parameters")
	}
	m.to = append(m.to, address)
	return m.reply("250 2.1.5 OK")
}

// path reads the address of MAIL and RCPT.
func path(rest, keyword string) (address string, ok bool) {
	if len(rest) < len(keyword) || !strings.EqualFold(rest[:len(keyword)], keyword) {
		return "", false
	}
	address, _, ok = strings.Cut(strings.TrimSpace(rest[len(keyword):]), ">")
	address, opened := strings.CutPrefix(address, "<")
	return address, ok && opened
}

func (m *mailSession) data() error {
	if len(m.to) == 0 {
		return m.reply("503 5.5.1 Bad sequence of commands")
	}
	if err := m.reply("354 End data with <CR><LF>.<CR><LF>"); err != nil {
		return err
	}
	body, err := io.ReadAll(io.LimitReader(m.text.DotReader(), maxBody+1))
	if err != nil {
		return err
	}
	if len(body) > maxBody {
		m.note("data", 552, "", false)
		_ = m.reply("552 5.3.4 Message too big")
		return errHungUp
	}
	mail := readEmail(m.server.sim.clock.Now(), m.from, m.to, body)
	m.from, m.to = "", nil
	f := m.pick("data")
	switch f.Answer {
	case answerLost:
		m.keep(mail, 0, f.Answer)
		return errHungUp
	case answerSlow:
		if err := m.server.sim.clock.Sleep(m.server.sim.ctx, f.Delay); err != nil {
			return err
		}
	case "":
	default:
		return hold(m.strike("data", f))
	}
	m.keep(mail, 250, f.Answer)
	return m.reply("250 2.0.0 OK: queued")
}

// keep stores a message.
func (m *mailSession) keep(mail Email, code int, fault string) {
	m.server.mu.Lock()
	m.server.emails = append(m.server.emails, mail)
	m.server.mu.Unlock()
	m.note("data", code, fault, true)
}

// note enters what decided the fate of a message into the log.
func (m *mailSession) note(stage string, code int, fault string, executed bool) {
	s := m.server.sim
	s.log.open(Request{At: s.clock.Now(), Service: email, Route: stage, Method: "SMTP", Status: code, Fault: fault, Executed: executed})
}

func (m *mailSession) pick(stage string) Fault {
	return m.server.sim.faults.pick(email, stage, true)
}

// errRefused says that a command was refused and that the session goes on.
var errRefused = errors.New("refused")

// hold keeps the session going after a mere refusal.
func hold(err error) error {
	if errors.Is(err, errRefused) {
		return nil
	}
	return err
}

// faulted lets a fault strike, if one does; nil means that nothing happened.
func (m *mailSession) faulted(stage string) error {
	f := m.pick(stage)
	if f.Answer == "" {
		return nil
	}
	return m.strike(stage, f)
}

func (m *mailSession) strike(stage string, f Fault) error {
	s := m.server.sim
	m.note(stage, f.status(), f.Answer, false)
	switch f.Answer {
	case answerTimeout:
		_, _ = io.Copy(io.Discard, m.conn) // until the client leaves
	case answerReset, answerResetAfter:
		hangUp(m.conn, true)
	case answerMalformed:
		_ = m.reply("<html>this is not a mail server</html>")
	case answerSlow:
		if s.clock.Sleep(s.ctx, f.Delay) == nil {
			return nil
		}
	case answerLost, answerEmpty:
	default:
		code := f.status()
		err := m.reply(fmt.Sprintf("%d %d.0.0 %s", code, code/100, mailReply(code)))
		if err == nil && stage != "connect" && code != 421 {
			return errRefused
		}
	}
	return errHungUp
}

func mailReply(code int) string {
	switch code {
	case 421:
		return "Service not available, closing transmission channel"
	case 454:
		return "Throttling failure: Maximum sending rate exceeded"
	case 535:
		return "Authentication Credentials Invalid"
	case 550:
		return "Requested action not taken: mailbox unavailable"
	case 554:
		return "Transaction failed"
	default:
		return "Requested action not taken"
	}
}
