package world

import (
	"context"
	"time"

	"callagent/core/agent"
	"callagent/core/fault"
)

// answer is one way in which a provider takes a request.
type answer struct {
	name  string
	fault fault.Fault
	took  time.Duration // 0: the usual time
	hangs bool          // there is no answer before the time limit
	rings bool          // a dial is executed
	fails bool
	cuts  bool // the process is made to stop while it waits
}

const (
	usually = 200 * time.Millisecond
	slowly  = 7 * time.Second
)

// answers are those that every request may have. The first is the good one.
var answers = []answer{
	{name: "ok", rings: true},
	{name: "ok, slowly", took: slowly, rings: true},
	{name: "ok, but the process is made to stop", rings: true, cuts: true},
	{name: "503", fails: true, fault: fault.Fault{Kind: fault.ServiceUnavailable, Status: 503}},
	{name: "timeout", fails: true, hangs: true, fault: fault.Fault{Kind: fault.Timeout}},
	{name: "refused", fails: true, took: time.Millisecond, fault: fault.Fault{Kind: fault.Network}},
	{name: "429", fails: true, fault: fault.Fault{Kind: fault.Throttled, Status: 429}},
	{name: "429 for 40 s", fails: true, fault: fault.Fault{Kind: fault.Throttled, Status: 429, RetryAfter: 40 * time.Second}},
	{name: "503 for 40 s", fails: true, fault: fault.Fault{Kind: fault.ServiceUnavailable, Status: 503, RetryAfter: 40 * time.Second}},
	{name: "overloaded", fails: true, fault: fault.Fault{Kind: fault.Throttled, Status: 429, Overload: true}},
	{name: "401", fails: true, fault: fault.Fault{Class: fault.Permanent, Kind: fault.Authentication, Scope: fault.Account, Status: 401}},
	{name: "422", fails: true, fault: fault.Fault{Class: fault.Permanent, Kind: fault.InvalidRequest, Scope: fault.Contact, Status: 422}},
	{name: "suspect", fails: true, fault: fault.Fault{Class: fault.Permanent, Kind: fault.Permission, Scope: fault.Contact, Status: 400, Suspect: true}},
}

// dialAnswers are those of a dial: with them nobody knows whether it rings.
var dialAnswers = append(answers[:len(answers):len(answers)],
	answer{name: "done, answer lost", fails: true, hangs: true, rings: true, fault: fault.Fault{Class: fault.Ambiguous, Kind: fault.Timeout}},
	answer{name: "request lost", fails: true, hangs: true, fault: fault.Fault{Class: fault.Ambiguous, Kind: fault.Timeout}},
	answer{name: "500, done", fails: true, rings: true, fault: fault.Fault{Class: fault.Ambiguous, Kind: fault.ServiceUnavailable, Status: 500}},
	answer{name: "500, not done", fails: true, fault: fault.Fault{Class: fault.Ambiguous, Kind: fault.ServiceUnavailable, Status: 500}},
)

var answerWords, dialWords = names(answers), names(dialAnswers)

func names(as []answer) []string {
	var words []string
	for _, a := range as {
		words = append(words, a.name)
	}
	return words
}

// AnswerNamed finds the number of an answer by its name, for a Chooser; 0 when
// there is none.
func AnswerNamed(name string) int {
	for i, a := range dialAnswers {
		if a.name == name {
			return i
		}
	}
	return 0
}

// request is one that a process sends to a provider.
type request struct {
	p       *Process
	service string
	verb    string
	who     string // whose it is: a call's key, or the process for a probe
}

// send sends a request: it arrives, its time passes, and it is answered. A
// request that is cut off while it is under way was executed.
func (r request) send(ctx context.Context, arrives func(a answer)) error {
	w := r.p.world
	all, words := answers, answerWords
	if r.verb == "dial" {
		all, words = dialAnswers, dialWords
	}
	u := use{p: r.p, port: Provider, menu: requests, what: r.service + ": " + r.verb, service: r.service}
	_, err := through(ctx, u, func(ctx context.Context) (struct{}, error) {
		if err := ctx.Err(); err != nil {
			return struct{}{}, &fault.Fault{Service: r.service, Message: "not sent", Cause: err}
		}
		a := all[w.pick(Point{Kind: Answer, Process: r.p.Name, What: u.what, Options: words, Service: r.service})]
		w.requests++
		if w.Trace != nil {
			w.tracef("%-4s   %s %s for %s: %s", r.p.Name, r.service, r.verb, r.who, a.name)
		}
		arrives(a)
		return struct{}{}, r.answer(ctx, a)
	})
	r.p.answered(r, err)
	return err
}

// answer lets the time of a request pass and gives its fault.
func (r request) answer(ctx context.Context, a answer) error {
	took := a.took
	if took == 0 {
		took = usually
	}
	if a.hangs {
		took = time.Hour // until the context ends
	}
	r.p.stand(r.p.until(ctx, took))
	if a.cuts {
		r.p.stopping, r.p.cut = true, true
	}
	f := a.fault
	f.Service = r.service
	if err := ctx.Err(); err != nil { // cut off, or too late
		f = fault.Fault{Service: r.service, Kind: fault.Timeout, Cause: err}
		if r.verb == "dial" {
			f.Class = fault.Ambiguous
		}
		return &f
	}
	if !a.fails {
		return nil
	}
	f.Message = a.name
	return &f
}

// serviceOf numbers the services.
func serviceOf(name string) int {
	switch name {
	case agent.LLM:
		return 0
	case agent.ElevenLabs:
		return 1
	case agent.Twilio:
		return 2
	}
	return 3
}
