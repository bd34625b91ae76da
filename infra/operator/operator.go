// Package operator is what a person may do to circuits and calls, for the
// command line and the dashboard alike. Whatever is done is in the journal,
// with who and when.
package operator

import (
	"context"
	"fmt"
	"time"

	"callagent/core/agent"
	"callagent/core/journal"
	"callagent/infra/clock"
)

// Operator is a person at work. It is safe for concurrent use.
type Operator struct {
	Name  string // in the journal
	Store Store
	Clock *clock.Clock // nil is the wall clock
}

// Store is what an operator works on.
type Store interface {
	agent.Ledger
	agent.Circuits
	agent.Sender
	// Append adds events to the journal.
	Append(ctx context.Context, entries []journal.Entry) error
}

func (o Operator) now() time.Time { return o.Clock.Now() }

// Note puts an event of now into the journal. did continues "Operator ada".
func (o Operator) Note(ctx context.Context, e journal.Entry, did string) error {
	e.Time = o.now()
	e.Message = fmt.Sprintf("Operator %s %s.", o.Name, did)
	return o.Store.Append(ctx, []journal.Entry{e})
}
