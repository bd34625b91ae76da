//go:build unix

package sqlite_test

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"callagent/core/call"
	"callagent/infra/sqlite"
)

// The environment of a process that writes until it is killed.
const crashPath = "CALLAGENT_TEST_CRASH_PATH"

func TestKilledWhileWriting(t *testing.T) {
	if path := os.Getenv(crashPath); path != "" {
		writeUntilKilled(t, path)
		return
	}
	path := filepath.Join(t.TempDir(), "calls.db")
	for round := range 3 {
		acknowledged := killAfter(t, path, 500)
		s := open(t, path, sqlite.Options{Working: true})
		for _, contact := range acknowledged {
			c, err := s.Get(t.Context(), call.Key{Campaign: "spring", Contact: contact})
			if err != nil || c.Version != 2 {
				t.Errorf("round %d: %s has version %d, %v; want 2", round, contact, c.Version, err)
			}
			if owner, err := s.Owner(t.Context(), "CA-"+contact); err != nil || owner != c.Key {
				t.Errorf("round %d: the SID of %s belongs to %q, %v", round, contact, owner, err)
			}
		}
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
		var verdict string
		raw(t, path, "PRAGMA integrity_check", &verdict)
		if verdict != "ok" {
			t.Errorf("round %d: integrity check says %s", round, verdict)
		}
	}
}

// killAfter starts a process that writes, kills it after so many acknowledged
// calls, and returns all that it acknowledged.
func killAfter(t *testing.T, path string, lines int) []string {
	t.Helper()
	child := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestKilledWhileWriting$")
	child.Env = append(os.Environ(), crashPath+"="+path)
	out, err := child.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := child.Start(); err != nil {
		t.Fatal(err)
	}
	var acknowledged []string
	for in := bufio.NewScanner(out); in.Scan(); {
		if contact, ok := strings.CutPrefix(in.Text(), "stored "); ok {
			acknowledged = append(acknowledged, contact)
		}
		if len(acknowledged) == lines {
			if err := child.Process.Kill(); err != nil {
				t.Fatal(err)
			}
		}
	}
	if err := child.Wait(); err == nil || len(acknowledged) < lines {
		t.Fatalf("the process ended by itself (%v) after %d lines", err, len(acknowledged))
	}
	return acknowledged
}

// writeUntilKilled takes calls through two writes and says when both are done.
func writeUntilKilled(t *testing.T, path string) {
	s, err := sqlite.Open(t.Context(), path, sqlite.Options{Working: true})
	if err != nil {
		t.Fatal(err)
	}
	var (
		all sync.WaitGroup
		out sync.Mutex
	)
	for writer := range 16 {
		all.Go(func() {
			for i := 0; ; i++ {
				contact := fmt.Sprintf("%d-%d-%d", os.Getpid(), writer, i)
				if err := twoWrites(t.Context(), s, contact); err != nil {
					t.Error(err)
					return
				}
				out.Lock()
				fmt.Println("stored", contact)
				out.Unlock()
			}
		})
	}
	all.Wait()
}

// twoWrites stores a call and its dial.
func twoWrites(ctx context.Context, s *sqlite.Store, contact string) error {
	c := call.Call{Key: call.Key{Campaign: "spring", Contact: contact}, Number: "hash of " + contact, State: call.Running}
	if err := s.Put(ctx, call.Write{Call: c}); err != nil {
		return err
	}
	c.Version = 1
	return s.Put(ctx, call.Write{Call: c, Number: call.TakeNumber, Own: "CA-" + contact})
}

func TestTwoProcessesCannotWork(t *testing.T) {
	path := filepath.Join(t.TempDir(), "calls.db")
	open(t, path, sqlite.Options{Working: true})
	child := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestKilledWhileWriting$")
	child.Env = append(os.Environ(), crashPath+"="+path)
	out, err := child.CombinedOutput()
	if err == nil || !strings.Contains(string(out), sqlite.ErrWorking.Error()) {
		t.Errorf("the second process ended with %v and said:\n%s", err, out)
	}
}
