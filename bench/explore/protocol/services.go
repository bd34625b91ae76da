package protocol

import (
	"context"
	"fmt"
	"slices"
	"time"

	"callagent/core/agent"
	"callagent/core/call"
	"callagent/core/fault"
)

// service is one of the four services. Those that ring no phone answer at once;
// only how often they are asked counts.
type service struct {
	*run
	name string
}

func (v service) Script(_ context.Context, _ call.ScriptRequest) (string, error) {
	return glue(v.run, func() (string, error) { return "Hello", v.paid(func(c call.Call) string { return c.Script }) })
}

func (v service) Speak(_ context.Context, _ call.SpeechRequest) (call.Audio, error) {
	return glue(v.run, func() (call.Audio, error) {
		return call.Audio{Data: []byte{1}, ContentType: "audio/mpeg"}, v.paid(func(c call.Call) string { return c.Speech })
	})
}

// paid judges a request that costs money: it was not answered before.
func (v service) paid(stored func(call.Call) string) error {
	w := v.s.workers[v.me]
	if c, ok := v.m.call(v.s, w.call); ok && stored(c) != "" {
		v.breaks("promise 3: %s is asked again for what is stored", v.name)
	}
	v.early(w.call)
	return nil
}

// Probe answers a health check.
func (v service) Probe(context.Context, *fault.Fault) error {
	_, err := glue(v.run, func() (nothing, error) { return nothing{}, nil })
	return err
}

func (v service) Record(_ context.Context, e call.Entry) (string, error) {
	return take(v.run, ask{telling, "tells the CRM of " + e.Key.String()}, func() (string, error) { return "crm-1", nil })
}

// Dial rings, once what the way of the step says has gone wrong.
func (v service) Dial(_ context.Context, d call.DialRequest) (string, error) {
	i := v.s.workers[v.me].call
	if sid, err, again := given[string](v.run); again {
		return sid, err
	}
	a := ask{dialling, "dials for " + v.m.key(i).String()}
	if !v.goes {
		panic(stops{a})
	}
	v.goes = false
	v.dialled(i, d.Attempt)
	way := v.way
	if way == "" && v.m.Outage && !v.s.facts[i].refused {
		v.s.facts[i].refused, way = true, Refused
	}
	switch way {
	case Refused:
		v.told, v.s.facts[i].failed = "refused with 503", v.s.now
		return kept(v.run, "", error(&fault.Fault{Kind: fault.ServiceUnavailable, Service: agent.Twilio, Status: 503}))
	case NotSent:
		v.rang(i)
		v.told = "the answer is lost; it was never executed"
		return kept(v.run, "", lost(a))
	case Ambiguous:
		v.rang(i)
		c, _ := v.m.call(v.s, i)
		by := v.s.now.Add(executedBy)
		if c.Intent != nil {
			by = c.Intent.Deadline.Add(executedBy)
		}
		v.s.underWay = append(v.s.underWay, request{i, d.Attempt, by.Truncate(time.Second)})
		v.told = "the answer is lost; it is executed later"
		return kept(v.run, "", lost(a))
	}
	v.rang(i)
	return answer(v.run, a, func() (string, error) { return v.s.execute(i, d.Attempt), nil })
}

// execute rings the phone and gives the provider's id.
func (s *state) execute(i int, attempt string) string {
	s.rings = append(s.rings, ring{call: i, attempt: attempt, at: s.now})
	return sid(len(s.rings) - 1)
}

func sid(n int) string { return fmt.Sprintf("CA%d", n+1) }

func (v service) Look(_ context.Context, id string) (call.Look, error) {
	return take(v.run, ask{reading, "looks at " + id}, func() (call.Look, error) {
		for n := range v.s.rings {
			if sid(n) == id {
				return v.m.look(v.s, n), nil
			}
		}
		return call.Look{}, &fault.Fault{Class: fault.Permanent, Kind: fault.NotFound, Scope: fault.Contact, Service: agent.Twilio}
	})
}

// look is the provider's reading of a ring.
func (m *Model) look(s *state, n int) call.Look {
	r := s.rings[n]
	l := call.Look{SID: sid(n), Status: "ringing", To: m.Calls[r.call].Phone, From: "+15005550000", Created: r.at}
	if !s.now.Before(r.end()) {
		l.Status, l.Result, l.Duration = "completed", call.Answered, ringFor
	}
	return l
}

func (v service) List(_ context.Context, to, _ string, since time.Time) ([]call.Look, error) {
	return take(v.run, ask{reading, "lists the provider's calls"}, func() ([]call.Look, error) {
		var ls []call.Look
		for n, r := range v.s.rings {
			if v.m.Calls[r.call].Phone == to && !r.at.Before(since) {
				ls = append(ls, v.m.look(v.s, n))
			}
		}
		return slices.Clip(ls), nil
	})
}

func (v service) Cancel(context.Context, string) error { return nil }
