package protocol

import (
	"context"
	"errors"
	"fmt"
	"time"

	"callagent/bench/explore/search"
	"callagent/core/agent"
	"callagent/core/alert"
	"callagent/core/backoff"
	"callagent/core/breaker"
	"callagent/core/call"
	"callagent/core/fault"
	"callagent/core/journal"
)

// ask is an operation that a worker wants to do.
type ask struct {
	op   op
	what string
}

// op is a kind of operation, by what may go wrong with it.
type op uint8

const (
	none     op = iota
	write       // to a store
	dialling    // the provider is asked to ring
	reading     // the provider is asked for a status or a list
	telling     // the CRM
)

// reply is what a port answered, and when.
type reply struct {
	value any
	err   error
	at    time.Time
}

var errSilent = errors.New("the store does not answer")

// Why a run is cut off.
type (
	stops  struct{ asks ask } // at its next operation
	killed struct{}           // its process died
)

// run is one worker's job, as far as it comes in one step. It is all the ports
// of the agent.
type run struct {
	m      *Model
	s      *state // changed by the run
	me     int
	at     int       // replies that were given
	had    int       // those of earlier steps
	begins bool      // it is the job's first step
	goes   bool      // the next operation may be done
	way    Deviation // how it is done; "" plainly
	told   string    // what came of it
	now    time.Time
	ids    int

	ended   bool
	verdict string
	broken  string
}

// take does an operation that is a step of its own.
func take[T any](r *run, a ask, do func() (T, error)) (T, error) {
	if v, err, again := given[T](r); again {
		return v, err
	}
	if !r.goes {
		panic(stops{a})
	}
	r.goes = false
	return answer(r, a, do)
}

// answer does an operation as the step wants it.
func answer[T any](r *run, a ask, do func() (T, error)) (T, error) {
	var v T
	var err error
	switch r.way {
	case Silent:
		err = errSilent
		r.told = "not done, and no answer"
	case LostReply:
		_, err = do()
		if err == nil || a.op == write {
			err = lost(a)
		}
		r.told = "done, but the answer is lost"
	case Crash:
		_, _ = do()
		r.told = "done, and the process dies"
		panic(killed{})
	default:
		v, err = do()
		r.told = said(v, err)
	}
	return kept(r, v, err)
}

// lost is the error of an operation whose answer was lost.
func lost(a ask) error {
	if a.op == write {
		return errSilent
	}
	return &fault.Fault{Class: fault.Ambiguous, Kind: fault.Timeout, Service: agent.Twilio, Message: "no answer"}
}

// said tells of an answer.
func said(v any, err error) string {
	switch {
	case errors.Is(err, agent.ErrConflict):
		return "refused: somebody else wrote first"
	case err != nil:
		return err.Error()
	}
	if l, ok := v.(call.Look); ok && l.Result != "" {
		return string(l.Result)
	}
	if ls, ok := v.([]call.Look); ok {
		return fmt.Sprintf("%d found", len(ls))
	}
	if sid, ok := v.(string); ok {
		return sid
	}
	return "done"
}

// glue does an operation with which no other can meddle, or whose answer may be
// as old as the step before.
func glue[T any](r *run, do func() (T, error)) (T, error) {
	if v, err, again := given[T](r); again {
		return v, err
	}
	v, err := do()
	return kept(r, v, err)
}

// given gives an answer again.
func given[T any](r *run) (v T, err error, again bool) {
	w := &r.s.workers[r.me]
	if r.at == len(w.log) {
		return v, nil, false
	}
	p := w.log[r.at]
	r.at++
	r.now = p.at
	v, _ = p.value.(T)
	return v, p.err, true
}

// kept adds an answer to what the worker knows.
func kept[T any](r *run, v T, err error) (T, error) {
	w := &r.s.workers[r.me]
	r.now = r.m.clock(r.me, r.s.now)
	w.log = append(w.log[:len(w.log):len(w.log)], reply{v, err, r.now})
	w.trail = search.Mix(w.trail, digest(v, err, r.now)...)
	r.at++
	return v, err
}

// fresh reports whether what the run does now has not happened before.
func (r *run) fresh() bool { return r.at > r.had || r.begins }

// breaks notes the first promise that the step breaks.
func (r *run) breaks(format string, values ...any) {
	if r.broken == "" {
		r.broken = fmt.Sprintf(format, values...)
	}
}

// clock is what a worker's clock shows.
func (m *Model) clock(i int, t time.Time) time.Time {
	if i == 0 {
		return t.Add(m.Skew)
	}
	return t
}

// The clock: time stands still while a worker is not stopped.

func (r *run) Now() time.Time { return r.now }

func (r *run) Sleep(context.Context, time.Duration) error { return nil }

func (r *run) WithTimeout(ctx context.Context, _ time.Duration) (context.Context, context.CancelFunc) {
	return ctx, func() {}
}

// The ledger.

type nothing struct{}

func (r *run) Get(ctx context.Context, k call.Key) (call.Call, error) {
	return glue(r, func() (call.Call, error) { return r.s.store.Get(ctx, k) })
}

func (r *run) Put(ctx context.Context, w call.Write) error {
	_, err := take(r, ask{write, "stores " + tell(w)}, func() (nothing, error) { return nothing{}, r.put(ctx, w) })
	return err
}

func (r *run) Answer(ctx context.Context, k call.Key, attempt string, a call.Answer) (call.Call, error) {
	return take(r, ask{write, fmt.Sprintf("stores an answer of %s: %s %s", k, a.SID, a.Result)}, func() (call.Call, error) {
		return r.s.write().Answer(ctx, k, attempt, a)
	})
}

func (r *run) Owner(ctx context.Context, sid string) (call.Key, error) {
	return glue(r, func() (call.Key, error) { return r.s.store.Owner(ctx, sid) })
}

// The backlog.

func (r *run) Due(ctx context.Context, t time.Time, limit int) ([]call.Call, error) {
	return glue(r, func() ([]call.Call, error) { return r.s.store.Due(ctx, t, limit) })
}

func (r *run) Parked(ctx context.Context, service string, unsent time.Time, limit int) ([]call.Call, error) {
	return glue(r, func() ([]call.Call, error) { return r.s.store.Parked(ctx, service, unsent, limit) })
}

func (r *run) Stamp(ctx context.Context, c call.Call, at time.Time) error {
	_, err := take(r, ask{write, "stamps " + c.Key.String()}, func() (nothing, error) { return nothing{}, r.s.write().Stamp(ctx, c, at) })
	return err
}

// The other stores.

func (r *run) Blocked(context.Context, string) (bool, error) { return false, nil }
func (r *run) Block(context.Context, string) error           { return nil }
func (r *run) Unblock(context.Context, string) error         { return nil }
func (r *run) Link(_ context.Context, ref string) (string, error) {
	return "https://media.invalid/" + ref, nil
}
func (r *run) Write(e journal.Entry) { r.journalled(e) }

func (r *run) Slot(_ context.Context, _ string, _ time.Duration, now time.Time) (time.Time, error) {
	return now, nil
}

// circuits is the circuit store; its Load is not the ledger's Get.
type circuits struct{ *run }

func (c circuits) Load(ctx context.Context, service string) (breaker.Record, error) {
	return glue(c.run, func() (breaker.Record, error) { return c.s.store.Load(ctx, service) })
}

func (c circuits) Swap(ctx context.Context, n breaker.Record) (breaker.Record, error) {
	what := fmt.Sprintf("stores the circuit of %s as %s", n.Service, n.State)
	return take(c.run, ask{write, what}, func() (breaker.Record, error) { return c.s.write().Swap(ctx, n) })
}

// media keeps nothing: a reference is a name.
type media struct{ *run }

func (media) Put(_ context.Context, name, _ string, _ []byte) (string, error) { return name, nil }
func (media) Get(context.Context, string) ([]byte, error)                     { return []byte("Hello"), nil }

// Send puts wake-ups on the queue.
func (r *run) Send(_ context.Context, delay time.Duration, bodies ...[]byte) error {
	_, err := glue(r, func() (nothing, error) {
		for _, body := range bodies {
			c, err := call.Decode(body)
			if err != nil {
				return nothing{}, err
			}
			r.s.messages = append(r.s.messages, message{call: r.m.index(c.Key()), due: r.s.now.Add(delay.Truncate(time.Second))})
		}
		return nothing{}, nil
	})
	return err
}

// Raise takes alerts; see judge.go.
func (r *run) Raise(_ context.Context, _ []string, a alert.Alert) error {
	_, err := glue(r, func() (nothing, error) {
		r.raised(a)
		return nothing{}, nil
	})
	return err
}

// options are what the agent of a worker is made of.
func (r *run) options() agent.Options {
	ps := map[string]agent.Policy{}
	for _, name := range agent.Services() {
		ps[name] = agent.Policy{Retry: backoff.Policy{MaxRetries: 1, Initial: 5 * time.Second, Factor: 2, Max: time.Minute}, Circuit: r.m.circuit(), Timeout: requestLimit}
	}
	o := agent.Options{
		Stores: agent.Stores{Ledger: r, Backlog: r, Blocklist: r, Circuits: circuits{r}, Pace: r, Queue: r, Outbox: r, Media: media{r}},
		Providers: agent.Providers{
			Writer: service{r, agent.LLM}, Speaker: service{r, agent.ElevenLabs}, Dialer: service{r, agent.Twilio},
		},
		Journal: r, Clock: r, Random: func() float64 { return 0 }, NewID: r.newID, Holder: fmt.Sprintf("worker %d", r.me+1),
		Policies: ps, From: "+15005550000", Number: hash, Campaign: campaign, Skew: breaker.Skew,
		Channels: func(alert.Alert) []string { return []string{"email"} },
	}
	if r.m.CRM {
		o.CRM = service{r, agent.CRMService}
	}
	return o
}

func campaign(name string) (call.Campaign, bool) {
	return call.Campaign{Name: name, Prompt: "Call.", RingTimeout: 20 * time.Second, MaxLength: time.Minute}, true
}

// newID names attempts and writes after the job that makes them.
func (r *run) newID() string {
	r.ids++
	w := r.s.workers[r.me]
	return fmt.Sprintf("%d.%d.%d", r.me+1, w.jobs, r.ids)
}
