package agent

import (
	"context"
	"errors"
	"time"

	"callagent/core/alert"
	"callagent/core/breaker"
	"callagent/core/call"
	"callagent/core/fault"
	"callagent/core/journal"
)

// outcome finds out how a dialled call ended. Looks and listings are not
// gated by the dial's circuit, because a phone may be ringing; they obey only
// its pause.
func (a *Agent) outcome(ctx context.Context, w *work) error {
	now := a.Clock.Now()
	if w.call.Answered() {
		return a.completed(ctx, w, *w.call.Answer)
	}
	s := a.services[Twilio]
	if r, known := s.circuit.Look(ctx, time.Time{}); known && now.Before(r.PausedUntil) {
		w.call = w.call.Deferred(r.PausedUntil, now, "asked to slow down")
		return a.save(ctx, w, call.Write{})
	}
	if w.call.Ring() == "" {
		return a.reconcile(ctx, w, s)
	}
	return a.look(ctx, w, s)
}

// look reads the call at the provider once.
func (a *Agent) look(ctx context.Context, w *work, s *service) error {
	began := a.Clock.Now()
	limited, cancel := a.Clock.WithTimeout(ctx, s.Timeout)
	l, err := a.Dialer.Look(limited, w.call.Ring())
	cancel()
	now := a.Clock.Now()
	switch {
	case err != nil && cancelled(ctx, err):
		return a.yield(ctx, w)
	case err != nil && w.call.Unseen(now):
		return a.lost(ctx, w, "every look at the provider failed for a day")
	case err != nil:
		f := fault.From(Twilio, err)
		a.heed(ctx, s, f, began)
		a.write(journal.Warning, Twilio, "look_failed", "The outcome could not be read: "+alert.Words(f)+".", w.call)
		w.call = w.call.Until(now.Add(max(call.LookEvery, f.Settle().RetryAfter)), now, "the outcome could not be read")
		return a.save(ctx, w, call.Write{})
	}
	a.calm(ctx, s, began)
	switch {
	case l.Final():
		return a.completed(ctx, w, call.Answer{SID: w.call.Ring(), Result: l.Result, Duration: l.Duration, Detail: l.Detail, At: now})
	case w.call.Overlong(w.campaign, now):
		return a.lost(ctx, w, "the provider still says "+l.Status+" long after the call must have ended")
	case w.call.Stale(l, now):
		a.withdrawStale(ctx, w, s)
	}
	w.call = w.call.LookAgain(now)
	return a.save(ctx, w, call.Write{})
}

// calm ends a run of pauses when the provider takes requests again. A look
// proves nothing about the dial, so it touches nothing else of the circuit.
func (a *Agent) calm(ctx context.Context, s *service, began time.Time) {
	if s.circuit.Seen().Pauses == 0 {
		return
	}
	s.circuit.Change(ctx, func(r breaker.Record) (breaker.Record, breaker.Change) {
		return breaker.Calm(r, began)
	})
}

// heed makes everybody keep the pause that a look or a listing was asked for.
// Like a success of theirs, it touches nothing else of the dial's circuit.
func (a *Agent) heed(ctx context.Context, s *service, f *fault.Fault, began time.Time) {
	if !f.Treatment().Pauses {
		return
	}
	pausing := *f
	pausing.Overload = false
	p := breaker.Permit{Epoch: s.circuit.Seen().Epoch}
	r, change := s.circuit.Failed(ctx, Attempt{Permit: p, Fault: &pausing, Began: began}, a.Clock.Now())
	a.circuitChanged(ctx, s, r, change)
}

// withdrawStale cancels a call that has been queued at the provider for so
// long that it would ring at some odd hour. The next look sees the outcome.
func (a *Agent) withdrawStale(ctx context.Context, w *work, s *service) {
	limited, cancel := a.Clock.WithTimeout(ctx, s.Timeout)
	defer cancel()
	if err := a.Dialer.Cancel(limited, w.call.Ring()); err != nil {
		a.write(journal.Warning, Twilio, "cancel_failed", "A call that is queued at the provider could not be cancelled: "+alert.Words(fault.From(Twilio, err))+".", w.call)
		return
	}
	a.write(journal.Warning, Twilio, "cancelled", "The call was queued at the provider for too long and was cancelled there.", w.call)
}

// completed stores the final answer, frees the number, and leaves the call
// with its record step.
func (a *Agent) completed(ctx context.Context, w *work, answer call.Answer) error {
	w.call = w.call.Completed(answer, a.Clock.Now(), a.CRM != nil)
	return a.saveEnd(ctx, w, call.Write{Number: call.FreeNumber})
}

// lost ends the call unknown, unless an answer or a SID came in meanwhile:
// then the write is refused and the work goes on with what came.
func (a *Agent) lost(ctx context.Context, w *work, why string) error {
	before := w.call
	w.call.SID = w.call.Ring()
	w.call = w.call.Lost(a.Clock.Now(), why)
	err := a.saveEnd(ctx, w, call.Write{Number: call.FreeNumber, Unanswered: true})
	if !errors.Is(err, ErrConflict) {
		return err
	}
	c, silent := a.Ledger.Get(ctx, before.Key)
	if silent != nil || c.Version != before.Version {
		return err
	}
	w.call = c
	return nil
}

// reconcile asks the provider whether a dial whose answer was lost was
// executed. It is never dialled again.
func (a *Agent) reconcile(ctx context.Context, w *work, s *service) error {
	began := a.Clock.Now()
	limited, cancel := a.Clock.WithTimeout(ctx, s.Timeout)
	listed, err := a.Dialer.List(limited, w.call.Contact.Phone, w.call.Intent.From, w.call.Intent.At.Add(-call.CreatedSlack))
	cancel()
	if err != nil {
		a.heed(ctx, s, fault.From(Twilio, err), began)
		return a.listingFailed(ctx, w, err)
	}
	a.calm(ctx, s, began)
	free, err := a.unowned(ctx, w, w.call.Match(listed))
	if err != nil {
		return errStop
	}
	if len(free) == 1 {
		adopted := w.call.Adopted(free[0].SID, began)
		before := w.call
		w.call = adopted
		err := a.save(ctx, w, call.Write{Own: adopted.SID})
		var taken *TakenError
		if !errors.As(err, &taken) {
			if err == nil {
				a.write(journal.Info, Twilio, "ring_found", "The dial whose answer was lost was found at the provider.", w.call)
			}
			return err
		}
		w.call = before
	}
	if w.call.NotThere(began.Add(-a.Skew)) {
		return a.lost(ctx, w, "the dial's answer was lost and the provider's list does not show one call that must be ours")
	}
	w.call = w.call.AskAgain(began, true)
	return a.save(ctx, w, call.Write{})
}

// listingFailed repeats a failed listing; it does not count.
func (a *Agent) listingFailed(ctx context.Context, w *work, err error) error {
	now := a.Clock.Now()
	switch {
	case cancelled(ctx, err):
		return a.yield(ctx, w)
	case w.call.Unseen(now):
		return a.lost(ctx, w, "every listing at the provider failed for a day")
	}
	a.write(journal.Warning, Twilio, "listing_failed", "The provider's list could not be read: "+alert.Words(fault.From(Twilio, err))+".", w.call)
	w.call = w.call.AskAgain(now, false)
	return a.save(ctx, w, call.Write{})
}

// unowned leaves out the rings that belong to other calls.
func (a *Agent) unowned(ctx context.Context, w *work, found []call.Look) ([]call.Look, error) {
	var free []call.Look
	for _, l := range found {
		owner, err := a.Ledger.Owner(ctx, l.SID)
		switch {
		case errors.Is(err, ErrNotFound), err == nil && owner == w.call.Key:
			free = append(free, l)
		case err != nil:
			return nil, err
		}
	}
	return free, nil
}

// Callback takes what the provider reports about an attempt by itself: it
// stores the answer beside the call, whoever holds the lease, and wakes the
// call. A report that brings nothing new is dropped. The error is for the
// provider to send the report again.
func (a *Agent) Callback(ctx context.Context, k call.Key, attempt string, l call.Look) error {
	c, err := a.Ledger.Get(ctx, k)
	if errors.Is(err, ErrNotFound) {
		a.write(journal.Warning, Twilio, "callback_ignored", "A callback names a call that is not known.", call.Call{Key: k})
		return nil
	}
	if err != nil {
		return err
	}
	if c.Intent == nil || c.Intent.Attempt != attempt {
		a.write(journal.Warning, Twilio, "callback_ignored", "A callback names an attempt that is not the call's.", c)
		return nil
	}
	if c.Answered() || c.Ring() == l.SID && (c.State == call.Completed || !l.Final()) {
		return nil
	}
	answer := call.Answer{SID: l.SID, Result: l.Result, Duration: l.Duration, Detail: l.Detail, At: a.Clock.Now()}
	c, err = a.Ledger.Answer(ctx, k, attempt, answer)
	var taken *TakenError
	switch {
	case errors.Is(err, ErrConflict), errors.Is(err, ErrNotFound):
		return nil
	case errors.As(err, &taken):
		a.write(journal.Error, Twilio, "callback_ignored", "A callback names a ring that "+taken.Error()+".", c)
		return nil
	case err != nil:
		return err
	}
	if !answer.Final() {
		return nil
	}
	a.write(journal.Info, Twilio, "answer_received", "The provider reports: "+string(l.Result)+".", c)
	return a.wake(ctx, c, 0)
}
