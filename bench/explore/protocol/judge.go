package protocol

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"callagent/core/agent"
	"callagent/core/alert"
	"callagent/core/breaker"
	"callagent/core/call"
	"callagent/core/journal"
)

// put does a write of the ledger and judges the call after it.
func (r *run) put(ctx context.Context, w call.Write) error {
	i := r.m.index(w.Call.Key)
	before, known := r.m.call(r.s, i)
	if err := r.s.write().Put(ctx, w); err != nil {
		return err
	}
	after, _ := r.m.call(r.s, i)
	f := &r.s.facts[i]
	for j := range r.s.facts {
		r.s.facts[j].holds = w.Number != call.KeepNumber && r.m.number(r.s, j) == r.m.key(j) || w.Number == call.KeepNumber && r.s.facts[j].holds
	}
	if after.State == call.Waiting && after.Retries > before.Retries {
		f.notBefore = f.failed.Add(5 * time.Second)
	}
	if broken := r.m.judge(r.s, i, before, after); broken != "" {
		r.breaks("%s", broken)
	}
	if known && before.State.Final() && after.State != before.State && before.State != call.Unknown {
		r.breaks("promise 1: a call that was %s became %s", before.State, after.State)
	}
	return nil
}

// judge says what is wrong with a call that was just stored.
func (m *Model) judge(s *state, i int, before, after call.Call) string {
	live, f := after.Intent != nil && !after.State.Final(), s.facts[i]
	switch {
	case live && !f.holds:
		return "promise 2: a call may ring and does not hold its number"
	case after.State.Final() && f.holds:
		return "promise 1: the number of a finished call is held"
	case (after.State == call.Failed || after.State == call.Expired) && m.mayRing(s, i):
		return fmt.Sprintf("promise 1: a call that rang, or may ring, ended %s", after.State)
	case after.State == call.Unknown && before.State != call.Unknown && m.mayRing(s, i) && m.plain(s, i):
		return "promise 1: a call ended unknown although its ring can be found, or may still begin"
	case after.State == call.Completed && before.State != call.Completed && !m.own(s, i, after):
		return "promise 2: a call was completed with another call's ring"
	}
	return ""
}

// mayRing reports whether a phone rang for the call, or still may.
func (m *Model) mayRing(s *state, i int) bool {
	return slices.ContainsFunc(s.rings, func(r ring) bool { return r.call == i }) ||
		slices.ContainsFunc(s.underWay, func(u request) bool { return u.call == i })
}

// plain reports whether a listing for the call can show no other's ring: of two
// that might be its own it adopts none.
func (m *Model) plain(s *state, i int) bool {
	for _, r := range s.rings {
		if r.call != i && m.Calls[r.call].Phone == m.Calls[i].Phone {
			return false
		}
	}
	return true
}

func (m *Model) own(s *state, i int, c call.Call) bool {
	for n, r := range s.rings {
		if sid(n) == c.SID {
			return r.call == i
		}
	}
	return c.SID == ""
}

// dialled judges a dial that leaves now.
func (r *run) dialled(i int, attempt string) {
	c, _ := r.m.call(r.s, i)
	switch {
	case c.Intent == nil || c.Intent.Attempt != attempt:
		r.breaks("promise 2: a dial left without a stored intent of its own")
	case r.s.now.Add(requestLimit).After(c.Intent.Deadline.Add(r.m.Skew)):
		r.breaks("promise 2: a dial left that may end after its deadline")
	}
	r.early(i)
}

// rang judges a dial that may ring.
func (r *run) rang(i int) {
	f := &r.s.facts[i]
	f.dials++
	if f.dials > 1 {
		r.breaks("promise 2: a call was dialled twice")
	}
	for j, other := range r.s.facts {
		same := j != i && r.m.Calls[i].Phone == r.m.Calls[j].Phone
		if same && other.dials > 0 && r.m.Calls[i].Campaign == r.m.Calls[j].Campaign {
			r.breaks("promise 2: a number was rung twice in a campaign")
		}
		if c, known := r.m.call(r.s, j); same && known && other.dials > 0 && !c.State.Final() {
			r.breaks("promise 2: two calls to a number are live")
		}
	}
}

// early judges a request that is sent now.
func (r *run) early(i int) {
	if r.s.now.Before(r.s.facts[i].notBefore) {
		r.breaks("promise 8: a request leaves %s before the delay is over", r.s.facts[i].notBefore.Sub(r.s.now))
	}
}

// journalled judges what the journal is told: an opening is told by the winner
// of the write, once.
func (r *run) journalled(e journal.Entry) {
	if e.Event != "circuit_opened" || !r.fresh() {
		return
	}
	c := r.s.circuit(e.Service)
	if c.State == breaker.Closed {
		r.breaks("promise 4: the journal tells of an opening that is not stored")
	}
	if slices.Contains(r.s.opened, c.Epoch) {
		r.breaks("promise 4: the journal tells twice of one opening")
	}
	r.s.opened = append(r.s.opened, c.Epoch)
}

// raised judges an alert.
func (r *run) raised(a alert.Alert) {
	if a.Kind != alert.CircuitOpened {
		return
	}
	c := r.s.circuit(a.Service)
	if !strings.HasPrefix(a.ID, fmt.Sprintf("circuit/%s/%d/", a.Service, c.Outage)) || c.Outage == 0 {
		r.breaks("promise 4: people are told of an opening that is not stored")
	}
}

// settled judges a state in which everything is to be over.
func (m *Model) settled(s *state) string {
	for i := range m.Calls {
		c, known := m.call(s, i)
		switch {
		case !known:
			return "promise 1: " + m.key(i).String() + " was never claimed"
		case !c.State.Final():
			return fmt.Sprintf("promise 11: %s stays %s", c.Key, c.State)
		case m.CRM && c.State == call.Completed && c.Recorded != call.Yes:
			return fmt.Sprintf("promise 11: the outcome of %s is never recorded", c.Key)
		case s.facts[i].holds:
			return "promise 1: the number of a finished call is held"
		}
	}
	for _, service := range agent.Services() {
		if s.circuit(service).State == breaker.HalfOpen {
			return "promise 9: the circuit of " + service + " stays half open"
		}
	}
	return ""
}
