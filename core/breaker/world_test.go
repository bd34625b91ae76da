package breaker_test

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"callagent/core/breaker"
	"callagent/core/fault"
)

// start is when every story begins; stories count from it.
var start = time.Date(2026, time.January, 5, 9, 0, 0, 0, time.UTC)

// world is one circuit and all who use it. Its verbs:
//
//	config threshold=3 recovery=10s interval=5s settle=1s limit=8s
//	process a b            name the processes
//	at 12s                 set the clock
//	admit a call-1         a asks to send a request for call-1
//	blind a call-1         the same while the store cannot be reached
//	fail WHO FAULT WHEN    the request of a call or tick fails; or a process
//	                       sends one that fails at once. WHEN is first, retry
//	                       or last, and left out for ticks
//	succeed WHO            the same with a request that works; with the word
//	                       unseen, WHO has read the record too long ago to see
//	                       that there is anything to report
//	cancel WHO             the request is given up before it has an answer
//	tick t1                a tick tries to probe, and sends the cheap request
//	hand over t1 to call-1 the tick passes its lease on
//	extend call-1 30s      call-1 needs its lease for a request of up to 30 s
//	force open, force closed, return
//	writes                 how often the record was stored so far
type world struct {
	config    breaker.Config
	limit     time.Duration // of every request
	now       time.Time
	record    breaker.Record
	successes map[string]time.Time // by process, its latest
	requests  map[string]request   // under way, by call or tick
	told      map[breaker.Transition]bool
}

// request is one that was admitted and has not ended.
type request struct {
	process string
	permit  breaker.Permit
	began   time.Time
	cheap   bool
}

func newWorld(told map[breaker.Transition]bool) *world {
	return &world{
		config: breaker.DefaultConfig(), limit: 8 * time.Second, now: start, told: told,
		successes: map[string]time.Time{}, requests: map[string]request{},
	}
}

type verb struct {
	words int // at least, after the verb
	do    func(w *world, words []string) (answer string, err error)
}

var verbs = map[string]verb{
	"config":  {1, (*world).configure},
	"process": {1, (*world).process},
	"at":      {1, (*world).at},
	"admit":   {2, (*world).admit},
	"blind":   {2, (*world).blind},
	"fail":    {2, (*world).fail},
	"succeed": {1, (*world).succeed},
	"cancel":  {1, (*world).cancel},
	"tick":    {1, (*world).tick},
	"hand":    {1, (*world).handOver},
	"extend":  {2, (*world).extend},
	"force":   {1, (*world).force},
	"return":  {0, (*world).giveBack},
	"writes":  {0, (*world).writes},
}

// Do plays one command and gives the lines that answer it.
func (w *world) Do(command string) ([]string, error) {
	words := strings.Fields(command)
	v, known := verbs[words[0]]
	if !known {
		return nil, errors.New("no such verb")
	}
	if len(words)-1 < v.words {
		return nil, errors.New("too few words")
	}
	answer, err := v.do(w, words[1:])
	if answer == "" {
		return nil, err
	}
	return []string{answer}, err
}

func (w *world) configure(words []string) (string, error) {
	for _, word := range words {
		key, value, _ := strings.Cut(word, "=")
		to, isTime := map[string]*time.Duration{
			"recovery": &w.config.Recovery, "interval": &w.config.Interval, "settle": &w.config.Settle, "limit": &w.limit,
		}[key]
		var err error
		switch {
		case isTime:
			*to, err = time.ParseDuration(value)
		case key == "threshold":
			_, err = fmt.Sscan(value, &w.config.Threshold)
		default:
			err = fmt.Errorf("no setting is called %q", key)
		}
		if err != nil {
			return "", err
		}
	}
	return "", w.config.Validate()
}

func (w *world) process(words []string) (string, error) {
	for _, name := range words {
		w.successes[name] = time.Time{}
	}
	return "", nil
}

func (w *world) at(words []string) (string, error) {
	d, err := time.ParseDuration(words[0])
	if err != nil {
		return "", err
	}
	if start.Add(d).Before(w.now) {
		return "", errors.New("time runs forward")
	}
	w.now = start.Add(d)
	return "", nil
}

func (w *world) admit(words []string) (string, error) {
	if _, known := w.successes[words[0]]; !known {
		return "", fmt.Errorf("nobody is called %q", words[0])
	}
	permit, refusal := breaker.Admit(w.record, words[1], w.limit, w.now)
	if refusal != breaker.None {
		return "refused: " + refusal.String(), nil
	}
	w.requests[words[1]] = request{process: words[0], permit: permit, began: w.now}
	if permit.Probe {
		return fmt.Sprintf("admitted as the probe, epoch %d, send by %s", permit.Epoch, w.offset(permit.SendBy())), nil
	}
	return fmt.Sprintf("admitted, epoch %d", permit.Epoch), nil
}

func (w *world) blind(words []string) (string, error) {
	w.requests[words[1]] = request{process: words[0], permit: breaker.Permit{Unowned: true}, began: w.now}
	return "admitted without an epoch", nil
}

// take ends a request that is under way, or lets a process send one that ends
// at once. A refusal is not empty when that process may not send it.
func (w *world) take(who string) (r request, refusal string, err error) {
	if r, underWay := w.requests[who]; underWay {
		delete(w.requests, who)
		return r, "", nil
	}
	if _, known := w.successes[who]; !known {
		return request{}, "", fmt.Errorf("nobody is called %q", who)
	}
	permit, refused := breaker.Admit(w.record, "", w.limit, w.now)
	if refused != breaker.None {
		return request{}, "refused: " + refused.String(), nil
	}
	return request{process: who, permit: permit, began: w.now}, "", nil
}

// faults are the failures that stories name, one for each way to react.
var faults = map[string]fault.Fault{
	"503":      {Kind: fault.ServiceUnavailable, Status: 503},
	"400":      {Class: fault.Permanent, Kind: fault.InvalidRequest, Scope: fault.Contact, Status: 400},
	"401":      {Class: fault.Permanent, Kind: fault.Authentication, Scope: fault.Account, Status: 401},
	"429":      {Kind: fault.Throttled, Status: 429},
	"overload": {Kind: fault.Throttled, Status: 429, Overload: true},
	"unclear":  {Class: fault.Ambiguous, Kind: fault.Timeout},
}

func (w *world) fail(words []string) (string, error) {
	f, known := faults[words[1]]
	if !known {
		return "", fmt.Errorf("no fault is called %q", words[1])
	}
	mayTrip, said := false, false
	for _, word := range words[2:] {
		wait, asks := strings.CutPrefix(word, "retry-after=")
		switch {
		case asks:
			var err error
			if f.RetryAfter, err = time.ParseDuration(wait); err != nil {
				return "", err
			}
		case word == "first", word == "last":
			mayTrip, said = true, true
		case word == "retry":
			said = true
		default:
			return "", fmt.Errorf("an attempt is first, retry or last, not %q", word)
		}
	}
	r, refusal, err := w.take(words[0])
	if err != nil || refusal != "" {
		return refusal, err
	}
	if !said && !r.cheap {
		return "", errors.New("say whether it is the first attempt, a retry or the last")
	}
	return w.store(breaker.Fail(w.record, w.config, breaker.Failure{
		Permit: r.permit, Fault: &f, Began: r.began, MayTrip: mayTrip,
		LastSuccess: w.successes[r.process], Cheap: r.cheap,
	}, w.now)), nil
}

func (w *world) succeed(words []string) (string, error) {
	r, refusal, err := w.take(words[0])
	if err != nil || refusal != "" {
		return refusal, err
	}
	w.successes[r.process] = w.now
	if len(words) > 1 && words[1] == "unseen" {
		return "not reported", nil
	}
	return w.store(breaker.Success(w.record, r.permit, w.now)), nil
}

func (w *world) cancel(words []string) (string, error) {
	r, refusal, err := w.take(words[0])
	if err != nil || refusal != "" {
		return refusal, err
	}
	return w.store(breaker.Release(w.record, r.permit, w.now)), nil
}

func (w *world) tick(words []string) (string, error) {
	r, change := breaker.TakeProbe(w.record, words[0], w.limit, w.now)
	answer := w.store(r, change)
	if !change.Writes() {
		return "nothing to probe now", nil
	}
	permit, refusal := breaker.Admit(w.record, words[0], w.limit, w.now)
	if refusal != breaker.None {
		return "", fmt.Errorf("the holder of the lease is refused: %s", refusal)
	}
	w.requests[words[0]] = request{process: words[0], permit: permit, began: w.now, cheap: true}
	return answer, nil
}

func (w *world) handOver(words []string) (string, error) {
	if len(words) != 4 || words[0] != "over" || words[2] != "to" {
		return "", errors.New("say: hand over TICK to CALL")
	}
	r, underWay := w.requests[words[1]]
	if !underWay {
		return "", fmt.Errorf("nobody is called %q", words[1])
	}
	return w.store(breaker.HandOver(w.record, r.permit, words[3], w.limit, w.now)), nil
}

func (w *world) extend(words []string) (string, error) {
	limit, err := time.ParseDuration(words[1])
	if err != nil {
		return "", err
	}
	return w.store(breaker.Extend(w.record, words[0], limit, w.now)), nil
}

func (w *world) force(words []string) (string, error) {
	switch words[0] {
	case "open":
		return w.store(breaker.ForceOpen(w.record, w.now)), nil
	case "closed":
		return w.store(breaker.ForceClose(w.record, w.now)), nil
	default:
		return "", errors.New("say: force open or force closed")
	}
}

func (w *world) giveBack([]string) (string, error) {
	return w.store(breaker.Return(w.record, w.now)), nil
}

func (w *world) writes([]string) (string, error) {
	return fmt.Sprint(w.record.Version), nil
}

// store keeps what a rule decided, as a store does, and tells of it. A change
// that writes nothing must have left the record alone.
func (w *world) store(r breaker.Record, c breaker.Change) string {
	if !c.Writes() {
		if r != w.record {
			panic(fmt.Sprintf("%s, yet the record changed from %+v to %+v", c, w.record, r))
		}
		return c.String()
	}
	for _, row := range breaker.Transitions {
		if row.From == w.record.State && row.Change == c {
			w.told[row] = true
		}
	}
	r.Version++
	w.record = r
	return c.String() + ": " + w.describe()
}

// describe tells what matters of the record in its present state.
func (w *world) describe() string {
	r := w.record
	var b strings.Builder
	fmt.Fprintf(&b, "%s epoch %d", r.State, r.Epoch)
	switch {
	case r.Forced != breaker.Automatic:
		b.WriteString(" by force")
	case r.State == breaker.Open:
		fmt.Fprintf(&b, " until %s", w.offset(r.OpenUntil))
	case r.State == breaker.HalfOpen:
		fmt.Fprintf(&b, ", %s probes until %s", r.Probe.Holder, w.offset(r.Probe.Until))
	}
	if r.State != breaker.Closed && r.Relapses > 0 {
		fmt.Fprintf(&b, ", relapse %d", r.Relapses)
	}
	if r.State == breaker.Closed && r.Streak > 0 {
		fmt.Fprintf(&b, ", streak %d, %s to %s", r.Streak, w.offset(r.StreakFrom), w.offset(r.StreakAt))
	}
	if r.PausedUntil.After(w.now) {
		fmt.Fprintf(&b, ", paused until %s", w.offset(r.PausedUntil))
	}
	return b.String()
}

func (w *world) offset(t time.Time) string { return t.Sub(start).String() }
