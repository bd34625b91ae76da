package world

import (
	"slices"
	"time"

	"callagent/core/alert"
	"callagent/core/breaker"
	"callagent/core/call"
	"callagent/core/fault"
)

// believed is how long a record may be believed that was read.
const believed = time.Second

// circuit is what the world knows of one circuit.
type circuit struct {
	record breaker.Record
	opened time.Duration // since when it is not closed
	leases []*lease
	paused time.Duration // when the last wait was stored that the service asked for
	pause  time.Duration // when it is over
}

// lease is the right to send one request to an open circuit.
type lease struct {
	epoch    int64
	holder   string
	until    time.Duration // on the clock of the process that took it
	ended    time.Duration // when the next epoch was stored; 0: not yet
	requests int
	// excused: whoever sent a request on it could not store what came of it, so
	// the call may send another one.
	excused bool
}

// loaded notes whether a process could read a circuit: if not, it may send
// requests without knowing, for as long as it leaves the store alone.
func (w *World) loaded(p *Process, service string, err error) {
	i := serviceOf(service)
	if err != nil {
		p.seen.silent[i] = w.now + believed
		p.excuse(i)
		return
	}
	p.seen.silent[i], p.seen.read[i] = 0, w.now+believed
}

// excuse notes that the result of a process's request may not be stored.
func (p *Process) excuse(service int) {
	if l := p.seen.admitted[service].lease; l != nil {
		l.excused = true
	}
}

// swapped checks a write of a circuit.
func (w *World) swapped(by standing, r breaker.Record) {
	i := serviceOf(r.Service)
	c := &w.circuits[i]
	old := c.record
	c.record = r
	if w.Trace != nil {
		w.tracef("%-4s   circuit of %s: %s, version %d, epoch %d, streak %d, probe %q", by.p.Name, r.Service, r.State, r.Version, r.Epoch, r.Streak, r.Probe.Holder)
	}
	w.checkSwap(by, old, r)
	w.checkCause(by, by.seen.ended[i], by.seen.admitted[i], old, r)
	c.follow(w.now, by, by.seen.ended[i], old, r)
	if old.State == breaker.Closed && r.State == breaker.Open && r.Outage == r.Epoch {
		w.opens(by, old, r)
	}
}

// opens notes an opening that people have to be told of. One that nobody could
// be told of before the next comes is told by whoever makes that: once, unless
// something is wrong there too.
func (w *World) opens(by standing, old, r breaker.Record) {
	w.opened++
	if before := alertID(old, alert.CircuitOpened); before != "" && !w.kept[before] {
		by.p.untold = append(by.p.untold, before)
	}
	w.openings = append(w.openings, alertID(r, alert.CircuitOpened))
}

// hushed forgives a process that had troubles of its own when it should have
// told of an outage before the one that it found.
func (w *World) hushed(p *Process) {
	for _, id := range p.untold {
		if (p.dead || p.seen.trouble) && !w.kept[id] {
			w.openings = slices.DeleteFunc(w.openings, func(owed string) bool { return owed == id })
			w.countName(overtaken)
		}
	}
	p.untold = nil
}

// follow keeps what the next checks need.
func (c *circuit) follow(now time.Duration, by standing, e ending, old, r breaker.Record) {
	if old.State == breaker.Closed && r.State != breaker.Closed {
		c.opened = now
	}
	if n := len(c.leases); n > 0 && r.Epoch > c.leases[n-1].epoch && c.leases[n-1].ended == 0 {
		c.leases[n-1].ended = now
	}
	if n := len(c.leases); r.State == breaker.HalfOpen && (n == 0 || r.Epoch > c.leases[n-1].epoch) {
		c.leases = append(c.leases, &lease{epoch: r.Epoch, holder: r.Probe.Holder})
	}
	if n := len(c.leases); r.State == breaker.HalfOpen {
		c.leases[n-1].until = r.Probe.Until.Sub(Start) - by.p.Skew
	}
	shut := r.State == breaker.Open && old.State != breaker.Open
	if f := e.fault; f != nil && f.RetryAfter > 0 && (shut || r.PausedUntil.After(old.PausedUntil)) && e.at+f.RetryAfter > c.pause {
		c.paused, c.pause = now, e.at+f.RetryAfter
	}
}

// checkSwap holds at every write: versions follow each other, and each
// transition, and nothing else, starts an epoch.
func (w *World) checkSwap(by standing, old, r breaker.Record) {
	if r.Version != old.Version+1 || r.Epoch < old.Epoch || r.Epoch > old.Epoch+1 {
		w.violate("the circuit of %s goes from version %d, epoch %d, to %d, %d", r.Service, old.Version, old.Epoch, r.Version, r.Epoch)
	}
	if r.Epoch == old.Epoch && r.State != old.State {
		w.violate("the circuit of %s becomes %s without a new epoch", r.Service, r.State)
	}
	legal := r.Epoch == old.Epoch
	for _, t := range breaker.Transitions {
		legal = legal || t.From == old.State && t.To == r.State
	}
	if !legal {
		w.violate("the circuit of %s goes from %s to %s", r.Service, old.State, r.State)
	}
	ends := old.State == breaker.HalfOpen && r.State != breaker.HalfOpen
	if ends && old.Probe.Holder != by.holder && old.Probe.Holder != by.seen.key.String() {
		w.violate("%s ends the probe of %s, which %s holds", by.holder, r.Service, old.Probe.Holder)
	}
}

// checkCause holds when a result changes a circuit: it is of the present epoch,
// and no fault of a contact counts.
func (w *World) checkCause(by standing, e ending, a admission, old, r breaker.Record) {
	trips := old.State == breaker.Closed && r.State == breaker.Open
	counts := trips || r.StreakAt.After(old.StreakAt)
	closes := old.State == breaker.HalfOpen && r.State == breaker.Closed
	clears := r.Epoch == old.Epoch && r.Streak < old.Streak && !counts
	if !counts && !closes && !clears {
		return
	}
	if a.epoch < old.Epoch || a.blind {
		w.violate("a result of epoch %d (sent blind: %v) changes the circuit of %s in epoch %d", a.epoch, a.blind, r.Service, old.Epoch)
	}
	switch {
	case counts && e.fault == nil:
		w.violate("a success counts toward the circuit of %s", r.Service)
	case counts && e.fault.Class == fault.Permanent && e.fault.Scope == fault.Contact && !e.fault.Suspect:
		w.violate("a fault of a contact counts toward the circuit of %s: %s", r.Service, e.fault)
	case counts && !e.fault.Treatment().Counts && !e.fault.Suspect:
		w.violate("%q counts toward the circuit of %s", e.fault.Treatment().Name, r.Service)
	case closes && e.fault != nil:
		w.violate("%q closes the circuit of %s", e.fault.Treatment().Name, r.Service)
	}
}

// admittedAs checks that a request may be sent now in the name of who: from 1 s
// after OPEN was stored only one for each probe lease, by its holder, unless
// the process cannot read the circuit; and none during a wait that the service
// asked for and that has been stored for 1 s. A record is believed for 1 s, which is where the seconds are
// from. The dial's moment is that of its intent.
func (w *World) admittedAs(p *Process, service, who string) {
	i := serviceOf(service)
	c := &w.circuits[i]
	a := admission{epoch: c.record.Epoch, blind: w.now < p.seen.silent[i] && w.now > p.seen.read[i]}
	if c.record.State != breaker.Closed {
		a.lease = c.leaseOf(who, w.now)
	}
	p.seen.admitted[i] = a
	if a.blind {
		w.countName(blindly)
	}
	if w.now < p.seen.silent[i] {
		return
	}
	if w.now > c.paused+believed && w.now < c.pause && c.paused > 0 {
		w.violate("a request to %s, which asked for a wait that lasts %s longer, for %s", service, c.pause-w.now, who)
	}
	if c.record.State == breaker.Closed {
		return
	}
	late := w.now > c.opened+believed
	if a.lease == nil {
		if late {
			w.violate("a request to %s for %s, %s after it was shut", service, who, w.now-c.opened)
		}
		return
	}
	running := a.lease.ended == 0 // one that ended a moment ago may still be believed in
	if a.lease.requests++; a.lease.requests > 1 && late && running && !a.lease.excused {
		w.violate("request number %d on one probe lease of %s, for %s", a.lease.requests, service, who)
	}
}

// admitted is admittedAs for a call.
func (w *World) admitted(p *Process, service string, k call.Key) {
	w.admittedAs(p, service, k.String())
}

// leaseOf is the probe lease that who may use now, which ended at most one
// cache time ago; nil when there is none.
func (c *circuit) leaseOf(who string, now time.Duration) *lease {
	for i := len(c.leases) - 1; i >= 0; i-- {
		l := c.leases[i]
		if l.ended > 0 && now > l.ended+believed {
			return nil
		}
		if l.holder == who && now <= l.until+breaker.Skew {
			return l
		}
	}
	return nil
}

func alertID(r breaker.Record, k alert.Kind) string {
	for _, a := range alert.ForCircuit(r, r.ClosedAt.Add(time.Hour)) {
		if a.Kind == k {
			return a.ID
		}
	}
	return ""
}

// owed are the alerts about circuits that have to be told by the end.
func (w *World) owed() []string {
	ids := w.openings
	for _, c := range w.circuits {
		if r := c.record; r.State == breaker.Closed && r.Outage > 0 {
			ids = append(ids[:len(ids):len(ids)], alertID(r, alert.CircuitClosed))
		}
	}
	return ids
}
