package httpcall

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"syscall"

	"callagent/core/fault"
)

// broken classifies a request that got no complete answer.
func (c *Client) broken(ctx context.Context, err error, maybeExecuted bool) *fault.Fault {
	f := &fault.Fault{Service: c.service, Cause: cause(ctx, err)}
	f.Kind, f.Message = reason(err, f.Cause)
	if maybeExecuted {
		f.Class = fault.Ambiguous
		f.Message += " after the request was sent"
	}
	return f
}

func reason(err, cause error) (fault.Kind, string) {
	var dns *net.DNSError
	var op *net.OpError
	var timeout net.Error
	var cert *tls.CertificateVerificationError
	var record tls.RecordHeaderError
	switch {
	case errors.Is(cause, context.Canceled):
		return fault.Unknown, "canceled"
	case errors.Is(cause, context.DeadlineExceeded), errors.As(err, &timeout) && timeout.Timeout():
		return fault.Timeout, "no answer within the time limit"
	case errors.As(err, &cert):
		return fault.Network, "its TLS certificate is not valid"
	case errors.As(err, &record), errors.As(err, &op) && (op.Op == "remote error" || op.Op == "local error"):
		return fault.Network, "the TLS handshake failed"
	case errors.As(err, &dns):
		return fault.Network, "its host name does not resolve"
	case errors.Is(err, syscall.ECONNREFUSED):
		return fault.Network, "it refuses connections"
	case errors.As(err, &op) && op.Op == "dial":
		return fault.Network, "it cannot be reached"
	default:
		return fault.Network, "the connection broke"
	}
}

// cause keeps what errors.Is has to find and drops the rest, because the text
// of a *url.Error is the URL. The caller's own cancellation comes first: a
// connection that breaks at that moment broke because of it.
func cause(ctx context.Context, err error) error {
	if ended := ctx.Err(); errors.Is(ended, context.Canceled) {
		return ended
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
	return ctx.Err()
}
