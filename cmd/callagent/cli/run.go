package cli

import (
	"context"
	"errors"
	"fmt"
	"time"

	"callagent/infra/clock"
	"callagent/infra/settings"
	"callagent/infra/wiring"
	"callagent/infra/wiring/machine"
)

// runCommand calls every contact.
type runCommand struct {
	Contacts string        `help:"List to put on the queue first; - reads standard input." placeholder:"FILE"`
	Campaign string        `help:"Campaign of contacts that name none." default:"default" placeholder:"NAME"`
	Strict   bool          `help:"Refuse the whole list if one row of it is bad."`
	Wait     time.Duration `help:"How long to stay when only calls that are set aside are left, whatever they wait for; 0 leaves at once. Without it a run stays until only a person can help, or a call window that is more than 15 minutes away." default:"-1s" placeholder:"DURATION"`
	Serve    bool          `help:"Keep going when nothing is left to do."`
	Listen   string        `help:"Address that recordings and callbacks are served at." default:"127.0.0.1:8470" placeholder:"HOST:PORT"`
	JSON     bool          `help:"Print the summary as one JSON document." name:"json"`
	Clock    string        `help:"Clock of a rehearsal in several processes: MOMENT,SPEED." hidden:""`
}

// Run is the command.
func (c *runCommand) Run(g *grammar, w World) error {
	s, err := g.load(w)
	if err != nil {
		return err
	}
	ticking, err := clock.Parse(c.Clock)
	if err != nil {
		return usageError{err}
	}
	if c.Clock != "" && !wiring.Simulated(s) {
		return usageError{errors.New("--clock is for rehearsals: set TWILIO_BASE_URL to a simulator on this machine, or leave it out")}
	}
	sum, err := perform(w, job{
		settings: s, clock: ticking, listen: c.Listen, json: c.JSON,
		list:     enqueueOptions{File: c.Contacts, Campaign: c.Campaign, Strict: c.Strict, Settings: s, Quiet: c.JSON},
		patience: machine.Patience{Serve: c.Serve, Parked: c.Wait},
	})
	if err != nil {
		return err
	}
	if err := sum.print(w, c.JSON); err != nil {
		return err
	}
	return sum.status()
}

// job is a run of the agent.
type job struct {
	settings settings.Settings
	clock    *clock.Clock
	list     enqueueOptions
	patience machine.Patience
	listen   string
	json     bool // the summary alone goes to Out
}

// perform wires the agent, puts the list on the queue, runs until nothing is
// left, and sums up.
func perform(w World, j job) (summary, error) {
	ctx, abort, release := stopping(w)
	defer release()
	began := time.Now()
	v := newView(w, j.json)
	app, err := machine.Open(ctx, machine.Options{
		Settings: j.settings, Clock: j.clock, Listen: j.listen, Watch: v.entry,
		Complain: func(err error) { v.say("Logs: " + err.Error()) },
	})
	if err != nil {
		return summary{}, err
	}
	closing := func() error { v.close(); return app.Close() }
	var list enqueued
	if j.list.File != "" {
		if list, err = enqueue(ctx, w, app.Store, j.list); err != nil {
			return summary{}, fmt.Errorf("%w%s", err, closed(closing()))
		}
	}
	v.follow(ctx, app.Store, j.clock)
	left, err := app.Run(ctx, abort, j.patience)
	if err != nil {
		return summary{}, fmt.Errorf("%w%s", err, closed(closing()))
	}
	sum, err := sumUp(context.WithoutCancel(ctx), app, list, left)
	if err != nil {
		return summary{}, fmt.Errorf("%w%s", err, closed(closing()))
	}
	sum.Duration, sum.interrupted = time.Since(began).Seconds(), ctx.Err() != nil
	return sum, closing()
}

// closed adds what went wrong at closing to an error that came before.
func closed(err error) string {
	if err == nil {
		return ""
	}
	return "; then " + err.Error()
}

// stopping gives a context that the first interrupt ends and one that the
// second ends.
func stopping(w World) (ctx, abort context.Context, release func()) {
	ctx, stop := context.WithCancel(context.Background())
	abort, cut := context.WithCancel(context.Background())
	over := make(chan struct{})
	go func() {
		for _, end := range []func(){stop, cut} {
			select {
			case <-w.Signals:
				end()
			case <-over:
				return
			}
		}
	}()
	return ctx, abort, func() { close(over); stop(); cut() }
}
