package wiring

import (
	"context"
	"time"

	"callagent/core/agent"
	"callagent/core/call"
	"callagent/core/journal"
)

// Store is a store as the operator's commands use it.
type Store interface {
	agent.Ledger
	agent.Backlog
	agent.Register
	agent.Blocklist
	agent.Circuits
	agent.Sender

	// Pending counts the messages that are due and those that are not, and
	// says when the next one is.
	Pending(ctx context.Context) (visible, hidden int, next time.Time, err error)

	// Ended counts the calls that ended since a moment, the oldest first. It
	// may lag behind.
	Ended(ctx context.Context, since time.Time) ([]call.Ended, error)
	DeadLetters(ctx context.Context, limit int) ([]agent.DeadLetter, error)
	// Append adds events, and Latest reads the newest, the oldest of them
	// first.
	Append(ctx context.Context, entries []journal.Entry) error
	Latest(ctx context.Context, limit int) ([]journal.Stored, error)
	// Secret is the store's own key, for hashes of phone numbers.
	Secret() []byte
	Close() error
}
