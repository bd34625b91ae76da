package simulator

import (
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"
)

// api is the HTTP side of one provider.
type api interface {
	name() string
	routes() []route
	// fail is the provider's own way to say no: with the status of the fault
	// and its code, or the usual one.
	fail(f Fault) answer
	// stamp sets the headers that the provider gives every answer, where they
	// are absent.
	stamp(h http.Header)
}

// route is one kind of request.
type route struct {
	name    string
	pattern string // of http.ServeMux
	paid    bool   // costs the caller something
	media   string // content type of a good answer; "" is JSON
	serve   func(inbound) answer
}

// inbound is a request whose body has been read.
type inbound struct {
	*http.Request
	body []byte
}

// form reads a body of application/x-www-form-urlencoded.
func (in inbound) form() (url.Values, error) { return url.ParseQuery(string(in.body)) }

// source is the request as it came, except for what it proves its right with:
// a token in the path or in a header.
func (in inbound) source(service string) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s %s %s\n", in.Method, shownPath(service, in.URL.Path), in.Proto)
	for _, name := range slices.Sorted(maps.Keys(in.Header)) {
		for _, value := range in.Header[name] {
			if name == "Authorization" {
				value = "***"
			}
			fmt.Fprintf(&b, "%s: %s\n", name, value)
		}
	}
	b.WriteByte('\n')
	b.Write(in.body)
	return b.String()
}

// answer is a complete response.
type answer struct {
	status int
	header http.Header
	body   []byte
}

func jsonAnswer(status int, v any) answer {
	body, err := json.Marshal(v)
	if err != nil { // only values of this package come here
		panic(err)
	}
	return answer{status, http.Header{"Content-Type": {"application/json"}}, body}
}

// gatewayPage is what a proxy in front of a provider says.
func gatewayPage(status int) answer {
	text := fmt.Sprintf("%d %s", status, http.StatusText(status))
	page := "<html>\r\n<head><title>" + text + "</title></head>\r\n<body>\r\n<center><h1>" + text + "</h1></center>\r\n</body>\r\n</html>\r\n"
	return answer{status, http.Header{"Content-Type": {"text/html"}}, []byte(page)}
}

const maxBody = 4 << 20

// front puts the faults and the log before a provider.
func (s *Simulator) front(a api) http.Handler {
	mux := http.NewServeMux()
	for _, r := range a.routes() {
		mux.Handle(r.pattern, s.guard(a, r))
	}
	mux.Handle("/", s.guard(a, route{serve: func(inbound) answer { return a.fail(Fault{Answer: "404"}) }}))
	return mux
}

func (s *Simulator) guard(a api, rt route) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !s.enter() {
			panic(http.ErrAbortHandler)
		}
		defer s.running.Done()
		f := s.faults.pick(a.name(), rt.name, rt.paid)
		entry := s.log.open(Request{At: s.clock.Now(), Service: a.name(), Route: rt.name, Method: r.Method,
			Path: shownPath(a.name(), r.URL.Path), Fault: f.Answer})
		if f.Answer == answerReset {
			cut(w, true)
			return
		}
		body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
		if err != nil {
			panic(http.ErrAbortHandler) // the client left or sends without end
		}
		s.meet(w, exchange{a, rt, inbound{r, body}, f, entry})
	})
}

// exchange is a request together with what is going to happen to it.
type exchange struct {
	api   api
	route route
	in    inbound
	fault Fault
	entry int // in the log
}

// meet answers, or does what the fault says instead.
func (s *Simulator) meet(w http.ResponseWriter, x exchange) {
	switch x.fault.Answer {
	case answerTimeout:
		select {
		case <-x.in.Context().Done():
		case <-s.ctx.Done():
		}
		panic(http.ErrAbortHandler)
	case answerResetAfter:
		cut(w, true)
		return
	case "", answerLost, answerSlow:
	default:
		s.write(w, x, x.failing(), false)
		return
	}
	a := x.route.serve(x.in)
	done := a.status < 300
	switch x.fault.Answer {
	case answerLost:
		s.log.close(x.entry, 0, done)
		cut(w, false)
	case answerSlow:
		s.log.close(x.entry, 0, done)
		if s.clock.Sleep(x.in.Context(), x.fault.Delay) != nil {
			panic(http.ErrAbortHandler)
		}
		s.write(w, x, a, done)
	default:
		s.write(w, x, a, done)
	}
}

// failing is the answer of a fault that has one.
func (x exchange) failing() answer {
	media := x.route.media
	if media == "" {
		media = "application/json"
	}
	switch f := x.fault; {
	case f.Answer == answerEmpty:
		return answer{http.StatusOK, http.Header{"Content-Type": {media}}, nil}
	case f.Answer == answerMalformed:
		return answer{http.StatusOK, http.Header{"Content-Type": {media}}, []byte(`{"result": [{"id": "x`)}
	default:
		a := x.api.fail(f)
		if f.gateway() {
			a = gatewayPage(f.status())
		}
		if f.RetryAfter != "" {
			a.header.Set("Retry-After", f.RetryAfter)
		}
		return a
	}
}

// write logs first, so that whoever has the answer finds it in the log.
func (s *Simulator) write(w http.ResponseWriter, x exchange, a answer, done bool) {
	maps.Copy(w.Header(), a.header)
	x.api.stamp(w.Header())
	w.Header().Set("Date", s.clock.Now().UTC().Format(http.TimeFormat))
	s.log.close(x.entry, a.status, done)
	w.WriteHeader(a.status)
	_, _ = w.Write(a.body)
}

// cut ends the connection without an answer: by a reset, or politely, as a
// server does that drops a kept-alive connection.
func cut(w http.ResponseWriter, reset bool) {
	conn, _, err := http.NewResponseController(w).Hijack()
	if err != nil {
		panic(http.ErrAbortHandler)
	}
	hangUp(conn, reset)
}

func hangUp(conn net.Conn, reset bool) {
	if tcp, ok := conn.(*net.TCPConn); ok && reset {
		_ = tcp.SetLinger(0)
	}
	_ = conn.Close()
}

// setAbsent sets a header that has no value yet.
func setAbsent(h http.Header, key, value string) {
	if h.Get(key) == "" {
		h.Set(key, value)
	}
}
