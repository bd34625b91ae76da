package world

import (
	"context"
	"fmt"
	"strings"
	"time"

	"callagent/core/agent"
	"callagent/core/call"
	"callagent/core/fault"
)

// provider is the four services as one process reaches them.
type provider struct{ p *Process }

// prober is the cheap request of one service.
type prober struct {
	provider
	service string
}

func (s prober) Probe(ctx context.Context, _ *fault.Fault) error {
	r := request{p: s.p, service: s.service, verb: "probe", who: s.p.Holder()}
	s.p.world.admittedAs(s.p, s.service, r.who)
	return r.send(ctx, func(answer) {})
}

func (s provider) Script(ctx context.Context, q call.ScriptRequest) (string, error) {
	_, who, _ := strings.Cut(q.System, "Call ")
	r := request{p: s.p, service: agent.LLM, verb: "script", who: who}
	err := s.gated(ctx, r, func(c call.Call) bool { return c.Script != "" })
	return "Hello " + who, err
}

func (s provider) Speak(ctx context.Context, q call.SpeechRequest) (call.Audio, error) {
	r := request{p: s.p, service: agent.ElevenLabs, verb: "speak", who: strings.TrimPrefix(q.Text, "Hello ")}
	err := s.gated(ctx, r, func(c call.Call) bool { return c.Speech != "" || c.Script == "" })
	return call.Audio{Data: []byte(q.Text), ContentType: "audio/mpeg"}, err
}

func (s provider) Record(ctx context.Context, e call.Entry) (string, error) {
	r := request{p: s.p, service: agent.CRMService, verb: "record", who: e.Key.String()}
	err := s.gated(ctx, r, func(c call.Call) bool { return c.Recorded != call.Pending })
	return "crm-" + e.Key.Contact, err
}

// gated sends a request of a call that a circuit admitted just now.
func (s provider) gated(ctx context.Context, r request, stored func(c call.Call) bool) error {
	w := s.p.world
	w.admittedAs(s.p, r.service, r.who)
	return r.send(ctx, func(answer) {
		w.checkPaid(r)
		if stored(w.stored(keyOf(r.who)).Call) {
			w.violate("a stored step is requested again: %s %s for %s", r.service, r.verb, r.who)
		}
	})
}

// ring is a call at the telephony provider.
type ring struct {
	call.Look
	attempt string
	key     call.Key
	ends    call.Result   // "": it never ends
	over    time.Duration // when, on the world's clock
	listed  time.Duration // when the provider's list shows it
	gone    bool          // cancelled
	belated bool          // the list shows it later than a provider may
}

// shownAfter is how long after the deadline of its intent a call must stand in
// the provider's list: a minute, but for the difference of two clocks. One that
// comes later may end unknown, and somebody else's call to the number may even
// take it for its own: no store can tell.
const shownAfter = 58 * time.Second

// The ways in which a call goes on.
var (
	ringWords = []string{"answered", "busy", "no answer", "voicemail", "queued for an hour", "never ends"}
	ringEnds  = []call.Result{call.Answered, call.Busy, call.NoAnswer, call.Voicemail, call.Answered, ""}
	ringLasts = []time.Duration{20 * time.Second, 2 * time.Second, 30 * time.Second, 40 * time.Second, time.Hour, 0}
)

// The callbacks that the provider sends about a call.
const (
	noReport = iota
	oneReport
	twoReports
	earlyReport
	lateReport
	tightReport
)

var reportWords = []string{"none", "at the end", "at the end, twice", "at once and at the end", "20 min late", "when it is given up"}

func (s provider) Dial(ctx context.Context, q call.DialRequest) (string, error) {
	w := s.p.world
	key := w.keyOfAttempt(q.Attempt)
	r := request{p: s.p, service: agent.Twilio, verb: "dial", who: key.String()}
	var rung *ring
	d := &dial{attempt: q.Attempt}
	err := r.send(ctx, func(a answer) {
		w.checkPaid(r)
		w.checkDial(key, q, d)
		if a.rings {
			rung = w.ring(key, q)
		}
	})
	d.settle(err)
	if err != nil {
		return "", err
	}
	return rung.SID, nil
}

// ring has a phone ring.
func (w *World) ring(key call.Key, q call.DialRequest) *ring {
	i := w.pick(Point{Kind: Ring, What: key.Contact, Options: ringWords, Service: agent.Twilio})
	r := &ring{attempt: q.Attempt, key: key, ends: ringEnds[i], over: w.now + ringLasts[i], listed: w.now + w.ListingLag}
	r.Look = call.Look{SID: fmt.Sprintf("CA-%s", q.Attempt), To: q.To, From: q.From, Created: w.Now().Add(w.ProviderSkew), Queued: i == 4}
	if i := w.stored(key).Intent; i != nil {
		r.belated = Start.Add(r.listed).After(i.Deadline.Add(shownAfter))
	}
	w.rings = append(w.rings, r)
	if q.CallbackURL == "" {
		return r
	}
	end := r.over + time.Second
	switch plan := w.pick(Point{Kind: Report, What: key.Contact, Options: reportWords, Service: agent.Twilio}); {
	case plan == noReport || r.ends == "":
	case plan == tightReport: // while the last listing of a lost dial is under way
		w.report(r, max(end, w.now+90*time.Second+w.Skew+usually/2))
	case plan == lateReport:
		w.report(r, end+20*time.Minute)
	default:
		w.report(r, end)
		if plan == twoReports {
			w.report(r, end)
		}
		if plan == earlyReport {
			w.report(r, w.now)
		}
	}
	return r
}

// reading is how a call stands at the provider now.
func (w *World) reading(r *ring) call.Look {
	l := r.Look
	switch {
	case r.gone:
		l.Status, l.Result, l.Queued = "canceled", call.Canceled, false
	case r.ends == "" || w.now < r.over:
		l.Status = "in-progress"
		if l.Queued {
			l.Status = "queued"
		}
	default:
		l.Status, l.Result, l.Duration, l.Queued = "completed", r.ends, 8*time.Second, false
	}
	return l
}

func (w *World) ringOf(sid string) *ring {
	for _, r := range w.rings {
		if r.SID == sid {
			return r
		}
	}
	return nil
}

func (s provider) Look(ctx context.Context, sid string) (call.Look, error) {
	w := s.p.world
	var l call.Look
	rung := w.ringOf(sid)
	if rung == nil {
		w.violate("a call is looked up that the provider does not know: %s", sid)
		return l, &fault.Fault{Service: agent.Twilio, Class: fault.Permanent, Kind: fault.NotFound, Scope: fault.Contact}
	}
	err := request{p: s.p, service: agent.Twilio, verb: "look", who: rung.key.String()}.send(ctx, func(answer) { l = w.reading(rung) })
	return l, err
}

func (s provider) List(ctx context.Context, to, from string, since time.Time) ([]call.Look, error) {
	w := s.p.world
	var found []call.Look
	err := request{p: s.p, service: agent.Twilio, verb: "list", who: s.p.seen.key.String()}.send(ctx, func(answer) {
		for _, r := range w.rings {
			if r.To == to && r.From == from && !r.Created.Before(since) && r.listed <= w.now {
				found = append(found, w.reading(r))
			}
		}
	})
	return found, err
}

func (s provider) Cancel(ctx context.Context, sid string) error {
	w := s.p.world
	rung := w.ringOf(sid)
	return request{p: s.p, service: agent.Twilio, verb: "cancel", who: rung.key.String()}.send(ctx, func(answer) {
		if w.reading(rung).Queued {
			rung.gone = true
		}
	})
}
