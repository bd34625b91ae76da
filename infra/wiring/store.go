package wiring

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"
	"time"

	"callagent/core/agent"
	"callagent/core/journal"
	"callagent/infra/clock"
	"callagent/infra/logfile"
	"callagent/infra/settings"
	"callagent/infra/sqlite"
)

// Store is a store as the operator's commands use it.
type Store interface {
	agent.Ledger
	agent.Backlog
	agent.Register
	agent.Blocklist
	agent.Circuits
	agent.Queue

	// Pending counts the messages that are due and those that are not, and
	// says when the next one is.
	Pending(ctx context.Context) (visible, hidden int, next time.Time, err error)
	// Unclaimed counts the contacts that have no call yet.
	Unclaimed(ctx context.Context) (int, error)
	DeadLetters(ctx context.Context, limit int) ([]DeadLetter, error)
	// Append adds events, and Latest reads the newest, the oldest of them
	// first.
	Append(ctx context.Context, entries []journal.Entry) error
	Latest(ctx context.Context, limit int) ([]Stored, error)
	// Secret is the store's own key, for hashes of phone numbers.
	Secret() []byte
	Close() error
}

// Stored is an event with its place in the store.
type Stored = sqlite.Stored

// DeadLetter is a message that could not be worked.
type DeadLetter = sqlite.DeadLetter

// Line is an event as one line for people.
func Line(e journal.Entry) string { return logfile.Text(e) }

// Visibility is how long a received message stays hidden when nobody settles
// it: longer than any call stays in one pair of hands.
const Visibility = 10 * time.Minute

// OpenStore opens the store that the settings name, for a command that does
// not work the queue. Unless create is set it has to be there.
func OpenStore(ctx context.Context, s settings.Settings, c *clock.Clock, create bool) (Store, error) {
	path, err := storePath(s)
	if err != nil {
		return nil, err
	}
	if _, err := os.Stat(path); !create && errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("there is no store %s yet: callagent run or enqueue makes it, or name another with --store", path)
	}
	store, err := sqlite.Open(ctx, path, sqlite.Options{Now: c.Now, Visibility: Visibility})
	if err != nil {
		return nil, err
	}
	return store, nil
}

func storePath(s settings.Settings) (string, error) {
	path, ok := strings.CutPrefix(s.Store, "sqlite:")
	if !ok || path == "" {
		return "", &settings.Error{Problem: fmt.Sprintf("store %q cannot be used here: write sqlite:PATH", s.Store)}
	}
	return path, nil
}
