package leaktest

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"strings"
	"sync"
	"testing"
)

// parrot stands before a provider. Some requests it refuses itself, and then it
// says in the body which key and which number the request came with, as careless
// providers do; all others it passes on.
type parrot struct {
	*httptest.Server
	next http.Handler

	mu      sync.Mutex
	refuses []int          // the statuses of the next requests; 0 passes one on
	numbers map[string]int // the status for requests that name a number
}

func newParrot(t *testing.T, target string) *parrot {
	t.Helper()
	u, err := url.Parse(target)
	if err != nil {
		t.Fatal(err)
	}
	origin := &url.URL{Scheme: u.Scheme, Host: u.Host}
	p := &parrot{next: &httputil.ReverseProxy{Rewrite: func(r *httputil.ProxyRequest) { r.SetURL(origin) }}}
	p.Server = httptest.NewServer(p)
	t.Cleanup(p.Close)
	return p
}

// at is an address on the parrot with another's path.
func (p *parrot) at(target string) string {
	u, err := url.Parse(target)
	if err != nil {
		panic(err) // it comes from the simulator
	}
	return p.URL + u.Path
}

// ServeHTTP refuses or passes on.
func (p *parrot) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		panic(http.ErrAbortHandler)
	}
	r.Body = io.NopCloser(bytes.NewReader(body))
	status := p.status(string(body))
	if status == 0 {
		p.next.ServeHTTP(w, r)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_, _ = w.Write(refusal(status, r, body))
}

func (p *parrot) status(body string) int {
	p.mu.Lock()
	defer p.mu.Unlock()
	form, _ := url.ParseQuery(body)
	status := p.numbers[form.Get("To")]
	if status == 0 && len(p.refuses) > 0 {
		status, p.refuses = p.refuses[0], p.refuses[1:]
	}
	return status
}

// set says what is refused from now on.
func (p *parrot) set(refuses []int, numbers map[string]int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.refuses, p.numbers = refuses, numbers
}

// left is how many requests are still to be refused.
func (p *parrot) left() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return len(p.refuses)
}

// refusal is a body that each of the providers could have sent.
func refusal(status int, r *http.Request, body []byte) []byte {
	form, _ := url.ParseQuery(string(body))
	text := fmt.Sprintf("Refused: %s%s%s at %s for %s", r.Header.Get("Authorization"), r.Header.Get("Xi-Api-Key"), r.Header.Get("X-Api-Key"),
		r.URL.Path, strings.Join(append(form["To"], phone(1), "+1 (415) 555-0102"), ", "))
	data, err := json.Marshal(map[string]any{
		"error":  map[string]any{"message": text, "code": "invalid_value", "type": "invalid_request_error", "status": text},
		"detail": map[string]any{"message": text, "status": "invalid_value"},
		"code":   20500, "message": text, "status": status, "category": "VALIDATION_ERROR",
		"ok": false, "error_code": status, "description": text,
	})
	if err != nil {
		panic(err)
	}
	return data
}
