package sqlite_test

import (
	"path/filepath"
	"sync/atomic"
	"testing"
	"time"

	"go.uber.org/goleak"

	"callagent/core/agent/circuittest"
	"callagent/core/agent/ledgertest"
	"callagent/core/agent/outboxtest"
	"callagent/core/agent/queuetest"
	"callagent/infra/sqlite"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// clock stands still until it is moved.
type clock struct{ since atomic.Int64 }

func (c *clock) Now() time.Time {
	return time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC).Add(time.Duration(c.since.Load()))
}

func (c *clock) Advance(d time.Duration) { c.since.Add(int64(d)) }

// open opens a store in a new folder, or at path when it is not "".
func open(t testing.TB, path string, o sqlite.Options) *sqlite.Store {
	t.Helper()
	if path == "" {
		path = filepath.Join(t.TempDir(), "calls.db")
	}
	s, err := sqlite.Open(t.Context(), path, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

func TestLedger(t *testing.T) {
	ledgertest.Run(t, func(t *testing.T) ledgertest.Harness {
		var c clock
		return ledgertest.Harness{Store: open(t, "", sqlite.Options{Now: c.Now}), Now: c.Now}
	})
}

func TestCircuits(t *testing.T) {
	circuittest.Run(t, func(t *testing.T) circuittest.Store { return open(t, "", sqlite.Options{}) })
}

func TestQueue(t *testing.T) {
	queuetest.Run(t, func(t *testing.T) queuetest.Harness {
		var c clock
		store := open(t, "", sqlite.Options{Now: c.Now, Visibility: time.Minute})
		return queuetest.Harness{
			Queue: store, Now: c.Now, Advance: c.Advance, Visibility: time.Minute,
			Buried: func(t *testing.T) []queuetest.Buried {
				dead, err := store.DeadLetters(t.Context(), 100)
				if err != nil {
					t.Fatal(err)
				}
				var buried []queuetest.Buried
				for _, d := range dead {
					buried = append(buried, queuetest.Buried{Body: string(d.Body), Reason: d.Reason})
				}
				return buried
			},
		}
	})
}

func TestOutbox(t *testing.T) {
	outboxtest.Run(t, func(t *testing.T) outboxtest.Harness {
		return outboxtest.Harness{Outbox: open(t, "", sqlite.Options{})}
	})
}
