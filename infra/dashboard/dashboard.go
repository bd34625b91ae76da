// Package dashboard is one page on which people watch a campaign all day:
// circuits, counts, outcomes over time, calls that wait and the last events. A
// call's history is a search away. Who may, overrides circuits and settles
// calls that ended unknown; every use is in the journal.
//
// The pages are made on the server and need no JavaScript; with it, they
// change by themselves. Phone numbers are masked everywhere, and names are
// shown only to those who may act.
package dashboard

import (
	"context"
	"crypto/rand"
	"embed"
	"errors"
	"html/template"
	"io/fs"
	"net"
	"net/http"
	"sync/atomic"
	"time"

	"callagent/core/agent"
	"callagent/core/breaker"
	"callagent/core/call"
	"callagent/core/journal"
	"callagent/infra/clock"
	"callagent/infra/operator"
)

// Store is what the dashboard shows and changes.
type Store interface {
	operator.Store
	agent.Register
	// Parked lists calls that wait for a service's circuit, the longest first.
	Parked(ctx context.Context, service string, unsent time.Time, limit int) ([]call.Call, error)
	// Ended counts the calls that ended since a moment.
	Ended(ctx context.Context, since time.Time) ([]call.Ended, error)
	// Latest reads the newest events, the oldest of them first.
	Latest(ctx context.Context, limit int) ([]journal.Stored, error)
}

// Service is an external service in the order of a call, with its rules.
type Service struct {
	Name    string
	Circuit breaker.Config
}

// Options are what a dashboard needs. Store and Services are required.
type Options struct {
	Store    Store
	Services []Service
	// Source names the store for people.
	Source string
	// Token is what an operator signs in with; "" lets everybody act who
	// reaches the page, as User.
	Token string
	// User is who acts without a token: whoever started the process.
	User string
	// Exposed: other machines reach the page. Otherwise it answers only to
	// names of this machine, so that no web site can pose as it.
	Exposed bool
	// Fresh is how old counts may be; 0 is a second. Circuits and events are
	// never older than a second, the chart is read ten times as rarely as counts.
	Fresh time.Duration
	// Patience is how long a page waits for counts of which it knows none, or
	// much older ones; 0 is 25 ms. A page without them says so and gets them
	// when they are there.
	Patience time.Duration
	// Elsewhere says where the events are when the store keeps none.
	Elsewhere string
	Zone      *time.Location // of the times shown; nil is the machine's
	Clock     *clock.Clock   // nil is the wall clock
}

// Dashboard answers HTTP requests. It is safe for concurrent use and has no
// goroutine of its own: nothing is read while nobody looks.
type Dashboard struct {
	Options
	handler  http.Handler
	key      []byte // signs cookies; made anew with every process
	watchers atomic.Int64
	wrong    tries
	written  written

	circuits reading[[]operator.Circuit]
	events   reading[[]journal.Stored]
	tallies  reading[tallies]
	day      reading[[]call.Ended]
	week     reading[[]call.Ended]
}

//go:embed assets
var assets embed.FS

var pages = template.Must(template.New("").Funcs(words).ParseFS(assets, "assets/*.html"))

// ErrNeedsToken: other machines would reach the buttons, and nobody has to
// sign in.
var ErrNeedsToken = errors.New("other machines can reach this address: set OPERATOR_TOKEN to a long random text, or listen on 127.0.0.1 and use an SSH tunnel")

// Exposed reports whether other machines can reach what listens on an address.
// An exposed dashboard needs a token: ErrNeedsToken.
func Exposed(address, token string) (bool, error) {
	host, _, err := net.SplitHostPort(address)
	if err != nil {
		return false, err
	}
	if loopback(host) {
		return false, nil
	}
	if token == "" {
		return true, ErrNeedsToken
	}
	return true, nil
}

// New makes a dashboard. It does no I/O.
func New(o Options) *Dashboard {
	if o.Fresh == 0 {
		o.Fresh = time.Second
	}
	if o.Patience == 0 {
		o.Patience = 25 * time.Millisecond
	}
	if o.Zone == nil {
		o.Zone = time.Local
	}
	d := &Dashboard{Options: o, key: make([]byte, 32)}
	rand.Read(d.key)
	d.wrong.now = o.Clock.Now
	d.circuits = reading[[]operator.Circuit]{age: time.Second, read: d.readCircuits}
	d.events = reading[[]journal.Stored]{age: time.Second, read: func(ctx context.Context) ([]journal.Stored, error) {
		return o.Store.Latest(ctx, eventsRead)
	}}
	d.tallies = reading[tallies]{age: o.Fresh, read: d.readTallies}
	d.day = reading[[]call.Ended]{age: 10 * o.Fresh, read: d.readEnded(12 * time.Hour)}
	d.week = reading[[]call.Ended]{age: 10 * o.Fresh, read: d.readEnded(7 * 24 * time.Hour)}
	d.handler = d.guard(d.routes())
	return d
}

func (d *Dashboard) routes() *http.ServeMux {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{$}", d.front)
	mux.HandleFunc("GET /live", d.live)
	mux.HandleFunc("GET /call", d.call)
	mux.HandleFunc("GET /parked/{service}", d.parked)
	mux.HandleFunc("GET /sign-in", d.showSignIn)
	mux.HandleFunc("POST /sign-in", d.signIn)
	mux.HandleFunc("POST /sign-out", d.signOut)
	mux.HandleFunc("POST /circuits/{service}/{action}", d.acting(d.override))
	mux.HandleFunc("POST /calls/{answer}", d.acting(d.resolve))
	files, err := fs.Sub(assets, "assets")
	if err != nil {
		panic(err) // only for a name that is no path
	}
	served := http.StripPrefix("/assets/", http.FileServerFS(files))
	for _, name := range []string{"style.css", "live.js", "icon.svg"} {
		mux.Handle("GET /assets/"+name, remembered(served))
	}
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		d.problem(w, r, http.StatusNotFound, "There is no such page", "The address may be old or cut off.")
	})
	return mux
}

// remembered lets browsers keep a file for a while: its address changes with
// the process.
func remembered(files http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Cache-Control", "private, max-age=86400")
		files.ServeHTTP(w, r)
	})
}

// ServeHTTP answers one request.
func (d *Dashboard) ServeHTTP(w http.ResponseWriter, r *http.Request) { d.handler.ServeHTTP(w, r) }
