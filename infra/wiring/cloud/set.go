package cloud

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"callagent/core/agent"
	"callagent/core/breaker"
	"callagent/infra/clock"
	"callagent/infra/dynamo"
	"callagent/infra/s3"
	"callagent/infra/settings"
	"callagent/infra/sqs"
	"callagent/infra/wiring"
)

// set is the parts of a process that the settings decide.
type set struct {
	*Process
	settings   settings.Settings
	version    version // of what it was made from
	agent      *agent.Agent
	channels   []string          // the names of those that are configured
	dispatcher *agent.Dispatcher // nil but in the alert function

	calls    *dynamo.Calls
	circuits *dynamo.Circuits
	outbox   *dynamo.Outbox
	leases   *dynamo.Lease
	contacts *sqs.Queue
	alerts   *sqs.Queue
	events   *sqs.Queue // the journal queue; nil for none

	rescueAt  time.Time // when the next tick looks at the dead letters
	countAt   time.Time // when the next tick may count all calls
	concluded time.Time // when they were counted since all of them have ended; zero before that
	rests     bool      // the last tick found all quiet

	book     Book      // nil but in the sheet function
	statusAt time.Time // when its Status may be written again
	closers  []func() error
}

// make puts the parts together that every function needs.
func (p *Process) make(s settings.Settings) (*set, error) {
	n, c, clk := s.Providers.AWS, p.clients, &clock.Clock{}
	if missing := unset(map[string]string{
		"CONTACTS_QUEUE_URL": n.ContactsQueue, "CONTACTS_DEAD_LETTERS_URL": n.ContactsDeadLetters,
		"TICKS_QUEUE_URL": n.TicksQueue, "ALERTS_QUEUE_URL": n.AlertsQueue,
		"CALLS_TABLE": n.CallsTable, "CIRCUITS_TABLE": n.CircuitsTable, "AUDIO_BUCKET": n.AudioBucket,
	}); len(missing) > 0 {
		return nil, lacks(missing)
	}
	made := &set{
		Process: p, settings: s, channels: wiring.ChannelNames(s.Providers),
		calls:    dynamo.NewCalls(c.dynamo, n.CallsTable, clk.Now),
		circuits: dynamo.NewCircuits(c.dynamo, n.CircuitsTable),
		outbox:   dynamo.NewOutbox(c.dynamo, n.CircuitsTable, clk.Now),
		leases:   dynamo.NewLease(c.dynamo, n.CircuitsTable),
		contacts: sqs.New(c.sqs, sqs.Config{URL: n.ContactsQueue, DeadLettersURL: n.ContactsDeadLetters}),
		alerts:   sqs.New(c.sqs, sqs.Config{URL: n.AlertsQueue}),
	}
	if n.JournalQueue != "" {
		made.events = sqs.New(c.sqs, sqs.Config{URL: n.JournalQueue})
	}
	return made, nil
}

// longestRequest is the longest time limit of a request that fits into the time
// limits of the functions in template.yaml, with everything around it.
const longestRequest = 90 * time.Second

// assemble makes the agent, once. Clocks of the fleet differ, and every process
// has to have the chance to contradict a streak.
func (s *set) assemble(ctx context.Context) error {
	if s.agent != nil {
		return nil
	}
	if missing := s.settings.Missing(); len(missing) > 0 {
		return lacks(missing)
	}
	for name, v := range s.settings.Services {
		if v.Timeout > longestRequest {
			return fmt.Errorf("[services.%s] timeout is %s: a function ends before that, so set it to %s or less", name, v.Timeout, longestRequest)
		}
	}
	secret, err := s.calls.Secret(ctx)
	if err != nil {
		return err
	}
	n, c, clk := s.settings.Providers.AWS, s.clients, &clock.Clock{}
	providers, closeProviders := wiring.OpenProviders(s.settings.Providers, clk)
	s.closers = append(s.closers, closeProviders)
	o := wiring.AgentOptions(s.settings, providers, s.channels, secret, strings.TrimSuffix(s.settings.Providers.PublicURL, "/"))
	for name, policy := range o.Policies {
		policy.Circuit.Settle, policy.Circuit.Skew = agent.CacheFor, breaker.Skew
		o.Policies[name] = policy
	}
	o.Stores = agent.Stores{
		Ledger: s.calls, Backlog: s.calls, Blocklist: s.calls, Circuits: s.circuits, Pace: s.circuits,
		Queue: s.contacts, Outbox: &raiser{queue: s.alerts.Sender, now: clk.Now}, Media: s3.New(c.s3, s3.Config{Bucket: n.AudioBucket}),
		Ticks: ticks{sqs.NewSender(c.sqs, n.TicksQueue)},
	}
	o.Journal, o.Clock, o.Holder, o.Skew, o.Stopping = s.journal, clk, s.holder, breaker.Skew, s.stopping.Load
	o.WorksHeirs = true
	s.agent = agent.New(o)
	return nil
}

// unset names the variables that have no value, in order.
func unset(values map[string]string) []string {
	var missing []string
	for _, name := range slices.Sorted(maps.Keys(values)) {
		if values[name] == "" {
			missing = append(missing, name)
		}
	}
	return missing
}

func lacks(names []string) error {
	return fmt.Errorf("the environment lacks %s: secrets are SSM parameters below SECRETS_PATH, named like the variable, everything else is set by template.yaml", strings.Join(names, ", "))
}

// close ends the connections to the providers.
func (s *set) close() error {
	var errs []error
	for _, f := range s.closers {
		errs = append(errs, f())
	}
	return errors.Join(errs...)
}

// ticks sends tick messages.
type ticks struct{ queue *sqs.Sender }

// tickMessage says nothing: a tick looks at what is.
const tickMessage = `{"tick":"called for"}`

// SendTicks calls for a tick after each of the delays.
func (t ticks) SendTicks(ctx context.Context, delays []time.Duration) error {
	return t.queue.SendLater(ctx, []byte(tickMessage), delays...)
}
