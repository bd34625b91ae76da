package memory_test

import (
	"sync/atomic"
	"testing"
	"time"

	"callagent/core/agent/circuittest"
	"callagent/core/agent/ledgertest"
	"callagent/core/agent/outboxtest"
	"callagent/core/agent/queuetest"
	"callagent/infra/memory"
)

// clock stands still until it is moved.
type clock struct{ since atomic.Int64 }

func (c *clock) Now() time.Time {
	return time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC).Add(time.Duration(c.since.Load()))
}

func (c *clock) Advance(d time.Duration) { c.since.Add(int64(d)) }

func TestLedger(t *testing.T) {
	ledgertest.Run(t, func(*testing.T) ledgertest.Harness {
		var c clock
		return ledgertest.Harness{Store: memory.New(memory.Options{Now: c.Now}), Now: c.Now}
	})
}

func TestCircuits(t *testing.T) {
	circuittest.Run(t, func(*testing.T) circuittest.Store { return memory.New(memory.Options{}) })
}

func TestQueue(t *testing.T) {
	queuetest.Run(t, func(*testing.T) queuetest.Harness {
		var c clock
		store := memory.New(memory.Options{Now: c.Now, Visibility: time.Minute})
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
	outboxtest.Run(t, func(*testing.T) outboxtest.Harness {
		return outboxtest.Harness{Outbox: memory.New(memory.Options{})}
	})
}
