package sqlite

import (
	"context"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"callagent/core/agent"
	"callagent/core/call"
)

// SQLite says of a file that may not grow what it says of a full disk.
func TestFailing(t *testing.T) {
	now := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	s, err := Open(t.Context(), filepath.Join(t.TempDir(), "calls.db"), Options{Now: func() time.Time { return now }})
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	}()
	put := func(n int) error {
		k := call.Key{Campaign: "spring", Contact: strings.Repeat("c", n)}
		return s.Put(t.Context(), call.Write{Call: call.Call{Key: k, State: call.Running, Script: strings.Repeat("x", 100_000)}})
	}
	pages := func(limit string) {
		t.Helper()
		if _, err := s.write.tx.conn.ExecContext(context.Background(), "PRAGMA max_page_count = "+limit); err != nil {
			t.Fatal(err)
		}
	}
	if err := put(1); err != nil {
		t.Fatal(err)
	}
	if lasted, err := s.Failing(); err != nil {
		t.Errorf("failing for %s: %v", lasted, err)
	}
	pages("1") // as many as there are
	for n := 2; n < 5; n++ {
		if err := put(n); err == nil || !strings.Contains(err.Error(), "make room on its disk") {
			t.Errorf("put: %v", err)
		}
		now = now.Add(time.Second)
	}
	if _, err := s.Receive(t.Context(), 1, nil); err != nil { // an empty queue proves nothing
		t.Fatal(err)
	}
	if lasted, err := s.Failing(); err == nil || lasted != 2*time.Second {
		t.Errorf("failing for %s: %v, want from the first failure to the last", lasted, err)
	}
	pages("100000")
	if err := put(2); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Failing(); err != nil {
		t.Errorf("still failing: %v", err)
	}
	if err := s.Put(t.Context(), call.Write{Call: call.Call{Key: call.Key{Campaign: "spring", Contact: "c"}}}); err != agent.ErrConflict {
		t.Fatalf("a lost race: %v", err)
	}
	if _, err := s.Failing(); err != nil {
		t.Errorf("a lost race is taken for a full disk: %v", err)
	}
}
