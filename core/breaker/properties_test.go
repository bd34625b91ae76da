package breaker_test

import (
	"testing"
	"time"

	"pgregory.net/rapid"

	"callagent/core/breaker"
	"callagent/core/fault"
)

// fleet is several processes that share one circuit. Each decides on the
// record as it last read it, which may be old, and its permits may be older
// still; only the compare-and-swap puts that right.
type fleet struct {
	config  breaker.Config
	now     time.Time
	record  breaker.Record // as it is stored
	members []member
	flights []flight
	ticks   int
}

type member struct {
	cached      breaker.Record
	lastSuccess time.Time
}

// flight is an admitted request that has not ended.
type flight struct {
	by     int
	who    string
	permit breaker.Permit
	began  time.Time
	cheap  bool
}

// event is what a rule is asked about; check judges what came of it.
type event struct {
	permit breaker.Permit
	fault  *fault.Fault // nil for anything but a failure
	cheap  bool
}

const timeLimit = 8 * time.Second

func newFleet(t *rapid.T) *fleet {
	return &fleet{
		config: breaker.Config{
			Threshold: rapid.IntRange(1, 4).Draw(t, "threshold"),
			Recovery:  10 * time.Second,
			Interval:  5 * time.Second,
			Settle:    rapid.SampledFrom([]time.Duration{0, time.Second}).Draw(t, "settle"),
		},
		now:     start,
		members: make([]member, 3),
	}
}

func TestFleetKeepsItsPromises(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		f := newFleet(t)
		t.Repeat(map[string]func(*rapid.T){
			"":         f.oneProbe,
			"wait":     f.wait,
			"read":     f.read,
			"admit":    f.admit,
			"blind":    f.admitBlind,
			"tick":     f.tick,
			"hand":     f.handOver,
			"succeed":  f.succeed,
			"fail":     f.fail,
			"cancel":   f.cancel,
			"operator": f.operator,
		})
	})
}

func (f *fleet) pick(t *rapid.T) (int, *member) {
	i := rapid.IntRange(0, len(f.members)-1).Draw(t, "process")
	return i, &f.members[i]
}

func (f *fleet) land(t *rapid.T) (flight, *member) {
	if len(f.flights) == 0 {
		t.Skip("nothing is under way")
	}
	i := rapid.IntRange(0, len(f.flights)-1).Draw(t, "flight")
	fl := f.flights[i]
	f.flights = append(f.flights[:i:i], f.flights[i+1:]...)
	return fl, &f.members[fl.by]
}

func (f *fleet) wait(t *rapid.T) {
	f.now = f.now.Add(rapid.SampledFrom([]time.Duration{
		100 * time.Millisecond, time.Second, 3 * time.Second, 11 * time.Second, time.Minute,
	}).Draw(t, "for"))
}

func (f *fleet) read(t *rapid.T) {
	_, m := f.pick(t)
	m.cached = f.record
}

// admit asks for a call of the process, or for the heir of a lease.
func (f *fleet) admit(t *rapid.T) {
	i, m := f.pick(t)
	who := rapid.SampledFrom([]string{"call-1", "call-2", m.cached.Probe.Holder}).Draw(t, "who")
	for _, fl := range f.flights {
		if fl.who == who {
			t.Skip("one request of a call at a time")
		}
	}
	p, refusal := breaker.Admit(m.cached, who, timeLimit, f.now)
	if m.cached.State == breaker.Open && refusal == breaker.None {
		t.Fatalf("admitted by an open circuit: %+v", m.cached)
	}
	if f.now.Before(m.cached.PausedUntil) && refusal == breaker.None {
		t.Fatalf("admitted during a pause: %+v", m.cached)
	}
	if m.cached.State == breaker.HalfOpen && refusal == breaker.None && (who != m.cached.Probe.Holder || !p.Probe) {
		t.Fatalf("%s is admitted while %s probes", who, m.cached.Probe.Holder)
	}
	if refusal == breaker.None {
		f.flights = append(f.flights, flight{by: i, who: who, permit: p, began: f.now})
	}
}

func (f *fleet) admitBlind(t *rapid.T) {
	i, _ := f.pick(t)
	f.flights = append(f.flights, flight{by: i, who: "blind", permit: breaker.Permit{Unowned: true}, began: f.now})
}

func (f *fleet) tick(t *rapid.T) {
	i, m := f.pick(t)
	f.ticks++
	who := "tick-" + string(rune('A'+f.ticks%26))
	if c := f.decide(t, m, event{}, func(r breaker.Record) (breaker.Record, breaker.Change) {
		return breaker.TakeProbe(r, who, timeLimit, f.now)
	}); c.Writes() {
		p, refusal := breaker.Admit(f.record, who, timeLimit, f.now)
		if refusal != breaker.None {
			t.Fatalf("the winner of the lease is refused: %s", refusal)
		}
		f.flights = append(f.flights, flight{by: i, who: who, permit: p, began: f.now, cheap: true})
	}
}

func (f *fleet) handOver(t *rapid.T) {
	fl, m := f.land(t)
	heir := rapid.SampledFrom([]string{"call-1", "call-2"}).Draw(t, "heir")
	f.decide(t, m, event{permit: fl.permit}, func(r breaker.Record) (breaker.Record, breaker.Change) {
		return breaker.HandOver(r, fl.permit, heir, timeLimit, f.now)
	})
}

func (f *fleet) succeed(t *rapid.T) {
	fl, m := f.land(t)
	m.lastSuccess = f.now
	f.decide(t, m, event{permit: fl.permit}, func(r breaker.Record) (breaker.Record, breaker.Change) {
		return breaker.Success(r, fl.permit, f.now)
	})
}

func (f *fleet) fail(t *rapid.T) {
	fl, m := f.land(t)
	name := rapid.SampledFrom([]string{"503", "503", "503", "400", "401", "429", "overload", "unclear"}).Draw(t, "fault")
	fau := faults[name]
	fau.RetryAfter = rapid.SampledFrom([]time.Duration{0, 0, 2 * time.Second, 30 * time.Second, 2 * time.Hour}).Draw(t, "retry after")
	failure := breaker.Failure{
		Permit: fl.permit, Fault: &fau, Began: fl.began, LastSuccess: m.lastSuccess, Cheap: fl.cheap,
		MayTrip: rapid.Bool().Draw(t, "may trip"),
	}
	f.decide(t, m, event{permit: fl.permit, fault: &fau, cheap: fl.cheap}, func(r breaker.Record) (breaker.Record, breaker.Change) {
		return breaker.Fail(r, f.config, failure, f.now)
	})
}

func (f *fleet) cancel(t *rapid.T) {
	fl, m := f.land(t)
	f.decide(t, m, event{permit: fl.permit}, func(r breaker.Record) (breaker.Record, breaker.Change) {
		return breaker.Release(r, fl.permit, f.now)
	})
}

func (f *fleet) operator(t *rapid.T) {
	_, m := f.pick(t)
	rule := rapid.SampledFrom([]func(breaker.Record, time.Time) (breaker.Record, breaker.Change){
		breaker.Return, breaker.Return, breaker.ForceOpen, breaker.ForceClose,
	}).Draw(t, "override")
	f.decide(t, m, event{}, func(r breaker.Record) (breaker.Record, breaker.Change) { return rule(r, f.now) })
}

// decide asks a rule with the record as the process knows it and stores the
// answer. After a lost race the process knows the newer record and asks again.
func (f *fleet) decide(t *rapid.T, m *member, e event, rule func(breaker.Record) (breaker.Record, breaker.Change)) breaker.Change {
	for {
		after, c := rule(m.cached)
		if !c.Writes() {
			if after != m.cached {
				t.Fatalf("%s, yet the record changed:\n%+v\n%+v", c, m.cached, after)
			}
			return c
		}
		if m.cached.Version != f.record.Version {
			m.cached = f.record
			continue
		}
		after.Version++
		f.check(t, f.record, after, c, e)
		f.record, m.cached = after, after
		return c
	}
}
