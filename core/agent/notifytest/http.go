package notifytest

import (
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"sync"
	"testing"
)

// Dialect is what the receiver of one HTTP channel understands and says.
type Dialect struct {
	// Read takes a request apart. Its error is why the receiver does not take
	// the message; it is answered with status 400.
	Read func(r *http.Request, body []byte) (Arrival, error)
	// Accept is the body of the answer to a message that was taken.
	Accept string
	// Refuse writes the body of the answer 401 to a key that is not accepted.
	Refuse func(reason string) string
}

// HTTP is a [Receiver] of messages that come by HTTP.
type HTTP struct {
	URL string // without a slash at its end

	server   *httptest.Server
	dialect  Dialect
	asked    chan struct{}
	mu       sync.Mutex
	arrived  []Arrival
	requests int
	refusal  string // the body of the answer 401; "" when keys are accepted
	hangs    bool
}

// ServeHTTP starts a receiver that listens until the end of the test.
func ServeHTTP(t *testing.T, d Dialect) *HTTP {
	r := &HTTP{dialect: d, asked: make(chan struct{}, 64)}
	r.server = httptest.NewServer(http.HandlerFunc(r.answer))
	r.URL = r.server.URL
	t.Cleanup(r.Leave)
	return r
}

func (r *HTTP) answer(w http.ResponseWriter, req *http.Request) {
	body, err := io.ReadAll(req.Body)
	if err != nil {
		return // the client has gone
	}
	status, text, hangs := r.judge(req, body)
	if hangs {
		r.asked <- struct{}{}
		<-req.Context().Done()
		return
	}
	w.WriteHeader(status)
	_, _ = io.WriteString(w, text)
}

// judge counts the request and decides on the answer.
func (r *HTTP) judge(req *http.Request, body []byte) (status int, text string, hangs bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.requests++
	if r.hangs {
		return 0, "", true
	}
	if r.refusal != "" {
		return http.StatusUnauthorized, r.refusal, false
	}
	a, err := r.dialect.Read(req, body)
	if err != nil {
		return http.StatusBadRequest, err.Error(), false
	}
	r.arrived = append(r.arrived, a)
	return http.StatusOK, r.dialect.Accept, false
}

// Arrived is part of [Receiver].
func (r *HTTP) Arrived() []Arrival {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.arrived)
}

// Requests is part of [Receiver].
func (r *HTTP) Requests() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.requests
}

// Refuse is part of [Receiver].
func (r *HTTP) Refuse(reason string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.refusal = r.dialect.Refuse(reason)
}

// Hang is part of [Receiver].
func (r *HTTP) Hang() <-chan struct{} {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.hangs = true
	return r.asked
}

// Leave is part of [Receiver].
func (r *HTTP) Leave() {
	r.server.CloseClientConnections()
	r.server.Close()
}
