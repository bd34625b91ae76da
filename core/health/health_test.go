package health_test

import (
	"slices"
	"testing"
	"time"

	"callagent/core/breaker"
	"callagent/core/health"
)

var closedAt = time.Date(2026, time.January, 5, 9, 0, 0, 0, time.UTC)

func closed() breaker.Record {
	return breaker.Record{Service: "llm", State: breaker.Closed, Outage: 1, OpenedAt: closedAt.Add(-time.Hour), ClosedAt: closedAt}
}

func TestRamp(t *testing.T) {
	r := closed()
	for _, c := range []struct {
		after      time.Duration
		want, gets int
	}{
		{0, 1000, 10}, // the whole step at once
		{0, 1000, 0},
		{4999 * time.Millisecond, 1000, 0},
		{5 * time.Second, 7, 7}, // the second in parts
		{7 * time.Second, 7, 7},
		{9 * time.Second, 7, 6},
		{9 * time.Second, 7, 0},
		{10 * time.Second, 1000, 40},
		{15 * time.Second, 1000, 80},
		{25 * time.Second, 1000, 320}, // a step without a tick is not made up for
		{24 * time.Second, 1000, 0},   // a slower clock uses the step that was reached
		{30 * time.Second, 0, 0},      // nobody wants anything
		{30 * time.Second, 1000, 640},
		{time.Hour, 5000, 5000},
	} {
		var n int
		r, n = health.Release(r, c.want, closedAt.Add(c.after))
		if n != c.gets {
			t.Errorf("%s after the close %d of %d are released, want %d", c.after, n, c.want, c.gets)
		}
	}
}

func TestReleaseCountsInTheRecord(t *testing.T) {
	r, n := health.Release(closed(), 6, closedAt.Add(6*time.Second))
	if n != 6 || r.RampStep != 1 || r.RampCount != 6 || r.Released != 6 {
		t.Errorf("%d released, step %d, count %d", n, r.RampStep, r.RampCount)
	}
	r.RampCount = 20
	if again, n := health.Release(r, 6, closedAt.Add(7*time.Second)); n != 0 || again != r {
		t.Errorf("the step is used up, yet %d are released and the record is %+v", n, again)
	}
}

func TestNothingIsReleasedUnlessClosed(t *testing.T) {
	for _, s := range []breaker.State{breaker.Open, breaker.HalfOpen} {
		r := closed()
		r.State = s
		if got, n := health.Release(r, 10, closedAt.Add(time.Hour)); n != 0 || got != r {
			t.Errorf("%s: %d released", s, n)
		}
	}
}

func TestACircuitThatNeverOpenedHoldsNobody(t *testing.T) {
	r := breaker.Record{Service: "llm"}
	if got, n := health.Release(r, 12345, closedAt); n != 12345 || got != r {
		t.Errorf("%d released, %+v", n, got)
	}
}

func TestAClockBehindTheCloseIsInTheFirstStep(t *testing.T) {
	if _, n := health.Release(closed(), 100, closedAt.Add(-2*time.Second)); n != 10 {
		t.Errorf("%d released", n)
	}
}

func TestTheRampNeverOverflows(t *testing.T) {
	for _, after := range []time.Duration{16 * health.RampEvery, 64 * health.RampEvery, 1000000 * time.Hour} {
		if _, n := health.Release(closed(), 1<<30, closedAt.Add(after)); n != 1<<20 {
			t.Errorf("%s after the close %d are released", after, n)
		}
	}
}

func TestSpread(t *testing.T) {
	for _, c := range []struct {
		i, n int
		want time.Duration
	}{
		{0, 1, 0}, {0, 0, 0}, {0, 10, 0},
		{1, 10, 500 * time.Millisecond}, {9, 10, 4500 * time.Millisecond},
		{1, 3, 5 * time.Second / 3}, {999, 1000, 4995 * time.Millisecond},
	} {
		if got := health.Spread(c.i, c.n); got != c.want {
			t.Errorf("wake-up %d of %d is sent after %s, want %s", c.i, c.n, got, c.want)
		}
	}
}

func TestReminders(t *testing.T) {
	open := breaker.Record{State: breaker.Open, Outage: 1, OpenedAt: closedAt}
	for _, c := range []struct {
		after    time.Duration
		reminded int
	}{
		{0, 0}, {5*time.Minute - 1, 0},
		{5 * time.Minute, 1}, {15*time.Minute - 1, 1},
		{15 * time.Minute, 2}, {time.Hour - 1, 2},
		{time.Hour, 3}, {2*time.Hour - 1, 3},
		{2 * time.Hour, 4}, {3 * time.Hour, 5}, {49 * time.Hour, 51},
	} {
		r, due := health.Remind(open, closedAt.Add(c.after))
		if due != (c.reminded > 0) || r.Reminded != c.reminded {
			t.Errorf("after %s: due %t, number %d, want number %d", c.after, due, r.Reminded, c.reminded)
		}
		if again, due := health.Remind(r, closedAt.Add(c.after)); due || again != r {
			t.Errorf("after %s it is due twice", c.after)
		}
		if c.reminded > 0 && closedAt.Add(c.after).Before(closedAt.Add(health.RemindAfter(c.reminded))) {
			t.Errorf("reminder %d comes after %s, before its time %s", c.reminded, c.after, health.RemindAfter(c.reminded))
		}
	}
}

func TestRemindAfter(t *testing.T) {
	want := []time.Duration{5 * time.Minute, 15 * time.Minute, time.Hour, 2 * time.Hour, 3 * time.Hour}
	for i, w := range want {
		if got := health.RemindAfter(i + 1); got != w {
			t.Errorf("reminder %d is due after %s, want %s", i+1, got, w)
		}
	}
}

func TestWhoIsReminded(t *testing.T) {
	for _, c := range []struct {
		name   string
		change func(*breaker.Record)
		want   bool
	}{
		{"an open circuit", func(*breaker.Record) {}, true},
		{"a half open one", func(r *breaker.Record) { r.State = breaker.HalfOpen }, true},
		{"one that an operator opened", func(r *breaker.Record) { r.Forced = breaker.ForcedOpen }, true},
		{"a relapse counts from the first opening", func(r *breaker.Record) { r.ClosedAt, r.Relapses = closedAt.Add(4*time.Minute), 1 }, true},
		{"a closed one", func(r *breaker.Record) { r.State = breaker.Closed }, false},
	} {
		r := breaker.Record{State: breaker.Open, Outage: 1, OpenedAt: closedAt}
		c.change(&r)
		if _, due := health.Remind(r, closedAt.Add(6*time.Minute)); due != c.want {
			t.Errorf("%s: %t", c.name, due)
		}
	}
}

func TestUnsent(t *testing.T) {
	for _, c := range []struct {
		name  string
		state breaker.State
		after time.Duration // since the close
		want  time.Duration
	}{
		{"a stamp of before the close is forgotten", breaker.Closed, time.Minute, 0},
		{"at the close", breaker.Closed, 0, 0},
		{"5 min after it", breaker.Closed, 5 * time.Minute, 0},
		{"later a stamp lasts 5 min", breaker.Closed, 20 * time.Minute, 15 * time.Minute},
		{"while open it lasts 5 min", breaker.Open, time.Minute, -4 * time.Minute},
	} {
		r := closed()
		r.State = c.state
		if got := health.Unsent(r, closedAt.Add(c.after)); !got.Equal(closedAt.Add(c.want)) {
			t.Errorf("%s: %s, want %s", c.name, got.Sub(closedAt), c.want)
		}
	}
}

func TestAnnounce(t *testing.T) {
	for _, c := range []struct {
		name  string
		r     breaker.Record
		after time.Duration
		want  bool
	}{
		{"nothing ever happened", breaker.Record{}, time.Hour, false},
		{"open", breaker.Record{State: breaker.Open, Outage: 1, OpenedAt: closedAt}, 100 * time.Hour, true},
		{"half open", breaker.Record{State: breaker.HalfOpen, Outage: 1, OpenedAt: closedAt}, 0, true},
		{"just closed", closed(), 0, true},
		{"closed for almost 10 min", closed(), 10*time.Minute - 1, true},
		{"closed for 10 min", closed(), 10 * time.Minute, false},
		{"paused for less than 5 min", paused(), 5*time.Minute - 1, false},
		{"paused for 5 min", paused(), 5 * time.Minute, true},
	} {
		if got := health.Announce(c.r, closedAt.Add(c.after)); got != c.want {
			t.Errorf("%s: %t", c.name, got)
		}
	}
}

// paused is a service that has been throttling since closedAt and may be asked
// again in 6 min.
func paused() breaker.Record {
	return breaker.Record{Service: "llm", Pauses: 3, PausedFrom: closedAt, PausedUntil: closedAt.Add(6 * time.Minute)}
}

func TestPauseTooLong(t *testing.T) {
	for after, want := range map[time.Duration]bool{
		0: false, 5*time.Minute - 1: false,
		5 * time.Minute: true, 11*time.Minute - 1: true,
		11 * time.Minute: false, // nobody has asked since: there is nothing to tell
	} {
		if got := health.PauseTooLong(paused(), closedAt.Add(after)); got != want {
			t.Errorf("after %s: %t", after, got)
		}
	}
	r := paused()
	r.Pauses = 0
	if health.PauseTooLong(r, closedAt.Add(6*time.Minute)) {
		t.Error("a success ended the pause")
	}
}

func TestTicks(t *testing.T) {
	ticks := health.Ticks()
	if len(ticks) != 24 || ticks[0] != 5*time.Second || ticks[23] != 120*time.Second || !slices.IsSorted(ticks) {
		t.Errorf("ticks are sent ahead for %v", ticks)
	}
	for i := 1; i < len(ticks); i++ {
		if ticks[i]-ticks[i-1] != 5*time.Second {
			t.Errorf("%s follows %s", ticks[i], ticks[i-1])
		}
	}
}

func TestTimes(t *testing.T) {
	for _, c := range []struct {
		what      string
		got, want time.Duration
	}{
		{"overdue", health.Overdue, 2 * time.Minute},
		{"a stamp", health.StampFor, 5 * time.Minute},
		{"alerts are sent again", health.AnnounceFor, 10 * time.Minute},
		{"a close holds", health.HoldsAfter, 2 * time.Minute},
		{"a pause is told", health.PausedTooLong, 5 * time.Minute},
	} {
		if c.got != c.want {
			t.Errorf("%s: %s, the design says %s", c.what, c.got, c.want)
		}
	}
}
