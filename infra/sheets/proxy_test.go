package sheets_test

import (
	"bytes"
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"strings"
	"sync"

	"callagent/infra/sheets"
)

// proxy stands between a Book and Google.
type proxy struct {
	w      *world
	server *httptest.Server

	mu     sync.Mutex
	meet   func(http.ResponseWriter, *http.Request, []byte) bool // of the next batchUpdate; true: answered
	bodies []body
}

// body is what a request said.
type body struct {
	path string
	text []byte
}

func (w *world) proxy() *proxy {
	target, err := url.Parse(w.env["SHEETS_ENDPOINT"])
	if err != nil {
		w.t.Fatal(err)
	}
	p := &proxy{w: w}
	onward := httputil.NewSingleHostReverseProxy(target)
	transport := &http.Transport{DisableKeepAlives: true}
	onward.Transport = transport
	p.server = httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		text, _ := io.ReadAll(r.Body)
		r.Body = io.NopCloser(bytes.NewReader(text))
		p.mu.Lock()
		p.bodies = append(p.bodies, body{r.URL.Path, text})
		var meet func(http.ResponseWriter, *http.Request, []byte) bool
		if strings.HasSuffix(r.URL.Path, ":batchUpdate") {
			meet, p.meet = p.meet, nil
		}
		p.mu.Unlock()
		if meet == nil || !meet(rw, r, text) {
			onward.ServeHTTP(rw, r)
		}
	}))
	w.t.Cleanup(p.server.Close)
	return p
}

func (p *proxy) config() sheets.Config {
	c := p.w.config()
	c.Endpoint = p.server.URL
	return c
}

func (p *proxy) next(meet func(http.ResponseWriter, *http.Request, []byte) bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.meet = meet
}

// before does something before the next batchUpdate is passed on.
func (p *proxy) before(do func()) {
	p.next(func(http.ResponseWriter, *http.Request, []byte) bool { do(); return false })
}

// holdOne keeps the next batchUpdate and breaks its connection. late passes it
// on and gives the status of the answer.
func (p *proxy) holdOne() (late func() int) {
	var held *http.Request
	p.next(func(_ http.ResponseWriter, r *http.Request, text []byte) bool {
		held, _ = http.NewRequest(r.Method, p.w.env["SHEETS_ENDPOINT"]+r.URL.RequestURI(), bytes.NewReader(text))
		held.Header = r.Header.Clone()
		panic(http.ErrAbortHandler)
	})
	return func() int {
		client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
		res, err := client.Do(held)
		if err != nil {
			p.w.t.Fatal(err)
		}
		_ = res.Body.Close()
		return res.StatusCode
	}
}
