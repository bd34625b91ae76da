// Package machine wires the process that works the queue of one machine: a
// SQLite file, a folder of recordings, a server for what providers fetch and
// report, and the worker pool.
package machine

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"slices"
	"strings"
	"time"

	"callagent/core/agent"
	"callagent/core/journal"
	"callagent/infra/clock"
	"callagent/infra/folder"
	"callagent/infra/settings"
	"callagent/infra/sheets"
	"callagent/infra/sqlite"
	"callagent/infra/wiring"
)

// Options say how a process is wired.
type Options struct {
	Settings settings.Settings
	Clock    *clock.Clock
	// Listen is the address that media and callbacks are served at; "" is
	// 127.0.0.1 and a port of the system's choice.
	Listen string
	// Watch gets every journal entry besides the log files; nil for none.
	Watch func(journal.Entry)
	// Complain gets troubles with the log files; nil drops them.
	Complain func(error)
}

// App is the process that works the queue of one machine. Close it.
type App struct {
	Store  *sqlite.Store
	Agent  *agent.Agent
	Clock  *clock.Clock
	Raised *Tally // alerts raised by this process

	settings   settings.Settings
	dispatcher *agent.Dispatcher
	sheet      *sheets.Writer // nil without a spreadsheet
	channels   []string
	server     *server
	journal    *sinks
	stopping   *flag
	media      *folder.Media
	recordings *recordings // the same, for the agent
	cleanups   []func() error
}

// Open wires the working process of one machine. What was opened before a
// failure is closed again.
func Open(ctx context.Context, o Options) (*App, error) {
	app := &App{Clock: o.Clock, settings: o.Settings, Raised: &Tally{}, stopping: &flag{}}
	if err := app.open(ctx, o); err != nil {
		return nil, errors.Join(err, app.Close())
	}
	return app, nil
}

func (app *App) open(ctx context.Context, o Options) (err error) {
	if missing := o.Settings.Missing(); len(missing) > 0 {
		return &settings.Error{Problem: fmt.Sprintf("no call can be made without %s: set them in the environment (README.md, \"Real keys\")", strings.Join(missing, ", "))}
	}
	path, err := storePath(o.Settings)
	if err != nil {
		return err
	}
	if app.Store, err = sqlite.Open(ctx, path, sqlite.Options{Now: o.Clock.Now, Visibility: Visibility, Working: true}); err != nil {
		return err
	}
	app.onClose(app.Store.Close)
	app.journal = openSinks(o, app.Store)
	app.onClose(app.journal.close)
	if app.server, err = listen(o.Listen); err != nil {
		return err
	}
	app.onClose(app.server.close)
	public, err := publicURL(o.Settings, app.server.url())
	if err != nil {
		return err
	}
	if app.media, err = folder.New(folder.Config{Dir: mediaDir(path), PublicURL: public, Key: app.Store.Secret()}); err != nil {
		return err
	}
	app.onClose(app.media.Close)
	app.recordings = &recordings{Media: app.media, dir: mediaDir(path), now: app.Clock.Now}
	providers, closeProviders := wiring.OpenProviders(o.Settings.Providers, o.Clock)
	app.onClose(closeProviders)
	channels, problems, closeChannels := wiring.OpenChannels(o.Settings.Providers, o.Clock, app.journal)
	app.onClose(closeChannels)
	if len(problems) > 0 {
		return errors.Join(slices.Collect(maps.Values(problems))...)
	}
	if _, err := app.Store.EndLeases(ctx); err != nil {
		return err
	}
	app.assemble(providers, channels, public)
	if err := app.openSheet(); err != nil {
		return err
	}
	app.server.serve(app.media.Handler(), callbacks{
		agent: app.Agent, token: string(o.Settings.Providers.Twilio.AuthToken), public: public,
	})
	return nil
}

// assemble makes the agent and the dispatcher of the parts.
func (app *App) assemble(p agent.Providers, channels map[string]agent.Notifier, public string) {
	host, _ := os.Hostname()
	app.dispatcher = agent.NewDispatcher(agent.DispatcherOptions{
		Outbox: app.Store, Channels: channels, Clock: app.Clock, Random: rand.Float64, Journal: app.journal, Timeout: wiring.NoticeTimeout,
	})
	app.channels = slices.Sorted(maps.Keys(channels))
	o := wiring.AgentOptions(app.settings, p, app.channels, app.Store.Secret(), public)
	o.Stores = agent.Stores{
		Ledger: app.Store, Backlog: app.Store, Blocklist: app.Store, Circuits: app.Store, Pace: app.Store,
		Queue: app.Store, Outbox: raiser{app.Store, app.Raised}, Media: app.recordings,
	}
	o.Journal, o.Clock = app.journal, app.Clock
	o.Holder = fmt.Sprintf("%s-%d-%s", host, os.Getpid(), wiring.NewID()[:6])
	o.CircuitTimeout = diskTime(app.Clock)
	o.Stopping = app.stopping.up
	app.Agent = agent.New(o)
}

// diskTime is how long the circuit store may take: there is one disk and no
// other process that could hold it up, and it does not get faster with the
// clock.
func diskTime(c *clock.Clock) time.Duration {
	return time.Duration(10 / c.Scale(time.Second).Seconds() * float64(time.Second))
}

func (app *App) onClose(f func() error) { app.cleanups = append(app.cleanups, f) }

// Close ends everything that Open began, the last first.
func (app *App) Close() error {
	var errs []error
	for i := len(app.cleanups) - 1; i >= 0; i-- {
		errs = append(errs, app.cleanups[i]())
	}
	app.cleanups = nil
	return errors.Join(errs...)
}

// mediaDir is the folder beside the store.
func mediaDir(path string) string { return strings.TrimSuffix(path, ".db") + "-media" }

// publicURL is where Twilio fetches recordings and reports to. A Twilio on
// this machine reaches the process as it is; the real one needs an address.
func publicURL(s settings.Settings, local string) (string, error) {
	if s.Providers.PublicURL != "" {
		return s.Providers.PublicURL, nil
	}
	if wiring.Simulated(s) {
		return local, nil
	}
	return "", &settings.Error{Key: "PUBLIC_URL", Problem: fmt.Sprintf("is not set, and Twilio cannot fetch recordings from this machine without it: set it to an address that reaches %s from outside (a tunnel or a reverse proxy)", local)}
}
