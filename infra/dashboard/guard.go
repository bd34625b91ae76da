package dashboard

import (
	"cmp"
	"net"
	"net/http"
	"strings"
	"time"
)

// policy lets a page load what this server gives and nothing else: no script
// or style inside of it, no frame around it, no form that goes elsewhere.
const policy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; " +
	"form-action 'self'; frame-ancestors 'none'; base-uri 'none'"

// The longest form that is read, in bytes and in time.
const (
	mostPosted = 8 << 10
	postLimit  = 10 * time.Second // to send it
)

// guard stands before every request: headers that keep browsers strict, the
// names that we answer to, and no form of another site.
func (d *Dashboard) guard(next http.Handler) http.Handler {
	cross := http.NewCrossOriginProtection()
	cross.SetDenyHandler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		d.problem(w, r, http.StatusForbidden, "Nothing was done", "The request came from another web site. Open this page itself and use its buttons.")
	}))
	protected := cross.Handler(next)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Content-Security-Policy", policy)
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("X-Frame-Options", "DENY")
		h.Set("Referrer-Policy", "same-origin")
		h.Set("Cross-Origin-Opener-Policy", "same-origin")
		h.Set("Cross-Origin-Resource-Policy", "same-origin")
		h.Set("Cache-Control", "no-store")
		if !d.Exposed && !loopback(hostOf(r)) {
			http.Error(w, "this dashboard answers to 127.0.0.1 and localhost only: a proxy has to set the Host header so", http.StatusMisdirectedRequest)
			return
		}
		if r.Method == http.MethodPost {
			r.Body = http.MaxBytesReader(w, r.Body, mostPosted)
			_ = http.NewResponseController(w).SetReadDeadline(time.Now().Add(postLimit)) // tests have no connection
		}
		protected.ServeHTTP(w, r)
	})
}

// hostOf is the host that the request was sent to, without its port.
func hostOf(r *http.Request) string {
	host, _, _ := net.SplitHostPort(r.Host)
	return strings.Trim(cmp.Or(host, r.Host), "[]")
}

// loopback reports whether a host is this machine and no other can be meant.
func loopback(host string) bool {
	ip := net.ParseIP(host)
	return strings.EqualFold(host, "localhost") || ip != nil && ip.IsLoopback()
}

// acting lets a request pass that may change something: its form is one of our
// pages', and its sender may act. who is the name for the journal.
func (d *Dashboard) acting(act func(w http.ResponseWriter, r *http.Request, who string)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		v := d.visitor(r)
		if !d.ours(r, v) {
			d.outdated(w, r)
			return
		}
		if !d.may(v) {
			d.problem(w, r, http.StatusForbidden, "Sign in first", "Only operators may do this. Sign in with the operator token, then do it again.")
			return
		}
		act(w, r, d.nameOf(v))
	}
}

// outdated answers a form that is not of a page that we gave to this browser.
func (d *Dashboard) outdated(w http.ResponseWriter, r *http.Request) {
	d.problem(w, r, http.StatusForbidden, "Nothing was done", "The page was out of date, or cookies are switched off. Open the dashboard again and repeat it.")
}
