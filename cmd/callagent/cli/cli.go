// Package cli is the operator's command line. Commands read their input from
// and write to a [World], so tests run them in the process.
package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"runtime/debug"
	"strings"
	"syscall"

	"github.com/alecthomas/kong"
	"golang.org/x/term"

	"callagent/infra/clock"
	"callagent/infra/settings"
	"callagent/infra/wiring"
	"callagent/infra/wiring/account"
	"callagent/infra/wiring/machine"
)

// The exit statuses.
const (
	ok     = 0 // every contact has an outcome
	failed = 1 // it could not go on, or left work
	usage  = 2 // wrong usage or settings
)

// World is everything outside the process that commands touch.
type World struct {
	In       io.Reader
	Out, Err io.Writer
	Env      func(name string) (string, bool)
	Terminal bool // Out is a terminal that can be repainted
	Width    int  // columns of the terminal
	// Signals gets the interrupts; the first asks to stop, the second insists.
	Signals <-chan os.Signal
}

// System is the process's own world.
func System() World {
	signals := make(chan os.Signal, 2)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM)
	w := World{In: os.Stdin, Out: os.Stdout, Err: os.Stderr, Env: os.LookupEnv, Signals: signals}
	if fd := int(os.Stdout.Fd()); term.IsTerminal(fd) {
		w.Terminal = true
		w.Width, _, _ = term.GetSize(fd)
	}
	return w
}

// grammar is the command line. Flags that all commands share come first.
type grammar struct {
	Settings string           `help:"Settings file; without it callagent.toml, if there is one." placeholder:"FILE"`
	Store    string           `help:"Where calls are kept: a file like sqlite:callagent.db, or aws." placeholder:"sqlite:PATH|aws"`
	Version  kong.VersionFlag `help:"Say what this build was made from, and quit."`

	Run       runCommand       `cmd:"" help:"Call every contact of a list, and go on with what is left from before."`
	Simulate  simulateCommand  `cmd:"" help:"Rehearse a scenario against the built-in provider simulator."`
	Enqueue   enqueueCommand   `cmd:"" help:"Put the contacts of a list on the queue without calling them."`
	Status    statusCommand    `cmd:"" help:"Show circuits, counts and the last events."`
	Calls     callsCommand     `cmd:"" help:"List calls."`
	Call      callCommand      `cmd:"" help:"Show one call and its history."`
	Circuit   circuitCommand   `cmd:"" help:"Show the circuits, or force one open or closed, or give it back."`
	Resolve   resolveCommand   `cmd:"" help:"Say what became of a call that ended unknown."`
	Retry     retryCommand     `cmd:"" help:"Call again whose calls ended in a certain way."`
	Block     blockCommand     `cmd:"" help:"Keep the do-not-call list."`
	Preview   previewCommand   `cmd:"" help:"Make script and recording for the first contacts of a list, without calling them."`
	Doctor    doctorCommand    `cmd:"" help:"Find out what is wrong with keys, settings and services. Rings nobody and sends nothing."`
	Dashboard dashboardCommand `cmd:"" help:"Serve the page that shows circuits, counts and calls, with buttons for operators."`
	Config    configCommand    `cmd:"" help:"Print the effective settings, secrets hidden."`
	Cost      costCommand      `cmd:"" help:"Say what AWS charges for a campaign and for an outage."`
}

// inAWS is the store of the serverless set.
const inAWS = "aws"

// usageError is a mistake in the command line or the settings.
type usageError struct{ err error }

func (e usageError) Error() string { return e.err.Error() }
func (e usageError) Unwrap() error { return e.err }

// exit is a command's own exit status, without anything left to say.
type exit int

func (e exit) Error() string { return fmt.Sprintf("exit status %d", int(e)) }

// Run runs one command and returns the exit status.
func Run(args []string, w World) int {
	var g grammar
	status, helped := ok, false
	parser, err := kong.New(&g,
		kong.Name("callagent"),
		kong.Description("Calls every contact of a list, whatever fails on the way."),
		kong.UsageOnError(), kong.Writers(w.Out, w.Err), kong.Exit(func(code int) { status, helped = code, true }),
		kong.Vars{"version": version(debug.ReadBuildInfo)},
		kong.ConfigureHelp(kong.HelpOptions{Compact: true}),
	)
	if err != nil {
		return w.complain(err)
	}
	if len(args) == 0 {
		args = []string{"--help"}
	}
	k, err := parser.Parse(args)
	if helped { // kong goes on after --help, and would run the command
		return status
	}
	if err != nil {
		return w.complain(usageError{fmt.Errorf("%s (callagent --help lists the commands)", typed(err.Error()))})
	}
	return w.complain(k.Run(&g, w))
}

// complain prints an error and gives its exit status.
func (w World) complain(err error) int {
	var code exit
	switch {
	case err == nil:
		return ok
	case errors.As(err, &code):
		return int(code)
	}
	fmt.Fprintln(w.Err, "callagent: "+err.Error())
	var u usageError
	var s *settings.Error
	if errors.As(err, &u) || errors.As(err, &s) {
		return usage
	}
	return failed
}

// load reads the settings; over lies above the file, and the --store flag
// above that.
func (g *grammar) load(w World, over ...settings.Layer) (settings.Settings, error) {
	from := settings.Source{File: g.Settings, Required: true, Env: w.Env, Over: over}
	if from.File == "" {
		from.File, from.Required = "callagent.toml", false
	}
	return g.loadFrom(from)
}

// loadFrom reads the settings and the --store flag.
func (g *grammar) loadFrom(from settings.Source) (settings.Settings, error) {
	s, err := settings.Load(from)
	if err != nil {
		return s, usageError{err}
	}
	if g.Store != "" {
		if g.Store != inAWS && !strings.HasPrefix(g.Store, "sqlite:") {
			return s, usageError{fmt.Errorf("--store %q is not known: write sqlite:PATH or aws", g.Store)}
		}
		s.Store = g.Store
	}
	return s, nil
}

// loadShared reads the settings of whoever works the store. The functions have
// theirs in an object, which stands in for the file unless --settings names one.
func (g *grammar) loadShared(ctx context.Context, w World) (settings.Settings, error) {
	object := ""
	if w.Env != nil {
		object, _ = w.Env("SETTINGS_OBJECT")
	}
	cloud, err := g.inCloud()
	switch {
	case err != nil:
		return settings.Settings{}, err
	case !cloud || object == "" || g.Settings != "":
		return g.load(w)
	}
	l, err := account.Settings(ctx, object)
	if err != nil {
		return settings.Settings{}, err
	}
	return g.loadObject(w, l)
}

// inCloud reports whether the store is the serverless set's; the file may say
// so too. What the environment lacks does not matter for that.
func (g *grammar) inCloud() (bool, error) {
	if g.Store != "" {
		return g.Store == inAWS, nil
	}
	s, err := g.load(World{})
	return s.Store == inAWS, err
}

// loadObject reads the settings from an object of the serverless set alone.
func (g *grammar) loadObject(w World, object settings.Layer) (settings.Settings, error) {
	s, err := g.loadFrom(settings.Source{Env: w.Env, Over: []settings.Layer{object}})
	s.Store = inAWS // whatever the functions make of it
	return s, err
}

// open reads the settings and opens their store without working it. Unless
// create is set the store has to be there.
func (g *grammar) open(ctx context.Context, w World, create bool) (wiring.Store, settings.Settings, error) {
	s, err := g.loadShared(ctx, w)
	if err != nil {
		return nil, s, err
	}
	var store wiring.Store
	if s.Store == inAWS {
		store, err = account.OpenStore(ctx, s)
	} else {
		store, err = machine.OpenStore(ctx, s, &clock.Clock{}, create)
	}
	return store, s, err
}
