package main

import (
	"net"
	"regexp"
	"sync"
	"time"
)

// recorder stands between a function and the servers that it speaks to, and
// adds up the time in which at least one of them owed it an answer. It forwards
// bytes: a connection waits from what the function sends to what it gets next.
type recorder struct {
	mu      sync.Mutex
	ways    map[string]string // the recorder's own address for each server's
	opened  []net.Listener
	waiting int
	since   time.Time // when waiting was 0 for the last time
	total   time.Duration
}

var address = regexp.MustCompile(`127\.0\.0\.1:\d+`)

// through gives a text in which all addresses of servers on this machine lead
// through the recorder.
func (r *recorder) through(text string) (string, error) {
	var failed error
	text = address.ReplaceAllStringFunc(text, func(server string) string {
		way, err := r.way(server)
		if err != nil {
			failed = err
		}
		return way
	})
	return text, failed
}

// way opens the way to a server, once.
func (r *recorder) way(server string) (string, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if way, ok := r.ways[server]; ok {
		return way, nil
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	if r.ways == nil {
		r.ways = map[string]string{}
	}
	r.ways[server] = l.Addr().String()
	r.opened = append(r.opened, l)
	go r.serve(l, server)
	return r.ways[server], nil
}

// serve forwards connections until the listener is closed.
func (r *recorder) serve(l net.Listener, server string) {
	for {
		near, err := l.Accept()
		if err != nil {
			return
		}
		far, err := net.Dial("tcp", server)
		if err != nil {
			near.Close()
			continue
		}
		var c connection
		go r.forward(far, near, func() { r.owes(&c, true) })
		go func() {
			r.forward(near, far, func() { r.owes(&c, false) })
			r.ends(&c)
		}()
	}
}

// connection is what the recorder knows of one.
type connection struct{ owed, ended bool }

// forward copies until either side ends; seen is called before what arrived is
// sent on.
func (r *recorder) forward(to, from net.Conn, seen func()) {
	defer to.Close()
	defer from.Close()
	buffer := make([]byte, 64<<10)
	for {
		n, err := from.Read(buffer)
		if n > 0 {
			seen()
			if _, err := to.Write(buffer[:n]); err != nil {
				return
			}
		}
		if err != nil {
			return
		}
	}
}

// owes notes whether a connection's server owes an answer.
func (r *recorder) owes(c *connection, now bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if c.ended || c.owed == now {
		return
	}
	c.owed = now
	if now {
		if r.waiting == 0 {
			r.since = time.Now()
		}
		r.waiting++
		return
	}
	r.waiting--
	if r.waiting == 0 {
		r.total += time.Since(r.since)
	}
}

// ends notes that a connection's server will answer no more.
func (r *recorder) ends(c *connection) {
	r.owes(c, false)
	r.mu.Lock()
	defer r.mu.Unlock()
	c.ended = true
}

// waited is all the time in which an answer was owed.
func (r *recorder) waited() time.Duration {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.waiting > 0 {
		return r.total + time.Since(r.since)
	}
	return r.total
}

// close takes no further connections.
func (r *recorder) close() {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, l := range r.opened {
		l.Close()
	}
}
