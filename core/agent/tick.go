package agent

import (
	"context"
	"encoding/json"
	"errors"
	"time"

	"callagent/core/alert"
	"callagent/core/breaker"
	"callagent/core/call"
	"callagent/core/fault"
	"callagent/core/health"
	"callagent/core/journal"
)

// mostPerTick bounds what one tick reads and sends of each kind.
const mostPerTick = 1000

// Tick is one run of the background work. Everything in it is level-triggered:
// a lost or doubled tick costs time and nothing else. Its parts may also be
// called by themselves and at once.
func (a *Agent) Tick(ctx context.Context) {
	for _, name := range Services() {
		a.Check(ctx, name)
	}
	a.Sweep(ctx)
}

// Check looks after one service: it probes the circuit if a probe is due,
// releases parked calls if it is closed, and sees that people know.
func (a *Agent) Check(ctx context.Context, service string) {
	s := a.services[service]
	if s == nil {
		a.unpark(ctx, service)
		return
	}
	r, known := s.circuit.Look(ctx, time.Time{})
	if !known {
		return
	}
	if r.State == breaker.Closed {
		a.release(ctx, s, r)
	} else {
		a.probe(ctx, s)
		a.remind(ctx, s)
	}
	a.announce(ctx, s.circuit.Seen())
}

// Ahead is for a tick that a schedule started: when the next ones must not wait
// for the schedule, because a circuit is not closed or calls are to be
// released, it calls for them. A tick that was called for must not do so: they
// would multiply.
func (a *Agent) Ahead(ctx context.Context) {
	for _, name := range Services() {
		if a.busy(ctx, name) {
			a.sendTicks(ctx)
			return
		}
	}
}

// busy reports whether a service needs ticks more often than a schedule comes.
func (a *Agent) busy(ctx context.Context, service string) bool {
	s := a.services[service]
	if s == nil {
		return false
	}
	now := a.Clock.Now()
	r, known := s.circuit.Look(ctx, time.Time{})
	if !known || r.Forced == breaker.ForcedOpen || r.OpenUntil.After(now.Add(health.TicksAhead)) {
		return false
	}
	unsent := time.Time{}
	if r.State == breaker.Closed {
		unsent = health.Unsent(r, now)
	} else if !onlyRealProves(service) {
		return true
	}
	parked, err := a.Backlog.Parked(ctx, service, unsent, 1)
	return err == nil && len(parked) > 0
}

// sendTicks calls for ticks until the next one of the schedule.
func (a *Agent) sendTicks(ctx context.Context) {
	if a.Ticks == nil {
		return
	}
	ctx, cancel := a.Clock.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
	defer cancel()
	if err := a.Ticks.SendTicks(ctx, health.Ticks()); err != nil {
		a.write(journal.Warning, "", "ticks_not_sent", "No ticks could be called for: health checks wait for the schedule.", call.Call{})
	}
}

// probe tests an open circuit with the cheapest request. When that passes and
// calls are parked, one of them tests for real: only its result closes.
func (a *Agent) probe(ctx context.Context, s *service) {
	if _, change := breaker.TakeProbe(s.circuit.Seen(), a.Holder, s.Timeout, a.Clock.Now()); change == breaker.Unchanged {
		return // nobody is to probe it yet
	}
	heirs, err := a.Backlog.Parked(ctx, s.name, time.Time{}, 5)
	if err != nil {
		return
	}
	if len(heirs) == 0 && onlyRealProves(s.name) {
		return // nothing that the cheap request could show would close it
	}
	began := a.Clock.Now()
	r, change := s.circuit.Change(ctx, func(r breaker.Record) (breaker.Record, breaker.Change) {
		return breaker.TakeProbe(r, a.Holder, s.Timeout, began)
	})
	if change != breaker.Leased && change != breaker.TakenOver {
		return
	}
	p, refusal := breaker.Admit(r, a.Holder, s.Timeout, a.Clock.Now())
	if refusal != breaker.None {
		return
	}
	limited, cancel := a.Clock.WithTimeout(ctx, s.Timeout)
	err = s.prober.Probe(limited, r.LastFault)
	cancel()
	now := a.Clock.Now()
	switch {
	case err == nil:
		a.write(journal.Info, s.name, "probe_passed", "The health check passed.", call.Call{})
		a.prove(ctx, s, p, heirs)
	case cancelled(ctx, err):
		s.circuit.Released(ctx, p, now)
	default:
		f := fault.From(s.name, err)
		a.journalFault(journal.Warning, s, "probe_failed", "The health check failed: "+alert.Words(f)+".", f)
		r, change := s.circuit.Failed(ctx, Attempt{Permit: p, Fault: f, Began: began, Cheap: true}, now)
		a.circuitChanged(ctx, s, r, change)
	}
}

// onlyRealProves: nothing without an effect can prove that a phone can be
// rung or a CRM written.
func onlyRealProves(service string) bool { return service == Twilio || service == CRMService }

// prove ends a cheap probe that passed: one parked call inherits the lease, or
// the circuit closes.
func (a *Agent) prove(ctx context.Context, s *service, p breaker.Permit, heirs []call.Call) {
	for _, heir := range heirs {
		now := a.Clock.Now()
		if err := a.Backlog.Stamp(ctx, heir, now); err != nil {
			continue // it is no longer parked; the next one
		}
		_, change := s.circuit.Change(ctx, func(r breaker.Record) (breaker.Record, breaker.Change) {
			return breaker.HandOver(r, p, heir.Key.String(), s.Timeout, now)
		})
		if change != breaker.HandedOver {
			return
		}
		// Stamped again, so that nobody refuses it on a record from before.
		_ = a.Backlog.Stamp(ctx, heir, a.Clock.Now())
		a.write(journal.Info, s.name, "probe_handed_over", "One call that was set aside tests the service for real.", heir)
		a.test(ctx, heir)
		return
	}
	if onlyRealProves(s.name) {
		s.circuit.Released(ctx, p, a.Clock.Now())
		return
	}
	change := s.circuit.Succeeded(ctx, p, a.Clock.Now())
	a.circuitChanged(ctx, s, s.circuit.Seen(), change)
}

// test has the heir of a probe send its request. When its wake-up is lost, the
// lease runs out and the next tick goes on.
func (a *Agent) test(ctx context.Context, heir call.Call) {
	body, err := json.Marshal(heir.Contact)
	if !a.WorksHeirs || err != nil {
		_ = a.wake(ctx, heir, 0)
		return
	}
	if v := a.Handle(ctx, Message{Body: body}); v.Do == Again {
		_ = a.wake(ctx, heir, max(0, v.At.Sub(a.Clock.Now())))
	}
}

// release sends parked calls of a closed circuit back to the queue, a few at
// first.
func (a *Agent) release(ctx context.Context, s *service, r breaker.Record) {
	now := a.Clock.Now()
	parked, err := a.Backlog.Parked(ctx, s.name, health.Unsent(r, now), mostPerTick)
	if err != nil || len(parked) == 0 {
		return
	}
	n, counts := 0, false
	_, change := s.circuit.Change(ctx, func(r breaker.Record) (breaker.Record, breaker.Change) {
		before := r
		r, n = health.Release(r, len(parked), now)
		if counts = r != before; !counts {
			return r, breaker.Unchanged
		}
		return r, breaker.Noted
	})
	if counts && change != breaker.Noted {
		return // the ramp could not be stored: the next tick
	}
	sent := 0
	for i, c := range parked[:n] {
		if a.Backlog.Stamp(ctx, c, now) == nil && a.wake(ctx, c, health.Spread(i, n)) == nil {
			sent++
		}
	}
	if sent > 0 {
		a.journalCount(s, "calls_released", sent, len(parked)-n)
	}
}

// unpark wakes the calls that were set aside for a service that has been
// switched off since.
func (a *Agent) unpark(ctx context.Context, service string) {
	now := a.Clock.Now()
	parked, err := a.Backlog.Parked(ctx, service, now.Add(-health.StampFor), mostPerTick)
	if err != nil {
		return
	}
	for i, c := range parked {
		if a.Backlog.Stamp(ctx, c, now) == nil {
			_ = a.wake(ctx, c, health.Spread(i, len(parked))) // when it is lost, a later tick sends it again
		}
	}
}

// remind tells people again of an outage that lasts.
func (a *Agent) remind(ctx context.Context, s *service) {
	now := a.Clock.Now()
	s.circuit.Change(ctx, func(r breaker.Record) (breaker.Record, breaker.Change) {
		r, due := health.Remind(r, now)
		if !due {
			return r, breaker.Unchanged
		}
		return r, breaker.Noted
	})
}

// announce raises what people should know of a circuit by now. What they were
// told before is dropped by its id.
func (a *Agent) announce(ctx context.Context, r breaker.Record) {
	now := a.Clock.Now()
	if !health.Announce(r, now) {
		return
	}
	for _, al := range alert.ForCircuit(r, now) {
		a.raise(ctx, al)
	}
}

// Conclude is for a process that ends: it tells of a circuit that closed a
// moment ago and held until now, because no tick will.
func (a *Agent) Conclude(ctx context.Context) {
	later := a.Clock.Now().Add(health.HoldsAfter)
	for _, s := range a.services {
		if r := s.circuit.Seen(); r.State == breaker.Closed && health.Announce(r, later) {
			for _, al := range alert.ForCircuit(r, later) {
				if al.Kind == alert.CircuitClosed {
					a.raise(ctx, al)
				}
			}
		}
	}
}

// Finished tells people of the campaigns whose calls have all ended, by the
// counts of all calls. It is for a time when no contact is on the queue.
func (a *Agent) Finished(ctx context.Context, counts []call.Count) {
	tallies, live := map[string]alert.Tally{}, map[string]bool{}
	for _, n := range counts {
		t := tallies[n.Campaign]
		t.Kept += n.Kept
		switch n.State {
		case call.Completed:
			t.Completed += n.Calls
		case call.Failed:
			t.Failed += n.Calls
		case call.Unknown:
			t.Unknown += n.Calls
		case call.Expired:
			t.Expired += n.Calls
		default:
			live[n.Campaign] = true
		}
		tallies[n.Campaign] = t
	}
	for name, t := range tallies {
		if !live[name] {
			a.raise(ctx, alert.ForCampaign(name, t, a.Clock.Now()))
		}
	}
}

// Sweep looks after the calls: it wakes those that are overdue or whose park
// time has come, and ends those whose time is over.
func (a *Agent) Sweep(ctx context.Context) {
	now := a.Clock.Now()
	due, err := a.Backlog.Due(ctx, now.Add(-a.Skew), mostPerTick)
	if err != nil {
		if ctx.Err() == nil {
			a.write(journal.Error, "", "ledger_silent", "The ledger does not answer: overdue calls wait.", call.Call{})
		}
		return
	}
	for _, c := range due {
		a.sweepOne(ctx, c, now)
	}
}

func (a *Agent) sweepOne(ctx context.Context, c call.Call, now time.Time) {
	if lapsed, yes := c.Lapsed(now); yes && c.State != call.Running {
		if err := a.Ledger.Put(ctx, call.Write{Call: lapsed, Number: call.FreeNumber}); err == nil {
			a.journalEnd(lapsed)
		}
		return
	}
	stamped := !c.Park.SentAt.IsZero() && now.Sub(c.Park.SentAt) < health.StampFor
	timely := c.State == call.Parked && !c.Park.Until.IsZero() && !c.Park.Until.After(now)
	overdue := now.Sub(c.Due) >= health.Overdue && now.After(c.Lease.Until.Add(a.Skew))
	if stamped || !timely && !overdue {
		return
	}
	if a.Backlog.Stamp(ctx, c, now) == nil && a.wake(ctx, c, 0) == nil && overdue {
		a.write(journal.Warning, "", "call_overdue", "Nobody came for this call in time: it was sent a wake-up.", c)
	}
}

// wake sends a call a message that says "look at this call".
func (a *Agent) wake(ctx context.Context, c call.Call, delay time.Duration) error {
	body, err := json.Marshal(c.Contact)
	if err != nil {
		return err
	}
	err = a.Queue.Send(ctx, delay, body)
	if err != nil && !errors.Is(err, context.Canceled) {
		a.write(journal.Error, "", "wake_failed", "A wake-up could not be sent: the next tick sends it again.", c)
	}
	return err
}

// raise gives an alert to the outbox and reports whether it is kept. One that
// is not is raised again: a circuit's by the next tick, a call's by the next
// look at the call, because its notice stays.
func (a *Agent) raise(ctx context.Context, al alert.Alert) bool {
	channels := a.Channels(al)
	if len(channels) == 0 {
		return true
	}
	ctx, cancel := a.Clock.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
	defer cancel()
	err := a.Outbox.Raise(ctx, channels, al)
	if err != nil {
		a.Journal.Write(journal.Entry{Time: a.Clock.Now(), Level: journal.Error, Service: al.Service, Event: "alert_not_raised",
			Message: "An alert could not be stored: it is raised again later.", CallID: al.CallID, Campaign: al.Campaign})
	}
	return err == nil
}
