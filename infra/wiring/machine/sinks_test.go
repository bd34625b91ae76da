package machine

import (
	"path/filepath"
	"runtime"
	"testing"
	"time"

	"callagent/core/journal"
	"callagent/infra/sqlite"
)

// Whoever has flushed the journal finds every event in the store, also one that
// another flush has just taken.
func TestAFlushWaitsForTheOneBeforeIt(t *testing.T) {
	store, err := sqlite.Open(t.Context(), filepath.Join(t.TempDir(), "callagent.db"), sqlite.Options{Now: time.Now})
	if err != nil {
		t.Fatal(err)
	}
	defer store.Close()
	s := openSinks(Options{}, store)
	for i := range 50 {
		s.Write(journal.Entry{Time: time.Now(), Event: "call_completed"})
		other := make(chan struct{})
		go func() { s.flush(); close(other) }()
		for !s.taken() {
			runtime.Gosched()
		}
		s.flush()
		stored, err := store.Events(t.Context(), 0, 100)
		if err != nil || len(stored) != i+1 {
			t.Fatalf("after %d events the store has %d, %v", i+1, len(stored), err)
		}
		<-other
	}
	if err := s.close(); err != nil {
		t.Error(err)
	}
}

// taken reports that a flush has the events in hand.
func (s *sinks) taken() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.waiting == nil
}
