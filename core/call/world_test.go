package call_test

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"callagent/core/backoff"
	"callagent/core/breaker"
	"callagent/core/call"
)

// start is when every story begins; stories count from it.
var start = time.Date(2026, time.January, 5, 9, 0, 0, 0, time.UTC)

// world is the ledger with one call in it, and everybody who works on that
// call. It does the duties of a caller: it stores with the version that was
// read, keeps the answer apart, and gives every event to the rule for it. Its
// verbs:
//
//	config skew=2s lease=60s retries=3 u=0 ring=30s length=5m crm=no
//	contact +15005550006 expires=1h    the message; name=Ada changes its data
//	at 12s                             set the clock
//	circuit closed, open, forced       that of the step the call is at
//	claim a                            a wake-up reaches holder a
//	a: VERB …                          a is the one who does it; without this
//	                                   it is the last who claimed
//	script stored, speech stored       the step succeeded
//	fails FAULT retry-after=20s        its request failed
//	wait 20m WHY, aside 1m WHY         a wait without a fault; a park by time
//	park for SERVICE                   rejected by its circuit
//	intend A1, withdraw, sid CA1       the dial
//	listing NONE|FAILS|RING, RING      a ring is SID@CREATED, or
//	                                   SID@CREATED:TO:FROM
//	look ringing|queued|fails|RESULT   a reading of the call at the provider
//	callback A1 CA1 RESULT             the provider reports about attempt A1
//	release, expire                    what ticks do
//	told, crm ID                       the paperwork
//	fail WHY                           it can never be dialled
//	rang, drop, again                  what an operator says of a finished call
type world struct {
	asker   call.Asker
	plan    call.Campaign
	policy  backoff.Policy
	u       float64
	crm     bool
	contact call.Contact

	now     time.Time
	circuit breaker.Record
	stored  call.Call
	hands   map[string]call.Call // as each holder last read or wrote it
	who     string
	told    map[call.Transition]bool
}

const from = "+15005550000"

func newWorld(told map[call.Transition]bool) *world {
	return &world{
		asker:   call.Asker{Lease: time.Minute},
		plan:    call.Campaign{Name: "spring", RingTimeout: 30 * time.Second, MaxLength: 5 * time.Minute},
		policy:  backoff.Policy{MaxRetries: 3, Initial: 5 * time.Second, Factor: 2, Max: time.Minute},
		crm:     true,
		contact: call.Contact{Campaign: "spring", ID: "c-001", Phone: "+15005550006"},
		now:     start, hands: map[string]call.Call{}, told: told,
	}
}

// Do plays one command and gives the lines that answer it.
func (w *world) Do(command string) ([]string, error) {
	words := strings.Fields(command)
	if who, by := strings.CutSuffix(words[0], ":"); by {
		if _, known := w.hands[who]; !known || len(words) < 2 {
			return nil, fmt.Errorf("nobody is called %q", who)
		}
		w.who, words = who, words[1:]
	}
	v, known := verbs[words[0]]
	switch {
	case !known:
		return nil, errors.New("no such verb")
	case len(words)-1 < v.words:
		return nil, errors.New("too few words")
	case v.holder && w.who == "":
		return nil, errors.New("nobody holds the call")
	}
	before := w.stored
	answer, err := v.do(w, words[1:])
	if err != nil || v.silent {
		return answer, err
	}
	for _, row := range call.Transitions {
		claims := words[0] == "claim" || row.From != row.To // what keeps the state is told by a claim only
		if claims && row.From == before.State && row.To == w.stored.State && before.Version != w.stored.Version {
			w.told[row] = true
		}
	}
	return append(answer, w.describe(before)...), nil
}

// hand is the call as the present holder knows it.
func (w *world) hand() call.Call { return w.hands[w.who] }

// put stores a call under the version that its holder read, as a ledger does.
func (w *world) put(c call.Call) ([]string, error) {
	if c.Version != w.stored.Version {
		return []string{"refused: somebody else wrote first"}, nil
	}
	c.Version++
	c.Answer = w.stored.Answer
	w.stored, w.hands[w.who] = c, c
	return nil, nil
}

// ask makes the asker that a holder is.
func (w *world) ask(who string) call.Asker {
	a := w.asker
	a.Now, a.Holder, a.Admits = w.now, who, w.circuit.State == breaker.Closed
	return a
}

func (w *world) claim(words []string) ([]string, error) {
	c := w.stored
	if c.Version == 0 {
		c = call.Call{Key: w.contact.Key()}
	}
	got := call.Claims(c.Refresh(w.contact, "hash of "+w.contact.Phone[8:], time.Time{}), w.ask(words[0]))
	switch got.Do {
	case call.Acknowledge:
		return []string{"acknowledged: " + got.Reason}, nil
	case call.ComeBack:
		return []string{"again at " + offset(got.At) + ": " + got.Reason}, nil
	}
	w.who = words[0]
	c = got.Call
	if !c.State.Final() {
		c = c.Told(w.now) // the alert of its park goes out with the claim
	}
	refused, err := w.put(c)
	return append([]string{got.Reason}, refused...), err
}

// describe tells where the call stands, and what its history gained.
func (w *world) describe(before call.Call) []string {
	c := w.stored
	if c.Version == before.Version && (c.Answer == nil || before.Answer != nil && *c.Answer == *before.Answer) && c.Park == before.Park {
		return nil
	}
	lines := []string{strings.Join(facts(c), ", ")}
	known := len(before.History)
	if c.Round != before.Round {
		known = 0
	}
	for _, e := range c.History[known:] {
		lines = append(lines, "+ "+e.What)
	}
	return lines
}

// facts are what a reader of a story has to know of the call.
func facts(c call.Call) []string {
	fs := []string{string(c.State)}
	add := func(show bool, format string, values ...any) {
		if show {
			fs = append(fs, fmt.Sprintf(format, values...))
		}
	}
	add(c.Round > 0, "round %d", c.Round)
	add(c.Lease.Holder != "", "held by %s until %s", c.Lease.Holder, offset(c.Lease.Until))
	add(c.Park.Service != "", "until %s is closed", c.Park.Service)
	add(!c.Park.Until.IsZero(), "until %s", offset(c.Park.Until))
	add(!c.Park.SentAt.IsZero(), "sent at %s", offset(c.Park.SentAt))
	add(!c.Due.IsZero(), "due %s", offset(c.Due))
	add(c.Retries > 0, "retries %d", c.Retries)
	add(c.SpentParks > 0, "spent parks %d", c.SpentParks)
	add(c.Takeovers > 0, "takeovers %d", c.Takeovers)
	if c.Intent != nil {
		add(true, "intent %s to end by %s", c.Intent.Attempt, offset(c.Intent.Deadline))
	}
	add(c.Listings > 0, "listings %d", c.Listings)
	add(c.Ring() != "", "ring %s", c.Ring())
	if c.Answer != nil {
		add(c.Answer.Final(), "answer %s", c.Answer.Result)
	}
	add(c.Result != "", "result %s", c.Result)
	add(c.Talk != 0, "talked %s", c.Talk)
	add(c.Recorded != call.NotYet, "recorded %s", c.Recorded)
	add(c.Notice != "", "to tell %s", c.Notice)
	add(true, "next %s", next(c))
	return fs
}

func next(c call.Call) string {
	if s := c.Next(); s != call.NoStep {
		return s.String()
	}
	return "nothing"
}

func offset(t time.Time) string { return t.Sub(start).String() }
