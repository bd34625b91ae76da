package httpcalltest

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"callagent/core/fault"
	"callagent/infra/httpcall"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const key = "planted-key-4711"

// adapter is the smallest adapter that does everything right.
func adapter(once bool) func(context.Context, string) error {
	return func(ctx context.Context, baseURL string) error {
		client := httpcall.New("sample", time.Second)
		defer client.Close()
		a, f := client.Do(ctx, httpcall.Request{
			Method: http.MethodPost, URL: baseURL + "/v1", Body: []byte("{}"), Once: once,
			Header: http.Header{"Authorization": {"Bearer " + key}},
		})
		if f != nil {
			return f
		}
		g := &fault.Fault{Service: "sample", Status: a.Status, Message: httpcall.Clean(string(a.Body), key)}
		switch {
		case a.Status == http.StatusTooManyRequests:
			g.Kind, g.RetryAfter = fault.Throttled, httpcall.RetryAfter(a.Header, time.Now())
		case once && a.Status != http.StatusRequestTimeout:
			g.Class = fault.Ambiguous
		case a.Status == http.StatusOK:
			g.Kind = fault.BadResponse
		}
		return g
	}
}

func TestSuiteAcceptsAGoodAdapter(t *testing.T) {
	t.Run("repeatable", func(t *testing.T) { Suite(t, Config{Call: adapter(false), Secrets: []string{key}}) })
	t.Run("once", func(t *testing.T) { Suite(t, Config{Call: adapter(true), Secrets: []string{key}, Once: true}) })
	t.Run("own expectations", func(t *testing.T) {
		Suite(t, Config{Call: func(ctx context.Context, baseURL string) error {
			var f *fault.Fault
			if err := adapter(false)(ctx, baseURL); errors.As(err, &f) && f.Kind != fault.BadResponse {
				return f
			}
			return nil
		}, Want: map[Condition]Want{Garbage: {OK: true}}})
	})
}

// Each bad adapter has one weakness, and the check named beside it finds it.
func TestSuiteFindsWeaknesses(t *testing.T) {
	good := adapter(false)
	for check, call := range map[string]func(context.Context, string) error{
		string(Refused): func(context.Context, string) error { return errors.New("no fault") },
		string(Timeout): func(ctx context.Context, url string) error {
			return &fault.Fault{Service: "sample", Kind: fault.Network, Cause: good(ctx, url)}
		},
		string(Reset): func(ctx context.Context, url string) error {
			_ = good(ctx, url)
			return good(ctx, url)
		},
		string(MidBody): func(ctx context.Context, url string) error {
			f := fault.From("", good(ctx, url))
			f.Class = fault.Permanent
			return f
		},
		string(Garbage): func(ctx context.Context, url string) error { _ = good(ctx, url); return nil },
		"status 429": func(ctx context.Context, url string) error {
			f := fault.From("", good(ctx, url))
			f.RetryAfter = time.Second
			return f
		},
		"status 503": func(ctx context.Context, url string) error {
			f := fault.From("", good(ctx, url))
			f.Service = ""
			return f
		},
		string(Expired): func(ctx context.Context, url string) error {
			trusting := &http.Client{Transport: &http.Transport{DisableKeepAlives: true, TLSClientConfig: &tls.Config{InsecureSkipVerify: true}}}
			if res, err := trusting.Get(url); err == nil {
				_ = res.Body.Close()
			}
			return &fault.Fault{Service: "sample", Kind: fault.Network}
		},
		string(SlowName): func(ctx context.Context, url string) error {
			f := fault.From("", good(ctx, url))
			f.Class = fault.Ambiguous
			return f
		},
		string(Endless): func(ctx context.Context, url string) error {
			res, err := http.Post(url, "", nil)
			if err != nil {
				return err
			}
			defer http.DefaultClient.CloseIdleConnections()
			_, _ = io.ReadAll(io.LimitReader(res.Body, mostMemory))
			_ = res.Body.Close()
			return &fault.Fault{Service: "sample", Kind: fault.ServiceUnavailable}
		},
		"canceled":         func(ctx context.Context, url string) error { _ = good(ctx, url); return io.EOF },
		"already canceled": func(_ context.Context, url string) error { return good(context.Background(), url) },
		"secrets": func(ctx context.Context, url string) error {
			return &fault.Fault{Service: "sample", Cause: errors.New(strings.ToLower("at " + url))}
		},
	} {
		t.Run(check, func(t *testing.T) {
			if err := checks()[check](t.Context(), Config{Call: call, Secrets: []string{key}}); err == nil {
				t.Error("the weakness was not found")
			}
		})
	}
}

func TestSuiteRunsEveryCondition(t *testing.T) {
	all := checks()
	for _, condition := range []Condition{Refused, NoName, SlowName, Expired, Timeout, Reset, MidBody, MidError, Garbage, Large, Endless, Trickle, TrickleHead,
		Status(408), Status(429), Status(500), Status(502), Status(503), Status(504)} {
		if all[string(condition)] == nil {
			t.Errorf("%q is not checked", condition)
		}
	}
	if len(all) != 22 {
		t.Errorf("%d checks, want 22", len(all))
	}
}
