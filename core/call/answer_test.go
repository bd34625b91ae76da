package call_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"callagent/core/call"
)

func TestHear(t *testing.T) {
	noon := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	only, ended := call.Answer{SID: "CA1", At: noon}, call.Answer{SID: "CA1", Result: call.Busy, At: noon}
	for _, tc := range []struct {
		says    string
		known   *call.Answer
		attempt string
		answer  call.Answer
		hearing call.Hearing
		want    *call.Answer
	}{
		{"another attempt", nil, "two", ended, call.Unasked, nil},
		{"the first answer", nil, "one", only, call.Heard, &only},
		{"the end after the SID", &only, "one", ended, call.Heard, &ended},
		{"the end without the SID that is known", &only, "one", call.Answer{Result: call.Busy, At: noon}, call.Heard, &ended},
		{"the same again", &only, "one", only, call.OldNews, &only},
		{"less than is known", &ended, "one", only, call.OldNews, &ended},
		{"another end", &ended, "one", call.Answer{SID: "CA1", Result: call.Rang}, call.TooLate, &ended},
		{"another SID after the end", &ended, "one", call.Answer{SID: "CA2"}, call.TooLate, &ended},
	} {
		t.Run(tc.says, func(t *testing.T) {
			before := call.Call{State: call.Waiting, Version: 7, Intent: &call.Intent{Attempt: "one"}, Answer: tc.known}
			after, hearing := call.Hear(before, tc.attempt, tc.answer, noon)
			if hearing != tc.hearing {
				t.Errorf("hearing is %d, want %d", hearing, tc.hearing)
			}
			want := before
			want.Answer = tc.want
			if diff := cmp.Diff(want, after); diff != "" {
				t.Errorf("call (-want +got):\n%s", diff)
			}
		})
	}
}

func TestHearSettlesAnUnknownCall(t *testing.T) {
	noon := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	before := call.Call{State: call.Unknown, Version: 7, Intent: &call.Intent{Attempt: "one"}}
	after, hearing := call.Hear(before, "one", call.Answer{SID: "CA1", Result: call.Busy}, noon)
	if hearing != call.Heard || after.State != call.Completed || after.Version != 8 || !after.Due.Equal(noon) {
		t.Errorf("hearing %d made it %s of version %d, due %v; want completed of version 8, due at noon", hearing, after.State, after.Version, after.Due)
	}
}

func TestBarred(t *testing.T) {
	asks := call.Write{Call: call.Call{SID: "CA1"}, Unanswered: true}
	for _, tc := range []struct {
		says   string
		write  call.Write
		stored *call.Answer
		want   bool
	}{
		{"no answer", asks, nil, false},
		{"the SID that the record has", asks, &call.Answer{SID: "CA1"}, false},
		{"another SID", asks, &call.Answer{SID: "CA2"}, true},
		{"a final answer", asks, &call.Answer{Result: call.Busy}, true},
		{"a write that does not ask", call.Write{}, &call.Answer{Result: call.Busy}, false},
	} {
		if got := tc.write.Barred(tc.stored); got != tc.want {
			t.Errorf("%s: barred is %v, want %v", tc.says, got, tc.want)
		}
	}
}

func TestCloneSharesNothing(t *testing.T) {
	east := time.Date(2026, 3, 1, 14, 0, 0, 0, time.FixedZone("", 2*60*60))
	c := call.Call{
		Contact: call.Contact{Variables: map[string]string{"plan": "gold"}, ExpiresAt: east},
		Intent:  &call.Intent{Attempt: "one", At: east}, Answer: &call.Answer{SID: "CA1", At: east},
		Account: &call.AccountFault{Service: "llm", At: east}, History: []call.Event{{At: east, What: "made"}},
	}
	got := c.Clone()
	c.Contact.Variables["plan"], c.Intent.Attempt, c.Answer.SID, c.Account.Service, c.History[0].What = "x", "x", "x", "x", "x"
	noon := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	want := call.Call{
		Contact: call.Contact{Variables: map[string]string{"plan": "gold"}, ExpiresAt: noon},
		Intent:  &call.Intent{Attempt: "one", At: noon}, Answer: &call.Answer{SID: "CA1", At: noon},
		Account: &call.AccountFault{Service: "llm", At: noon}, History: []call.Event{{At: noon, What: "made"}},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("clone (-want +got):\n%s", diff)
	}
	if got.History[0].At != noon {
		t.Errorf("time is %#v, want it in UTC", got.History[0].At)
	}
}
