package ssm

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/ssm"
	"github.com/google/go-cmp/cmp"
)

// store answers the requests of the real client from a map.
type store struct {
	mu     sync.Mutex
	values map[string]string // by name, the path included
	status int               // of all answers, unless 0
	hangs  bool
	reads  int
}

// Do answers one request.
func (s *store) Do(r *http.Request) (*http.Response, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.reads++
	if s.hangs {
		<-r.Context().Done()
		return nil, r.Context().Err()
	}
	status, body := http.StatusOK, []byte(`{"__type":"InternalServerError"}`)
	if s.status != 0 {
		status = s.status
	} else {
		parameters := []map[string]string{}
		for name, value := range s.values {
			parameters = append(parameters, map[string]string{"Name": name, "Value": value, "Type": "SecureString"})
		}
		var err error
		if body, err = json.Marshal(map[string]any{"Parameters": parameters}); err != nil {
			return nil, err
		}
	}
	return &http.Response{StatusCode: status, Body: io.NopCloser(strings.NewReader(string(body))), Header: http.Header{}, Request: r}, nil
}

func (s *store) client() *ssm.Client {
	return ssm.New(ssm.Options{Region: "us-east-1", HTTPClient: s, RetryMaxAttempts: 1, Credentials: credentials.NewStaticCredentialsProvider("test", "test", "")})
}

// cached is a cache under test with its errors.
type cached struct {
	*Cache
	t      *testing.T
	errors int
}

func open(t *testing.T, s *store) *cached {
	c := &cached{t: t}
	c.Cache = NewCache(s.client(), "/callagent/prod/", CacheOptions{OnError: func(error) { c.errors++ }})
	return c
}

// wants fails when the cache gives something else.
func (c *cached) wants(version int, values map[string]string) {
	c.t.Helper()
	got, err := c.Get(c.t.Context())
	if d := cmp.Diff(Snapshot{Version: version, Values: values}, got); err != nil || d != "" {
		c.t.Errorf("error %v, snapshot (-want +got):\n%s", err, d)
	}
}

func TestValuesAreKeptForFiveMinutes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &store{values: map[string]string{"/callagent/prod/OPENAI_API_KEY": "one", "/callagent/prod/SMTP_URL": "smtp"}}
		c, first := open(t, s), map[string]string{"OPENAI_API_KEY": "one", "SMTP_URL": "smtp"}
		c.wants(1, first)
		time.Sleep(5*time.Minute - 1)
		c.wants(1, first)
		if s.reads != 1 {
			t.Errorf("%d reads within five minutes", s.reads)
		}
		time.Sleep(time.Nanosecond)
		c.wants(1, first)
		s.values = map[string]string{"/callagent/prod/OPENAI_API_KEY": "two"}
		time.Sleep(5 * time.Minute)
		c.wants(2, map[string]string{"OPENAI_API_KEY": "two"})
		if s.reads != 3 || c.errors != 0 {
			t.Errorf("%d reads, %d errors", s.reads, c.errors)
		}
	})
}

func TestOldValuesServeWhileSSMIsSilent(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &store{values: map[string]string{"/callagent/prod/KEY": "one"}}
		c, old := open(t, s), map[string]string{"KEY": "one"}
		c.wants(1, old)
		time.Sleep(time.Hour)
		for _, broken := range []func(){func() { s.status = http.StatusInternalServerError }, func() { s.hangs = true }} {
			broken()
			before, began := s.reads, time.Now()
			c.wants(1, old)
			c.wants(1, old)
			if took := time.Since(began); s.reads != before+1 || took > readLimit {
				t.Errorf("%d reads, %v", s.reads-before, took)
			}
			time.Sleep(retryWait)
		}
		s.hangs, s.status, s.values = false, 0, map[string]string{"/callagent/prod/KEY": "two"}
		c.wants(2, map[string]string{"KEY": "two"})
		if c.errors != 2 {
			t.Errorf("%d errors were told, want 2", c.errors)
		}
	})
}

func TestWithoutValuesThereIsAnError(t *testing.T) {
	s := &store{status: http.StatusForbidden}
	c := open(t, s)
	for range 2 {
		if got, err := c.Get(t.Context()); err == nil || got.Version != 0 {
			t.Errorf("%+v, %v", got, err)
		}
	}
	s.status = 0
	c.wants(1, map[string]string{})
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	s.hangs = true
	if _, err := open(t, s).Get(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("with an ended context: %v", err)
	}
}

func TestValuesAreTheCallersOwn(t *testing.T) {
	c := open(t, &store{values: map[string]string{"/callagent/prod/KEY": "one"}})
	got, err := c.Get(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	got.Values["KEY"] = "mine"
	c.wants(1, map[string]string{"KEY": "one"})
}

func TestManyCallersReadOnce(t *testing.T) {
	s := &store{values: map[string]string{"/callagent/prod/KEY": "one"}}
	c := open(t, s)
	var all sync.WaitGroup
	for range 50 {
		all.Go(func() { c.wants(1, map[string]string{"KEY": "one"}) })
	}
	all.Wait()
	if s.reads != 1 {
		t.Errorf("%d reads", s.reads)
	}
}

func TestNoValueInErrors(t *testing.T) {
	s := &store{values: map[string]string{"/callagent/prod/KEY": "a secret"}, status: http.StatusInternalServerError}
	_, err := Read(t.Context(), s.client(), "/callagent/prod")
	if err == nil || strings.Contains(err.Error(), "a secret") || !strings.HasPrefix(err.Error(), "ssm: read /callagent/prod: ") {
		t.Errorf("error is %v", err)
	}
	for _, path := range []string{"", "/", "callagent"} {
		if _, err := Read(t.Context(), s.client(), path); err == nil || !strings.Contains(err.Error(), "set SECRETS_PATH") {
			t.Errorf("%q: %v", path, err)
		}
	}
}
