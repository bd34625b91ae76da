package call_test

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"callagent/core/breaker"
	"callagent/core/call"
	"callagent/core/fault"
)

type verb struct {
	words  int  // at least, after the verb
	holder bool // somebody must hold the call
	silent bool // it changes the world, not the call
	do     func(w *world, words []string) (answer []string, err error)
}

var verbs map[string]verb

func init() { // the table refers to methods that refer to the table
	verbs = map[string]verb{
		"config":   {words: 1, silent: true, do: (*world).configure},
		"contact":  {words: 1, silent: true, do: (*world).says},
		"at":       {words: 1, silent: true, do: (*world).at},
		"circuit":  {words: 1, silent: true, do: (*world).circuits},
		"claim":    {words: 1, do: (*world).claim},
		"script":   {words: 1, holder: true, do: (*world).script},
		"speech":   {words: 1, holder: true, do: (*world).speech},
		"fails":    {words: 1, holder: true, do: (*world).fails},
		"wait":     {words: 2, holder: true, do: (*world).waits},
		"aside":    {words: 2, holder: true, do: (*world).aside},
		"park":     {words: 2, holder: true, do: (*world).park},
		"intend":   {words: 1, holder: true, do: (*world).intend},
		"withdraw": {holder: true, do: (*world).withdraw},
		"sid":      {words: 1, holder: true, do: (*world).sid},
		"listing":  {words: 1, holder: true, do: (*world).listing},
		"look":     {words: 1, holder: true, do: (*world).look},
		"callback": {words: 2, do: (*world).callback},
		"release":  {do: (*world).release},
		"expire":   {do: (*world).expire},
		"told":     {holder: true, do: (*world).tell},
		"crm":      {words: 1, holder: true, do: (*world).recorded},
		"fail":     {words: 1, holder: true, do: (*world).fail},
		"rang":     {do: (*world).rang},
		"drop":     {do: (*world).drop},
		"again":    {do: (*world).again},
	}
}

func (w *world) configure(words []string) (_ []string, err error) {
	for _, word := range words {
		key, value, _ := strings.Cut(word, "=")
		switch key {
		case "skew":
			w.asker.Skew, err = time.ParseDuration(value)
		case "lease":
			w.asker.Lease, err = time.ParseDuration(value)
		case "ring":
			w.plan.RingTimeout, err = time.ParseDuration(value)
		case "length":
			w.plan.MaxLength, err = time.ParseDuration(value)
		case "initial":
			w.policy.Initial, err = time.ParseDuration(value)
			w.policy.Max = max(w.policy.Max, w.policy.Initial)
		case "jitter":
			_, err = fmt.Sscan(value, &w.policy.Jitter)
		case "retries":
			_, err = fmt.Sscan(value, &w.policy.MaxRetries)
		case "u":
			_, err = fmt.Sscan(value, &w.u)
		case "crm":
			w.crm = value == "yes"
		default:
			err = fmt.Errorf("no setting is called %q", key)
		}
		if err != nil {
			return nil, err
		}
	}
	return nil, nil
}

func (w *world) says(words []string) ([]string, error) {
	w.contact.Phone, w.contact.Name, w.contact.ExpiresAt = words[0], "", time.Time{}
	for _, word := range words[1:] {
		key, value, _ := strings.Cut(word, "=")
		switch key {
		case "name":
			w.contact.Name = value
		case "expires":
			d, err := time.ParseDuration(value)
			if err != nil {
				return nil, err
			}
			w.contact.ExpiresAt = start.Add(d)
		default:
			return nil, fmt.Errorf("a contact has no %q", key)
		}
	}
	return nil, w.contact.Validate()
}

func (w *world) at(words []string) ([]string, error) {
	d, err := time.ParseDuration(words[0])
	if err == nil && start.Add(d).Before(w.now) {
		err = errors.New("time runs forward")
	}
	if err == nil {
		w.now = start.Add(d)
	}
	return nil, err
}

func (w *world) circuits(words []string) ([]string, error) {
	switch words[0] {
	case "closed":
		w.circuit.State, w.circuit.ClosedAt = breaker.Closed, w.now
	case "open":
		w.circuit.State = breaker.Open
	case "forced": // closed, whatever fails
		w.circuit.State = breaker.Closed
	case "paused":
		d, err := time.ParseDuration(words[len(words)-1])
		w.circuit.PausedUntil = start.Add(d)
		return nil, err
	default:
		return nil, errors.New("a circuit is closed, open, forced or paused until a time")
	}
	return nil, nil
}

func (w *world) script([]string) ([]string, error) {
	c := w.hand()
	c.Script, c.Retries = "script", 0
	return w.put(c)
}

func (w *world) speech([]string) ([]string, error) {
	c := w.hand()
	c.Speech, c.Retries = "speech", 0
	return w.put(c)
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

var serviceOf = map[call.Step]string{
	call.ScriptStep: "llm", call.SpeechStep: "elevenlabs", call.DialStep: "twilio", call.RecordStep: "crm",
}

// fails ends a request of the step that the call is at. A dial that was surely
// not executed is withdrawn in the same write.
func (w *world) fails(words []string) ([]string, error) {
	f, known := faults[words[0]]
	if !known {
		return nil, fmt.Errorf("no fault is called %q", words[0])
	}
	if len(words) > 1 {
		asked, ok := strings.CutPrefix(words[1], "retry-after=")
		d, err := time.ParseDuration(asked)
		if !ok || err != nil {
			return nil, errors.New("say: fails FAULT retry-after=20s")
		}
		f.RetryAfter = d
	}
	c := w.hand()
	step := c.Next()
	if c.Intent != nil && c.SID == "" && !c.State.Final() {
		step = call.DialStep
		if f.Class != fault.Ambiguous {
			c = c.Withdrawn()
		}
	}
	w.circuit.Service, f.Service = serviceOf[step], serviceOf[step]
	return w.put(call.AfterFault(c, &f, call.Situation{
		Now: w.now, Step: step, Circuit: w.circuit, Policy: w.policy, U: w.u,
	}))
}

func (w *world) waits(words []string) ([]string, error) {
	d, err := time.ParseDuration(words[0])
	if err != nil {
		return nil, err
	}
	return w.put(w.hand().Deferred(w.now.Add(d), w.now, strings.Join(words[1:], " ")))
}

func (w *world) aside(words []string) ([]string, error) {
	d, err := time.ParseDuration(words[0])
	if err != nil {
		return nil, err
	}
	return w.put(w.hand().For(d, w.now, strings.Join(words[1:], " ")))
}

func (w *world) park(words []string) ([]string, error) {
	return w.put(w.hand().ForCircuit(words[1], w.now, "the circuit of "+words[1]+" is not closed"))
}

func (w *world) intend(words []string) ([]string, error) {
	return w.put(w.hand().Intends(words[0], from, w.now))
}

func (w *world) withdraw([]string) ([]string, error) {
	return w.put(w.hand().Withdrawn().Until(w.now, w.now, "not dialled"))
}

func (w *world) sid(words []string) ([]string, error) {
	return w.put(w.hand().Placed(words[0], w.now))
}

// rings reads what a listing shows.
func (w *world) rings(words []string) (listed []call.Look, err error) {
	for _, word := range words {
		parts := strings.Split(strings.TrimSuffix(word, ","), ":")
		sid, created, _ := strings.Cut(parts[0], "@")
		d, err := time.ParseDuration(created)
		if err != nil {
			return nil, err
		}
		l := call.Look{SID: sid, To: w.contact.Phone, From: from, Created: start.Add(d)}
		if len(parts) == 3 {
			l.To, l.From = parts[1], parts[2]
		}
		listed = append(listed, l)
	}
	return listed, nil
}

// listing is one reading of the provider's list in search of a lost dial.
func (w *world) listing(words []string) ([]string, error) {
	c := w.hand()
	switch {
	case words[0] == "fails" && c.Unseen(w.now):
		return w.lose(c, "every listing failed for a day")
	case words[0] == "fails":
		return w.put(c.AskAgain(w.now, false))
	case words[0] == "none":
		words = nil
	}
	listed, err := w.rings(words)
	if err != nil {
		return nil, err
	}
	switch found := c.Match(listed); {
	case len(found) == 1:
		return w.put(c.Adopted(found[0].SID, w.now))
	case c.NotThere(w.now.Add(-w.asker.Skew)):
		return w.lose(c, "the list does not show one call that must be ours")
	}
	return w.put(c.AskAgain(w.now, true))
}

// lose ends the call unknown, on condition of no answer and no new SID.
func (w *world) lose(c call.Call, why string) ([]string, error) {
	if a := w.stored.Answer; a != nil && (a.Final() || a.SID != c.SID) {
		return []string{"refused: an answer came in meanwhile"}, nil
	}
	return w.put(c.Lost(w.now, why))
}

// look is one reading of the call at the provider.
func (w *world) look(words []string) ([]string, error) {
	c := w.hand()
	l := call.Look{SID: c.Ring(), Status: words[0], Queued: words[0] == "queued"}
	switch words[0] {
	case "fails":
		if c.Unseen(w.now) {
			return w.lose(c, "every look failed for a day")
		}
		return w.put(c.Until(w.now.Add(call.LookEvery), w.now, "the outcome could not be read"))
	case "ringing", "queued":
		if c.Overlong(w.plan, w.now) {
			return w.lose(c, "it is still "+l.Status)
		}
		var answer []string
		if c.Stale(l, w.now) {
			answer = []string{"cancelled at the provider"}
		}
		refused, err := w.put(c.LookAgain(w.now))
		return append(answer, refused...), err
	}
	return w.put(c.Completed(call.Answer{SID: c.Ring(), Result: call.Result(words[0])}, w.now, w.crm))
}

// callback stores what the provider reports, outside lease and version.
func (w *world) callback(words []string) ([]string, error) {
	if w.stored.Intent == nil || w.stored.Intent.Attempt != words[0] {
		return []string{"ignored: not the call's attempt"}, nil
	}
	if w.stored.Answered() {
		return []string{"ignored: there is an answer"}, nil
	}
	a := call.Answer{SID: words[1], At: w.now}
	if len(words) > 2 {
		a.Result, a.Duration = call.Result(words[2]), 40*time.Second
	}
	c, settled := call.Settle(w.stored, a, w.now)
	if settled {
		c.Version++
	}
	c.Answer = &a
	w.stored = c
	for who, h := range w.hands { // an answer is no write of the record
		if h.Version == c.Version {
			w.hands[who] = c
		}
	}
	return nil, nil
}

// release stamps the parked call, outside lease and version.
func (w *world) release([]string) ([]string, error) {
	w.stored.Park.SentAt = w.now
	return nil, nil
}

func (w *world) expire([]string) ([]string, error) {
	c, yes := w.stored.Lapsed(w.now)
	if !yes {
		return []string{"it may not expire"}, nil
	}
	w.who = "the tick"
	return w.put(c)
}

func (w *world) tell([]string) ([]string, error) { return w.put(w.hand().Told(w.now)) }

func (w *world) recorded(words []string) ([]string, error) {
	return w.put(w.hand().WasRecorded(call.Yes, words[0], w.now))
}

func (w *world) fail(words []string) ([]string, error) {
	return w.put(w.hand().Failed(w.now, strings.Join(words, " ")))
}

func (w *world) rang([]string) ([]string, error) { return w.ordered(w.stored.Rang(w.now)) }

func (w *world) drop([]string) ([]string, error) { return w.ordered(w.stored.Dropped(w.now)) }

// ordered stores what an operator said of the call.
func (w *world) ordered(c call.Call, may bool) ([]string, error) {
	if !may {
		return []string{"refused: the call is " + string(c.State)}, nil
	}
	w.who = "the operator"
	return w.put(c)
}

// again orders the next round. The answer stays with the one before.
func (w *world) again([]string) ([]string, error) {
	c, _, may := w.stored.Again(w.now)
	if may {
		w.stored.Answer = nil
	}
	return w.ordered(c, may)
}
