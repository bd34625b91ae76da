package world

import (
	"context"
	"fmt"
	"hash/fnv"
	"time"

	"callagent/core/agent"
	"callagent/core/alert"
	"callagent/core/backoff"
	"callagent/core/breaker"
	"callagent/core/call"
)

// requestLimit is the time limit of a request to a provider, and of a message
// to people.
const requestLimit = 10 * time.Second

// Contact is a valid contact of the campaign spring; n is part of its id and
// its number.
func Contact(n int) call.Contact {
	return call.Contact{Campaign: "spring", ID: fmt.Sprintf("c-%03d", n), Phone: fmt.Sprintf("+4915112345%03d", n)}
}

// Contacts are Contact(1) to Contact(n).
func Contacts(n int) []call.Contact {
	var cs []call.Contact
	for i := range n {
		cs = append(cs, Contact(i+1))
	}
	return cs
}

// Block puts a number on the do-not-call list.
func (w *World) Block(phone string) {
	_ = w.store.Block(context.Background(), hash(phone)) // a map in memory takes everything
}

// hash stands for the keyed hash of a number.
func hash(phone string) string {
	h := fnv.New64a()
	_, _ = h.Write([]byte(phone))
	return fmt.Sprintf("%x", h.Sum64())
}

// assemble makes the agent of a process, and what delivers its alerts.
func (w *World) assemble(p *Process) (*agent.Agent, *agent.Dispatcher) {
	o := w.options(p)
	if w.Adjust != nil {
		w.Adjust(&o)
	}
	return agent.New(o), agent.NewDispatcher(agent.DispatcherOptions{
		Outbox: outbox{p}, Channels: map[string]agent.Notifier{channel: ringer{p}},
		Clock: o.Clock, Random: o.Random, Journal: o.Journal, Timeout: requestLimit,
	})
}

// options are those of a process's agent.
func (w *World) options(p *Process) agent.Options {
	s := provider{p}
	o := agent.Options{
		Stores: agent.Stores{
			Ledger: ledger{p}, Backlog: backlog{p}, Blocklist: blocklist{p}, Circuits: circuits{p}, Pace: pace{p},
			Queue: sender{p}, Outbox: outbox{p}, Media: media{p},
		},
		Providers: agent.Providers{
			Writer: prober{s, agent.LLM}, Speaker: prober{s, agent.ElevenLabs}, Dialer: prober{s, agent.Twilio}, CRM: prober{s, agent.CRMService},
		},
		Journal: paperless{p}, Clock: clock{p}, Random: w.Random, NewID: p.newID, Holder: p.Holder(),
		Policies: w.policies(), Campaign: campaign, From: "+15005550006", Number: hash,
		Channels: func(alert.Alert) []string { return []string{channel} },
		Stopping: func() bool { return p.stopping },
		Skew:     w.Skew, WorksHeirs: w.WorksHeirs,
	}
	if w.NoCRM {
		o.CRM = nil
	}
	if w.SendsTicks {
		o.Ticks = ticker{p}
	}
	if w.Callbacks {
		o.CallbackURL = func(k call.Key, attempt string) string {
			return "https://callbacks.invalid/" + k.String() + "/" + attempt
		}
	}
	return o
}

// policies treats all services alike: 5, 10, 20 s, and 10 s for a request.
func (w *World) policies() map[string]agent.Policy {
	circuit := breaker.DefaultConfig()
	circuit.Settle, circuit.Skew = w.Settle, w.Skew
	ps := map[string]agent.Policy{}
	for _, name := range agent.Services() {
		ps[name] = agent.Policy{Retry: backoff.Default(), Circuit: circuit, Timeout: requestLimit}
	}
	if w.Rate > 0 {
		dial := ps[agent.Twilio]
		dial.Rate = w.Rate
		ps[agent.Twilio] = dial
	}
	return ps
}

// campaign knows the campaigns spring and summer.
func campaign(name string) (call.Campaign, bool) {
	return call.Campaign{
		Name: name, Prompt: "Call {{.campaign}}/{{.contact_id}}", RingTimeout: 30 * time.Second, MaxLength: 3 * time.Minute,
	}, name == "spring" || name == "summer"
}
