// Package cloud wires the functions of the serverless set and the operator's
// store in AWS: the agent over SQS and DynamoDB, with scripts and recordings in
// S3 and secrets in SSM.
package cloud

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"callagent/core/agent"
	"callagent/core/journal"
	"callagent/infra/cloudlog"
	"callagent/infra/s3"
	"callagent/infra/settings"
	"callagent/infra/ssm"
	"callagent/infra/wiring"
)

// Process is what one process of a function keeps from event to event: the
// clients of AWS, made once, and the agent, made again when a secret changes.
// Lambda gives a process one event at a time.
type Process struct {
	holder   string // names this process in leases
	env      func(string) (string, bool)
	clients  clients
	journal  *cloudlog.Journal
	stopping atomic.Bool

	mu      sync.Mutex // held while the set is looked at or made
	secrets *ssm.Cache
	object  object
	set     *set
}

// Start makes the process of a function. It does no I/O and never fails: what
// is wrong with the set-up is told in the journal of every event that arrives,
// and the event comes again.
func Start(function string) *Process { return start(function, os.LookupEnv, os.Stdout) }

// start makes a process with an environment and a log of its own.
func start(function string, env func(string) (string, bool), log io.Writer) *Process {
	namespace, _ := env("METRICS_NAMESPACE")
	return &Process{
		holder:  function + "-" + wiring.NewID()[:10],
		env:     env,
		clients: connect(inFunction(env)),
		journal: cloudlog.New(cloudlog.Options{Out: log, Namespace: namespace, Function: function, Now: time.Now}),
	}
}

// Stop asks the process to start no further step. It is for SIGTERM.
func (p *Process) Stop() { p.stopping.Store(true) }

// event does what one event asks for, and sees to it that the journal leaves
// the process before it is frozen. An error is in the journal when it returns.
func (p *Process) event(ctx context.Context, do func(context.Context, *set) error) error {
	defer p.journal.Flush()
	if end, bound := ctx.Deadline(); bound {
		var cancel context.CancelFunc
		ctx, cancel = context.WithDeadline(ctx, end.Add(-reserve))
		defer cancel()
	}
	s, err := p.current(ctx)
	if err != nil {
		p.setupWrong(err)
		return err
	}
	defer s.sendJournal(ctx)
	return do(ctx, s)
}

// reserve is what is left of a function's time for what has to be stored, sent
// and printed when it is up.
const reserve = 2 * time.Second

// work is event for what needs the agent.
func (p *Process) work(ctx context.Context, do func(context.Context, *set) error) error {
	return p.event(ctx, func(ctx context.Context, s *set) error {
		if err := s.assemble(ctx); err != nil {
			s.setupWrong(err)
			return err
		}
		return do(ctx, s)
	})
}

// setupWrong says what a person has to mend.
func (p *Process) setupWrong(err error) {
	p.write(journal.Error, "setup_wrong", "Nothing can be done before this is mended: "+err.Error())
}

// current gives the set of parts, made anew when secrets or settings changed.
// What was changed for the worse is told, and the old set serves on.
func (p *Process) current(ctx context.Context) (*set, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	read, err := p.read(ctx)
	if p.set != nil && (err != nil || p.set.version == read.version) {
		return p.set, nil
	}
	if err != nil {
		return nil, err
	}
	made, err := p.build(read)
	switch {
	case err == nil && p.set != nil:
		_ = p.set.close() // connections that end late cost nothing
	case err != nil && p.set != nil:
		p.setupWrong(fmt.Errorf("what was changed is not used: %w", err))
		return p.set, nil
	case err != nil:
		return nil, err
	}
	p.set = made
	return made, nil
}

// version tells one reading of secrets and settings from another.
type version struct{ secrets, settings int }

// reading is what a set is made from.
type reading struct {
	version  version
	secrets  map[string]string
	settings []byte // of callagent.toml; nil for none
}

// read gives the secrets and the settings object, at most some minutes old.
func (p *Process) read(ctx context.Context) (r reading, err error) {
	if p.secrets == nil {
		path, _ := p.env(settings.SecretsPath)
		if path == "" {
			return r, lacks([]string{settings.SecretsPath})
		}
		p.secrets = ssm.NewCache(p.clients.ssm, path, ssm.CacheOptions{OnError: func(err error) {
			p.write(journal.Warning, "secrets_old", "The secrets are used as they were read before: "+err.Error())
		}})
	}
	secrets, err := p.secrets.Get(ctx)
	if err != nil {
		return r, err
	}
	r.version.secrets, r.secrets = secrets.Version, secrets.Values
	r.settings, r.version.settings, err = p.object.get(ctx, p)
	return r, err
}

// object is the settings object as it was last read.
type object struct {
	text    []byte
	version int // goes up when it changes
	next    time.Time
}

// How old the settings may be, and when they are read again after that failed.
const (
	settingsAge   = 5 * time.Minute
	settingsRetry = 30 * time.Second
)

func (o *object) get(ctx context.Context, p *Process) ([]byte, int, error) {
	address, _ := p.env("SETTINGS_OBJECT")
	now := time.Now()
	if address == "" || now.Before(o.next) {
		return o.text, o.version, nil
	}
	text, err := s3.ReadObject(ctx, p.clients.s3, address)
	switch {
	case err != nil && o.version == 0:
		return nil, 0, err
	case err != nil:
		o.next = now.Add(settingsRetry)
		p.write(journal.Warning, "settings_old", "The settings are used as they were read before: "+err.Error())
		return o.text, o.version, nil
	case o.version == 0 || !bytes.Equal(text, o.text):
		o.text = text
		o.version++
	}
	o.next = now.Add(settingsAge)
	return o.text, o.version, nil
}

// build makes a set of parts from what was read.
func (p *Process) build(r reading) (*set, error) {
	from := settings.Source{Env: func(name string) (string, bool) {
		v, ok := r.secrets[name]
		switch {
		case ok:
			return v, true
		case name == settings.SecretsPath:
			return "", false // what it has is here: what is missing is missing
		}
		return p.env(name)
	}}
	if address, _ := p.env("SETTINGS_OBJECT"); address != "" {
		layer, err := settings.ParseLayer(address, r.settings)
		if err != nil {
			return nil, err
		}
		from.Over = []settings.Layer{layer}
	}
	s, err := settings.Load(from)
	if err != nil {
		return nil, err
	}
	made, err := p.make(s)
	if err != nil {
		return nil, err
	}
	made.version = r.version
	return made, nil
}

// write puts an event about the process itself into the journal.
func (p *Process) write(l journal.Level, event, message string) {
	p.journal.Write(journal.Entry{Time: time.Now(), Level: l, Event: event, Message: message})
}

var _ agent.Journal = (*cloudlog.Journal)(nil)
