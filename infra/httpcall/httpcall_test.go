package httpcall_test

import (
	"bytes"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"go.uber.org/goleak"

	"callagent/core/fault"
	"callagent/infra/httpcall"
)

func TestMain(m *testing.M) {
	_ = os.Setenv("NO_PROXY", "*") // a proxy would answer for hosts that are not there
	goleak.VerifyTestMain(m)
}

// secret stands in the path, the query, a header and the body of every request
// that is meant to fail.
const secret = "planted-secret-4711"

func client(t *testing.T) *httpcall.Client {
	c := httpcall.New("sample", time.Second)
	t.Cleanup(c.Close)
	return c
}

func post(url string) httpcall.Request {
	return httpcall.Request{
		Method: http.MethodPost, URL: url + "/" + secret + "?key=" + secret, Body: []byte(secret),
		Header: http.Header{"Authorization": {"Bearer " + secret}},
	}
}

func TestDoSendsWhatItWasGiven(t *testing.T) {
	var got *http.Request
	var body []byte
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		got = r
		body, _ = io.ReadAll(r.Body)
		w.Header().Set("X-Answer", "yes")
		w.WriteHeader(http.StatusTeapot)
		_, _ = io.WriteString(w, "short and stout")
	}))
	defer s.Close()

	a, f := client(t).Do(t.Context(), post(s.URL))
	if f != nil {
		t.Fatal(f)
	}
	if a.Status != http.StatusTeapot || string(a.Body) != "short and stout" || a.Cut || a.Header.Get("X-Answer") != "yes" {
		t.Errorf("answer %+v", a)
	}
	if got.Method != http.MethodPost || got.RequestURI != "/"+secret+"?key="+secret || string(body) != secret {
		t.Errorf("request %s %s with %q", got.Method, got.RequestURI, body)
	}
	if got.ContentLength != int64(len(secret)) {
		t.Errorf("content length %d, want %d: some servers refuse chunks", got.ContentLength, len(secret))
	}
	if ua := got.Header.Get("User-Agent"); ua != "callagent" {
		t.Errorf("user agent %q", ua)
	}
}

func TestDoFollowsNoRedirectAndKeepsNoCookie(t *testing.T) {
	var requests atomic.Int32
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		requests.Add(1)
		if r.Header.Get("Cookie") != "" {
			t.Error("a cookie came back")
		}
		if r.URL.Path == "/elsewhere" {
			return
		}
		http.SetCookie(w, &http.Cookie{Name: "a", Value: "b", Path: "/"})
		http.Redirect(w, r, "/elsewhere", http.StatusFound)
	}))
	defer s.Close()
	c := client(t)
	for _, r := range []httpcall.Request{post(s.URL), {Method: http.MethodGet, URL: s.URL}} {
		if a, f := c.Do(t.Context(), r); f != nil || a.Status != http.StatusFound {
			t.Errorf("%s: status %d, fault %v", r.Method, a.Status, f)
		}
	}
	if n := requests.Load(); n != 2 {
		t.Errorf("%d requests arrived, want 2", n)
	}
}

func TestDoReadsNoMoreThanTheLimit(t *testing.T) {
	for _, tt := range []struct {
		name          string
		limit         int64
		sent, want    int
		cut, chattier bool
	}{
		{name: "below", limit: 10, sent: 9, want: 9},
		{name: "exactly", limit: 10, sent: 10, want: 10},
		{name: "above", limit: 10, sent: 11, want: 10, cut: true},
		{name: "above and never ending", limit: 10, sent: 11, want: 10, cut: true, chattier: true},
		{name: "default", sent: httpcall.MaxBody + 5, want: httpcall.MaxBody, cut: true},
		{name: "empty"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				_, _ = w.Write(bytes.Repeat([]byte("x"), tt.sent))
				if tt.chattier {
					_ = http.NewResponseController(w).Flush()
					<-r.Context().Done()
				}
			}))
			defer s.Close()
			a, f := client(t).Do(t.Context(), httpcall.Request{Method: http.MethodGet, URL: s.URL, MaxBody: tt.limit})
			if f != nil {
				t.Fatal(f)
			}
			if len(a.Body) != tt.want || a.Cut != tt.cut {
				t.Errorf("%d bytes, cut %v; want %d, %v", len(a.Body), a.Cut, tt.want, tt.cut)
			}
		})
	}
}

// A request that must not happen twice trusts no kept-alive connection; others
// share one.
func TestDoConnections(t *testing.T) {
	var opened atomic.Int32
	s := httptest.NewUnstartedServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	s.Config.ConnState = func(_ net.Conn, state http.ConnState) {
		if state == http.StateNew {
			opened.Add(1)
		}
	}
	s.Start()
	defer s.Close()
	c := client(t)
	for _, step := range []struct {
		once bool
		want int32
	}{{false, 1}, {false, 1}, {true, 2}, {true, 3}, {false, 3}} {
		r := post(s.URL)
		r.Once = step.once
		if _, f := c.Do(t.Context(), r); f != nil {
			t.Fatal(f)
		}
		if n := opened.Load(); n != step.want {
			t.Fatalf("%d connections after a request with once = %v, want %d", n, step.once, step.want)
		}
	}
}

func TestDoRefusesUnusableSettings(t *testing.T) {
	s := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { t.Error("a request arrived") }))
	defer s.Close()
	request := func(url, key string) httpcall.Request {
		return httpcall.Request{Method: http.MethodPost, URL: url, Header: http.Header{"X-Key": {key}}}
	}
	const badURL = "the configured base URL is not a URL"
	const badKey = "a configured credential holds a line break or another control character"
	for name, tt := range map[string]struct {
		request httpcall.Request
		want    string
	}{
		"no scheme":        {request("api.example.com/"+secret, "k"), badURL},
		"another scheme":   {request("ftp://"+secret, "k"), badURL},
		"no host":          {request("https:///"+secret, "k"), badURL},
		"unreadable":       {request("http://[::1/"+secret, "k"), badURL},
		"line break":       {request(s.URL, secret+"\n"), badKey},
		"smuggled header":  {request(s.URL, secret+"\r\nX-Other: 1"), badKey},
		"delete character": {request(s.URL, secret+"\x7f"), badKey},
	} {
		t.Run(name, func(t *testing.T) {
			_, f := client(t).Do(t.Context(), tt.request)
			want := fault.Fault{Class: fault.Permanent, Kind: fault.InvalidRequest, Scope: fault.Account,
				Service: "sample", Message: tt.want}
			if f == nil || *f != want {
				t.Errorf("fault %#v, want %#v", f, want)
			}
		})
	}
}

// noSecret fails when the error or anything below it tells a secret or an
// address.
func noSecret(t *testing.T, err error, address string) {
	t.Helper()
	for ; err != nil; err = errors.Unwrap(err) {
		for _, planted := range []string{secret, address, "http://", "https://", "Bearer"} {
			if planted != "" && strings.Contains(err.Error(), planted) {
				t.Errorf("a %T tells %q", err, planted)
			}
		}
	}
}
