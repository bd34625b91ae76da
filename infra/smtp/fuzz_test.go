package smtp

import (
	"bufio"
	"context"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	"callagent/infra/httpcall/httpcalltest"
)

// FuzzReplies: whatever a server says, reply by reply, the mail is delivered or
// there is a fault of the table.
func FuzzReplies(f *testing.F) {
	for _, replies := range []string{
		"", "220 fake\n250 fake\n250 ok\n250 ok\n250 ok\n354 go\n250 queued\n221 bye", "220 fake\n250-fake\\250-AUTH PLAIN LOGIN\\250 STARTTLS\n220 go",
		"220 fake\n250-fake\\250 AUTH PLAIN\n535 5.7.8 $KEY is wrong", "220 fake\n250-fake\\250 AUTH CRAM-MD5\n334 $KEY\n235 ok\n550 no $PHONE",
		"220 fake\n250-fake\\250 AUTH LOGIN\n334 VXNlcm5hbWU6\n334 UGFzc3dvcmQ6\n535 no", "220 fake\n250-fake\\250 AUTH SCRAM-SHA-256\n334 cj0x\n334 dj0x\n235 ok",
		"554 no service", "421 closing", "220 fake\n250 fake\n550 no\n", "220 fake\n250 fake\n250 ok\n550 $PHONE\n250 ok\n354 go\n552 too large", "999 odd", "220", "220-\n", "hello",
		"220 fake\n250 fake\n454 Throttling failure: Maximum sending rate exceeded.",
	} {
		f.Add(replies)
	}
	s := &reciter{}
	address := httpcalltest.Listen(f, s.recite)
	planted := strings.NewReplacer("$PHONE", "+15005550006", "$KEY", password, "\\", "\r\n")
	f.Fuzz(func(t *testing.T, replies string) {
		s.learn(strings.Split(planted.Replace(replies), "\n"))
		c, err := New(Config{URL: "smtp://" + credentials + address, From: "agent@example.com", To: []string{"ada@example.org", "bob@example.org"}})
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
		defer cancel()
		if problem := httpcalltest.Sound(c.Notify(ctx, message), password, c.secrets()[1], c.secrets()[2]); problem != nil {
			t.Error(problem)
		}
		if ctx.Err() != nil {
			t.Error("it does not come to an end")
		}
	})
}

// reciter is a server that says its replies one after the other, the first as a
// greeting and each further one after a line of the client. Then it hangs up.
type reciter struct {
	mu      sync.Mutex
	replies []string
}

func (r *reciter) learn(replies []string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.replies = replies
}

// silence is how long a client that waits for more is waited for.
const silence = 50 * time.Millisecond

func (r *reciter) recite(conn net.Conn) {
	r.mu.Lock()
	replies := r.replies
	r.mu.Unlock()
	in := bufio.NewReader(conn)
	for i, reply := range replies {
		if i > 0 {
			_ = conn.SetReadDeadline(time.Now().Add(silence)) // fails on a connection that is gone
			if _, err := in.ReadString('\n'); err != nil {
				return
			}
		}
		if _, err := conn.Write([]byte(strings.TrimSuffix(reply, "\r\n") + "\r\n")); err != nil {
			return
		}
	}
}
