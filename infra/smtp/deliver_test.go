package smtp

import (
	"io"
	"net"
	"strings"
	"syscall"
	"testing"

	wire "github.com/wneessen/go-mail/smtp"

	"callagent/core/fault"
)

// impatient is a connection whose server has said everything in advance and
// hangs up as soon as the mail's content arrives.
type impatient struct {
	net.Conn
	said io.Reader
	data bool
}

func (c *impatient) Read(b []byte) (int, error) { return c.said.Read(b) }
func (c *impatient) Close() error               { return nil }

func (c *impatient) Write(b []byte) (int, error) {
	if c.data {
		return 0, syscall.EPIPE
	}
	c.data = string(b) == "DATA\r\n"
	return len(b), nil
}

func TestSendListensToAServerThatHasEnough(t *testing.T) {
	const before = "220 fake\r\n250 fake\r\n250 ok\r\n250 ok\r\n250 ok\r\n354 go ahead\r\n"
	for last, want := range map[string]string{
		"552 too big\r\n": "email: invalid_request (552): too big",
		"":                "email: network: the connection broke while handing over the mail",
	} {
		c := open(t, (&fake{}).start(t), "smtp://", "")
		s, err := wire.NewClient(&impatient{said: strings.NewReader(before + last)}, c.host)
		if err != nil {
			t.Fatal(err)
		}
		if got := c.introduce(t.Context(), s); got != nil {
			t.Fatal(got)
		}
		got := c.send(t.Context(), s, []byte(strings.Repeat("a long mail\r\n", 1000)))
		if got == nil || got.Error() != want || (got.Class == fault.Permanent) != (last != "") {
			t.Errorf("%v, want %s", got, want)
		}
	}
}
