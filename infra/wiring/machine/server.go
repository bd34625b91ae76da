package machine

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"time"

	"callagent/core/agent"
	"callagent/infra/wiring"
)

// server is what the telephony provider reaches: recordings and callbacks.
type server struct {
	listener net.Listener
	http     *http.Server
	done     chan error
}

// listen opens the port; serve begins to answer.
func listen(address string) (*server, error) {
	if address == "" {
		address = "127.0.0.1:0"
	}
	l, err := net.Listen("tcp", address)
	if err != nil {
		return nil, fmt.Errorf("cannot listen on %s: choose another address with --listen (%w)", address, err)
	}
	return &server{listener: l, done: make(chan error, 1)}, nil
}

func (s *server) url() string { return "http://" + s.listener.Addr().String() }

func (s *server) serve(media http.Handler, c callbacks) {
	mux := http.NewServeMux()
	mux.Handle("/media/", media)
	mux.Handle("POST "+wiring.CallbackPath, c)
	s.http = &http.Server{Handler: mux, ReadHeaderTimeout: 10 * time.Second, ReadTimeout: 30 * time.Second, WriteTimeout: 2 * time.Minute, IdleTimeout: 2 * time.Minute}
	go func() { s.done <- s.http.Serve(s.listener) }()
}

// close lets requests in flight end for a moment, then ends them.
func (s *server) close() error {
	if s.http == nil {
		return s.listener.Close()
	}
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Second)
	defer cancel()
	if err := s.http.Shutdown(ctx); err != nil {
		_ = s.http.Close()
	}
	if err := <-s.done; !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}

// callbacks takes Twilio's status callbacks.
type callbacks struct {
	agent  *agent.Agent
	token  string // verifies the signature
	public string // what the URL that Twilio was given begins with
}

// ServeHTTP hands the report to the agent.
func (c callbacks) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	r.Body = http.MaxBytesReader(w, r.Body, 64<<10)
	if err := r.ParseForm(); err != nil {
		http.Error(w, "the form cannot be read", http.StatusBadRequest)
		return
	}
	refused := wiring.TakeCallback(r.Context(), c.agent, c.token, wiring.Callback{
		URL: c.public + r.URL.RequestURI(), Form: r.PostForm, Signature: r.Header.Get("X-Twilio-Signature"),
	})
	if refused != nil {
		http.Error(w, refused.Reason, refused.Status)
		return
	}
	w.WriteHeader(http.StatusNoContent)
}
