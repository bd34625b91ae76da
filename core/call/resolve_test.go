package call_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"callagent/core/alert"
	"callagent/core/call"
)

// finished is a call in its second round with everything that a round gathers.
func finished() call.Call {
	return call.Call{
		Key: call.Key{Campaign: "spring", Contact: "c-001"}, Number: "hash", Version: 9, Round: 2, State: call.Failed,
		Contact: call.Contact{Campaign: "spring", ID: "c-001", Phone: "+15005550006", ExpiresAt: start.Add(time.Hour)},
		Lease:   call.Lease{Holder: "a", Until: start}, Due: start, Park: call.Park{Number: 3, Reason: "x", Since: start},
		Script: "script", Speech: "speech", Slot: start, Intent: &call.Intent{Attempt: "A1"}, SID: "CA1",
		Answer: &call.Answer{SID: "CA1"}, Retries: 1, SpentParks: 2, Takeovers: 3, Listings: 1,
		Account: &call.AccountFault{Service: "llm"}, Reason: "why", Notice: alert.CallFailed,
		History: []call.Event{{At: start, What: "failed"}}, CreatedAt: start, FinishedAt: start,
	}
}

func TestAgainBeginsFromTheStart(t *testing.T) {
	now := start.Add(time.Minute)
	before := finished()
	next, kept, ok := before.Again(now)
	if !ok {
		t.Fatal("a failed call cannot be ordered again")
	}
	want := call.Call{
		Key: before.Key, Contact: before.Contact, Number: "hash", Version: 9, Round: 3, State: call.Waiting,
		Due: now, Park: call.Park{Number: 3}, CreatedAt: now,
		History: []call.Event{{At: now, What: "ordered again by an operator; the call before it is kept as spring/c-001#2"}},
	}
	if d := cmp.Diff(want, next); d != "" {
		t.Errorf("the next call (-want +got):\n%s", d)
	}
	was := finished()
	was.Key.Contact, was.Due, was.Lease, was.Notice, was.Park = "c-001#2", time.Time{}, call.Lease{}, "", call.Park{Number: 3}
	if d := cmp.Diff(was, kept); d != "" {
		t.Errorf("the kept call (-want +got):\n%s", d)
	}
	if _, _, ok := kept.Again(now); ok {
		t.Error("a kept call can be ordered again")
	}
	kept.State = call.Unknown
	if _, ok := kept.Rang(now); ok {
		t.Error("a kept call rang")
	}
	if _, ok := kept.Dropped(now); ok {
		t.Error("a kept call can be dropped")
	}
}

func TestATimeLimitThatIsOverEndsWithItsRound(t *testing.T) {
	for after, want := range map[time.Duration]time.Time{
		time.Hour - 1: start.Add(time.Hour), time.Hour: {}, 2 * time.Hour: {},
	} {
		next, kept, _ := finished().Again(start.Add(after))
		if !next.Contact.ExpiresAt.Equal(want) {
			t.Errorf("after %s the next round ends %s, want %s", after, next.Contact.ExpiresAt, want)
		}
		if !kept.Contact.ExpiresAt.Equal(start.Add(time.Hour)) {
			t.Errorf("after %s the kept round ends %s", after, kept.Contact.ExpiresAt)
		}
	}
}

func TestRoundsHaveTheirNumberInKeys(t *testing.T) {
	k := call.Key{Campaign: "spring", Contact: "c-001"}
	for _, tc := range []struct {
		call call.Call
		want string
		kept bool
	}{
		{call.Call{Key: k}, "spring/c-001", false},
		{call.Call{Key: k, Round: 2}, "spring/c-001#2", false},
		{call.Call{Key: call.Key{Campaign: "spring", Contact: "c-001#2"}, Round: 2}, "spring/c-001#2", true},
	} {
		if got := tc.call.Numbered().String(); got != tc.want || tc.call.Key.Kept() != tc.kept {
			t.Errorf("%s in round %d is %s, kept %t", tc.call.Key, tc.call.Round, got, tc.call.Key.Kept())
		}
	}
	if err := (call.Contact{Campaign: "spring", ID: "c-001#1", Phone: "+15005550006"}).Validate(); err == nil {
		t.Error("a contact may have the id of a kept round")
	}
}
