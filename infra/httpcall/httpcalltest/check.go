package httpcalltest

import (
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strings"
	"sync/atomic"
	"time"

	"callagent/core/fault"
)

const (
	// deadline is what a call gets when the server is not going to answer.
	deadline = 150 * time.Millisecond
	// slack is how much longer than its limit a call may take.
	slack = 5 * time.Second
	// mostMemory is what one call may allocate in all, in bytes: several times
	// the answer that it is ready to keep, and far less than an endless one.
	mostMemory = 32 << 20
	// patience is how long a call may last before it counts as stuck. It is
	// generous, because machines that run tests are busy.
	patience = 20 * time.Second
	// phone appears in hostile answers and must not appear whole in an error.
	phone = "+15005550006"
)

// meet lets the adapter meet one condition.
func meet(ctx context.Context, c Config, condition Condition, answer http.HandlerFunc) error {
	s := serve(answer)
	defer s.Close()
	limit := patience
	if condition == Timeout || condition == Trickle || condition == TrickleHead {
		limit = deadline
	}
	err, problem := c.call(ctx, limit, s.URL)
	if problem != nil {
		return problem
	}
	if n := s.requests.Load(); n != 1 {
		return fmt.Errorf("%d requests arrived, want exactly one", n)
	}
	return judge(err, c.want(condition), append(c.Secrets, s.Listener.Addr().String()))
}

// call makes a call that has to end soon after its limit, and reports one that
// does not, or that takes more memory than an adapter may.
func (c Config) call(ctx context.Context, limit time.Duration, url string) (err, problem error) {
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	begun := time.Now()
	err = c.Call(ctx, url)
	took := time.Since(begun)
	runtime.ReadMemStats(&after)
	if took > limit+slack {
		return err, fmt.Errorf("returned after %v, with a limit of %v", took, limit)
	}
	if n := after.TotalAlloc - before.TotalAlloc; n > mostMemory {
		return err, fmt.Errorf("took %d bytes of memory", n)
	}
	return err, nil
}

// refused calls a port that nobody listens on.
func refused(ctx context.Context, c Config) error {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	address := l.Addr().String()
	if err := l.Close(); err != nil {
		return err
	}
	return c.unsent(ctx, Refused, patience, "http://"+address)
}

// unresolved calls a host whose name no resolver takes.
func unresolved(ctx context.Context, c Config) error {
	return c.unsent(ctx, NoName, patience, "http://no..such..host")
}

// unanswered calls a host by name while the name server is silent.
func unanswered(ctx context.Context, c Config) error {
	listening, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	defer func() { _ = listening.Close() }()
	asking, end := context.WithCancel(ctx) // a lookup goes on when nobody waits for it any more
	defer end()
	names.Store(&nameServer{listening.LocalAddr().String(), asking})
	return c.unsent(ctx, SlowName, deadline, "http://callagent.invalid")
}

// nameServer is one that never answers, until done ends.
type nameServer struct {
	address string
	done    context.Context
}

// names is the name server that tests ask; they ask no real one.
var names atomic.Pointer[nameServer]

// init, and nobody later, because lookups that nobody waits for read the
// resolver at any time.
func init() { net.DefaultResolver = &net.Resolver{PreferGo: true, Dial: askNames} }

func askNames(ctx context.Context, _, _ string) (net.Conn, error) {
	s := names.Load()
	if s == nil || s.done.Err() != nil {
		return nil, errors.New("there is no name server")
	}
	conn, err := (&net.Dialer{}).DialContext(ctx, "udp", s.address)
	if err == nil {
		context.AfterFunc(s.done, func() { _ = conn.Close() })
	}
	return conn, err
}

// expired calls a server whose certificate was good until yesterday.
func expired(ctx context.Context, c Config) error {
	certificate, err := Overdue()
	if err != nil {
		return err
	}
	requests := atomic.Int32{}
	s := httptest.NewUnstartedServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { requests.Add(1) }))
	s.Config.ErrorLog = log.New(io.Discard, "", 0)
	s.TLS = &tls.Config{Certificates: []tls.Certificate{certificate}}
	s.StartTLS()
	defer s.Close()
	err = c.unsent(ctx, Expired, patience, s.URL)
	if n := requests.Load(); n != 0 {
		return fmt.Errorf("%d requests arrived at a server without a good certificate", n)
	}
	return err
}

// unsent makes a call whose request can leave nobody in doubt, because there is
// no connection to send it on.
func (c Config) unsent(ctx context.Context, condition Condition, limit time.Duration, url string) error {
	err, problem := c.call(ctx, limit, url)
	if problem != nil {
		return problem
	}
	_, address, _ := strings.Cut(url, "://")
	return judge(err, c.want(condition), append(c.Secrets, address))
}

// canceledBefore calls with a context that has ended.
func canceledBefore(ctx context.Context, c Config) error {
	s := serve(func(http.ResponseWriter, *http.Request) {})
	defer s.Close()
	ctx, cancel := context.WithCancel(ctx)
	cancel()
	err := c.Call(ctx, s.URL)
	if n := s.requests.Load(); n != 0 {
		return fmt.Errorf("%d requests arrived after the end of the context", n)
	}
	return showsCanceled(err)
}

// canceledMeanwhile cancels when the request has arrived.
func canceledMeanwhile(ctx context.Context, c Config) error {
	s := serve(func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() })
	defer s.Close()
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	go func() {
		select {
		case <-s.arrived:
		case <-ctx.Done():
		}
		cancel()
	}()
	return showsCanceled(c.Call(ctx, s.URL))
}

func showsCanceled(err error) error {
	if !errors.Is(err, context.Canceled) {
		return fmt.Errorf("the error does not show context.Canceled: %v", err)
	}
	return nil
}

// secrets answers with the credentials and a phone number in every place where
// a vendor puts its message.
func secrets(ctx context.Context, c Config) error {
	planted := append([]string{phone}, c.Secrets...)
	text := "no access for " + strings.Join(planted, " and ")
	body, err := json.Marshal(map[string]any{
		"message": text, "description": text, "error_description": text, "status": text, "category": "X",
		"error": map[string]any{"message": text}, "detail": map[string]any{"message": text},
	})
	if err != nil {
		return err
	}
	for _, answer := range []string{text, string(body), `{"error":"` + text + `","detail":"` + text + `"}`} {
		s := serve(func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "application/json")
			w.WriteHeader(http.StatusForbidden)
			_, _ = fmt.Fprint(w, answer)
		})
		err := c.Call(ctx, s.URL)
		s.Close()
		if err == nil {
			return errors.New("a 403 gave no error")
		}
		if err := silent(err, append(planted, s.Listener.Addr().String())); err != nil {
			return err
		}
	}
	return nil
}

// judge compares an error with what was wanted.
func judge(err error, want Want, secrets []string) error {
	if want.OK {
		return err
	}
	var f *fault.Fault
	if !errors.As(err, &f) {
		return fmt.Errorf("no fault in the error: %v", err)
	}
	if err := silent(err, secrets); err != nil {
		return err
	}
	switch {
	case f.Service == "":
		return fmt.Errorf("the fault names no service: %v", err)
	case f.Class != want.Class || f.Scope != want.Scope:
		return fmt.Errorf("%v, %v; want %v, %v: %v", f.Class, f.Scope, want.Class, want.Scope, err)
	case want.Kind != fault.Unknown && f.Kind != want.Kind:
		return fmt.Errorf("kind %v, want %v: %v", f.Kind, want.Kind, err)
	case want.RetryAfter != 0 && f.RetryAfter != want.RetryAfter:
		return fmt.Errorf("retry after %v, want %v: %v", f.RetryAfter, want.RetryAfter, err)
	}
	return nil
}

// silent reports a secret in the text of an error or of anything it wraps.
func silent(err error, secrets []string) error {
	for ; err != nil; err = errors.Unwrap(err) {
		for _, text := range []string{err.Error(), fmt.Sprintf("%+v", err)} {
			for i, s := range secrets {
				if s != "" && strings.Contains(text, s) {
					return fmt.Errorf("a %T repeats planted text %d of %d", err, i+1, len(secrets))
				}
			}
		}
	}
	return nil
}
