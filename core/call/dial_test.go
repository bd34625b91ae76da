package call_test

import (
	"fmt"
	"testing"
	"time"

	"callagent/core/call"
)

// dialled is a running call whose intent was stored at start, with a deadline
// 50 s later.
func dialled() call.Call {
	c := call.Call{State: call.Running, Lease: call.Lease{Holder: "a", Until: start.Add(time.Minute)}, CreatedAt: start}
	return c.Intends("A1", from, start)
}

func TestNotThere(t *testing.T) {
	for _, c := range []struct {
		listings int // successful ones before
		after    time.Duration
		want     bool
	}{
		{2, 110 * time.Second, true},
		{2, 110*time.Second - 1, false}, // 60 s after the intent is long past, 60 s after the deadline is not
		{2, 61 * time.Second, false},
		{1, time.Hour, false},
		{0, time.Hour, false},
		{7, time.Hour, true},
	} {
		asked := dialled()
		asked.Listings = c.listings
		if got := asked.NotThere(start.Add(c.after)); got != c.want {
			t.Errorf("after %d listings and %s it is not there: %t", c.listings, c.after, got)
		}
	}
}

func TestTheEndsOfADialledCall(t *testing.T) {
	plan := call.Campaign{RingTimeout: 30 * time.Second, MaxLength: 5 * time.Minute}
	queued, ringing := call.Look{Queued: true}, call.Look{}
	for _, c := range []struct {
		name string
		ends func(now time.Time) bool
		last time.Duration // the last moment at which it does not
	}{
		{"overlong", func(now time.Time) bool { return dialled().Overlong(plan, now) }, 15*time.Minute + 30*time.Second},
		{"unseen", func(now time.Time) bool { return dialled().Unseen(now) }, 24 * time.Hour},
		{"queued for too long", func(now time.Time) bool { return dialled().Stale(queued, now) }, 10 * time.Minute},
	} {
		if c.ends(start.Add(c.last)) || !c.ends(start.Add(c.last+1)) {
			t.Errorf("%s: after %s %t, right after that %t", c.name, c.last, c.ends(start.Add(c.last)), c.ends(start.Add(c.last+1)))
		}
	}
	if dialled().Stale(ringing, start.Add(time.Hour)) {
		t.Error("a call that rings is cancelled as queued")
	}
}

// A call whose SID is known without an intent (resolved by a person, say) is
// measured from its first claim.
func TestWithoutAnIntentTheFirstClaimCounts(t *testing.T) {
	c := call.Call{State: call.Running, SID: "CA1", CreatedAt: start}
	if c.Unseen(start.Add(24*time.Hour)) || !c.Unseen(start.Add(24*time.Hour+1)) {
		t.Error("looks do not end 24 h after the first claim")
	}
}

func TestWithdrawnIsAsIfNeverIntended(t *testing.T) {
	c := dialled()
	c.Listings = 2
	w := c.Withdrawn()
	if w.Intent != nil || w.Listings != 0 || w.Dialled() {
		t.Errorf("%+v", w)
	}
	if again := w.Intends("A2", from, start.Add(time.Second)); again.Intent.Attempt != "A2" || again.Listings != 0 {
		t.Errorf("intended again: %+v", again)
	}
	if c.Intent == nil || c.Listings != 2 {
		t.Error("the call before changed, too")
	}
}

func TestRing(t *testing.T) {
	for _, c := range []struct {
		name   string
		sid    string
		answer *call.Answer
		want   string
	}{
		{"nothing is known", "", nil, ""},
		{"the dial was answered", "CA1", nil, "CA1"},
		{"the callback came first", "", &call.Answer{SID: "CA2"}, "CA2"},
		{"the callback outranks what was adopted", "CA1", &call.Answer{SID: "CA2", Result: call.Busy}, "CA2"},
		{"an answer without a SID outranks nothing", "CA1", &call.Answer{Result: call.Busy}, "CA1"},
	} {
		if got := (call.Call{SID: c.sid, Answer: c.answer}).Ring(); got != c.want {
			t.Errorf("%s: the ring is %q, want %q", c.name, got, c.want)
		}
	}
}

func TestCompletedTakesWhatTheAnswerSays(t *testing.T) {
	c := dialled().Completed(call.Answer{SID: "CA2", Result: call.Voicemail, Duration: 42 * time.Second}, start.Add(time.Minute), true)
	if c.State != call.Completed || c.SID != "CA2" || c.Result != call.Voicemail || c.Talk != 42*time.Second ||
		c.Recorded != call.Pending || !c.Due.Equal(start.Add(time.Minute)) || !c.FinishedAt.Equal(start.Add(time.Minute)) {
		t.Errorf("%+v", c)
	}
}

// Evidence says as much as an answer in time does.
func TestSettleTakesWhatTheAnswerSays(t *testing.T) {
	lost := dialled().Lost(start.Add(time.Minute), "not there")
	answer := call.Answer{SID: "CA2", Result: call.Answered, Duration: 42 * time.Second}
	c, settled := call.Settle(lost, answer, start.Add(time.Hour))
	if !settled || c.State != call.Completed || c.SID != "CA2" || c.Result != call.Answered || c.Talk != 42*time.Second ||
		c.Recorded != call.Pending || c.Notice != "" || c.Reason != "" || !c.Due.Equal(start.Add(time.Hour)) {
		t.Errorf("settled %t: %+v", settled, c)
	}
	answer.SID = ""
	lost.SID = "CA1"
	if c, _ := call.Settle(lost, answer, start); c.SID != "CA1" {
		t.Errorf("an answer without a SID leaves %q", c.SID)
	}
	for _, state := range []call.State{call.Running, call.Waiting, call.Parked, call.Reconciling, call.Completed, call.Failed, call.Expired} {
		if _, settled := call.Settle(call.Call{State: state}, answer, start); settled {
			t.Errorf("a %s call is settled by evidence", state)
		}
	}
}

// A call whose looks fail for a day must still fit into every store: its
// history keeps the beginning and what happened last.
func TestTheHistoryIsBounded(t *testing.T) {
	c := dialled()
	for i := range 1000 {
		c = c.Until(start, start, fmt.Sprintf("line %d", i))
	}
	if n := len(c.History); n != 200 {
		t.Fatalf("the history has %d lines", n)
	}
	for i, want := range map[int]string{0: "line 0", 19: "line 19", 20: "line 820", 199: "line 999"} {
		if got := c.History[i].What; got != want {
			t.Errorf("line %d is %q, want %q", i, got, want)
		}
	}
	one, two := c.Until(start, start, "one"), c.Until(start, start, "two")
	if one.History[199].What != "one" || two.History[199].What != "two" || c.History[199].What != "line 999" {
		t.Error("two rules share a history")
	}
}
