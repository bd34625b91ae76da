package cloud

import (
	"context"
	"encoding/json"
	"errors"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"time"

	"callagent/core/agent"
	"callagent/core/alert"
	"callagent/core/health"
	"callagent/core/journal"
	"callagent/infra/clock"
	"callagent/infra/sqs"
	"callagent/infra/wiring"
)

// notice is a message of the alerts queue: an alert and the channels that it
// goes to. The zero notice has the channels flushed and nothing else.
type notice struct {
	Channels []string     `json:"channels,omitempty"`
	Alert    *alert.Alert `json:"alert,omitempty"`
}

// flushMessage has the alert function send what became due.
const flushMessage = `{}`

// raiser hands alerts to the alert function. What the queue has taken is not
// sent again by this process for as long as ticks may raise it again.
type raiser struct {
	queue *sqs.Sender
	now   func() time.Time

	mu   sync.Mutex
	sent map[string]time.Time // by id
}

// Raise sends the alert unless that was done a moment ago.
func (r *raiser) Raise(ctx context.Context, channels []string, a alert.Alert) error {
	if r.knows(a.ID) {
		return nil
	}
	body, err := json.Marshal(notice{Channels: channels, Alert: &a})
	if err != nil {
		return err
	}
	if err := r.queue.Send(ctx, 0, body); err != nil {
		return err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.sent[a.ID] = r.now()
	return nil
}

// knows reports whether an alert was sent a moment ago, and forgets the others.
func (r *raiser) knows(id string) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.sent == nil {
		r.sent = map[string]time.Time{}
	}
	for id, at := range r.sent {
		if r.now().Sub(at) > health.AnnounceFor {
			delete(r.sent, id)
		}
	}
	_, known := r.sent[id]
	return known
}

// Tell keeps the alerts of the messages, sends every channel what it may have
// now, and says which messages have to come again.
func (p *Process) Tell(ctx context.Context, messages []agent.Message) []bool {
	return comeAgain(len(messages), func(again []bool) error {
		return p.event(ctx, func(ctx context.Context, s *set) error {
			s.openChannels()
			silent := false
			for i, m := range messages {
				if silent = silent || !s.kept(ctx, m.Body); silent { // the others would wait for the same silence
					again[i] = true
					s.hide(ctx, s.alerts, m, postponed)
				}
			}
			if s.flush(ctx) {
				return nil
			}
			for i, m := range messages { // what was kept may have come too late for who flushes now
				if !again[i] {
					again[i] = true
					s.hide(ctx, s.alerts, m, flushAgain)
				}
			}
			return nil
		})
	})
}

// openChannels makes the channels and their dispatcher, once for a set. What is
// wrong with one channel keeps its own alerts waiting and no others.
func (s *set) openChannels() {
	if s.dispatcher != nil {
		return
	}
	clk := &clock.Clock{}
	channels, problems, closeChannels := wiring.OpenChannels(s.settings.Providers, clk, s.journal)
	s.closers = append(s.closers, closeChannels)
	for name, err := range problems {
		s.journal.Write(journal.Entry{Time: clk.Now(), Level: journal.Error, Service: name, Event: "alert_failed",
			Message: "Alerts by " + name + " wait until its settings are mended: " + err.Error()})
	}
	s.dispatcher = agent.NewDispatcher(agent.DispatcherOptions{
		Outbox: s.outbox, Channels: channels, Clock: clk, Random: rand.Float64, Journal: s.journal, Timeout: wiring.NoticeTimeout,
	})
}

// flushAgain is how long a message waits for the process that flushes a channel
// now, to see after it whether its alert was among those that were sent.
const flushAgain = 5 * time.Second

// kept puts the alert of a message into the outbox and reports whether the
// message is done with. One that is no notice is dropped with an entry in the
// journal: nobody but us sends any.
func (s *set) kept(ctx context.Context, body []byte) bool {
	var n notice
	if err := json.Unmarshal(body, &n); err != nil {
		s.write(journal.Error, "message_rejected", "A message of the alerts queue is no alert of callagent and is dropped.")
		return true
	}
	if n.Alert == nil {
		return true
	}
	err := s.outbox.Raise(ctx, n.Channels, *n.Alert)
	if err != nil {
		s.write(journal.Error, "alert_not_raised", "An alert could not be stored and comes again: "+err.Error())
	}
	return err == nil
}

// flushFor is how long one flush of a channel may take. Lambda gives the alert
// function more.
const flushFor = 2 * time.Minute

// flush sends every channel what it may have now, at the same time, and
// reports false when somebody else flushes one of them.
func (s *set) flush(ctx context.Context) bool {
	var (
		all  sync.WaitGroup
		busy atomic.Bool
	)
	for channel := range s.dispatcher.Channels {
		all.Go(func() {
			if !s.flushChannel(ctx, channel) {
				busy.Store(true)
			}
		})
	}
	all.Wait()
	return !busy.Load()
}

// flushChannel flushes one channel under its lease, so that nobody is told
// twice by two processes. It reports false when somebody else has the lease.
func (s *set) flushChannel(ctx context.Context, channel string) bool {
	ctx, cancel := context.WithTimeout(ctx, flushFor)
	defer cancel()
	lease := "alerts/" + channel
	mine, err := s.leases.Take(ctx, lease, s.holder, time.Now(), flushFor+wiring.NoticeTimeout)
	if err == nil && mine {
		_, err = s.dispatcher.Flush(ctx, channel, false)
		err = errors.Join(err, s.leases.Release(context.WithoutCancel(ctx), lease, s.holder))
	}
	if err != nil {
		s.write(journal.Error, "outbox_silent", "Alerts wait in the outbox and are sent by a later tick: "+err.Error())
	}
	return mine || err != nil
}

var _ agent.Raiser = (*raiser)(nil)
