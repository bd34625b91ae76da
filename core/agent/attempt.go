package agent

import (
	"context"
	"errors"
	"fmt"
	"math"
	"time"

	"callagent/core/breaker"
	"callagent/core/call"
	"callagent/core/journal"
)

// PaceAhead is how far ahead a reserved moment may lie to be waited for in
// place; for a later one the message comes back.
const PaceAhead = time.Second

// SlotFor is how late a reserved moment may still be used.
const SlotFor = 30 * time.Second

// permission is the right to send one request now.
type permission struct {
	permit breaker.Permit
	free   func() // gives the place in flight back
}

// permitted gets everything one request to a service needs: a place in flight,
// its moment in the fleet's pace, a lease that outlasts it and the circuit's
// permit. When it may not be sent now the call is stored as waiting or parked,
// and ok is false.
//
// The circuit is asked before the pace too: a call that is refused takes no
// moment from others, and a probe takes none at all. It is the only request
// there is, and its lease would end while it stands behind calls whose moments
// were given out before the outage.
func (a *Agent) permitted(ctx context.Context, w *work, s *service) (p permission, ok bool, err error) {
	if p.free, err = s.place(ctx); err != nil {
		return p, false, a.yield(ctx, w)
	}
	defer func() {
		if !ok {
			p.free()
		}
	}()
	if s.Rate > 0 {
		permit, ok, err := a.admitted(ctx, w, s)
		if !ok {
			return p, false, err
		}
		if !permit.Probe {
			if ready, err := a.paced(ctx, w, s); !ready {
				return p, false, err
			}
		}
	}
	if err := a.covered(ctx, w, s.Timeout); err != nil {
		return p, false, err
	}
	if !a.fits(ctx, s.Timeout) {
		return p, false, a.yield(ctx, w)
	}
	p.permit, ok, err = a.admitted(ctx, w, s)
	return p, ok, err
}

// admitted asks the circuit. A call that is refused is stored as waiting or
// parked, without the moment that it may have reserved.
func (a *Agent) admitted(ctx context.Context, w *work, s *service) (breaker.Permit, bool, error) {
	var permit breaker.Permit
	refusal, now := breaker.CircuitOpen, a.Clock.Now()
	if !s.circuit.Shut(now.UnixNano()) {
		permit, refusal = s.circuit.Admit(ctx, w.call.Key.String(), s.Timeout, now)
	}
	if refusal == breaker.None {
		return permit, true, nil
	}
	w.call.Slot = time.Time{}
	if refusal == breaker.Paused {
		r := s.circuit.Seen()
		at := r.PausedUntil.Add(time.Duration(a.Random() * float64(r.PausedUntil.Sub(now))))
		return permit, false, a.defers(ctx, w, s, at, alertName(s)+" asked everybody to slow down")
	}
	return permit, false, a.park(ctx, w, s, notClosed(s))
}

// place waits for a place among the requests in flight.
func (s *service) place(ctx context.Context) (func(), error) {
	if s.slots == nil {
		return func() {}, nil
	}
	select {
	case s.slots <- struct{}{}:
		return func() { <-s.slots }, nil
	case <-ctx.Done():
		return func() {}, ctx.Err()
	}
}

// paced reserves the moment of a request to a service that has a rate, and
// waits for it if it is near.
func (a *Agent) paced(ctx context.Context, w *work, s *service) (bool, error) {
	now := a.Clock.Now()
	slot := w.call.Slot
	if slot.IsZero() || now.Sub(slot) > SlotFor {
		var err error
		every := time.Duration(float64(time.Second) / s.Rate)
		slot, err = a.Pace.Slot(ctx, s.name, every, now)
		switch {
		case cancelled(ctx, err):
			return false, a.yield(ctx, w)
		case err != nil:
			a.write(journal.Error, s.name, "ledger_silent", "The pace store does not answer: the call waits.", w.call)
			return false, a.defers(ctx, w, s, now.Add(SilentLedger), "the pace store does not answer")
		}
	}
	if slot.Sub(now) > PaceAhead {
		w.call = w.call.Until(slot, now, fmt.Sprintf("its turn to use %s comes later", alertName(s)))
		w.call.Slot = slot
		return false, a.save(ctx, w, call.Write{})
	}
	if err := a.Clock.Sleep(ctx, slot.Sub(now)); err != nil {
		return false, a.yield(ctx, w)
	}
	w.call.Slot = time.Time{}
	return true, nil
}

// covered makes sure that the lease outlasts a request of the limit, with its
// margin. A lease that grew short while waiting for a place is renewed.
func (a *Agent) covered(ctx context.Context, w *work, limit time.Duration) error {
	if a.covers(w, limit) {
		return nil
	}
	if err := a.save(ctx, w, call.Write{}); err != nil {
		return err
	}
	if !a.covers(w, limit) {
		return errStop
	}
	return nil
}

func (a *Agent) covers(w *work, limit time.Duration) bool {
	return !a.Clock.Now().Add(limit + call.LeaseMargin).After(w.leaseEnd)
}

// DeadlineMargin is what must be left of a process's own time after the time
// limit of a request, so that what came of it can be stored.
const DeadlineMargin = 2 * time.Second

// fits reports whether a request of the limit can end well before this process
// has to.
func (a *Agent) fits(ctx context.Context, limit time.Duration) bool {
	return timeLeft(ctx, a.Clock) >= limit+DeadlineMargin
}

// timeLeft is how long ctx goes on; the longest duration when nothing ends it.
func timeLeft(ctx context.Context, c Clock) time.Duration {
	deadline, bound := ctx.Deadline()
	if !bound {
		return math.MaxInt64
	}
	return deadline.Sub(c.Now())
}

// request sends one request that may be repeated, reports its end to the
// circuit, and stores what a failure means for the call. ok is true when the
// request succeeded; its result is then stored by the caller.
func (a *Agent) request(ctx context.Context, w *work, s *service, send func(context.Context) error) (ok bool, err error) {
	p, ok, err := a.permitted(ctx, w, s)
	if !ok {
		return false, err
	}
	defer p.free()
	began := a.Clock.Now()
	if p.permit.Late(began) {
		s.circuit.Released(ctx, p.permit, began)
		return false, a.park(ctx, w, s, "the probe came too late")
	}
	limited, cancel := a.Clock.WithTimeout(ctx, s.Timeout)
	err = send(limited)
	cancel()
	now := a.Clock.Now()
	if err == nil {
		a.succeeded(ctx, w, s, p.permit, began)
		return true, nil
	}
	if cancelled(ctx, err) {
		s.circuit.Released(ctx, p.permit, now)
		return false, a.yield(ctx, w)
	}
	f := a.faultOf(s, w.call, err)
	w.call = a.failed(ctx, w, s, Attempt{Permit: p.permit, Fault: f, Began: began})
	return false, a.save(ctx, w, freeing(w.call))
}

// cancelled tells our own stop from a failure of the service.
func cancelled(ctx context.Context, err error) bool {
	return ctx.Err() != nil && (errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded))
}

// freeing gives the number back with a final state.
func freeing(c call.Call) call.Write {
	if c.State == call.Failed || c.State == call.Expired {
		return call.Write{Number: call.FreeNumber}
	}
	return call.Write{}
}

// succeeded reports a success to the circuit and the journal.
func (a *Agent) succeeded(ctx context.Context, w *work, s *service, p breaker.Permit, began time.Time) {
	now := a.Clock.Now()
	change := s.circuit.Succeeded(ctx, p, now)
	a.journalRequest(w, s, now.Sub(began), nil)
	a.circuitChanged(ctx, s, s.circuit.Seen(), change)
}

// failed reports a failure to the circuit and the journal, and gives the call
// as the rules want it.
func (a *Agent) failed(ctx context.Context, w *work, s *service, f Attempt) call.Call {
	now := a.Clock.Now()
	f.MayTrip = w.call.Retries == 0 || w.call.Retries >= s.Retry.MaxRetries
	a.journalRequest(w, s, now.Sub(f.Began), f.Fault)
	spent := f.Fault.Treatment().Retry && w.call.Retries >= s.Retry.MaxRetries
	if spent {
		a.journalSpent(w, s, f.Fault)
	}
	before := s.circuit.Seen()
	r, change := s.circuit.Failed(ctx, f, now)
	if change == breaker.Tripped && r.Outage != before.Outage {
		a.announce(ctx, before) // perhaps nobody was told yet how that went
	}
	a.circuitChanged(ctx, s, r, change)
	next := call.AfterFault(w.call, f.Fault, call.Situation{
		Now: now, Step: w.step, Circuit: r, Policy: s.Retry, U: a.Random(),
	})
	a.journalNext(next, s, w.step, now)
	return next
}

// park sets the call aside until the service's circuit closes.
func (a *Agent) park(ctx context.Context, w *work, s *service, why string) error {
	now := a.Clock.Now()
	w.call = w.call.ForCircuit(s.name, now, why)
	a.journalNext(w.call, s, w.step, now)
	return a.save(ctx, w, call.Write{})
}

// notClosed is why a call is set aside whose step the circuit refuses.
func notClosed(s *service) string {
	return alertName(s) + " does not work at the moment (its circuit is not CLOSED)"
}

// defers makes the call wait without using up a retry.
func (a *Agent) defers(ctx context.Context, w *work, s *service, at time.Time, why string) error {
	now := a.Clock.Now()
	w.call = w.call.Deferred(at, now, why)
	a.journalNext(w.call, s, w.step, now)
	return a.save(ctx, w, call.Write{})
}

// ready asks, before the first paid step, whether the call could be dialled at
// all: its time, its window, the do-not-call list, and the circuits of every
// step up to the dial. No script and no speech are paid for a call that cannot
// be dialled. Only the call that tests a circuit for real goes as far as that:
// of two circuits that are open neither would close if each waited for the
// other.
func (a *Agent) ready(ctx context.Context, w *work) (bool, error) {
	if open, err := a.timely(ctx, w); !open {
		return false, err
	}
	blocked, err := a.Blocklist.Blocked(ctx, w.call.Number)
	if err == nil && blocked {
		return false, a.fail(ctx, w, ErrBlocked.Error())
	}
	for _, name := range []string{LLM, ElevenLabs, Twilio} {
		s := a.services[name]
		r, known := s.circuit.Look(ctx, time.Time{})
		switch {
		case !known || r.State == breaker.Closed:
		case r.State == breaker.HalfOpen && r.Probe.Holder == w.call.Key.String():
			return true, nil
		default:
			return false, a.park(ctx, w, s, notClosed(s))
		}
	}
	return true, nil
}

// timely ends a call whose time is over, and parks one outside its call window
// until the window opens.
func (a *Agent) timely(ctx context.Context, w *work) (bool, error) {
	if lapsed, yes := w.call.Lapsed(a.Clock.Now()); yes {
		w.call = lapsed
		return false, a.saveEnd(ctx, w, call.Write{Number: call.FreeNumber})
	}
	var zones []*time.Location
	if a.Zones != nil {
		zones = a.Zones(w.call.Contact)
	}
	now := a.Clock.Now()
	opens := w.campaign.Window.Opens(now, zones)
	if !opens.After(now) {
		return true, nil
	}
	w.call = w.call.For(opens.Sub(now), now, call.OutsideWindow)
	a.write(journal.Info, "", "call_parked", "Outside the call window: set aside until "+opens.UTC().Format(time.RFC3339)+", next contact.", w.call)
	return false, a.save(ctx, w, call.Write{})
}

// fail ends a call that was never rung.
func (a *Agent) fail(ctx context.Context, w *work, why string) error {
	w.call = w.call.Failed(a.Clock.Now(), why)
	return a.saveEnd(ctx, w, call.Write{Number: call.FreeNumber})
}
