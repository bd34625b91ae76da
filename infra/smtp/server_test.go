package smtp

import (
	"bufio"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"math/big"
	"net"
	"strings"
	"sync"
	"testing"
	"time"
)

// What a script can say instead of a reply.
const (
	drop = "drop" // close the connection
	hang = "hang" // say nothing until the client goes
)

// script says how a server answers each command that it does not accept: by
// the command's first word, "RCPT <address>" for one recipient, "greeting" for
// the first line and "." for the end of a mail.
type script map[string]string

// fake is an SMTP server on loopback.
type fake struct {
	listener net.Listener
	script   script
	offers   []string    // what EHLO offers
	tls      *tls.Config // with implicit, from the first byte
	implicit bool
	running  sync.WaitGroup

	mu       sync.Mutex // also of script
	commands []string   // "TLS:" before those that came encrypted
	mails    []string
	waiting  chan struct{} // one element for each hang
	open     map[net.Conn]bool
}

// start runs the server until the end of the test.
func (f *fake) start(t *testing.T) *fake {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	f.listener, f.waiting, f.open = l, make(chan struct{}, 8), map[net.Conn]bool{}
	f.running.Go(func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			f.running.Go(func() { f.talk(conn) })
		}
	})
	t.Cleanup(f.stop)
	return f
}

// stop breaks the connections and listens no more.
func (f *fake) stop() {
	_ = f.listener.Close()
	f.mu.Lock()
	for conn := range f.open {
		_ = conn.Close()
	}
	f.mu.Unlock()
	f.running.Wait()
}

func (f *fake) address() string { return f.listener.Addr().String() }

// conversation is one connection.
type conversation struct {
	*fake
	conn   net.Conn
	in     *bufio.Reader
	secure bool
}

func (f *fake) talk(conn net.Conn) {
	f.mu.Lock()
	f.open[conn] = true
	f.mu.Unlock()
	defer func() {
		f.mu.Lock()
		delete(f.open, conn)
		f.mu.Unlock()
		_ = conn.Close()
	}()
	c := &conversation{fake: f, conn: conn, in: bufio.NewReader(conn)}
	if f.implicit {
		c.encrypt()
	}
	if !c.say("greeting", "", "220 fake") {
		return
	}
	for {
		line, err := c.in.ReadString('\n')
		if err != nil || !c.obey(strings.TrimRight(line, "\r\n")) {
			return
		}
	}
}

// obey answers one command; false ends the conversation.
func (c *conversation) obey(line string) bool {
	c.note(line)
	word, rest, _ := strings.Cut(line, " ")
	switch word {
	case "EHLO":
		offers := append([]string{"fake"}, c.offers...)
		for i, o := range offers {
			offers[i] = "250-" + o
		}
		offers[len(offers)-1] = strings.Replace(offers[len(offers)-1], "-", " ", 1)
		return c.say(word, rest, strings.Join(offers, "\r\n"))
	case "STARTTLS":
		ok := c.say(word, "", "220 go ahead")
		if ok && c.scripted(word) == "" {
			c.encrypt()
		}
		return ok
	case "AUTH":
		return c.say(word, "", "235 welcome")
	case "DATA":
		return c.say(word, "", "354 go ahead") && (c.scripted(word) != "" || c.receive())
	case "QUIT":
		c.say(word, "", "221 bye")
		return false
	default:
		return c.say(word, rest, "250 ok")
	}
}

// receive reads a mail up to its final dot.
func (c *conversation) receive() bool {
	var mail strings.Builder
	for {
		line, err := c.in.ReadString('\n')
		if err != nil {
			return false
		}
		if line == ".\r\n" {
			break
		}
		if len(line) > 1000 {
			return c.say("", "", "500 line too long")
		}
		mail.WriteString(strings.TrimPrefix(line, "."))
	}
	c.mu.Lock()
	c.mails = append(c.mails, mail.String())
	c.mu.Unlock()
	return c.say(".", "", "250 queued")
}

// say answers as the script wants, or else with the reply.
func (c *conversation) say(word, rest, reply string) bool {
	for _, key := range []string{word, word + " " + rest[strings.IndexByte(rest, ':')+1:]} {
		if said := c.scripted(key); said != "" {
			reply = said
		}
	}
	switch reply {
	case drop:
		return false
	case hang:
		c.waiting <- struct{}{}
		_, _ = c.in.ReadByte()
		return false
	}
	_, err := c.conn.Write([]byte(reply + "\r\n"))
	return err == nil && !strings.HasPrefix(reply, "421")
}

// rule changes the script.
func (f *fake) rule(key, reply string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.script[key] = reply
}

func (f *fake) scripted(key string) string {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.script[key]
}

func (c *conversation) encrypt() {
	c.conn = tls.Server(c.conn, c.tls)
	c.in, c.secure = bufio.NewReader(c.conn), true
}

func (c *conversation) note(line string) {
	if c.secure {
		line = "TLS:" + line
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.commands = append(c.commands, line)
}

// heard gives the commands and the mails so far.
func (f *fake) heard() (commands, mails []string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	return append([]string{}, f.commands...), append([]string{}, f.mails...)
}

// certify makes a certificate for a host, and who trusts it.
func certify(t *testing.T, host string) (*tls.Config, *x509.CertPool) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), DNSNames: []string{host},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour), IsCA: true, BasicConstraintsValid: true}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	leaf, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	trust := x509.NewCertPool()
	trust.AddCert(leaf)
	return &tls.Config{Certificates: []tls.Certificate{{Certificate: [][]byte{der}, PrivateKey: key}}}, trust
}

// plain is the AUTH command for a user and a password.
func plain(user, password string) string {
	return "AUTH PLAIN " + base64.StdEncoding.EncodeToString([]byte("\x00"+user+"\x00"+password))
}
