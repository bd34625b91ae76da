// Package wiring puts the parts together. It is the only package that knows
// all adapters; what they are wired into knows none of them.
package wiring

import (
	"context"
	"crypto/hmac"
	cryptorand "crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"strings"
	"time"

	"callagent/core/agent"
	"callagent/core/alert"
	"callagent/core/call"
	"callagent/core/journal"
	"callagent/infra/clock"
	"callagent/infra/folder"
	"callagent/infra/settings"
	"callagent/infra/sqlite"
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
	channels   []string
	server     *server
	journal    *sinks
	stopping   *flag
	media      *folder.Media
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
	providers, closeProviders := openProviders(o.Settings.Providers, o.Clock)
	app.onClose(closeProviders)
	channels, closeChannels, err := openChannels(o.Settings.Providers, o.Clock)
	app.onClose(closeChannels)
	if err != nil {
		return err
	}
	if _, err := app.Store.EndLeases(ctx); err != nil {
		return err
	}
	app.assemble(providers, channels, public)
	app.server.serve(app.media.Handler(), callbacks{
		agent: app.Agent, token: string(o.Settings.Providers.Twilio.AuthToken), public: public,
	})
	return nil
}

// assemble makes the agent and the dispatcher of the parts.
func (app *App) assemble(p agent.Providers, channels map[string]agent.Notifier, public string) {
	host, _ := os.Hostname()
	app.dispatcher = agent.NewDispatcher(agent.DispatcherOptions{
		Outbox: app.Store, Channels: channels, Clock: app.Clock, Random: rand.Float64, Journal: app.journal, Timeout: 15 * time.Second,
	})
	for _, name := range channelNames {
		if channels[name] != nil {
			app.channels = append(app.channels, name)
		}
	}
	secret := app.Store.Secret()
	app.Agent = agent.New(agent.Options{
		Stores: agent.Stores{
			Ledger: app.Store, Backlog: app.Store, Blocklist: app.Store, Circuits: app.Store, Pace: app.Store,
			Queue: app.Store, Outbox: raiser{app.Store, app.Raised}, Media: app.media,
		},
		Providers: p,
		Journal:   app.journal,
		Clock:     app.Clock,
		Random:    rand.Float64,
		NewID:     newID,
		Holder:    fmt.Sprintf("%s-%d-%s", host, os.Getpid(), newID()[:6]),
		Policies:  policies(app.settings),
		Campaign:  app.campaign,
		From:      app.settings.Providers.Twilio.From,
		Number:    func(phone string) string { return HashNumber(secret, phone) },
		Zones:     zonesOf,
		ValidZone: validZone,
		CallbackURL: func(k call.Key, attempt string) string {
			return callbackURL(public, k, attempt)
		},
		Channels:       app.routes,
		CircuitTimeout: diskTime(app.Clock),
		Stopping:       app.stopping.up,
	})
}

func (app *App) campaign(name string) (call.Campaign, bool) {
	c, ok := app.settings.Campaigns[name]
	return c, ok
}

// routes gives the configured channels that want an alert.
func (app *App) routes(a alert.Alert) []string {
	wants := map[string]settings.Subscription{
		email: app.settings.Alerts.Email, telegramChat: app.settings.Alerts.Telegram, webhookURL: app.settings.Alerts.Webhook,
	}
	var names []string
	for _, name := range app.channels {
		if wants[name].Takes(a.Kind, a.Severity) {
			names = append(names, name)
		}
	}
	return names
}

// policies translates the settings of the services. On one machine the count
// of failures is exact, so a streak needs no time to settle.
func policies(s settings.Settings) map[string]agent.Policy {
	ps := map[string]agent.Policy{}
	for name, v := range s.Services {
		ps[name] = agent.Policy{Retry: v.Retry, Circuit: v.Circuit, Timeout: v.Timeout, Rate: v.Rate, AtOnce: v.AtOnce}
	}
	return ps
}

// HashNumber is the keyed hash under which a store with this secret knows a
// phone number in E.164.
func HashNumber(secret []byte, phone string) string {
	mac := hmac.New(sha256.New, secret)
	mac.Write([]byte(phone))
	return hex.EncodeToString(mac.Sum(nil)[:16])
}

// diskTime is how long the circuit store may take: there is one disk and no
// other process that could hold it up, and it does not get faster with the
// clock.
func diskTime(c *clock.Clock) time.Duration {
	return time.Duration(10 / c.Scale(time.Second).Seconds() * float64(time.Second))
}

// newID is never the same twice.
func newID() string { return strings.ToLower(cryptorand.Text()) }

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
