package cloud

import (
	"context"
	"errors"
	"sync"
	"time"

	"callagent/core/agent"
	"callagent/core/breaker"
	"callagent/core/call"
	"callagent/core/journal"
	"callagent/infra/sqs"
)

// Tick runs the background work once. A scheduled tick does more than one that
// was called for: it calls for the next ones, brings back contacts from the
// dead letters, and sees that alerts and finished campaigns are told.
func (p *Process) Tick(ctx context.Context, scheduled bool) error {
	return p.work(ctx, func(ctx context.Context, s *set) error {
		var all sync.WaitGroup
		if scheduled {
			s.agent.Ahead(ctx)
			for _, f := range []func(context.Context) error{s.rescue, s.flushAlerts, s.campaignsFinished} {
				all.Go(func() { s.chore(ctx, f) })
			}
		}
		for _, name := range agent.Services() {
			all.Go(func() { s.agent.Check(ctx, name) })
		}
		all.Go(func() { s.agent.Sweep(ctx) })
		all.Wait()
		s.measure()
		return nil
	})
}

// chore does what the next scheduled tick does again when it fails.
func (s *set) chore(ctx context.Context, f func(context.Context) error) {
	if err := f(ctx); err != nil && ctx.Err() == nil {
		s.write(journal.Warning, "chore_failed", "Part of the background work failed and is done again in a minute: "+err.Error())
	}
}

// measure puts the state of the circuits into the metrics.
func (s *set) measure() {
	for _, name := range agent.Services() {
		if c := s.agent.Circuit(name); c != nil {
			s.journal.CircuitOpen(name, c.Seen().State != breaker.Closed)
		}
	}
}

// rescued bounds the dead letters that one tick looks at.
const rescued = 1000

// rescue sends contacts back to the queue that SQS moved to the dead letters
// although nobody ever claimed them. What was refused carries a reason, and
// what was claimed is in the ledger: both stay where they are.
func (s *set) rescue(ctx context.Context) error {
	returned := 0
	err := s.contacts.EachDeadLetter(ctx, rescued, func(d agent.DeadLetter) (sqs.Fate, error) {
		contact, err := call.Decode(d.Body)
		if d.Reason != "" || err != nil {
			return sqs.Leave, nil
		}
		_, err = s.calls.Get(ctx, contact.Key())
		if !errors.Is(err, agent.ErrNotFound) {
			return sqs.Leave, err
		}
		returned++
		return sqs.Return, nil
	})
	if returned > 0 {
		s.write(journal.Warning, "contacts_rescued", "Contacts that had been received too often without anybody claiming them go back to the queue.")
	}
	return err
}

// flushAlerts has the alert function send what became due.
func (s *set) flushAlerts(ctx context.Context) error {
	for _, channel := range s.channels {
		waiting, err := s.outbox.Undelivered(ctx, channel, 1)
		if err != nil {
			return err
		}
		if len(waiting) > 0 {
			return s.alerts.Send(ctx, 0, []byte(flushMessage))
		}
	}
	return nil
}

// campaignsFinished tells of each campaign whose calls have all ended, once
// all is quiet. Counting goes through the whole ledger, so a process does it
// once after each time that it saw work; alerts that were raised before are
// dropped by their id.
func (s *set) campaignsFinished(ctx context.Context) error {
	quiet, err := s.quiet(ctx)
	if err != nil {
		return err
	}
	if !quiet {
		s.concluded.Store(false)
	}
	if !quiet || s.concluded.Load() {
		return nil
	}
	counts, err := s.calls.Counts(ctx)
	if err != nil {
		return err
	}
	s.agent.Finished(ctx, counts)
	s.concluded.Store(true)
	return nil
}

// quiet reports whether there is nothing to do: no contact on the queue and no
// call that somebody has to look at.
func (s *set) quiet(ctx context.Context) (bool, error) {
	depth, err := s.contacts.Depth(ctx)
	if err != nil || depth != (sqs.Depth{}) {
		return false, err
	}
	due, err := s.calls.Due(ctx, time.Now().Add(farAhead), 1)
	return err == nil && len(due) == 0, err
}

// farAhead is later than anything can be due.
const farAhead = 100 * 365 * 24 * time.Hour
