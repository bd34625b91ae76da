package smtp

import (
	"mime"
	"slices"
	"strings"
	"testing"

	"callagent/core/agent/notifytest"
)

// mailbox is the fake server as the suite sees it.
type mailbox struct {
	*testing.T
	*fake
}

// Arrived reads the mails. A subject begins with the severity.
func (b mailbox) Arrived() []notifytest.Arrival {
	_, mails := b.heard()
	arrived := []notifytest.Arrival{}
	for _, m := range mails {
		header, parts := unfold(b.T, m)
		subject, err := new(mime.WordDecoder).DecodeHeader(header.Get("Subject"))
		if err != nil {
			b.Error(err)
		}
		_, title, _ := strings.Cut(subject, "] ")
		arrived = append(arrived, notifytest.Arrival{Title: title, Text: strings.TrimSuffix(parts[plainText], "\n"),
			ID: header.Get("Message-ID")})
	}
	return arrived
}

// Requests counts greetings: every mail has a connection of its own.
func (b mailbox) Requests() int {
	commands, _ := b.heard()
	return len(slices.DeleteFunc(commands, func(c string) bool { return c != hello }))
}

func (b mailbox) Refuse(reason string) { b.rule("AUTH", "535 "+reason) }

func (b mailbox) Hang() <-chan struct{} {
	b.rule("EHLO", hang)
	return b.waiting
}

func (b mailbox) Leave() { b.stop() }

func TestNotifierSuite(t *testing.T) {
	encoded := plain("ops@example.com", password)[len("AUTH PLAIN "):]
	notifytest.Run(t, func(t *testing.T) notifytest.Harness {
		f := (&fake{script: script{}, offers: []string{"AUTH PLAIN"}}).start(t)
		return notifytest.Harness{Notifier: open(t, f, "smtp://"+credentials, ""), Receiver: mailbox{t, f},
			Secrets: []string{password, encoded}}
	})
}
