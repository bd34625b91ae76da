package crashtest

import (
	"bytes"
	"context"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"sync"
	"testing"
)

// stage is how far a request has come.
type stage int

const (
	sent     stage = iota // it has left the process and reached nobody
	executed              // the provider is done with it, its answer is on the way
	answered              // the answer has been written to the process
)

// exchange is one request as it came over the wire.
type exchange struct {
	life    int    // the process that sent it
	service string // as its base URL names it
	step    string // of the call: script, speech, dial or record; "" for everything else
	who     string // the contact; "" when it is about nobody
	status  int    // what the process was told; 0 is nothing
}

// wire lies between the process and the providers. What has left the process
// reaches the provider, whether or not the process lives on. It writes down
// who asked for what, and lets somebody watch.
type wire struct {
	ctx     context.Context   // of the test
	targets map[string]string // base URL by service
	server  *httptest.Server
	client  *http.Client
	watch   func(life, service string, s stage)

	mu        sync.Mutex
	exchanges []exchange
}

// newWire serves until the test ends.
func newWire(t *testing.T, targets map[string]string, watch func(life, service string, s stage)) *wire {
	w := &wire{ctx: t.Context(), targets: targets, watch: watch, client: &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}}
	w.server = httptest.NewServer(http.HandlerFunc(w.carry))
	t.Cleanup(w.server.Close)
	return w
}

// url is the base URL of a service for one process.
func (w *wire) url(life, service string) string {
	return w.server.URL + "/" + life + "/" + service
}

// carry takes one request to its provider and the answer back. An answer that
// the provider cuts off is cut off here too.
func (w *wire) carry(rw http.ResponseWriter, r *http.Request) {
	parts := strings.SplitN(strings.TrimPrefix(r.URL.Path, "/"), "/", 3)
	life, service, path := parts[0], parts[1], ""
	if len(parts) == 3 {
		path = "/" + parts[2]
	}
	body, err := io.ReadAll(r.Body)
	if err != nil {
		panic(http.ErrAbortHandler) // it died while sending
	}
	place := w.note(exchange{life: number(life), service: service, step: stepOf(r.Method, service, path), who: subject(body)})
	w.watch(life, service, sent)
	target := w.targets[service] + path
	if r.URL.RawQuery != "" {
		target += "?" + r.URL.RawQuery
	}
	onward, err := http.NewRequestWithContext(w.ctx, r.Method, target, bytes.NewReader(body))
	if err != nil {
		panic(err)
	}
	onward.Header = r.Header.Clone()
	res, err := w.client.Do(onward)
	w.watch(life, service, executed)
	if err != nil {
		panic(http.ErrAbortHandler)
	}
	answer, err := io.ReadAll(res.Body)
	_ = res.Body.Close()
	if err != nil {
		panic(http.ErrAbortHandler)
	}
	w.told(place, res.StatusCode)
	maps.Copy(rw.Header(), res.Header)
	rw.WriteHeader(res.StatusCode)
	_, _ = rw.Write(answer)
	w.watch(life, service, answered)
}

func (w *wire) note(x exchange) int {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.exchanges = append(w.exchanges, x)
	return len(w.exchanges) - 1
}

func (w *wire) told(place, status int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.exchanges[place].status = status
}

func (w *wire) all() []exchange {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.exchanges[:len(w.exchanges):len(w.exchanges)]
}

// stepOf names the step that a request belongs to. The record step is known by
// the one of its requests that writes the call.
func stepOf(method, service, path string) string {
	if method != http.MethodPost {
		return ""
	}
	switch {
	case service == "llm":
		return "script"
	case service == "elevenlabs":
		return "speech"
	case service == "twilio" && strings.HasSuffix(path, "/Calls.json"):
		return "dial"
	case service == "crm" && strings.Contains(path, "/calls/"):
		return "record"
	}
	return ""
}

// The two ways in which a request names the person that it is about.
var (
	byName  = regexp.MustCompile(`Person ([A-Z]{3})`)
	byPhone = regexp.MustCompile(`To=%2B1202555(\d{4})`)
)

// subject finds the contact in a request's body; "" when there is none.
func subject(body []byte) string {
	if found := byName.FindSubmatch(body); found != nil {
		return contactNamed(string(found[1]))
	}
	if found := byPhone.FindSubmatch(body); found != nil {
		return contactID(number(string(found[1])))
	}
	return ""
}
