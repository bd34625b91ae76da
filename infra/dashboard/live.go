package dashboard

import (
	"bytes"
	"fmt"
	"net/http"
	"strings"
	"time"
)

const (
	mostWatchers = 200
	lookEvery    = time.Second
	aliveEvery   = 15 * time.Second // so that proxies keep the connection
)

// live sends the parts of the page as server-sent events: all of them first,
// then those that change.
func (d *Dashboard) live(w http.ResponseWriter, r *http.Request) {
	if d.watchers.Add(1); d.watchers.Load() > mostWatchers {
		d.watchers.Add(-1)
		http.Error(w, "too many pages are open", http.StatusServiceUnavailable)
		return
	}
	defer d.watchers.Add(-1)
	v := d.visitor(r)
	w.Header().Set("Content-Type", "text/event-stream")
	s := stream{w: w, control: http.NewResponseController(w), sent: map[string]string{}}
	s.send("hello", fmt.Sprint(d.version(), " ", d.Clock.Now().UnixMilli()))
	tick := time.NewTicker(lookEvery)
	defer tick.Stop()
	for s.err == nil {
		d.look(r, v, &s)
		select {
		case <-r.Context().Done():
			return
		case <-tick.C:
		}
	}
}

// look sends what has changed. While the store is silent the page says so.
func (d *Dashboard) look(r *http.Request, v visitor, s *stream) {
	now, err := d.standing(r.Context(), d.may(v), true, r.URL.Query().Get("span"))
	if err != nil {
		now = standing{Trouble: "The store does not answer (" + err.Error() + ")."}
		s.part("trouble", now)
		return
	}
	for _, name := range []string{"headline", "trouble", "circuits", "people", "spans"} {
		s.part(name, frontPage{frame: frame{May: d.may(v)}, standing: now})
	}
	s.text("outcomes", string(now.Outcomes))
	s.text("campaigns", string(now.Campaigns))
	s.text("events", string(now.Events))
	if time.Since(s.at) > aliveEvery {
		s.send("alive", "")
	}
}

// stream is one browser that listens.
type stream struct {
	w       http.ResponseWriter
	control *http.ResponseController
	sent    map[string]string // what the browser has, by event
	at      time.Time         // when something was last sent
	err     error
}

// part sends what a template says.
func (s *stream) part(name string, page any) {
	var b bytes.Buffer
	if err := pages.ExecuteTemplate(&b, name, page); err != nil {
		s.err = err
		return
	}
	s.text(name, b.String())
}

// text sends a part of the page, named like the element that it fills, if the
// browser does not have it so.
func (s *stream) text(name, text string) {
	if s.err == nil && s.sent[name] != text {
		s.sent[name] = text
		s.send(name, text)
	}
}

// send writes one event.
func (s *stream) send(event, data string) {
	if s.err != nil {
		return
	}
	s.at = time.Now()
	_ = s.control.SetWriteDeadline(s.at.Add(aliveEvery)) // where it cannot be set, a browser that stalls keeps its goroutine
	lines := strings.ReplaceAll(strings.TrimSpace(data), "\n", "\ndata: ")
	if _, s.err = fmt.Fprintf(s.w, "event: %s\ndata: %s\n\n", event, lines); s.err == nil {
		s.err = s.control.Flush()
	}
}
