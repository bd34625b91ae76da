package httpcalltest

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"strings"
	"time"

	"callagent/core/fault"
)

const (
	// deadline is what a call gets when the server is not going to answer.
	deadline = 150 * time.Millisecond
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
	if condition == Timeout || condition == Trickle {
		limit = deadline
	}
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	begun := time.Now()
	err := c.Call(ctx, s.URL)
	if took := time.Since(begun); took >= patience {
		return fmt.Errorf("returned after %v", took)
	}
	if n := s.requests.Load(); n != 1 {
		return fmt.Errorf("%d requests arrived, want exactly one", n)
	}
	return judge(err, c.want(condition), append(c.Secrets, s.Listener.Addr().String()))
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
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	return judge(c.Call(ctx, "http://"+address), c.want(Refused), append(c.Secrets, address))
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
