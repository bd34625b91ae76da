package main

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"time"
)

// request is the id of the one event that a function is given.
const request = "8476a536-e9f4-11e8-9739-2dfe598c3fcd"

// lambda plays Lambda for one process: its Runtime API with one event, and as
// much of the Extensions API as a function needs that wants SIGTERM.
type lambda struct {
	event  []byte
	server *http.Server
	addr   string

	answered chan reply    // the event's outcome
	idle     chan struct{} // closed when the next event is asked for
	over     chan struct{} // closed by close
}

// reply is what a function made of its event.
type reply struct {
	at     time.Time
	failed bool
	body   string
}

// serve serves the event to who asks for it first.
func serve(event []byte) (*lambda, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	s := &lambda{event: event, addr: l.Addr().String(), answered: make(chan reply, 1), idle: make(chan struct{}), over: make(chan struct{})}
	first := make(chan struct{}, 1)
	first <- struct{}{}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /2018-06-01/runtime/invocation/next", func(w http.ResponseWriter, r *http.Request) {
		select {
		case <-first:
			s.give(w)
		default:
			close(s.idle)
			s.block(r)
		}
	})
	mux.HandleFunc("POST /2018-06-01/runtime/invocation/"+request+"/response", s.take(false))
	mux.HandleFunc("POST /2018-06-01/runtime/invocation/"+request+"/error", s.take(true))
	mux.HandleFunc("POST /2018-06-01/runtime/init/error", s.take(true))
	mux.HandleFunc("POST /2020-01-01/extension/register", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Lambda-Extension-Identifier", request)
	})
	mux.HandleFunc("GET /2020-01-01/extension/event/next", func(_ http.ResponseWriter, r *http.Request) { s.block(r) })
	s.server = &http.Server{Handler: mux}
	go func() { _ = s.server.Serve(l) }()
	return s, nil
}

// give hands out the event.
func (s *lambda) give(w http.ResponseWriter) {
	h := w.Header()
	h.Set("Content-Type", "application/json")
	h.Set("Lambda-Runtime-Aws-Request-Id", request)
	h.Set("Lambda-Runtime-Deadline-Ms", fmt.Sprint(time.Now().Add(2*time.Minute).UnixMilli()))
	h.Set("Lambda-Runtime-Invoked-Function-Arn", "arn:aws:lambda:us-east-1:123456789012:function:startup")
	h.Set("Lambda-Runtime-Trace-Id", "Root=1-5bef4de7-ad49b0e87f6ef6c87fc2e700;Parent=9a9197af755a6419;Sampled=0")
	_, _ = w.Write(s.event) // a process that is gone is noticed by who waits for its answer
}

// take takes the outcome of the event, or of the start.
func (s *lambda) take(failed bool) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		s.answered <- reply{time.Now(), failed || err != nil, string(body)}
		w.WriteHeader(http.StatusAccepted)
	}
}

// block answers never.
func (s *lambda) block(r *http.Request) {
	select {
	case <-r.Context().Done():
	case <-s.over:
	}
}

func (s *lambda) close() {
	close(s.over)
	_ = s.server.Close()
}
