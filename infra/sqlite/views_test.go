package sqlite_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"callagent/core/call"
	"callagent/infra/sqlite"
)

// ended makes a call that ended.
func ended(contact string, at time.Time, state call.State, result call.Result) call.Call {
	return call.Call{Key: call.Key{Campaign: "spring", Contact: contact}, State: state, Result: result, CreatedAt: at, FinishedAt: at}
}

func TestEndedCountsBySpan(t *testing.T) {
	s := open(t, "", sqlite.Options{})
	noon := time.Date(2026, 7, 1, 12, 0, 0, 0, time.UTC)
	for i, c := range []call.Call{
		ended("", noon.Add(-time.Nanosecond), call.Failed, ""),
		ended("", noon, call.Completed, call.Answered),
		ended("", noon.Add(call.EndedSpan-1), call.Completed, call.Answered),
		ended("", noon.Add(call.EndedSpan), call.Completed, call.Answered),
		ended("", noon.Add(call.EndedSpan), call.Completed, call.Busy),
		ended("", time.Time{}, call.Parked, ""),
	} {
		c.Key.Contact = fmt.Sprintf("c-%d", i)
		if err := s.Put(t.Context(), call.Write{Call: c}); err != nil {
			t.Fatal(err)
		}
	}
	got, err := s.Ended(t.Context(), noon.Add(time.Minute))
	want := []call.Ended{
		{From: noon, State: call.Completed, Result: call.Answered, Calls: 2},
		{From: noon.Add(call.EndedSpan), State: call.Completed, Result: call.Answered, Calls: 1},
		{From: noon.Add(call.EndedSpan), State: call.Completed, Result: call.Busy, Calls: 1},
	}
	if err != nil || !slices.Equal(got, want) {
		t.Errorf("since a minute past noon ended %v, %v; want %v", got, err, want)
	}
}

// The unknown calls have an index of their own: they are selected as the others
// are.
func TestUnknownCallsAreListedTheNewestFirst(t *testing.T) {
	s := open(t, "", sqlite.Options{})
	noon := time.Date(2026, 7, 1, 12, 0, 0, 0, time.UTC)
	for i := range 5 {
		state := call.Unknown
		if i%2 == 1 {
			state = call.Failed
		}
		c := ended(fmt.Sprintf("c-%d", i), noon.Add(time.Duration(i)*time.Minute), state, "")
		if err := s.Put(t.Context(), call.Write{Call: c}); err != nil {
			t.Fatal(err)
		}
	}
	var got []string
	for c, err := range s.Calls(t.Context(), call.Filter{State: call.Unknown, Limit: 2}) {
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, c.Key.Contact)
	}
	if want := []string{"c-4", "c-2"}; !slices.Equal(got, want) {
		t.Errorf("the newest two are %v, want %v", got, want)
	}
}
