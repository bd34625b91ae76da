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

// dial has the provider ring the contact: at most one request ever leaves for
// a call. What must be allowed is asked first, the intent is stored before the
// request, the provider's id after it.
func (a *Agent) dial(ctx context.Context, w *work) error {
	s := a.services[Twilio]
	if open, err := a.timely(ctx, w); !open {
		return err
	}
	link, err := a.Media.Link(ctx, w.call.Speech)
	if err != nil {
		return a.mediaGone(ctx, w, err)
	}
	p, ok, err := a.permitted(ctx, w, s)
	if !ok {
		return err
	}
	defer p.free()
	if ok, err := a.intend(ctx, w, s, p.permit); !ok {
		return err
	}
	return a.send(ctx, w, s, p.permit, link)
}

// intend stores the promise to dial, in one transaction with the number. A slow
// ledger gets all the time that the lease has to spare: an intent of which
// nobody knows whether it was stored costs a contact, who ends unknown.
func (a *Agent) intend(ctx context.Context, w *work, s *service, p breaker.Permit) (bool, error) {
	before := w.call
	now := a.Clock.Now()
	w.call.Lease.Until = now.Add(a.leaseFor(w.call))
	w.leaseEnd = w.call.Lease.Until
	w.call = w.call.Intends(a.NewID(), a.caller(w.campaign), now)
	limited, cancel := a.Clock.WithTimeout(context.WithoutCancel(ctx), a.leaseFor(w.call)-s.Timeout-call.LeaseMargin)
	err := a.put(limited, w, call.Write{Call: w.call, Number: call.TakeNumber})
	cancel()
	if errors.Is(err, errStop) && !errors.Is(err, ErrConflict) && a.intended(ctx, w) {
		err = nil
	}
	if err == nil {
		return true, nil
	}
	s.circuit.Released(ctx, p, a.Clock.Now())
	w.call = before
	var taken *TakenError
	switch {
	case errors.Is(err, ErrBlocked):
		return false, a.fail(ctx, w, err.Error())
	case errors.As(err, &taken) && taken.What == NumberMarked:
		return false, a.fail(ctx, w, "duplicate of "+taken.By.String())
	case errors.As(err, &taken):
		w.call = w.call.For(call.NumberBusyFor, a.Clock.Now(), "another call to the number is under way")
		a.write(journal.Info, "", "call_parked", "Another call to the number is under way: set aside for a minute, next contact.", w.call)
		return false, a.save(ctx, w, call.Write{})
	}
	return false, err
}

// intended reads the call after a write whose answer was lost: was the intent
// stored after all?
func (a *Agent) intended(ctx context.Context, w *work) bool {
	limited, cancel := a.Clock.WithTimeout(context.WithoutCancel(ctx), call.LeaseMargin/2)
	defer cancel()
	c, err := a.Ledger.Get(limited, w.call.Key)
	if err != nil || c.Intent == nil || c.Intent.Attempt != w.call.Intent.Attempt {
		return false
	}
	w.call.Version = c.Version
	return true
}

// send sends the request, unless it could no longer end before the intent's
// deadline, and stores what came of it.
func (a *Agent) send(ctx context.Context, w *work, s *service, p breaker.Permit, link string) error {
	began := a.Clock.Now()
	deadline := w.leaseEnd.Add(-call.LeaseMargin)
	late := began.Add(s.Timeout).After(deadline) || p.Late(began)
	if late || !a.fits(ctx, s.Timeout) {
		return a.notDialled(ctx, w, s, p, "too late in the lease")
	}
	if !p.Unowned && s.circuit.Seen().Epoch != p.Epoch {
		return a.notDialled(ctx, w, s, p, "its circuit changed meanwhile")
	}
	if a.Stopping() || ctx.Err() != nil {
		return a.notDialled(ctx, w, s, p, "the process is stopping")
	}
	ask := call.DialRequest{
		Attempt: w.call.Intent.Attempt, To: w.call.Contact.Phone, From: w.call.Intent.From, AudioURL: link,
		RingTimeout: w.campaign.RingTimeout, MaxLength: w.campaign.MaxLength, MachineDetection: w.campaign.MachineDetection,
	}
	if a.CallbackURL != nil {
		ask.CallbackURL = a.CallbackURL(w.call.Key, ask.Attempt)
	}
	limited, cancel := a.Clock.WithTimeout(ctx, min(s.Timeout, deadline.Sub(a.Clock.Now())))
	sid, err := a.Dialer.Dial(limited, ask)
	cancel()
	var known *fault.Fault
	if err != nil && !errors.As(err, &known) { // nobody knows whether it rings
		err = &fault.Fault{Class: fault.Ambiguous, Service: s.name, Message: "an error that its adapter did not classify", Cause: err}
	}
	if err == nil {
		return a.placed(ctx, w, s, p, sid, began)
	}
	f := a.faultOf(s, w.call, err)
	if !cancelled(ctx, err) {
		return a.notPlaced(ctx, w, s, Attempt{Permit: p, Fault: f, Began: began})
	}
	if f.Class != fault.Ambiguous {
		return a.notDialled(ctx, w, s, p, "the process is stopping")
	}
	now := a.Clock.Now() // we cut it off, so it says nothing about the service
	s.circuit.Released(ctx, p, now)
	w.call = w.call.Asking(now, alert.Words(f))
	a.journalNext(w.call, s, w.step, now)
	return a.save(ctx, w, call.Write{})
}

// notDialled withdraws the intent of a request that never left.
func (a *Agent) notDialled(ctx context.Context, w *work, s *service, p breaker.Permit, why string) error {
	now := a.Clock.Now()
	s.circuit.Released(ctx, p, now)
	w.call = w.call.Withdrawn().Until(now, now, "not dialled: "+why)
	return a.save(ctx, w, call.Write{Number: call.WithdrawNumber})
}

// placed stores the provider's id. A holder that lost the call meanwhile still
// leaves the id with the call, by its attempt.
func (a *Agent) placed(ctx context.Context, w *work, s *service, p breaker.Permit, sid string, began time.Time) error {
	ctx = context.WithoutCancel(ctx)
	now := a.Clock.Now()
	attempt := w.call.Intent.Attempt
	w.call = w.call.Placed(sid, now)
	err := a.save(ctx, w, call.Write{Own: sid})
	if err != nil {
		_, late := a.Ledger.Answer(ctx, w.call.Key, attempt, call.Answer{SID: sid, At: now})
		if late != nil {
			a.write(journal.Error, Twilio, "sid_not_stored", "The provider accepted the dial but its id could not be stored: the call will be looked up.", w.call)
		}
	}
	a.succeeded(ctx, w, s, p, began)
	if err != nil {
		return errStop
	}
	return nil
}

// notPlaced stores what a failed dial means. Unless the request may have been
// executed, the intent is withdrawn in the same write.
func (a *Agent) notPlaced(ctx context.Context, w *work, s *service, f Attempt) error {
	if f.Fault.Class == fault.Ambiguous {
		w.call = a.failed(ctx, w, s, f)
		return a.save(ctx, w, call.Write{})
	}
	w.call = w.call.Withdrawn()
	w.call = a.failed(ctx, w, s, f)
	return a.save(ctx, w, call.Write{Number: call.WithdrawNumber})
}
