package smtp

import (
	"context"

	wire "github.com/wneessen/go-mail/smtp"

	"callagent/core/fault"
)

// CheckLogin connects, encrypts and logs in as for a mail, and takes its leave
// without sending one. encrypted is false when the mails would travel in clear
// text to another machine. Without credentials it shows no more than that the
// server greets.
func (c *Channel) CheckLogin(ctx context.Context) (encrypted bool, err error) {
	encrypted = c.implicit || c.loopback
	f := c.converse(ctx, func(s *wire.Client) *fault.Fault {
		if _, tls := s.TLSConnectionState(); tls {
			encrypted = true
		}
		return nil
	})
	if f != nil {
		return encrypted, f
	}
	return encrypted, nil
}
