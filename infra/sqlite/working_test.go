package sqlite_test

import (
	"errors"
	"fmt"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"callagent/core/agent"
	"callagent/core/alert"
	"callagent/core/breaker"
	"callagent/core/call"
	"callagent/infra/sqlite"
)

func TestOneWorkingProcess(t *testing.T) {
	path := filepath.Join(t.TempDir(), "calls.db")
	first := open(t, path, sqlite.Options{Working: true})
	if _, err := sqlite.Open(t.Context(), path, sqlite.Options{Working: true}); !errors.Is(err, sqlite.ErrWorking) {
		t.Fatalf("error is %v, want %v", err, sqlite.ErrWorking)
	}
	reader := open(t, path, sqlite.Options{})
	if err := reader.Block(t.Context(), "hash"); err != nil {
		t.Errorf("an override from another process: %v", err)
	}
	if blocked, err := first.Blocked(t.Context(), "hash"); err != nil || !blocked {
		t.Errorf("the working process sees %v, %v; want true", blocked, err)
	}
	if err := first.Close(); err != nil {
		t.Fatal(err)
	}
	open(t, path, sqlite.Options{Working: true})
}

func TestEndLeases(t *testing.T) {
	var c clock
	s := open(t, "", sqlite.Options{Now: c.Now, Visibility: time.Hour})
	now := c.Now()
	put := func(contact string, state call.State, lease call.Lease) {
		t.Helper()
		k := call.Key{Campaign: "spring", Contact: contact}
		err := s.Put(t.Context(), call.Write{Call: call.Call{Key: k, State: state, Lease: lease, Due: now.Add(time.Minute), CreatedAt: now}})
		if err != nil {
			t.Fatal(err)
		}
	}
	held := call.Lease{Holder: "worker-1", Until: now.Add(time.Minute)}
	put("running", call.Running, held)
	put("recording", call.Completed, held)
	put("pending", call.Completed, call.Lease{})
	put("waiting", call.Waiting, call.Lease{})

	if n, err := s.EndLeases(t.Context()); err != nil || n != 2 {
		t.Fatalf("ended %d, %v; want 2", n, err)
	}
	over := now.Add(-breaker.Skew)
	for contact, want := range map[string]struct {
		version    int64
		until, due time.Time
	}{
		"running":   {2, over, over},
		"recording": {2, over, over},
		"pending":   {1, time.Time{}, now.Add(time.Minute)},
		"waiting":   {1, time.Time{}, now.Add(time.Minute)},
	} {
		got, err := s.Get(t.Context(), call.Key{Campaign: "spring", Contact: contact})
		if err != nil {
			t.Fatal(err)
		}
		if got.Version != want.version || !got.Lease.Until.Equal(want.until) || !got.Due.Equal(want.due) {
			t.Errorf("%s has version %d, lease until %v, due %v; want %+v", contact, got.Version, got.Lease.Until, got.Due, want)
		}
	}
	if n, err := s.EndLeases(t.Context()); err != nil || n != 2 {
		t.Errorf("a second time: %d, %v; want 2 again: a lease that is over is still a lease", n, err)
	}
}

func TestEndLeasesShowsReceivedMessages(t *testing.T) {
	var c clock
	s := open(t, "", sqlite.Options{Now: c.Now, Visibility: time.Hour})
	ctx := t.Context()
	var bodies [][]byte
	for _, body := range []string{"received", "again later"} {
		bodies = append(bodies, []byte(body))
	}
	if err := s.Send(ctx, 0, bodies...); err != nil {
		t.Fatal(err)
	}
	received, err := s.Receive(ctx, 2, nil)
	if err != nil || len(received) != 2 {
		t.Fatalf("received %d, %v; want 2", len(received), err)
	}
	later := c.Now().Add(time.Minute)
	if err := errors.Join(s.Again(ctx, received[1].ID, later), s.Send(ctx, 2*time.Minute, []byte("delayed"))); err != nil {
		t.Fatal(err)
	}
	pending(t, s, 0, 3, later)
	if _, err := s.EndLeases(ctx); err != nil {
		t.Fatal(err)
	}
	pending(t, s, 1, 2, later)
	c.Advance(2 * time.Minute)
	pending(t, s, 3, 0, time.Time{})
}

// pending fails unless the queue holds so much.
func pending(t *testing.T, s *sqlite.Store, visible, hidden int, next time.Time) {
	t.Helper()
	v, h, n, err := s.Pending(t.Context())
	if err != nil || v != visible || h != hidden || n != next {
		t.Errorf("pending: %d, %d, %v, %v; want %d, %d, %v", v, h, n, err, visible, hidden, next)
	}
}

func TestForgetsWhatIsLongFinished(t *testing.T) {
	const day = 24 * time.Hour
	var c clock
	path := filepath.Join(t.TempDir(), "calls.db")
	s := open(t, path, sqlite.Options{Now: c.Now})
	ctx := t.Context()
	finish := func(contact, number string) {
		t.Helper()
		r := call.Call{Key: call.Key{Campaign: "spring", Contact: contact}, Number: number, State: call.Running, CreatedAt: c.Now()}
		taken := s.Put(ctx, call.Write{Call: r, Number: call.TakeNumber, Own: "CA-" + contact})
		r.Version, r.State, r.FinishedAt = 1, call.Completed, c.Now()
		if err := errors.Join(taken, s.Put(ctx, call.Write{Call: r, Number: call.FreeNumber})); err != nil {
			t.Fatal(err)
		}
	}
	tell := func(id string) {
		t.Helper()
		err := errors.Join(s.Raise(ctx, []string{"email"}, alert.Alert{ID: id}), s.Delivered(ctx, "email", []string{id}, "", alert.Group{}))
		if err != nil {
			t.Fatal(err)
		}
	}
	for i := range 1001 {
		finish(fmt.Sprintf("old-%d", i), fmt.Sprintf("number-%d", i))
	}
	tell("old")
	if err := s.Raise(ctx, []string{"email"}, alert.Alert{ID: "waiting"}); err != nil {
		t.Fatal(err)
	}
	if err := s.Put(ctx, call.Write{Call: call.Call{Key: call.Key{Campaign: "spring", Contact: "parked"}, State: call.Parked}}); err != nil {
		t.Fatal(err)
	}
	c.Advance(day)
	finish("young", "another")
	tell("young")
	c.Advance(90*day - time.Hour)
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}

	s = open(t, path, sqlite.Options{Now: c.Now, Working: true})
	counts, err := s.Counts(ctx)
	if err != nil {
		t.Fatal(err)
	}
	want := []call.Count{{Campaign: "spring", State: call.Completed, Calls: 1}, {Campaign: "spring", State: call.Parked, Calls: 1}}
	if diff := cmp.Diff(want, counts); diff != "" {
		t.Errorf("counts (-want +got):\n%s", diff)
	}
	if _, err := s.Owner(ctx, "CA-old-0"); !errors.Is(err, agent.ErrNotFound) {
		t.Errorf("owner of an old SID: %v, want %v", err, agent.ErrNotFound)
	}
	if _, err := s.Owner(ctx, "CA-young"); err != nil {
		t.Errorf("owner of a young SID: %v", err)
	}
	finish("again", "number-0") // the mark of the old call is gone
	for _, id := range []string{"old", "young", "waiting"} {
		if err := s.Raise(ctx, []string{"email"}, alert.Alert{ID: id}); err != nil {
			t.Fatal(err)
		}
	}
	undelivered, err := s.Undelivered(ctx, "email", 10)
	if err != nil || len(undelivered) != 2 || undelivered[0].ID != "waiting" || undelivered[1].ID != "old" {
		t.Errorf("undelivered: %v, %v; want waiting and old", undelivered, err)
	}
}
