package sqlite

import (
	"context"
	"errors"
	"path/filepath"
	"sync"
	"testing"
	"time"
)

// blockedWriter opens a store whose writer waits until the returned function lets it
// go on, so that what is handed over meanwhile becomes one batch.
func blockedWriter(t *testing.T) (s *Store, release func()) {
	t.Helper()
	s, err := Open(t.Context(), filepath.Join(t.TempDir(), "calls.db"), Options{})
	if err != nil {
		t.Fatal(err)
	}
	var all sync.WaitGroup
	started, gate := make(chan struct{}), make(chan struct{})
	all.Go(func() {
		err := s.change(context.Background(), func(*tx) error {
			close(started)
			<-gate
			return nil
		})
		if err != nil {
			t.Error(err)
		}
	})
	<-started
	t.Cleanup(func() {
		all.Wait()
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s, sync.OnceFunc(func() { close(gate) })
}

// block is a change that puts a number on the do-not-call list.
func block(number string) func(*tx) error {
	return func(t *tx) error { return t.run("INSERT INTO blocked (number) VALUES (?)", number) }
}

// broken is a change that writes and then fails in the database.
func broken(t *tx) error {
	if err := block("half done")(t); err != nil {
		return err
	}
	return t.run("INSERT INTO blocked (number) VALUES (NULL)")
}

var errRefused = errors.New("refused")

// list reads the do-not-call list.
func (s *Store) list(t *testing.T) []string {
	t.Helper()
	rows, err := s.read.query(t.Context(), "SELECT number FROM blocked ORDER BY number")
	numbers, err := collect(rows, err, func(scan func(to ...any) error) (string, error) {
		var number string
		err := scan(&number)
		return number, err
	})
	if err != nil {
		t.Fatal(err)
	}
	return numbers
}

func TestOneBadChangeHarmsNoOther(t *testing.T) {
	path := filepath.Join(t.TempDir(), "calls.db")
	if _, err := create(path); err != nil {
		t.Fatal(err)
	}
	w, err := newWriter(t.Context(), connect(path), time.Now)
	if err != nil {
		t.Fatal(err)
	}
	refuse := func(*tx) error { return errRefused }
	var batch []*change
	for _, do := range []func(*tx) error{block("a"), broken, refuse, block("b"), broken} {
		batch = append(batch, &change{ctx: t.Context(), do: do, done: make(chan error, 1)})
	}
	w.serve(batch)
	go w.run()
	if err := w.close(); err != nil {
		t.Fatal(err)
	}

	for i, good := range []bool{true, false, false, true, false} {
		if err := <-batch[i].done; (err == nil) != good {
			t.Errorf("change %d ended with %v", i, err)
		}
	}
	if !errors.Is(batch[2].err, errRefused) {
		t.Errorf("the refused change ended with %v, want %v", batch[2].err, errRefused)
	}
	s, err := Open(t.Context(), path, Options{})
	if err != nil {
		t.Fatal(err)
	}
	if got := s.list(t); len(got) != 2 || got[0] != "a" || got[1] != "b" {
		t.Errorf("stored %q, want a and b", got)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
}

func TestCallerThatGaveUpChangesNothing(t *testing.T) {
	s, release := blockedWriter(t)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := s.change(ctx, block("a")); !errors.Is(err, context.Canceled) {
		t.Errorf("error is %v, want %v", err, context.Canceled)
	}
	release()
	if err := s.change(t.Context(), block("b")); err != nil {
		t.Fatal(err)
	}
	if got := s.list(t); len(got) != 1 || got[0] != "b" {
		t.Errorf("stored %q, want b", got)
	}
}

// What the writer has begun with is made, and the caller learns so.
func TestCallerThatGivesUpMeanwhileLearnsTheEnd(t *testing.T) {
	s, release := blockedWriter(t)
	release()
	ctx, cancel := context.WithCancel(t.Context())
	err := s.change(ctx, func(t *tx) error {
		cancel()
		return block("a")(t)
	})
	if err != nil {
		t.Errorf("error is %v, although it was stored", err)
	}
	if got := s.list(t); len(got) != 1 || got[0] != "a" {
		t.Errorf("stored %q, want a", got)
	}
}

func TestReadsDoNotWaitForTheWriter(t *testing.T) {
	s, release := blockedWriter(t)
	defer release()
	if blocked, err := s.Blocked(t.Context(), "a"); err != nil || blocked {
		t.Errorf("blocked is %v, %v; want false", blocked, err)
	}
}
