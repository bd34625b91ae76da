package breaker_test

import (
	"encoding/json"
	"errors"
	"reflect"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"callagent/core/breaker"
	"callagent/core/fault"
)

var unavailable = &fault.Fault{Service: "elevenlabs", Kind: fault.ServiceUnavailable, Status: 503, Message: "overloaded"}

// opened is a circuit that a wrong key opened at start.
func opened(t *testing.T) breaker.Record {
	t.Helper()
	r, change := breaker.Fail(breaker.Record{Service: "elevenlabs"}, breaker.DefaultConfig(), breaker.Failure{
		Fault: &fault.Fault{Service: "elevenlabs", Class: fault.Permanent, Kind: fault.Authentication, Scope: fault.Account, Status: 401},
	}, start)
	if change != breaker.Tripped {
		t.Fatalf("an account fault: %s", change)
	}
	return r
}

func TestTheFirstTripWritesTheWholeRecord(t *testing.T) {
	var r breaker.Record
	for i := range 3 {
		r, _ = breaker.Fail(r, breaker.DefaultConfig(), breaker.Failure{Fault: unavailable, MayTrip: true},
			start.Add(time.Duration(i)*time.Second))
	}
	at := start.Add(2 * time.Second)
	want := breaker.Record{
		State: breaker.Open, Epoch: 1,
		Streak: 3, StreakFrom: start, StreakAt: at,
		Outage: 1, OpenedAt: at, OpenUntil: at.Add(10 * time.Second),
		LastFault: unavailable,
	}
	if diff := cmp.Diff(want, r); diff != "" {
		t.Errorf("after three failures (-want +got):\n%s", diff)
	}
}

// The report of a failure may be overtaken by that of a later one. The streak
// still ends with the later one, so a success from between the two ends nothing.
func TestAnOvertakenReportMovesTheStreakNotBack(t *testing.T) {
	c, r := breaker.DefaultConfig(), breaker.Record{}
	for _, after := range []time.Duration{3 * time.Second, time.Second} {
		r, _ = breaker.Fail(r, c, breaker.Failure{Fault: unavailable, MayTrip: true}, start.Add(after))
	}
	r, change := breaker.Success(r, breaker.Permit{}, start.Add(2*time.Second))
	if change != breaker.Unchanged || r.Streak != 2 || !r.StreakAt.Equal(start.Add(3*time.Second)) {
		t.Errorf("%s: a streak of %d until %s", change, r.Streak, r.StreakAt.Sub(start))
	}
	r, _ = breaker.Fail(r, c, breaker.Failure{Fault: unavailable, LastSuccess: start.Add(2 * time.Second)}, start.Add(4*time.Second))
	if r.Streak != 3 {
		t.Errorf("a failure after both makes it a streak of %d", r.Streak)
	}
}

// The outage's name goes into the ids of its alerts, so a relapse keeps it and
// a new outage takes a new one. So does the number of reminders.
func TestARelapseContinuesTheOutage(t *testing.T) {
	c, r := breaker.DefaultConfig(), opened(t)
	r.Reminded = 2
	wrongKey := breaker.Failure{Fault: r.LastFault}
	cycle := func(r breaker.Record, closedFor time.Duration) breaker.Record {
		r, _ = breaker.TakeProbe(r, "t1", time.Second, r.OpenUntil)
		closed := r.Probe.Until
		r, change := breaker.Success(r, breaker.Permit{Epoch: r.Epoch, Probe: true}, closed)
		if change != breaker.Proved {
			t.Fatalf("the probe's success: %s", change)
		}
		wrongKey.Permit.Epoch = r.Epoch
		r, change = breaker.Fail(r, c, wrongKey, closed.Add(closedFor))
		if change != breaker.Tripped {
			t.Fatalf("the next account fault: %s", change)
		}
		return r
	}

	relapse := cycle(r, breaker.RelapseWithin-1)
	if relapse.Outage != r.Outage || !relapse.OpenedAt.Equal(start) || relapse.Relapses != 1 || relapse.Reminded != 2 {
		t.Errorf("a relapse began another outage: %+v", relapse)
	}
	fresh := cycle(relapse, breaker.RelapseWithin)
	if fresh.Outage != fresh.Epoch || fresh.OpenedAt.Equal(start) || fresh.Relapses != 0 || fresh.Reminded != 0 {
		t.Errorf("a new outage continued the old one: %+v", fresh)
	}
}

func TestAForcedOpeningBeginsAnOutageOnlyIfNoneRuns(t *testing.T) {
	at := start.Add(time.Minute)
	fresh, _ := breaker.ForceOpen(breaker.Record{Epoch: 4, Relapses: 3, Reminded: 3}, at)
	if fresh.Outage != 5 || !fresh.OpenedAt.Equal(at) || fresh.Relapses != 0 || fresh.Reminded != 0 {
		t.Errorf("forced open from CLOSED: %+v", fresh)
	}
	r := opened(t)
	running, _ := breaker.ForceOpen(r, at)
	if running.Outage != r.Outage || !running.OpenedAt.Equal(start) {
		t.Errorf("forced open from OPEN: %+v", running)
	}
}

// The prober asks for what failed, so the record keeps the fault as the rules
// saw it; the error underneath is nobody's business but the process's.
func TestTheRecordKeepsTheFaultSettledAndWithoutItsCause(t *testing.T) {
	f := &fault.Fault{Service: "crm", Kind: fault.Throttled, RetryAfter: 9 * time.Hour, Cause: errors.New("secret")}
	r, _ := breaker.Fail(breaker.Record{}, breaker.DefaultConfig(), breaker.Failure{Fault: f}, start)
	want := &fault.Fault{Service: "crm", Class: fault.Permanent, Kind: fault.QuotaExceeded, Scope: fault.Account, RetryAfter: time.Hour}
	if diff := cmp.Diff(want, r.LastFault); diff != "" {
		t.Errorf("LastFault (-want +got):\n%s", diff)
	}
	if f.Cause == nil {
		t.Error("the caller's fault was changed")
	}
}

// A contact's own mistake must not hide what really failed.
func TestAContactFaultIsNotKept(t *testing.T) {
	r := opened(t)
	r, _ = breaker.TakeProbe(r, "t1", time.Second, r.OpenUntil)
	p := breaker.Permit{Epoch: r.Epoch, Probe: true}
	wrongNumber := &fault.Fault{Class: fault.Permanent, Kind: fault.InvalidRequest, Scope: fault.Contact}
	r, change := breaker.Fail(r, breaker.DefaultConfig(), breaker.Failure{Permit: p, Fault: wrongNumber}, r.OpenUntil)
	if change != breaker.Released || r.LastFault.Kind != fault.Authentication {
		t.Errorf("%s, last fault %v; want released and the wrong key", change, r.LastFault)
	}
}

// "Paused for 5 minutes without a success" is judged by PausedFrom.
func TestARunOfPausesRemembersItsBeginning(t *testing.T) {
	throttled := breaker.Failure{Fault: &fault.Fault{Kind: fault.Throttled}}
	r, now := breaker.Record{}, start
	for range 5 {
		throttled.Began = now
		r, _ = breaker.Fail(r, breaker.DefaultConfig(), throttled, now)
		now = r.PausedUntil
	}
	if !r.PausedFrom.Equal(start) || r.Pauses != 5 {
		t.Errorf("after five pauses: from %s, %d in a row", r.PausedFrom, r.Pauses)
	}
	r, change := breaker.Success(r, breaker.Permit{}, now)
	if change != breaker.Cleared || !r.PausedFrom.IsZero() || r.Pauses != 0 {
		t.Errorf("after a success: %s, from %s, %d in a row", change, r.PausedFrom, r.Pauses)
	}
}

// A lease that outlived its transition would delay the next test.
func TestEveryWayOutOfHalfOpenEndsTheLease(t *testing.T) {
	c := breaker.DefaultConfig()
	at := start.Add(time.Minute)
	r, _ := breaker.TakeProbe(opened(t), "t1", time.Second, at)
	p := breaker.Permit{Epoch: r.Epoch, Probe: true}
	forced, _ := breaker.ForceOpen(r, at)
	for name, rule := range map[string]func() (breaker.Record, breaker.Change){
		"proved":   func() (breaker.Record, breaker.Change) { return breaker.Success(r, p, at) },
		"released": func() (breaker.Record, breaker.Change) { return breaker.Release(r, p, at) },
		"reopened": func() (breaker.Record, breaker.Change) {
			return breaker.Fail(r, c, breaker.Failure{Permit: p, Fault: unavailable, Began: at}, at)
		},
		"forced closed":     func() (breaker.Record, breaker.Change) { return breaker.ForceClose(r, at) },
		"back to automatic": func() (breaker.Record, breaker.Change) { return breaker.Return(forced, at) },
	} {
		after, change := rule()
		if change.String() != name || after.Probe != (breaker.Lease{}) {
			t.Errorf("%s: %s, lease %+v; want none", name, change, after.Probe)
		}
	}
}

func TestDoublingStopsAtFiveMinutesHoweverManyRelapses(t *testing.T) {
	r := opened(t)
	r.Relapses = 1000
	r, _ = breaker.TakeProbe(r, "t1", time.Second, r.OpenUntil)
	p, at := breaker.Permit{Epoch: r.Epoch, Probe: true}, r.OpenUntil
	r, _ = breaker.Fail(r, breaker.DefaultConfig(), breaker.Failure{Permit: p, Fault: unavailable, Began: at}, at)
	if got := r.OpenUntil.Sub(at); got != breaker.MaxOpen {
		t.Errorf("after 1001 relapses it stays open for %s, want %s", got, breaker.MaxOpen)
	}
}

// No open circuit gives an ordinary permit of its own epoch; a forged one opens
// nothing a second time.
func TestAnOpenCircuitCannotTrip(t *testing.T) {
	r := opened(t)
	_, change := breaker.Fail(r, breaker.DefaultConfig(), breaker.Failure{
		Permit: breaker.Permit{Epoch: r.Epoch}, Fault: r.LastFault,
	}, start.Add(time.Second))
	if change != breaker.Stale {
		t.Errorf("an account fault while OPEN: %s, want stale", change)
	}
}

func TestClosingClearsTheRamp(t *testing.T) {
	r := opened(t)
	r.RampStep, r.RampCount = 3, 17
	r, _ = breaker.ForceClose(r, start.Add(time.Second))
	if r.RampStep != 0 || r.RampCount != 0 || !r.ClosedAt.Equal(start.Add(time.Second)) {
		t.Errorf("after the close: step %d, count %d, closed at %s", r.RampStep, r.RampCount, r.ClosedAt)
	}
}

// What people are told with a close is how many calls it let go: the one that
// tested the service for real, and those that ticks released since.
func TestReleasedCountsFromTheTestOn(t *testing.T) {
	r := opened(t)
	r.Released = 40 // of an earlier close
	r, _ = breaker.TakeProbe(r, "tick-1", time.Second, r.OpenUntil)
	if r.Released != 0 {
		t.Errorf("while it is tested %d are released", r.Released)
	}
	p, _ := breaker.Admit(r, "tick-1", time.Second, r.OpenUntil)
	r, _ = breaker.HandOver(r, p, "spring/c-001", time.Second, r.OpenUntil)
	p, _ = breaker.Admit(r, "spring/c-001", time.Second, r.OpenUntil)
	if r, _ = breaker.Success(r, p, r.OpenUntil.Add(time.Second)); r.State != breaker.Closed || r.Released != 1 {
		t.Errorf("%s, %d released, want the one that tested", r.State, r.Released)
	}
	forced := opened(t)
	forced.Released = 40
	if forced, _ = breaker.ForceClose(forced, start); forced.Released != 0 {
		t.Errorf("after an operator closed it %d are released", forced.Released)
	}
}

func TestNobodyHoldsALeaseWithoutAName(t *testing.T) {
	r := breaker.Record{State: breaker.HalfOpen, Probe: breaker.Lease{Until: start.Add(time.Minute)}}
	if _, refusal := breaker.Admit(r, "", time.Second, start); refusal != breaker.ProbeRunning {
		t.Errorf("nobody is refused with %q, want %q", refusal, breaker.ProbeRunning)
	}
}

func TestThePauseBindsTheHolderToo(t *testing.T) {
	r := breaker.Record{State: breaker.HalfOpen, PausedUntil: start.Add(time.Second),
		Probe: breaker.Lease{Holder: "call-1", Until: start.Add(time.Minute)}}
	if _, refusal := breaker.Admit(r, "call-1", time.Second, start); refusal != breaker.Paused {
		t.Errorf("the holder is refused with %q, want %q", refusal, breaker.Paused)
	}
}

func TestTheRecordSurvivesJSON(t *testing.T) {
	r := opened(t)
	r, _ = breaker.TakeProbe(r, "t1", time.Second, r.OpenUntil)
	r.Writer, r.Version, r.PausedFrom, r.PausedUntil = "nonce", 2, start, start.Add(time.Second)
	text, err := json.Marshal(r)
	if err != nil {
		t.Fatal(err)
	}
	var back breaker.Record
	if err := json.Unmarshal(text, &back); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(r, back); diff != "" {
		t.Errorf("the record changed on its way (-before +after):\n%s", diff)
	}
}

func TestAFreshRecordIsSmall(t *testing.T) {
	text, err := json.Marshal(breaker.Record{Service: "llm"})
	if want := `{"service":"llm","state":0,"version":0,"epoch":0}`; err != nil || string(text) != want {
		t.Errorf("Marshal = %s, %v; want %s", text, err, want)
	}
}

func TestConfig(t *testing.T) {
	if got, want := breaker.DefaultConfig(), (breaker.Config{Threshold: 3, Recovery: 10 * time.Second, Interval: 5 * time.Second}); got != want {
		t.Errorf("DefaultConfig() = %+v, want %+v", got, want)
	}
	for _, c := range []struct {
		change func(*breaker.Config)
		want   string
	}{
		{func(*breaker.Config) {}, ""},
		{func(c *breaker.Config) { c.Threshold = 1 }, ""},
		{func(c *breaker.Config) { c.Threshold = 0 }, "failure_threshold is 0: use 1 or more"},
		{func(c *breaker.Config) { c.Recovery = 0 }, "recovery_timeout is 0s: use a time above zero"},
		{func(c *breaker.Config) { c.Interval = -time.Second }, "interval is -1s: use a time above zero"},
	} {
		config, got := breaker.DefaultConfig(), ""
		c.change(&config)
		if err := config.Validate(); err != nil {
			got = err.Error()
		}
		if got != c.want {
			t.Errorf("Validate() of %+v says %q, want %q", config, got, c.want)
		}
	}
}

func BenchmarkAdmit(b *testing.B) {
	r, now := breaker.Record{Service: "elevenlabs"}, start
	b.ReportAllocs()
	for b.Loop() {
		breaker.Admit(r, "call-1", time.Second, now)
	}
}

func BenchmarkSuccess(b *testing.B) {
	r, now := breaker.Record{Service: "elevenlabs"}, start
	b.ReportAllocs()
	for b.Loop() {
		breaker.Success(r, breaker.Permit{}, now)
	}
}

// A process whose clock is fast would else send before the time that the
// server asked for.
func TestAWaitThatAServerAskedForHoldsOnEveryClock(t *testing.T) {
	c := breaker.DefaultConfig()
	c.Skew = breaker.Skew
	end := start.Add(40*time.Second + breaker.Skew)
	throttled := &fault.Fault{Kind: fault.Throttled, RetryAfter: 40 * time.Second}
	r, change := breaker.Fail(breaker.Record{}, c, breaker.Failure{Fault: throttled}, start)
	if change != breaker.Throttled || !r.PausedUntil.Equal(end) {
		t.Errorf("throttled: %s, paused until %s", change, r.PausedUntil)
	}
	account := &fault.Fault{Class: fault.Permanent, Scope: fault.Account, RetryAfter: 40 * time.Second}
	r, change = breaker.Fail(breaker.Record{}, c, breaker.Failure{Fault: account}, start)
	if change != breaker.Tripped || !r.OpenUntil.Equal(end) {
		t.Errorf("refused: %s, open until %s", change, r.OpenUntil)
	}
	r, _ = breaker.TakeProbe(r, "t1", time.Second, end)
	probe := breaker.Failure{Permit: breaker.Permit{Epoch: r.Epoch, Probe: true}, Fault: account, Began: end, Cheap: true}
	account.RetryAfter = 2 * time.Minute
	r, change = breaker.Fail(r, c, probe, end)
	if change != breaker.Reopened || !r.OpenUntil.Equal(end.Add(2*time.Minute+breaker.Skew)) {
		t.Errorf("refused again: %s, open until %s", change, r.OpenUntil)
	}
	throttled.RetryAfter = 0
	if r, _ := breaker.Fail(breaker.Record{}, c, breaker.Failure{Fault: throttled}, start); !r.PausedUntil.Equal(start.Add(time.Second)) {
		t.Errorf("without a time: paused until %s", r.PausedUntil)
	}
}

// Every time of a record, also one that is added to it later.
func TestUTCReachesEveryTimeOfARecord(t *testing.T) {
	var r breaker.Record
	now := time.Now().In(time.FixedZone("elsewhere", 3600))
	seen := 0
	var each func(v reflect.Value, visit func(*time.Time))
	each = func(v reflect.Value, visit func(*time.Time)) {
		for i := range v.NumField() {
			f := v.Field(i)
			if at, ok := f.Addr().Interface().(*time.Time); ok {
				visit(at)
			} else if f.Kind() == reflect.Struct {
				each(f, visit)
			}
		}
	}
	each(reflect.ValueOf(&r).Elem(), func(at *time.Time) { *at = now })
	r = r.UTC()
	each(reflect.ValueOf(&r).Elem(), func(at *time.Time) {
		if seen++; *at != now.Round(0).UTC() {
			t.Errorf("time %d of the record is %v", seen, *at)
		}
	})
	if seen < 9 {
		t.Errorf("a record has %d times", seen)
	}
}
