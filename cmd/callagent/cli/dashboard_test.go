package cli

import (
	"io"
	"net/http"
	"os"
	"regexp"
	"strings"
	"testing"

	"callagent/localstack/simulator"
)

// TestTheDashboardShowsARun serves a page over the store that a run left, shows
// it to a browser, and ends at an interrupt while a page still listens.
func TestTheDashboardShowsARun(t *testing.T) {
	o := newOffice(t, simulator.Config{})
	o.run(people)
	signals := make(chan os.Signal, 1)
	out, in := io.Pipe()
	world := o.world
	world.Out, world.Signals = in, signals
	status := make(chan int, 1)
	go func() { status <- Run([]string{"dashboard", "--listen", "127.0.0.1:0"}, world) }()

	line := make([]byte, 200)
	n, err := out.Read(line)
	must(t, err)
	address := regexp.MustCompile(`http://\S+/`).FindString(string(line[:n]))
	page := ""
	for range 1000 { // each one waits a moment for the counts
		if page = fetch(t, address); !strings.Contains(page, "being counted") {
			break
		}
	}
	contains(t, page, "Everything is working.", "2 of 2 calls begun have ended.", "Answered <b>2</b>", "Completed: answered")
	if strings.Contains(page, ada[3:]) {
		t.Error("the page has a whole phone number")
	}

	live, err := http.Get(address + "live")
	must(t, err)
	signals <- os.Interrupt
	if got := <-status; got != ok {
		t.Errorf("exit status %d: %s", got, &o.errs)
	}
	_, _ = io.Copy(io.Discard, live.Body) // it ends with the server
	must(t, live.Body.Close())
}

// fetch gives the page at an address.
func fetch(t *testing.T, address string) string {
	t.Helper()
	res, err := http.Get(address)
	must(t, err)
	defer res.Body.Close()
	page, err := io.ReadAll(res.Body)
	must(t, err)
	return string(page)
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
