package sqlite_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"callagent/core/journal"
	"callagent/infra/sqlite"
)

// seqs are the places of events.
func seqs(events []journal.Stored) []int64 {
	places := []int64{}
	for _, e := range events {
		places = append(places, e.Seq)
	}
	return places
}

func TestEvents(t *testing.T) {
	s := open(t, "", sqlite.Options{})
	ctx := t.Context()
	retry := 2
	want := journal.Entry{
		Time: time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC), Level: journal.Error, Service: "llm", Event: "request_failed",
		Message: "a message", Retry: &retry, Circuit: "CLOSED", CallID: "spring/ada", Contact: "ada", Campaign: "spring",
		Step: "script", Kind: "timeout", Class: "transient", Status: 503, Duration: 12,
	}
	if err := s.Append(ctx, []journal.Entry{want, {Event: "second"}}); err != nil {
		t.Fatal(err)
	}
	if err := s.Append(ctx, []journal.Entry{{Event: "third"}}); err != nil {
		t.Fatal(err)
	}
	all, err := s.Events(ctx, 0, 10)
	if err != nil || len(all) != 3 {
		t.Fatalf("%d events, %v; want 3", len(all), err)
	}
	if diff := cmp.Diff(want, all[0].Entry); diff != "" {
		t.Errorf("first event (-want +got):\n%s", diff)
	}
	after, err := s.Events(ctx, all[0].Seq, 1)
	if err != nil || len(after) != 1 || after[0].Event != "second" {
		t.Errorf("after the first: %v, %v; want the second", after, err)
	}
	latest, err := s.Latest(ctx, 2)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(seqs(all[1:]), seqs(latest)); diff != "" {
		t.Errorf("latest (-want +got):\n%s", diff)
	}
}

func TestEventsKeepTheNewest(t *testing.T) {
	s := open(t, "", sqlite.Options{})
	ctx := t.Context()
	for range 6 {
		if err := s.Append(ctx, make([]journal.Entry, 10_000)); err != nil {
			t.Fatal(err)
		}
	}
	all, err := s.Events(ctx, 0, 100_000)
	if err != nil {
		t.Fatal(err)
	}
	if len(all) != 50_000 || all[0].Seq != 10_001 || all[49_999].Seq != 60_000 {
		t.Errorf("%d events from %d to %d, want 50000 from 10001 to 60000", len(all), all[0].Seq, all[len(all)-1].Seq)
	}
}
