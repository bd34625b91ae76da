// Package cloud wires the functions of the serverless set and the operator's
// store in AWS: the agent over SQS and DynamoDB, with scripts and recordings in
// S3 and secrets in SSM.
package cloud

import (
	"context"
	"io"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"callagent/core/agent"
	"callagent/core/journal"
	"callagent/infra/cloudlog"
	"callagent/infra/settings"
	"callagent/infra/ssm"
	"callagent/infra/wiring"
)

// Process is what one process of a function keeps from event to event: the
// clients of AWS, made once, and the agent, made again when a secret changes.
// It is safe for concurrent use.
type Process struct {
	holder    string // names this process in leases
	env       func(string) (string, bool)
	clients   clients
	journal   *cloudlog.Journal
	stopping  atomic.Bool
	concluded atomic.Bool // finished campaigns were told, and there was no work since

	mu      sync.Mutex // held while the set is looked at or made
	secrets *ssm.Cache
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
	s, err := p.current(ctx)
	if err != nil {
		p.setupWrong(err)
		return err
	}
	defer s.sendJournal(ctx)
	return do(ctx, s)
}

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

// current gives the set of parts, made anew when the secrets have changed.
func (p *Process) current(ctx context.Context) (*set, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.secrets == nil {
		path, _ := p.env("SECRETS_PATH")
		if path == "" {
			return nil, lacks([]string{"SECRETS_PATH"})
		}
		p.secrets = ssm.NewCache(p.clients.ssm, path, ssm.CacheOptions{OnError: func(err error) {
			p.write(journal.Warning, "secrets_old", "The secrets are used as they were read before: "+err.Error())
		}})
	}
	secrets, err := p.secrets.Get(ctx)
	switch {
	case err != nil:
		return nil, err
	case p.set != nil && p.set.secrets == secrets.Version:
		return p.set, nil
	}
	s, err := p.settings(ctx, secrets.Values)
	if err != nil {
		return nil, err
	}
	made, err := p.make(s)
	if err != nil {
		return nil, err
	}
	made.secrets = secrets.Version
	if p.set != nil {
		_ = p.set.close() // connections that end late cost nothing
	}
	p.set = made
	return made, nil
}

// settings reads the settings from the environment, the secrets and the
// settings object.
func (p *Process) settings(ctx context.Context, secrets map[string]string) (settings.Settings, error) {
	from := settings.Source{Env: func(name string) (string, bool) {
		if v, ok := secrets[name]; ok {
			return v, true
		}
		return p.env(name)
	}}
	if object, _ := p.env("SETTINGS_OBJECT"); object != "" {
		layer, err := p.clients.readSettings(ctx, object)
		if err != nil {
			return settings.Settings{}, err
		}
		from.Over = []settings.Layer{layer}
	}
	return settings.Load(from)
}

// write puts an event about the process itself into the journal.
func (p *Process) write(l journal.Level, event, message string) {
	p.journal.Write(journal.Entry{Time: time.Now(), Level: l, Event: event, Message: message})
}

var _ agent.Journal = (*cloudlog.Journal)(nil)
