package cloud

import (
	"context"
	"errors"
	"slices"
	"sync"
	"time"

	"callagent/core/agent"
	"callagent/core/breaker"
	"callagent/core/call"
	"callagent/core/journal"
	"callagent/infra/cloudlog"
	"callagent/infra/sqs"
)

// Tick runs the background work once. A scheduled tick does more than one that
// was called for: it calls for the next ones, brings back contacts from the
// dead letters, and sees that alerts and finished campaigns are told. The error
// is about the set-up.
func (p *Process) Tick(ctx context.Context, scheduled bool) error {
	return p.work(ctx, func(ctx context.Context, s *set) error {
		var all sync.WaitGroup
		if scheduled {
			s.agent.Ahead(ctx)
			for _, f := range []func(context.Context) error{s.rescue, s.flushAlerts, s.conclude} {
				all.Go(func() { s.chore(ctx, f) })
			}
		}
		for _, name := range agent.Services() {
			all.Go(func() { s.guarded(func() { s.agent.Check(ctx, name) }) })
		}
		all.Go(func() { s.guarded(func() { s.agent.Sweep(ctx) }) })
		all.Wait()
		s.measure(ctx)
		return nil
	})
}

// choreTime bounds a part of the background work, so that it never costs the
// rest of a tick.
const choreTime = time.Minute

// chore does what a later scheduled tick does again when it fails.
func (s *set) chore(ctx context.Context, f func(context.Context) error) {
	s.guarded(func() {
		limited, cancel := context.WithTimeout(ctx, choreTime)
		defer cancel()
		if err := f(limited); err != nil && ctx.Err() == nil {
			s.write(journal.Warning, "chore_failed", "Part of the background work failed and is done again later: "+err.Error())
		}
	})
}

// measure puts the state of the circuits into the metrics.
func (s *set) measure(ctx context.Context) {
	for _, name := range agent.Services() {
		c := s.agent.Circuit(name)
		if c == nil {
			continue
		}
		if r, known := c.Look(ctx, time.Time{}); known {
			s.journal.CircuitOpen(name, r.State != breaker.Closed)
		}
	}
}

// SQS moves a contact to the dead letters after a thousand receives, so there
// is no hurry.
const (
	rescueEvery = 15 * time.Minute
	rescued     = 200 // dead letters that one tick looks at
)

// rescue sends contacts back to the queue that SQS moved to the dead letters
// although nobody ever claimed them. What was refused carries a reason, and
// what was claimed is in the ledger: both stay where they are.
func (s *set) rescue(ctx context.Context) error {
	if now := time.Now(); now.Before(s.rescueAt) {
		return nil
	} else {
		s.rescueAt = now.Add(rescueEvery)
	}
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

// conclude tells of each campaign whose calls have all ended, once all is
// quiet, and keeps the sheet's Status up to date until then. Counting goes
// through the whole ledger, so a large one is counted rarely, and one that
// rests hardly ever: only for what came and ended between two ticks. Alerts
// that were raised before are dropped by their id.
func (s *set) conclude(ctx context.Context) error {
	quiet, err := s.quiet(ctx)
	if err != nil {
		return err
	}
	if s.events != nil && !(quiet && s.rests) {
		err = s.events.Send(ctx, 0, cloudlog.Refresh())
	}
	s.rests = quiet
	if !quiet {
		s.concluded = time.Time{}
		return err
	}
	began := time.Now()
	if began.Before(s.countAt) || began.Sub(s.concluded) < countAtRest {
		return err
	}
	s.countAt = began.Add(countAgain)
	counts, failed := s.calls.Counts(ctx)
	if failed != nil {
		return errors.Join(err, failed)
	}
	s.countAt = began.Add(countRarely * time.Since(began))
	if !slices.ContainsFunc(counts, func(n call.Count) bool { return !n.State.Final() }) {
		s.concluded = began
	}
	s.agent.Finished(ctx, counts)
	return err
}

const (
	countAgain  = time.Hour        // after counting failed, for instance because the ledger is too large
	countAtRest = 15 * time.Minute // while nothing happens
	countRarely = 100              // how much longer than counting takes nobody counts again
)

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
