package httpcalltest

import (
	"bytes"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"time"
)

// server answers every request alike and counts them.
type server struct {
	*httptest.Server
	requests atomic.Int32
	arrived  chan struct{} // one element for each of the first requests
}

func serve(answer http.HandlerFunc) *server {
	s := &server{arrived: make(chan struct{}, 16)}
	s.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.requests.Add(1)
		_, _ = io.Copy(io.Discard, r.Body)
		select {
		case s.arrived <- struct{}{}:
		default:
		}
		answer(w, r)
	}))
	return s
}

// answers lists what a server can do to a request that reached it.
func answers() map[Condition]http.HandlerFunc {
	all := map[Condition]http.HandlerFunc{
		Timeout: func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() },
		Reset:   func(w http.ResponseWriter, _ *http.Request) { reset(w, "") },
		MidBody: func(w http.ResponseWriter, _ *http.Request) {
			reset(w, "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 1000\r\n\r\n{\"a\":")
		},
		MidError: func(w http.ResponseWriter, _ *http.Request) {
			reset(w, "HTTP/1.1 503 Service Unavailable\r\nContent-Type: application/json\r\nContent-Length: 1000\r\n\r\n{\"error\":")
		},
		Garbage:     func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "\x00{]garbage") },
		Large:       func(w http.ResponseWriter, _ *http.Request) { complain(w, 10<<20) },
		Endless:     func(w http.ResponseWriter, _ *http.Request) { complain(w, 1<<30) },
		Trickle:     trickle,
		TrickleHead: trickleHead,
	}
	for _, code := range []int{408, 429, 500, 502, 503, 504} {
		all[Status(code)] = func(w http.ResponseWriter, _ *http.Request) {
			if code == http.StatusTooManyRequests || code == http.StatusServiceUnavailable {
				w.Header().Set("Retry-After", fmt.Sprint(asked.Seconds()))
			}
			w.Header().Set("Content-Type", "text/html")
			w.WriteHeader(code)
			_, _ = fmt.Fprintf(w, "<html><title>%d</title></html>", code)
		}
	}
	return all
}

// complain sends an error of so many bytes, or until the client has enough.
func complain(w http.ResponseWriter, size int) {
	w.WriteHeader(http.StatusInternalServerError)
	line := bytes.Repeat([]byte("error "), 10_000)
	for range size / len(line) {
		if _, err := w.Write(line); err != nil {
			return
		}
	}
}

// trickleHead sends an answer whose status line already takes for ever.
func trickleHead(w http.ResponseWriter, _ *http.Request) {
	conn, _, err := http.NewResponseController(w).Hijack()
	if err != nil {
		panic(err) // the test server speaks HTTP/1.1, which can
	}
	defer func() { _ = conn.Close() }()
	Drip(conn, "HTTP/1.1 200 OK\r\n\r\n")
}

// trickle sends one byte a second until the client has enough.
func trickle(w http.ResponseWriter, r *http.Request) {
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	for {
		if _, err := io.WriteString(w, " "); err != nil {
			return
		}
		_ = http.NewResponseController(w).Flush()
		select {
		case <-tick.C:
		case <-r.Context().Done():
			return
		}
	}
}

// reset sends the text and ends the connection with a TCP reset.
func reset(w http.ResponseWriter, text string) {
	conn, _, err := http.NewResponseController(w).Hijack()
	if err != nil {
		panic(err) // the test server speaks HTTP/1.1, which can
	}
	_, _ = io.WriteString(conn, text)
	if text == "" {
		_ = conn.(*net.TCPConn).SetLinger(0)
	}
	_ = conn.Close()
}
