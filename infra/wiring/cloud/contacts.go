package cloud

import (
	"context"
	"runtime/debug"
	"sync"
	"time"

	"callagent/core/agent"
	"callagent/core/journal"
	"callagent/infra/sqs"
)

// Work works the messages of one batch at the same time and says which of them
// have to come again; the others are done with. A message that comes again is
// hidden until its time. None is lost: what could not be settled comes again
// when its visibility time is over.
func (p *Process) Work(ctx context.Context, messages []agent.Message) []bool {
	return comeAgain(len(messages), func(again []bool) error {
		err := p.work(ctx, func(ctx context.Context, s *set) error {
			var all sync.WaitGroup
			for i, m := range messages {
				again[i] = true
				all.Go(func() { s.guarded(func() { again[i] = !s.settled(ctx, m) }) })
			}
			all.Wait()
			return nil
		})
		if err != nil {
			p.postpone(ctx, messages)
		}
		return err
	})
}

// comeAgain gives which of n messages come again: those that do marks, and all
// of them when it fails.
func comeAgain(n int, do func(again []bool) error) []bool {
	again := make([]bool, n)
	if do(again) != nil {
		for i := range again {
			again[i] = true
		}
	}
	return again
}

// guarded keeps a panic from ending the process: what else it does goes on.
func (s *set) guarded(f func()) {
	defer func() {
		if r := recover(); r != nil {
			s.write(journal.Error, "panicked", "A mistake in the program; what was being done is done again later: "+panicked(r, debug.Stack()))
		}
	}()
	f()
}

// settled works one message and reports whether it is done with.
func (s *set) settled(ctx context.Context, m agent.Message) (done bool) {
	v := s.agent.Handle(ctx, m)
	settle, cancel := context.WithTimeout(context.WithoutCancel(ctx), settleTimeout)
	defer cancel()
	var err error
	switch v.Do {
	case agent.Again:
		err = s.contacts.Again(settle, m.ID, v.At)
	case agent.Reject:
		err = s.contacts.Bury(settle, m.ID, v.Reason)
	}
	if err != nil {
		s.write(journal.Warning, "queue_silent", "A message could not be settled and comes again when its visibility time is over: "+err.Error())
	}
	return err == nil && v.Do != agent.Again
}

// settleTimeout bounds what is done about a message after the agent's verdict.
const settleTimeout = agent.DeadlineMargin

// postponed is how long messages stay away that nobody can work, because the
// set-up is wrong or a store is silent: long enough to cost nothing, short
// enough that mending it is noticed.
const postponed = time.Minute

// postpone hides the messages of a process that has no set of parts.
func (p *Process) postpone(ctx context.Context, messages []agent.Message) {
	url, _ := p.env("CONTACTS_QUEUE_URL")
	if url == "" {
		return
	}
	q := sqs.New(p.clients.sqs, sqs.Config{URL: url})
	for _, m := range messages {
		p.hide(ctx, q, m, postponed)
	}
}

// hide keeps a message away for a while. What fails is left to the queue's own
// visibility time.
func (p *Process) hide(ctx context.Context, q *sqs.Queue, m agent.Message, d time.Duration) {
	if err := q.Again(ctx, m.ID, time.Now().Add(d)); err != nil {
		p.write(journal.Warning, "queue_silent", "A message comes again later than it might: "+err.Error())
	}
}

// Received is a message as an event of Lambda gives it.
func Received(handle, body string, attributes map[string]string, at time.Time) agent.Message {
	return sqs.Delivered(handle, body, attributes, at)
}
