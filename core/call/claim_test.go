package call_test

import (
	"reflect"
	"testing"
	"time"

	"callagent/core/call"
)

func TestTwentyTakeoversInARow(t *testing.T) {
	now := start
	c := call.Claims(call.Call{}, call.Asker{Now: now, Holder: "h", Lease: time.Minute}).Call
	for want := 1; want <= call.MaxTakeovers; want++ {
		now = now.Add(time.Minute)
		c = call.Claims(c, call.Asker{Now: now, Holder: "h", Lease: time.Minute}).Call
		if c.Takeovers != want {
			t.Fatalf("takeover %d is counted as %d", want, c.Takeovers)
		}
	}
	if call.MaxTakeovers != 20 {
		t.Errorf("a call crashes after %d takeovers", call.MaxTakeovers)
	}
	if failed := c.Failed(now, "crashed"); failed.State != call.Failed || failed.Notice != "call_failed" {
		t.Errorf("crashed: %+v", failed)
	}
}

func TestNext(t *testing.T) {
	intent := &call.Intent{Attempt: "A1"}
	for _, c := range []struct {
		name string
		call call.Call
		want call.Step
	}{
		{"a new call", call.Call{State: call.Running}, call.ScriptStep},
		{"with a script", call.Call{State: call.Running, Script: "s"}, call.SpeechStep},
		{"with a recording", call.Call{State: call.Running, Script: "s", Speech: "a"}, call.DialStep},
		{"with an intent", call.Call{State: call.Running, Script: "s", Speech: "a", Intent: intent}, call.OutcomeStep},
		{"with a SID", call.Call{State: call.Running, Script: "s", Speech: "a", SID: "CA1"}, call.OutcomeStep},
		{"completed", call.Call{State: call.Completed, Recorded: call.Pending, Intent: intent}, call.RecordStep},
		{"recorded", call.Call{State: call.Completed, Recorded: call.Yes, Intent: intent}, call.NoStep},
		{"refused", call.Call{State: call.Completed, Recorded: call.Refused}, call.NoStep},
		{"failed", call.Call{State: call.Failed}, call.NoStep},
		{"unknown", call.Call{State: call.Unknown, Intent: intent}, call.NoStep},
		{"expired", call.Call{State: call.Expired}, call.NoStep},
	} {
		if got := c.call.Next(); got != c.want {
			t.Errorf("%s: the next step is %s, want %s", c.name, got, c.want)
		}
	}
}

// No rule changes a call that somebody else still reads: values go in, values
// come out.
func TestRulesLeaveTheirCallAlone(t *testing.T) {
	c := call.Claims(call.Call{}, call.Asker{Now: start, Holder: "a", Lease: time.Minute}).Call
	c = c.Intends("A1", from, start)
	c.History = append(make([]call.Event, 0, 8), call.Event{At: start, What: "the first line"})
	before := c
	before.History = append([]call.Event(nil), c.History...)

	one := c.Placed("CA1", start)
	two := c.Asking(start, "timeout")
	if !reflect.DeepEqual(c.History, before.History) || c.Intent != before.Intent || c.State != before.State {
		t.Errorf("the call became %+v", c)
	}
	if one.History[1].What != "dialled" || two.History[1].What != "did it ring? timeout" {
		t.Errorf("two rules share a history: %+v and %+v", one.History, two.History)
	}
}

func TestDialTimes(t *testing.T) {
	for _, c := range []struct {
		what      string
		got, want time.Duration
	}{
		{"margin of a lease", call.LeaseMargin, 10 * time.Second},
		{"distance of looks", call.LookEvery, 15 * time.Second},
		{"slack of created", call.CreatedSlack, time.Minute},
		{"last listing after the deadline", call.ListAfter, time.Minute},
		{"slack of the end", call.EndSlack, 10 * time.Minute},
		{"failed looks", call.LookFor, 24 * time.Hour},
		{"queued at the provider", call.QueuedFor, 10 * time.Minute},
		{"busy number", call.NumberBusyFor, time.Minute},
		{"longest wait in the queue", call.MaxHidden, 15 * time.Minute},
	} {
		if c.got != c.want {
			t.Errorf("%s: %s, the design says %s", c.what, c.got, c.want)
		}
	}
}

func TestRefresh(t *testing.T) {
	newer := call.Contact{Campaign: "spring", ID: "c-001", Phone: "+15005550009"}
	for state, want := range map[call.State]bool{
		call.Queued: true, call.Running: true, call.Waiting: true, call.Parked: true,
		call.Completed: false, call.Failed: false, call.Unknown: false, call.Expired: false,
	} {
		c := call.Call{State: state, Contact: ada, Number: "old"}.Refresh(newer, "new", time.Time{})
		if took := c.Number == "new" && c.Contact.Phone == newer.Phone; took != want {
			t.Errorf("%q takes newer data: %t", state, took)
		}
	}
	at := time.Date(2026, time.November, 22, 9, 0, 0, 0, time.UTC)
	c := call.Call{State: call.Waiting, Contact: ada}.Refresh(newer, "new", at).Refresh(ada, "old", at.Add(-time.Second))
	if c.Contact.Phone != newer.Phone || c.Number != "new" {
		t.Errorf("what was sent earlier overwrites what was sent later: %+v", c)
	}
	dialled := call.Call{State: call.Running, Contact: ada, Number: "old", Intent: &call.Intent{}}.Refresh(newer, "new", time.Time{})
	if dialled.Number != "old" || dialled.Contact.Phone != ada.Phone {
		t.Errorf("a dialled call takes newer data: %+v", dialled)
	}
}
