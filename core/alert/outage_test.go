package alert_test

import (
	"reflect"
	"slices"
	"testing"
	"time"

	"callagent/core/alert"
	"callagent/core/breaker"
	"callagent/core/fault"
	"callagent/core/health"
)

// outage plays a circuit second by second, with a tick every 5 s that does what
// ticks do: remind, and raise everything that people should know.
type outage struct {
	t      *testing.T
	now    time.Time
	record breaker.Record
	raised map[string]alert.Alert
	first  []string // ids in the order they were first raised
	at     map[string]time.Duration
}

func newOutage(t *testing.T) *outage {
	return &outage{t: t, now: start, record: breaker.Record{Service: "elevenlabs"}, raised: map[string]alert.Alert{}, at: map[string]time.Duration{}}
}

func (o *outage) tick() {
	o.t.Helper()
	if r, due := health.Remind(o.record, o.now); due {
		o.record = r
	}
	if !health.Announce(o.record, o.now) {
		return
	}
	for _, a := range alert.ForCircuit(o.record, o.now) {
		before, known := o.raised[a.ID]
		if !known {
			o.first = append(o.first, a.ID)
			o.at[a.ID] = o.now.Sub(start)
			o.raised[a.ID] = a
		} else if !reflect.DeepEqual(a, before) {
			o.t.Errorf("%s at %s: %s became another alert:\n%+v\n%+v", a.Kind, o.now.Sub(start), a.ID, before, a)
		}
	}
}

// until lets time pass, with its ticks.
func (o *outage) until(d time.Duration) {
	o.t.Helper()
	for o.now.Before(start.Add(d)) {
		o.now = o.now.Add(5 * time.Second)
		o.tick()
	}
}

// fail makes a request of the closed circuit fail so that it opens.
func (o *outage) fail() {
	o.t.Helper()
	f := &fault.Fault{Service: "elevenlabs", Kind: fault.ServiceUnavailable, Status: 503}
	for range 3 {
		p, _ := breaker.Admit(o.record, "call", time.Second, o.now)
		o.record, _ = breaker.Fail(o.record, breaker.DefaultConfig(), breaker.Failure{Permit: p, Fault: f, Began: o.now, MayTrip: true}, o.now)
	}
	if o.record.State != breaker.Open {
		o.t.Fatalf("the circuit is %s", o.record.State)
	}
	o.tick()
}

// probe tests the open circuit with a real request.
func (o *outage) probe(works bool) {
	o.t.Helper()
	r, change := breaker.TakeProbe(o.record, "tick", time.Second, o.now)
	if change != breaker.Leased {
		o.t.Fatalf("nothing to probe: %s", change)
	}
	p, _ := breaker.Admit(r, "tick", time.Second, o.now)
	if works {
		o.record, _ = breaker.Success(r, p, o.now)
	} else {
		o.record, _ = breaker.Fail(r, breaker.DefaultConfig(), breaker.Failure{Permit: p, Fault: o.record.LastFault, Began: o.now}, o.now)
	}
	o.tick()
}

func (o *outage) wants(ids ...string) {
	o.t.Helper()
	if !slices.Equal(o.first, ids) {
		o.t.Errorf("raised were\n%q, want\n%q", o.first, ids)
	}
}

func (o *outage) told(id string, at time.Duration) {
	o.t.Helper()
	if got, known := o.at[id]; !known || got != at {
		o.t.Errorf("%s was raised at %s (%t), want %s", id, got, known, at)
	}
}

func TestAnOutageIsToldOnceWhateverTheTicks(t *testing.T) {
	o := newOutage(t)
	o.until(time.Minute)
	o.fail() // opens at 1 min
	o.until(3 * time.Minute)
	o.probe(true)
	o.until(time.Hour)

	o.wants("circuit/elevenlabs/1/circuit_opened", "circuit/elevenlabs/1/circuit_closed")
	o.told("circuit/elevenlabs/1/circuit_opened", time.Minute)
	o.told("circuit/elevenlabs/1/circuit_closed", 5*time.Minute) // two minutes after the close
}

func TestALongOutageIsRemindedOf(t *testing.T) {
	o := newOutage(t)
	o.fail()
	o.until(125 * time.Minute)
	o.probe(true)
	o.until(3 * time.Hour)

	o.wants("circuit/elevenlabs/1/circuit_opened",
		"circuit/elevenlabs/1/circuit_still_open/1", "circuit/elevenlabs/1/circuit_still_open/2",
		"circuit/elevenlabs/1/circuit_still_open/3", "circuit/elevenlabs/1/circuit_still_open/4",
		"circuit/elevenlabs/1/circuit_closed")
	o.told("circuit/elevenlabs/1/circuit_still_open/1", 5*time.Minute)
	o.told("circuit/elevenlabs/1/circuit_still_open/2", 15*time.Minute)
	o.told("circuit/elevenlabs/1/circuit_still_open/3", time.Hour)
	o.told("circuit/elevenlabs/1/circuit_still_open/4", 2*time.Hour)
}

func TestRelapsesAreToldOnceAsUnstable(t *testing.T) {
	o := newOutage(t)
	o.fail()
	o.until(time.Minute)
	o.probe(true)
	o.until(80 * time.Second) // 20 s after the close
	o.fail()
	o.until(2 * time.Minute)
	o.probe(true)
	o.until(150 * time.Second)
	o.fail() // and again
	o.until(6 * time.Minute)
	o.probe(true)
	o.until(20 * time.Minute)

	o.wants("circuit/elevenlabs/1/circuit_opened", "circuit/elevenlabs/1/circuit_unstable",
		"circuit/elevenlabs/1/circuit_still_open/1", "circuit/elevenlabs/1/circuit_closed")
	o.told("circuit/elevenlabs/1/circuit_unstable", 80*time.Second)
	o.told("circuit/elevenlabs/1/circuit_closed", 8*time.Minute)
}

func TestACloseThatDidNotHoldIsNotTold(t *testing.T) {
	o := newOutage(t)
	o.fail()
	o.until(time.Minute)
	o.probe(true)
	o.until(175 * time.Second) // 115 s after the close
	o.fail()
	o.until(4 * time.Minute)
	o.wants("circuit/elevenlabs/1/circuit_opened", "circuit/elevenlabs/1/circuit_unstable")
}

// A real request that fails as the probe lengthens the opening like a relapse,
// but the service never came back: it is not unstable, only still down.
func TestAFailedProbeIsNoRelapse(t *testing.T) {
	o := newOutage(t)
	o.fail()
	o.until(time.Minute)
	o.probe(false)
	o.until(3 * time.Minute)
	o.probe(true)
	o.until(10 * time.Minute)
	o.wants("circuit/elevenlabs/1/circuit_opened", "circuit/elevenlabs/1/circuit_closed")
}

func TestANewOutageIsToldAnew(t *testing.T) {
	o := newOutage(t)
	o.fail()
	o.until(time.Minute)
	o.probe(true)
	o.until(10 * time.Minute)
	o.fail()
	o.wants("circuit/elevenlabs/1/circuit_opened", "circuit/elevenlabs/1/circuit_closed", "circuit/elevenlabs/4/circuit_opened")
}

func TestAPauseIsToldAfterFiveMinutes(t *testing.T) {
	o := newOutage(t)
	f := &fault.Fault{Service: "elevenlabs", Kind: fault.Throttled, Status: 429}
	for range 20 { // it throttles whenever it is asked
		p, refusal := breaker.Admit(o.record, "call", time.Second, o.now)
		if refusal == breaker.None {
			o.record, _ = breaker.Fail(o.record, breaker.DefaultConfig(), breaker.Failure{Permit: p, Fault: f, Began: o.now, MayTrip: true}, o.now)
		}
		o.until(o.now.Sub(start) + 30*time.Second)
	}
	o.wants("pause/elevenlabs/1767603600")
	o.told("pause/elevenlabs/1767603600", 5*time.Minute)
}

func TestNothingIsToldOfAHealthyService(t *testing.T) {
	o := newOutage(t)
	o.until(time.Hour)
	o.wants()
	if as := alert.ForCircuit(breaker.Record{Service: "llm"}, start); as != nil {
		t.Errorf("told: %+v", as)
	}
}

// A record that was lost to everybody for a while is told in the order of
// events.
func TestTheOrderIsThatOfEvents(t *testing.T) {
	r := open("twilio", down)
	r.ClosedAt, r.Relapses, r.Reminded = start.Add(time.Minute), 2, 2
	r.Pauses, r.PausedFrom, r.PausedUntil = 1, start, start.Add(time.Hour)
	var kinds []alert.Kind
	for _, a := range alert.ForCircuit(r, start.Add(20*time.Minute)) {
		kinds = append(kinds, a.Kind)
	}
	want := []alert.Kind{alert.ServicePaused, alert.CircuitOpened, alert.CircuitUnstable, alert.CircuitStillOpen}
	if !slices.Equal(kinds, want) {
		t.Errorf("told are %q, want %q", kinds, want)
	}
}

// After the close reminders are over: what was told stays told, nothing of it
// is raised again.
func TestAClosedCircuitIsNoLongerRemindedOf(t *testing.T) {
	r := open("twilio", down)
	r.State, r.ClosedAt, r.Reminded = breaker.Closed, start.Add(20*time.Minute), 2
	var kinds []alert.Kind
	for _, a := range alert.ForCircuit(r, start.Add(22*time.Minute)) {
		kinds = append(kinds, a.Kind)
	}
	if want := []alert.Kind{alert.CircuitOpened, alert.CircuitClosed}; !slices.Equal(kinds, want) {
		t.Errorf("told are %q, want %q", kinds, want)
	}
}
