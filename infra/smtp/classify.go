package smtp

import (
	"context"
	"crypto/tls"
	"encoding/base64"
	"errors"
	"io"
	"net"
	"net/textproto"
	"strings"
	"syscall"

	"callagent/core/fault"
	"callagent/infra/httpcall"
)

// closing is the code of a server that hangs up.
const closing = 421

// classify turns what went wrong into a fault. A lost connection is transient
// even when the mail may have been taken: a second copy is better than none.
func (c *Channel) classify(ctx context.Context, at stage, err error) *fault.Fault {
	var said *textproto.Error
	if !errors.As(err, &said) {
		return broken(ctx, at, err)
	}
	f := &fault.Fault{Service: service, Status: said.Code, Message: httpcall.Clean(said.Msg, c.secrets()...)}
	permanent := func(s fault.Scope, k fault.Kind) { f.Class, f.Scope, f.Kind = fault.Permanent, s, k }
	switch code := said.Code; {
	case code == 454 && strings.Contains(strings.ToLower(said.Msg), "throttling"):
		f.Kind = fault.Throttled
	case code >= 400 && code < 500:
		f.Kind = fault.ServiceUnavailable
	case code == 530 || code == 534 || code == 535:
		permanent(fault.Account, fault.Authentication)
	case (code == 550 || code == 551) && at == namingReader:
		permanent(fault.Account, fault.NotFound)
	case (code == 552 || code == 554) && (at == handingOver || at == confirming):
		permanent(fault.Contact, fault.InvalidRequest) // this mail's content
	case code >= 500 && code < 600:
		permanent(fault.Account, fault.InvalidRequest)
	default:
		f.Kind = fault.BadResponse
	}
	return f
}

// secrets are the forms in which a password travels.
func (c *Channel) secrets() []string {
	if c.password == "" {
		return nil
	}
	encode := base64.StdEncoding.EncodeToString
	return []string{c.password, encode([]byte(c.password)), encode([]byte("\x00" + c.user + "\x00" + c.password))}
}

// broken classifies a conversation that ended without a reply.
func broken(ctx context.Context, at stage, err error) *fault.Fault {
	f := &fault.Fault{Service: service, Cause: cause(ctx, err)}
	f.Kind, f.Message = reason(err, f.Cause)
	f.Message += " while " + string(at)
	return f
}

func reason(err, cause error) (fault.Kind, string) {
	var dns *net.DNSError
	var op *net.OpError
	var timeout net.Error
	var certificate *tls.CertificateVerificationError
	var record tls.RecordHeaderError
	var protocol textproto.ProtocolError
	switch {
	case errors.Is(cause, context.Canceled):
		return fault.Unknown, "canceled"
	case errors.Is(cause, context.DeadlineExceeded), errors.As(err, &timeout) && timeout.Timeout():
		return fault.Timeout, "no answer within the time limit"
	case errors.As(err, &certificate):
		return fault.Network, "its TLS certificate is not valid for the host in SMTP_URL"
	case errors.As(err, &record):
		return fault.Network, "the port in SMTP_URL does not begin with TLS: use smtp:// for it"
	case errors.As(err, &dns):
		return fault.Network, "its host name does not resolve"
	case errors.Is(err, syscall.ECONNREFUSED):
		return fault.Network, "it refuses connections"
	case errors.As(err, &op) && op.Op == "dial":
		return fault.Network, "it cannot be reached"
	case errors.As(err, &protocol):
		return fault.BadResponse, "the answer is not SMTP"
	default:
		return fault.Network, "the connection broke"
	}
}

// cause keeps what errors.Is has to find and drops the rest, because nobody
// checked its text for secrets. The context comes first: its end closes the
// connection.
func cause(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return ctx.Err()
	}
	for _, known := range []error{context.Canceled, context.DeadlineExceeded, io.ErrUnexpectedEOF, io.EOF} {
		if errors.Is(err, known) {
			return known
		}
	}
	var number syscall.Errno
	if errors.As(err, &number) {
		return number
	}
	return nil
}
