package doctor

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"callagent/infra/httpcall"
	"callagent/infra/wiring"
)

// planMachine looks at this machine: its clock, and its address as Twilio sees
// it.
func (e *exam) planMachine() {
	e.add(machine, "clock", e.clock)
	p := e.Settings.Providers
	address := e.address()
	e.found(machine, "address", verdict{address, nil})
	if p.PublicURL != "" && address != "private" {
		e.add(machine, "audio", e.audio)
	}
}

// How far off the clock may be.
const (
	clockDrifts = 5 * time.Second
	clockWrong  = time.Minute
)

// clock compares this machine's with Twilio's, which tells its time to anybody.
func (e *exam) clock(ctx context.Context) verdict {
	p := e.Settings.Providers.Twilio
	if p.AccountSID == "" {
		return verdict{result: "untold"}
	}
	base := p.BaseURL
	if base == "" {
		base = "https://api.twilio.com"
	}
	client := httpcall.New(phone, 0)
	defer client.Close()
	before := e.Now()
	a, f := client.Do(ctx, httpcall.Request{Method: http.MethodGet, URL: strings.TrimRight(base, "/") + "/"})
	if f != nil {
		return verdict{result: "untold"}
	}
	theirs, err := http.ParseTime(a.Header.Get("Date"))
	if err != nil {
		return verdict{result: "untold"}
	}
	ours := before.Add(e.Now().Sub(before) / 2)
	return judgeClock(ours.Sub(theirs.Add(time.Second / 2))) // they tell whole seconds
}

// judgeClock words by how much the clock is fast; a slow one is negative.
func judgeClock(fast time.Duration) verdict {
	side, unit := "fast", 5*time.Second // nobody measures it exactly
	if fast < 0 {
		side = "slow"
	}
	if fast.Abs() > 2*clockWrong {
		unit = time.Minute
	}
	by := words{"what": "about " + fast.Abs().Round(unit).String() + " " + side}
	switch {
	case fast.Abs() > clockWrong:
		return verdict{"wrong", by}
	case fast.Abs() > clockDrifts:
		return verdict{"drifts", by}
	}
	return verdict{fine, nil}
}

// address judges PUBLIC_URL by its look.
func (e *exam) address() string {
	u, err := url.Parse(e.Settings.Providers.PublicURL)
	switch {
	case wiring.Simulated(e.Settings):
		return "unneeded"
	case e.Settings.Providers.PublicURL == "" && e.Cloud != nil:
		return "deployed"
	case e.Settings.Providers.PublicURL == "":
		return off
	case err != nil || isPrivate(u.Hostname()):
		return "private"
	case u.Scheme != "https":
		return "plain"
	}
	return fine
}

// isPrivate reports whether a host is reached from this machine or its network
// only.
func isPrivate(host string) bool {
	if ip := net.ParseIP(host); ip != nil {
		return ip.IsLoopback() || ip.IsPrivate() || ip.IsLinkLocalUnicast() || ip.IsUnspecified()
	}
	host = strings.ToLower(strings.TrimSuffix(host, "."))
	return !strings.Contains(host, ".") || strings.HasSuffix(host, ".local") || strings.HasSuffix(host, ".localhost")
}

// audio fetches from where Twilio will fetch recordings. With Listen the doctor
// itself is there to answer, unless somebody else is already.
func (e *exam) audio(ctx context.Context) verdict {
	word, serving := rand.Text(), false
	if e.Listen != "" {
		stop, err := serve(e.Listen, word)
		switch {
		case err == nil:
			serving = true
			defer stop()
		case !errors.Is(err, syscall.EADDRINUSE):
			return verdict{"listen", words{"what": e.Listen, "why": reason(err)}}
		}
	}
	client := httpcall.New(machine, 0)
	defer client.Close()
	a, f := client.Do(ctx, httpcall.Request{Method: http.MethodGet, URL: strings.TrimRight(e.Settings.Providers.PublicURL, "/") + "/media/" + word})
	said := words{"what": e.Listen, "why": fmt.Sprint(a.Status)}
	switch {
	case f != nil:
		return judged(f, nil)
	case serving && string(a.Body) == word:
		return verdict{fine, said}
	case serving:
		return verdict{"elsewhere", said}
	case a.Status >= http.StatusInternalServerError:
		return verdict{"empty", said}
	}
	return verdict{"answers", said}
}

// serve answers /media/WORD with the word until it is stopped.
func serve(address, word string) (stop func(), err error) {
	l, err := net.Listen("tcp", address)
	if err != nil {
		return nil, err
	}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /media/"+word, func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, word) })
	s := &http.Server{Handler: mux, ReadHeaderTimeout: DefaultLimit}
	done := make(chan struct{})
	go func() {
		defer close(done)
		_ = s.Serve(l)
	}()
	return func() {
		_ = s.Close()
		<-done
	}, nil
}

// reason is the last part of an error, which names no path.
func reason(err error) string {
	var number syscall.Errno
	if errors.As(err, &number) {
		return number.Error()
	}
	return "the address is not understood"
}

// planStore looks at where calls are kept.
func (e *exam) planStore() {
	if e.Cloud != nil {
		e.planCloud()
		return
	}
	e.add(store, "file", e.file)
}

// file looks for the store without opening it.
func (e *exam) file(context.Context) verdict {
	path := strings.TrimPrefix(e.Settings.Store, "sqlite:")
	at := words{"what": path}
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	if err == nil {
		_ = f.Close()
		return verdict{fine, at}
	}
	if !errors.Is(err, os.ErrNotExist) {
		return verdict{permission, words{"what": path, "why": reason(err)}}
	}
	if folder, err := os.Stat(filepath.Dir(path)); err != nil || !folder.IsDir() {
		return verdict{missing, at}
	}
	return verdict{"fresh", at}
}

// hostOf is the host of an address; "" for what is none.
func hostOf(address string) string {
	u, err := url.Parse(address)
	if err != nil {
		return ""
	}
	return u.Hostname()
}
