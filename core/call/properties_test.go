package call_test

import (
	"testing"
	"time"

	"pgregory.net/rapid"

	"callagent/core/backoff"
	"callagent/core/breaker"
	"callagent/core/call"
	"callagent/core/fault"
)

// life is one call on which the rules are used in any order that a caller may
// use them in, with holders that die, sleep and come back.
type life struct {
	now     time.Time
	skew    time.Duration
	policy  backoff.Policy
	circuit breaker.Record
	contact call.Contact
	call    call.Call
}

func TestAnyLifeOfACallKeepsItsPromises(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		l := &life{
			now:  start,
			skew: rapid.SampledFrom([]time.Duration{0, 2 * time.Second}).Draw(t, "skew"),
			policy: backoff.Policy{
				MaxRetries: rapid.IntRange(0, 3).Draw(t, "retries"),
				Initial:    rapid.SampledFrom([]time.Duration{5 * time.Second, 20 * time.Minute}).Draw(t, "initial"),
				Factor:     2, Max: time.Hour, Jitter: 0.2,
			},
			contact: call.Contact{Campaign: "spring", ID: "c-001", Phone: "+15005550006"},
		}
		if rapid.Bool().Draw(t, "expires") {
			l.contact.ExpiresAt = start.Add(30 * time.Minute)
		}
		t.Repeat(map[string]func(*rapid.T){
			"":         l.duePointsAtWhatIsLeft,
			"pass":     l.pass,
			"claim":    l.claim,
			"step":     l.step,
			"fault":    l.fault,
			"set":      l.setAside,
			"dial":     l.dial,
			"look":     l.look,
			"callback": l.callback,
			"expire":   l.expire,
			"paper":    l.paperwork,
			"person":   l.person,
			"circuit":  l.flip,
		})
	})
}

// becomes stores what a rule made of the call, if that may be.
func (l *life) becomes(t *rapid.T, c call.Call) {
	before := l.call
	if before.State.Final() && c.State != before.State && (before.State != call.Unknown || c.State != call.Completed) {
		t.Fatalf("%s became %s", before.State, c.State)
	}
	if before.Dialled() && c.State != before.State && (c.State == call.Failed || c.State == call.Expired) {
		t.Fatalf("a dialled call became %s", c.State)
	}
	if c.Retries > l.policy.MaxRetries {
		t.Fatalf("retry %d of %d", c.Retries, l.policy.MaxRetries)
	}
	if !c.State.Final() && c.SpentParks > call.MaxSpentParks && !c.Dialled() {
		t.Fatalf("%d spent parks of an undialled call", c.SpentParks)
	}
	if c.State != call.Running && !c.State.Final() && c.Lease.Holder != "" {
		t.Fatalf("%s with a lease", c.State)
	}
	if len(c.History) < len(before.History) {
		t.Fatal("the history lost a line")
	}
	c.Version++
	l.call = c
}

// duePointsAtWhatIsLeft: the index holds exactly the calls that time moves.
func (l *life) duePointsAtWhatIsLeft(t *rapid.T) {
	c := l.call
	var due bool
	switch {
	case c.State == call.Queued:
	case c.State.Final():
		due = c.Notice != "" || c.Recorded == call.Pending && c.Park.Service == ""
	case c.State == call.Parked && c.Park.Service != "":
		due = !c.Contact.ExpiresAt.IsZero() && !c.Dialled() // it waits for its end as well
	default:
		due = true
	}
	if due == c.Due.IsZero() {
		t.Fatalf("%s, parked for %q, recorded %q, notice %q, is due %s", c.State, c.Park.Service, c.Recorded, c.Notice, c.Due)
	}
}

func (l *life) pass(t *rapid.T) {
	l.now = l.now.Add(rapid.SampledFrom([]time.Duration{
		time.Second, 5 * time.Second, 16 * time.Second, 2 * time.Minute, 20 * time.Minute, 25 * time.Hour,
	}).Draw(t, "for"))
}

func (l *life) flip(*rapid.T) {
	if l.circuit.State == breaker.Closed {
		l.circuit.State = breaker.Open
	} else {
		l.circuit.State, l.circuit.ClosedAt = breaker.Closed, l.now
	}
}

// claimable is the dumb reading of the sentence about claims.
func (l *life) claimable(a call.Asker) bool {
	c := l.call
	due := a.Now.Sub(c.Due) >= a.Skew
	leaseOver := a.Now.Sub(c.Lease.Until) >= a.Skew
	byTime := !c.Park.Until.IsZero() && a.Now.Sub(c.Park.Until) >= a.Skew
	byCircuit := c.Park.Service != "" && a.Admits
	answered := c.Answer != nil && c.Answer.Result != ""
	switch c.State {
	case call.Queued:
		return true
	case call.Running:
		return leaseOver
	case call.Waiting, call.Reconciling:
		return due || answered
	case call.Parked:
		return byTime || byCircuit || answered
	}
	if c.Recorded != call.Pending && c.Notice == "" || c.Lease.Holder != "" && !leaseOver {
		return false
	}
	if c.Park.Service != "" {
		return byCircuit
	}
	return due
}

func (l *life) claim(t *rapid.T) {
	if l.call.State == call.Queued {
		l.call.Key = l.contact.Key()
	}
	l.call = l.call.Refresh(l.contact, "hash", time.Time{})
	a := call.Asker{
		Now: l.now, Holder: rapid.SampledFrom([]string{"a", "b"}).Draw(t, "holder"), Lease: time.Minute,
		Skew: l.skew, Admits: l.circuit.State == breaker.Closed,
	}
	got := call.Claims(l.call, a)
	if want := l.claimable(a); (got.Do == call.TakeIt) != want {
		t.Fatalf("claimable is %t, yet %q for %+v", want, got.Reason, l.call)
	}
	if got.Do == call.ComeBack && !got.At.After(l.now) {
		t.Fatalf("again at %s, which is past", got.At)
	}
	if got.Do != call.TakeIt {
		return
	}
	c := got.Call
	if c.Due.After(l.now) && l.call.State == call.Parked {
		t.Fatalf("a parked call that is claimed is due only at %s", c.Due)
	}
	if !c.State.Final() {
		c = c.Told(l.now)
	}
	l.becomes(t, c)
}

// mine skips what only a holder may do.
func (l *life) mine(t *rapid.T, may bool) {
	if !may {
		t.Skip("nobody may do that now")
	}
}

func (l *life) running() bool { return l.call.State == call.Running }

func (l *life) step(t *rapid.T) {
	l.mine(t, l.running())
	c := l.call
	switch c.Next() {
	case call.ScriptStep:
		c.Script, c.Retries = "script", 0
	case call.SpeechStep:
		c.Speech, c.Retries = "speech", 0
	default:
		t.Skip("no such step")
	}
	l.becomes(t, c)
}

// fault ends a request of the call with any fault there is. A dial that was
// surely not executed is withdrawn first, as the caller has to.
func (l *life) fault(t *rapid.T) {
	c, step := l.call, l.call.Next()
	dials := c.Intent != nil && c.SID == "" && l.running()
	l.mine(t, l.running() && step != call.OutcomeStep || dials || c.State.Final() && step == call.RecordStep && c.Park.Service == "")
	f := faults[rapid.SampledFrom([]string{"503", "400", "401", "429", "overload", "unclear"}).Draw(t, "fault")]
	f.RetryAfter = rapid.SampledFrom([]time.Duration{0, 7 * time.Second, 10 * time.Minute, time.Hour, 9 * time.Hour}).Draw(t, "asked")
	if dials {
		step = call.DialStep
		if f.Class != fault.Ambiguous {
			c = c.Withdrawn()
		}
	}
	l.call = c
	l.circuit.Service = serviceOf[step]
	next := call.AfterFault(c, &f, call.Situation{
		Now: l.now, Step: step, Circuit: l.circuit, Policy: l.policy, U: rapid.Float64Range(0, 0.999).Draw(t, "u"),
	})
	asked := min(f.RetryAfter, fault.MaxRetryAfter)
	again := next.Due
	if !next.Park.Until.IsZero() {
		again = next.Park.Until
	}
	sent := next.State == call.Waiting || next.State == call.Parked || next.Recorded == call.Pending
	if sent && next.Park.Service == "" && again.Sub(l.now) < asked {
		t.Fatalf("asked to wait %s, comes again after %s", asked, again.Sub(l.now))
	}
	if next.State == call.Waiting && next.Due.Sub(l.now) > call.MaxHidden {
		t.Fatalf("the queue would hide the message for %s", next.Due.Sub(l.now))
	}
	if step == call.RecordStep && next.State != c.State {
		t.Fatalf("the CRM made %s of %s", next.State, c.State)
	}
	l.becomes(t, next)
}

func (l *life) setAside(t *rapid.T) {
	l.mine(t, l.running())
	switch rapid.IntRange(0, 5).Draw(t, "way") {
	case 0:
		l.becomes(t, l.call.ForCircuit("twilio", l.now, "rejected"))
	case 1:
		l.becomes(t, l.call.For(time.Minute, l.now, "the number is busy"))
	case 2:
		l.becomes(t, l.call.Deferred(l.now.Add(40*time.Minute), l.now, "paused"))
	case 3:
		l.becomes(t, l.call.Spent(l.now, "its recording cannot be used"))
	case 4:
		l.becomes(t, l.call.Failed(l.now, "crashed"))
	case 5:
		l.becomes(t, l.call.Unkept(l.now, "the disk is full"))
	}
}

func (l *life) dial(t *rapid.T) {
	l.mine(t, l.running())
	switch c := l.call; {
	case c.Next() == call.DialStep:
		l.becomes(t, c.Intends("A1", from, l.now))
	case c.Intent != nil && c.Ring() == "" && rapid.Bool().Draw(t, "accepted"):
		l.becomes(t, c.Placed("CA1", l.now))
	case c.Intent != nil && c.Ring() == "":
		l.becomes(t, c.Withdrawn().Until(l.now, l.now, "too late"))
	default:
		t.Skip("there is nothing to dial")
	}
}

func (l *life) look(t *rapid.T) {
	l.mine(t, l.running() && l.call.Intent != nil)
	c := l.call
	switch {
	case c.Answered():
		l.becomes(t, c.Completed(*c.Answer, l.now, rapid.Bool().Draw(t, "crm")))
	case c.Ring() != "" && c.Unseen(l.now):
		l.becomes(t, c.Lost(l.now, "unseen"))
	case c.Ring() != "":
		l.becomes(t, c.LookAgain(l.now))
	case c.NotThere(l.now):
		if c.Listings < call.Listings-1 || l.now.Before(c.Intent.Deadline.Add(time.Minute)) {
			t.Fatalf("not there after %d listings at %s", c.Listings, l.now)
		}
		l.becomes(t, c.Lost(l.now, "not there"))
	default:
		l.becomes(t, c.AskAgain(l.now, rapid.Bool().Draw(t, "counted")))
	}
}

func (l *life) callback(t *rapid.T) {
	l.mine(t, l.call.Intent != nil && !l.call.Answered())
	a := call.Answer{SID: "CA1", At: l.now, Result: rapid.SampledFrom([]call.Result{"", call.Answered, call.Busy}).Draw(t, "result")}
	c, settled := call.Settle(l.call, a, l.now)
	if settled != (l.call.State == call.Unknown && a.Result != "") {
		t.Fatalf("settled %t: %s with result %q", settled, l.call.State, a.Result)
	}
	c.Answer = &a
	l.becomes(t, c)
}

func (l *life) expire(t *rapid.T) {
	c, yes := l.call.Lapsed(l.now)
	may := !l.call.Dialled() && (l.running() || l.call.State == call.Waiting || l.call.State == call.Parked) &&
		!l.call.Contact.ExpiresAt.IsZero() && !l.now.Before(l.call.Contact.ExpiresAt)
	if yes != may {
		t.Fatalf("it lapses: %t, want %t: %+v", yes, may, l.call)
	}
	if yes {
		l.becomes(t, c)
	}
}

func (l *life) paperwork(t *rapid.T) {
	c := l.call
	l.mine(t, c.State.Final())
	switch {
	case c.Notice != "":
		l.becomes(t, c.Told(l.now))
	case c.Recorded == call.Pending:
		l.becomes(t, c.WasRecorded(call.Yes, "4711", l.now))
	}
}

// person settles an unknown call, or orders a finished one again.
func (l *life) person(t *rapid.T) {
	before := l.call
	l.mine(t, before.State.Final())
	var c call.Call
	var ok bool
	may := before.State == call.Unknown
	switch rapid.IntRange(0, 2).Draw(t, "says") {
	case 0:
		c, ok = before.Rang(l.now)
	case 1:
		c, ok = before.Dropped(l.now)
	case 2:
		var kept call.Call
		may = before.Recorded != call.Pending
		c, kept, ok = before.Again(l.now)
		if ok && (c.Dialled() || c.Answer != nil || !kept.Due.IsZero() || kept.State != before.State || kept.Key == c.Key) {
			t.Fatalf("%+v is kept as %+v, and the next is %+v", before, kept, c)
		}
	}
	if ok != may {
		t.Fatalf("a person may is %t, want %t: %+v", ok, may, before)
	}
	if ok {
		c.Version++
		l.call = c
	}
}
