package machine

import (
	"context"
	"encoding/json"
	"fmt"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"callagent/core/call"
	"callagent/core/journal"
	"callagent/infra/clock"
	"callagent/infra/settings"
	"callagent/localstack/simulator"
)

func TestMain(m *testing.M) {
	goleak.VerifyTestMain(m)
}

// world is a simulator and what a process on this machine needs to use it.
type world struct {
	t        *testing.T
	clock    *clock.Clock
	sim      *simulator.Simulator
	settings settings.Settings

	mu     sync.Mutex
	events []journal.Entry
}

// newWorld plays twenty times as fast as the wall clock; over is TOML laid over
// the default settings.
func newWorld(t *testing.T, over string, faults ...simulator.Fault) *world {
	t.Helper()
	return newWorldAt(t, 20, over, faults...)
}

// newWorldAt is newWorld at another speed.
func newWorldAt(t *testing.T, speed float64, over string, faults ...simulator.Fault) *world {
	t.Helper()
	w := &world{t: t, clock: clock.New(time.Time{}, speed)}
	var err error
	if w.sim, err = simulator.Start(simulator.Config{Clock: w.clock, Faults: faults, Seed: 1}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(w.sim.Close)
	env := map[string]string{}
	for _, pair := range w.sim.Env() {
		name, value, _ := strings.Cut(pair, "=")
		env[name] = value
	}
	layer, err := settings.ParseLayer("test", []byte(over+"\n[campaign.default]\ncall_window = \"00:00-24:00\"\n"))
	if err != nil {
		t.Fatal(err)
	}
	w.settings, err = settings.Load(settings.Source{
		Env: func(name string) (string, bool) { v, ok := env[name]; return v, ok }, Over: []settings.Layer{layer},
	})
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	w.settings.Store = "sqlite:" + filepath.Join(dir, "callagent.db")
	w.settings.Log.File, w.settings.Log.ReadableFile = filepath.Join(dir, "app_logs.json"), filepath.Join(dir, "app.log")
	return w
}

// open wires a process; the test closes it.
func (w *world) open() *App {
	w.t.Helper()
	app, err := Open(w.t.Context(), Options{Settings: w.settings, Clock: w.clock, Watch: w.watch, Complain: func(err error) { w.t.Error(err) }})
	if err != nil {
		w.t.Fatal(err)
	}
	return app
}

func (w *world) watch(e journal.Entry) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.events = append(w.events, e)
}

// saw reports how many events of a name were journalled.
func (w *world) saw(event string) int {
	w.mu.Lock()
	defer w.mu.Unlock()
	n := 0
	for _, e := range w.events {
		if e.Event == event {
			n++
		}
	}
	return n
}

// at is when the first event of a name was journalled; zero when none was.
func (w *world) at(event string) time.Time {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, e := range w.events {
		if e.Event == event {
			return e.Time
		}
	}
	return time.Time{}
}

// enqueue puts n contacts on the queue.
func (w *world) enqueue(app *App, n int) {
	w.t.Helper()
	for i := range n {
		body, err := json.Marshal(call.Contact{
			Campaign: "default", ID: fmt.Sprintf("c-%03d", i+1), Phone: fmt.Sprintf("+1202555%04d", 100+i), Name: "Ada",
			Variables: map[string]string{"plan": "gold"},
		})
		if err != nil {
			w.t.Fatal(err)
		}
		if err := app.Store.Send(w.t.Context(), 0, body); err != nil {
			w.t.Fatal(err)
		}
	}
}

// states counts the calls by state.
func (w *world) states(app *App) map[call.State]int {
	w.t.Helper()
	counts, err := app.Store.Counts(context.WithoutCancel(w.t.Context()))
	if err != nil {
		w.t.Fatal(err)
	}
	states := map[call.State]int{}
	for _, n := range counts {
		states[n.State] += n.Calls
	}
	return states
}

// rungOnce fails the test unless each of n phones rang exactly once.
func (w *world) rungOnce(n int) {
	w.t.Helper()
	rings := w.sim.Rings()
	if len(rings) != n {
		w.t.Errorf("%d phones rang, want %d", len(rings), n)
	}
	for phone, times := range rings {
		if times != 1 {
			w.t.Errorf("%s rang %d times", journal.Mask(phone), times)
		}
	}
}

func closeApp(t *testing.T, app *App) {
	t.Helper()
	if err := app.Close(); err != nil {
		t.Error(err)
	}
}
