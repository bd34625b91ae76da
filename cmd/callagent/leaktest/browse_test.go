package leaktest

import (
	"bufio"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"os"
	"regexp"
	"strings"
	"time"
)

var address = regexp.MustCompile(`http://\S+[^/\s]`)

// browse opens every page of the dashboard, signed out, and listens to its
// events for a moment.
func (s *stage) browse() {
	s.t.Helper()
	ctx, cancel := context.WithTimeout(s.t.Context(), time.Minute)
	defer cancel()
	c := s.command(ctx, "dashboard", "--listen", "127.0.0.1:0")
	c.Cancel = func() error { return c.Process.Signal(os.Interrupt) }
	out, err := c.StdoutPipe()
	s.must(err)
	s.must(c.Start())
	line, err := bufio.NewReader(out).ReadString('\n')
	s.must(err)
	at := address.FindString(line)
	for _, path := range []string{"/", "/?span=7d", "/parked/elevenlabs", "/parked/twilio", "/call?id=c-001", "/call?id=c-002", "/call?id=c-009",
		"/call?id=" + url.QueryEscape(phone(1)), "/parked/" + keys.ElevenLabs, "/sign-in", "/no/such/page/" + phone(1)} {
		s.keep("dashboard "+path, s.page(http.Get(at+path)))
	}
	s.keep("dashboard, wrong token", s.page(http.PostForm(at+"/sign-in", url.Values{"name": {phone(1)}, "token": {operatorToken + "x"}})))
	listening, enough := context.WithTimeout(ctx, 1500*time.Millisecond)
	defer enough()
	r, err := http.NewRequestWithContext(listening, http.MethodGet, at+"/live", nil)
	s.must(err)
	s.keep("dashboard, events", s.page(http.DefaultClient.Do(r)))
	cancel()
	_ = c.Wait() // it was interrupted
}

// page is an answer with its headers.
func (s *stage) page(res *http.Response, err error) string {
	s.t.Helper()
	s.must(err)
	defer res.Body.Close()
	body, _ := io.ReadAll(res.Body) // of the events it is what came until now
	var head strings.Builder
	s.must(res.Header.Write(&head))
	return head.String() + string(body)
}

func decode(line string, to any) error { return json.Unmarshal([]byte(line), to) }
