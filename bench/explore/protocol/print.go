package protocol

import (
	"encoding/binary"
	"fmt"
	"time"

	"callagent/bench/explore/search"
	"callagent/core/agent"
	"callagent/core/breaker"
	"callagent/core/call"
)

// printer collects what makes a state what it is. Times count from now; what
// lies far behind is alike.
type printer struct {
	b   []byte
	now time.Time
}

const longAgo = 10 * time.Minute

func (p *printer) time(ts ...time.Time) {
	for _, t := range ts {
		d := int64(-1 << 40)
		if !t.IsZero() {
			d = int64(max(t.Sub(p.now), -longAgo) / time.Second)
		}
		p.number(d)
	}
}

func (p *printer) number(ns ...int64) {
	for _, n := range ns {
		p.b = binary.AppendVarint(p.b, n)
	}
}

func (p *printer) text(ss ...string) {
	for _, s := range ss {
		p.b = append(append(p.b, s...), 0)
	}
}

func (p *printer) flag(fs ...bool) {
	for _, f := range fs {
		if f {
			p.b = append(p.b, 1)
		} else {
			p.b = append(p.b, 0)
		}
	}
}

// call is what the rules ask of a call. The names of attempts are told apart by
// the rings that carry them.
func (p *printer) call(c call.Call) {
	p.text(string(c.State), c.Script, c.Speech, c.SID, string(c.Recorded), string(c.Result), string(c.Notice), c.Lease.Holder, c.Park.Service)
	p.number(int64(c.Retries), int64(c.SpentParks), int64(c.Takeovers), int64(min(c.Listings, call.Listings)))
	p.time(c.Lease.Until, c.Due, c.Park.Until, c.Park.SentAt, c.Contact.ExpiresAt)
	p.flag(c.Intent != nil, c.Answer != nil)
	if c.Intent != nil {
		p.time(c.Intent.At, c.Intent.Deadline)
	}
	if c.Answer != nil {
		p.text(c.Answer.SID, string(c.Answer.Result))
	}
}

func (p *printer) circuit(r breaker.Record) {
	p.number(int64(r.State), int64(r.Streak), int64(min(r.Relapses, 5)), int64(r.RampCount))
	p.text(r.Probe.Holder)
	p.time(r.Probe.Until, r.OpenUntil, r.ClosedAt, r.StreakAt)
}

// Print hashes a state.
func (m *Model) Print(s *state) uint64 { return m.hash(s, true) }

// hash leaves out what the future does not depend on, unless a run may still
// deviate.
func (m *Model) hash(s *state, deviates bool) uint64 {
	p := &printer{now: s.now, b: make([]byte, 0, 512)}
	if deviates {
		p.number(int64(s.deviations), int64(s.current))
		p.number(int64(s.now.Sub(start) / time.Second / 3600))
	}
	for _, q := range s.messages {
		p.number(int64(q.call), int64(min(q.receives, 1)))
		p.time(latest(q.due, s.now))
	}
	for n, r := range s.rings {
		owner, _ := s.store.Owner(ctx, sid(n))
		p.number(int64(r.call))
		p.text(owner.String())
		p.flag(r.told)
		p.time(r.at)
	}
	for _, u := range s.underWay {
		p.number(int64(u.call))
		p.time(u.by)
	}
	for i := range m.Calls {
		c, known := m.call(s, i)
		p.flag(known)
		p.call(c)
		for _, r := range s.rings {
			p.flag(c.Intent != nil && c.Intent.Attempt == r.attempt)
		}
		f := s.facts[i]
		p.number(int64(f.dials))
		p.flag(f.refused, f.holds)
		p.time(latest(f.notBefore, s.now))
	}
	for _, name := range agent.Services() {
		p.circuit(s.circuit(name))
	}
	for _, w := range s.workers {
		p.worker(w)
	}
	return search.Finish(search.Mix(search.Seed, p.b...))
}

func latest(a, b time.Time) time.Time {
	if a.Before(b) {
		return b
	}
	return a
}

func (p *printer) worker(w worker) {
	p.number(int64(w.job))
	if w.job == idle {
		return
	}
	p.number(int64(w.call), int64(w.ring), int64(w.asks.op), int64(w.trail))
	p.text(w.asks.what)
	p.flag(w.stuck)
	p.time(w.began)
	if len(w.log) > 0 {
		p.time(w.log[len(w.log)-1].at)
	}
}

// digest is an answer as the hash of a worker's past takes it.
func digest(v any, err error, at time.Time) []byte {
	p := &printer{now: at}
	if err != nil {
		p.text(err.Error())
	}
	switch v := v.(type) {
	case call.Call:
		p.number(v.Version)
		p.call(v)
	case []call.Call:
		for _, c := range v {
			p.text(c.Key.String())
			p.number(c.Version)
			p.call(c)
		}
	case breaker.Record:
		p.number(v.Version)
		p.circuit(v)
	case call.Key:
		p.text(v.String())
	case string:
		p.text(v)
	case call.Look:
		p.text(v.SID, string(v.Result))
	case []call.Look:
		for _, l := range v {
			p.text(l.SID, string(l.Result))
		}
	}
	return p.b
}

// tell names a write of the ledger.
func tell(w call.Write) string {
	c := w.Call
	text := fmt.Sprintf("%s as %s", c.Key, c.State)
	switch {
	case w.Number == call.TakeNumber:
		text = fmt.Sprintf("the intent to dial %s, and takes its number", c.Key)
	case w.Number == call.WithdrawNumber:
		text = fmt.Sprintf("%s as %s without its intent, and frees its number", c.Key, c.State)
	case w.Number == call.FreeNumber:
		text += ", and frees its number"
	case w.Own != "":
		text = fmt.Sprintf("%s of %s", w.Own, c.Key)
	case c.State == call.Running && c.Speech != "":
		text += ", with its speech"
	case c.State == call.Running && c.Script != "":
		text += ", with its script"
	case c.State.Final():
		text += ", recorded " + string(c.Recorded)
	}
	if c.Lease.Holder != "" {
		text += fmt.Sprintf(" (lease until %s)", c.Lease.Until.Sub(start))
	} else if !c.Due.IsZero() {
		text += fmt.Sprintf(" (due at %s)", c.Due.Sub(start))
	}
	return text
}
