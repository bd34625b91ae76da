package world

import (
	"context"
	"time"

	"callagent/core/agent"
	"callagent/core/alert"
	"callagent/core/call"
	"callagent/core/fault"
)

// checkChange holds at every write of a call: only moves that the rules list,
// and nothing that was stored gets lost.
func (w *World) checkChange(old, c call.Call) {
	legal := old.State == c.State
	for _, t := range call.Transitions {
		legal = legal || t.From == old.State && t.To == c.State
	}
	if !legal {
		w.violate("%s goes from %q to %q", c.Key, old.State, c.State)
	}
	if old.State.Final() && c.State != old.State && (old.State != call.Unknown || c.State != call.Completed) {
		w.violate("%s had its outcome, %s, and gets another: %s", c.Key, old.State, c.State)
	}
	if c.Version < old.Version || old.Script != "" && c.Script != old.Script || old.Speech != "" && c.Speech != old.Speech ||
		old.SID != "" && c.SID == "" || old.Answered() && (c.Answer == nil || c.Answer.Result != old.Answer.Result) {
		w.violate("%s loses what was stored: %s; before: %s", c.Key, describe(c), describe(old))
	}
	if c.Dialled() && !c.State.Final() && w.numbers[c.Number] != c.Key {
		w.violate("%s may ring and does not hold its number", c.Key)
	}
	if old.Intent == nil || c.Intent != nil && c.Intent.Attempt == old.Intent.Attempt {
		return
	}
	for _, r := range w.rings {
		if r.attempt == old.Intent.Attempt {
			w.violate("%s takes back the intent of a call that rings", c.Key)
		}
	}
}

// checkEnd holds when a call gets its outcome.
func (w *World) checkEnd(old, c call.Call) {
	if c.State == old.State || !c.State.Final() {
		return
	}
	if w.numbers[c.Number] == c.Key {
		w.violate("%s is %s and keeps its number", c.Key, c.State)
	}
	var own *ring
	for _, r := range w.rings {
		if r.key == c.Key {
			own = r
		}
	}
	switch c.State {
	case call.Failed, call.Expired:
		if own != nil {
			w.violate("%s is %s, but its phone rang", c.Key, c.State)
		}
	case call.Completed:
		switch r := w.ringOf(c.SID); {
		case r != nil && r.key != c.Key && r.belated:
			w.countName(adopted)
		case r == nil || r.key != c.Key || w.reading(r).Result != c.Result:
			w.violate("%s is completed as %s with a ring, %s, that says something else", c.Key, c.Result, c.SID)
		}
	case call.Unknown:
		if !w.unknowable(c, own) {
			w.violate("%s is unknown, but the provider can tell: %s", c.Key, c.Reason)
		}
	}
}

// unknowable reports whether a call may end unknown: it did not ring and
// something broke between its intent and the storing of what came of it; or
// it rings and never ends, or was queued and could not be withdrawn, or the
// provider's list does not show it a minute after the deadline; or two rings to its number may be
// its own.
func (w *World) unknowable(c call.Call, own *ring) bool {
	if own == nil {
		return c.Intent != nil && w.attempts[c.Intent.Attempt].lost
	}
	rivals := 0
	for _, r := range w.rings {
		if r.To == own.To && r.Created.After(own.Created.Add(-2*time.Minute)) && own.Created.After(r.Created.Add(-2*time.Minute)) {
			rivals++
		}
	}
	return own.ends == "" || own.Queued || own.belated || rivals > 1
}

// checkDue checks that a call that waits is claimed no sooner than asked, by any
// clock, unless its answer is there.
func (w *World) checkDue(s *stored, by standing, old call.Call) {
	waited := old.State == call.Waiting || old.State == call.Reconciling
	if waited && s.State == call.Running && !old.Answered() && w.now < s.due {
		w.violate("%s is claimed %s before it is due", s.Key, s.due-w.now)
	}
	if !s.Due.Equal(old.Due) {
		s.due = s.Due.Sub(Start) - by.p.Skew
	}
}

// wait notes which delay a stored failure asked for. One that was never stored
// cannot be kept.
func (s *stored) wait(by standing, old call.Call) {
	var failed *ending
	for i := range by.seen.ended {
		if e := &by.seen.ended[i]; e.fault != nil && e.who == s.Key.String() && (failed == nil || e.at > failed.at) {
			failed = e
		}
	}
	if failed == nil {
		return
	}
	f := failed.fault.Settle()
	switch {
	case s.Retries == old.Retries+1 && f.Treatment().Retry:
		s.asked = failed.at + max(5*time.Second<<old.Retries, f.RetryAfter)
	case s.State == call.Parked && s.Park.Service == "" && s.Park.Number > old.Park.Number && f.Treatment().Retry:
		s.asked = failed.at + max(time.Minute, f.RetryAfter)
	case s.Park.Service != "":
		s.asked = 0 // it waits for the circuit instead
	}
}

// checkPark holds when a call is set aside for a circuit: whoever does so could
// read it, or had a request that failed. If the circuit store is down calls go
// on.
func (w *World) checkPark(by standing, old, c call.Call) {
	if c.Park.Service == "" || c.Park.Number == old.Park.Number {
		return
	}
	i := serviceOf(c.Park.Service)
	if by.at < by.seen.silent[i] && by.at > by.seen.read[i] && by.seen.ended[i].fault == nil {
		w.violate("%s is set aside for the circuit of %s, which nobody can read", c.Key, c.Park.Service)
	}
}

// checkPaid holds when a paid request arrives.
func (w *World) checkPaid(r request) {
	if at := w.stored(keyOf(r.who)).asked; w.now < at {
		w.violate("a delay is shorter than asked: %s %s for %s comes %s early", r.service, r.verb, r.who, at-w.now)
	}
}

// dial is one request to ring a phone.
type dial struct {
	attempt string
	refused bool // whoever sent it knows that it does not ring
}

// settle notes the answer of a dial.
func (d *dial) settle(err error) {
	f := fault.From(agent.Twilio, err)
	d.refused = f != nil && f.Class != fault.Ambiguous
}

// intentFor is how long after its intent a dial may still leave: the rest of
// the lease.
const intentFor = 35 * time.Second

// checkDial holds when a dial arrives: its intent is stored, nobody else's
// call to the number is live, and no earlier request of the campaign to the
// number may have rung.
func (w *World) checkDial(key call.Key, q call.DialRequest, d *dial) {
	c, i := w.stored(key).Call, w.attempts[q.Attempt]
	if c.Intent == nil || c.Intent.Attempt != q.Attempt || w.now-i.at > intentFor {
		w.violate("%s is dialled without a stored intent", key)
	}
	if c.State != call.Running || c.SID != "" {
		w.violate("%s is dialled while it is %s", key, describe(c))
	}
	if holder := w.numbers[c.Number]; holder != key {
		w.violate("%s is dialled while %q holds the number", key, holder)
	}
	if blocked, _ := w.store.Blocked(context.Background(), c.Number); blocked {
		w.violate("%s is dialled although its number is on the do-not-call list", key)
	}
	line := key.Campaign + q.To
	for _, earlier := range w.dials[line] {
		if !earlier.refused {
			w.violate("a number is dialled a second time in its campaign, for %s", key)
		}
	}
	w.dials[line] = append(w.dials[line], d)
}

// answered notes how a request ended.
func (p *Process) answered(r request, err error) {
	p.seen.ended[serviceOf(r.service)] = ending{p.world.now, fault.From(r.service, err), r.verb, r.who}
	if r.verb == "dial" && err != nil {
		p.world.lose(p.world.stored(keyOf(r.who)).Intent.Attempt)
	}
}

// Finish checks what holds when nothing is left to do: every contact has its
// outcome, every number is free, people were told.
func (w *World) Finish() {
	for k := range w.contacts {
		if s := w.stored(k); !s.settled() {
			w.violate("%s never gets its outcome: %s", k, describe(s.Call))
		}
	}
	for _, s := range w.order {
		c := s.Call
		if !w.contacts[c.Key] {
			w.violate("a call of a contact that nobody sent: %s", c.Key)
		}
		if r := w.heard[c.Key]; r && c.State == call.Unknown {
			w.violate("%s is unknown, but the provider's answer was taken", c.Key)
		}
		if holder, held := w.numbers[c.Number]; held {
			w.violate("a number is never free again: %s holds it", holder)
		}
		w.outcomes[string(c.State)]++
		if id := owedFor(c); id != "" && !w.kept[id] {
			w.violate("nobody was told: %s", id)
		}
	}
	if w.buried < w.poison {
		w.violate("%d messages could never be worked, %d are with the dead letters", w.poison, w.buried)
	}
	w.checkTold()
}

// owedFor is the alert that people get about how a call ended; "" for none. It
// may be delivered later, in a digest.
func owedFor(c call.Call) string {
	kind, owed := map[call.State]alert.Kind{call.Failed: alert.CallFailed, call.Unknown: alert.CallUnknown}[c.State]
	if !owed {
		return ""
	}
	return alert.ForCall(kind, alert.Subject{CallID: c.Key.String()}).ID
}

// checkTold holds at the end: each opening from CLOSED and each closing that
// held was told, and once only when nothing broke while it was being told.
func (w *World) checkTold() {
	for _, id := range w.owed() {
		if !w.kept[id] {
			w.violate("nobody was told: %s", id)
		} else if w.told[id] == 0 {
			w.violate("kept, but never delivered: %s", id)
		}
	}
	for id, n := range w.told {
		if n > 1 && !w.repeats {
			w.violate("told %d times: %s", n, id)
		}
	}
}
