// Package sqlite keeps the stores in one SQLite file: the embedded default, for
// one machine.
//
// Everything that a method has done when it returns is on the disk. Changes go
// through one writer that commits all that is waiting together, so a hundred
// callers share one disk flush; reads have connections of their own and never
// wait for the writer. A caller whose context ends before the writer begins
// with its change gets the context's error, and nothing was changed; one whose
// change has begun waits for its end, so what became of it is never in doubt.
//
// Several processes may have the file open, but only one may be working on it
// (Options.Working).
package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"net/url"
	"os"
	"path/filepath"
	"sync"
	"time"

	driver "modernc.org/sqlite"

	"callagent/core/agent"
)

// Options changes what a store assumes. The zero value has the defaults.
type Options struct {
	// Now is the clock; nil is time.Now.
	Now func() time.Time
	// Visibility is how long a received message stays hidden; 0 is 15 min.
	Visibility time.Duration
	// Working claims the store for this process: nobody else may work on it,
	// and what has been finished for 90 days is deleted.
	Working bool
}

// Store is an open store file. It is safe for concurrent use.
type Store struct {
	now        func() time.Time
	visibility time.Duration
	secret     []byte

	read   *reader
	write  *writer
	lock   io.Closer // nil when the process is not working
	closed sync.Once
}

var _ interface {
	agent.Ledger
	agent.Backlog
	agent.Register
	agent.Blocklist
	agent.Circuits
	agent.Pace
	agent.Queue
	agent.Outbox
} = (*Store)(nil)

// ErrClosed is the error of every change after Close.
var ErrClosed = errors.New("the store is closed")

// readers is how many reads run at once.
const readers = 4

// The defaults of SQLite suit small files: 2 MB of cache, and a checkpoint with
// two disk flushes of its own after every 4 MB of changes.
const (
	writerCache     = "cache_size(-65536)"       // KiB
	checkpointEvery = "wal_autocheckpoint(8192)" // pages of 4 KiB
)

// Open opens the store file at path and creates it when there is none. Its
// errors name the path and the remedy. The caller closes the store.
func Open(ctx context.Context, path string, o Options) (*Store, error) {
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Visibility == 0 {
		o.Visibility = 15 * time.Minute
	}
	s := &Store{now: o.Now, visibility: o.Visibility}
	if err := s.open(ctx, path, o.Working); err != nil {
		return nil, errors.Join(fmt.Errorf("open store %s: %w", path, err), s.Close())
	}
	return s, nil
}

func (s *Store) open(ctx context.Context, path string, working bool) error {
	path, err := create(path)
	if err != nil {
		return err
	}
	if working {
		if s.lock, err = lock(path + ".lock"); err != nil {
			return err
		}
	}
	if s.write, err = newWriter(ctx, connect(path, "synchronous(FULL)", "foreign_keys(1)", writerCache, checkpointEvery), s.now); err != nil {
		return explain(err)
	}
	go s.write.run()
	s.read = newReader(connect(path, "query_only(1)"))
	if s.secret, err = s.loadSecret(ctx); err != nil {
		return err
	}
	if working {
		return s.purge(ctx)
	}
	return nil
}

// create makes sure that the file is there and readable for its owner only,
// because it holds phone numbers and a secret.
func create(path string) (string, error) {
	path, err := filepath.Abs(path)
	if err != nil {
		return "", err
	}
	file, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return "", fmt.Errorf("%w: choose a file in a folder that exists and that you may write to", pathless(err))
	}
	return path, file.Close()
}

// pathless drops the path from an error, because the caller names it.
func pathless(err error) error {
	if cause, ok := errors.AsType[*os.PathError](err); ok {
		return cause.Err
	}
	return err
}

// connect describes the connections to a file.
func connect(path string, pragmas ...string) *sql.DB {
	query := url.Values{"_pragma": append([]string{"busy_timeout(5000)"}, pragmas...)}
	dsn := url.URL{Scheme: "file", Path: filepath.ToSlash(path), RawQuery: query.Encode()}
	connector, err := driver.NewConnector(dsn.String())
	if err != nil {
		panic(err) // only a query that does not parse, and this one was encoded above
	}
	return sql.OpenDB(connector)
}

// explain adds the remedy to SQLite's errors that have one.
func explain(err error) error {
	const readOnly, full, cannotOpen, notADatabase = 8, 13, 14, 26
	var cause *driver.Error
	if !errors.As(err, &cause) {
		return err
	}
	switch cause.Code() & 0xff {
	case notADatabase:
		return errNotAStore
	case full:
		return fmt.Errorf("%w: make room on its disk", err)
	case readOnly, cannotOpen:
		return fmt.Errorf("%w: see that you may write it and the folder that it is in", err)
	}
	return err
}

// errNotAStore: the file is something else.
var errNotAStore = errors.New("the file is not a callagent store: choose another one, it was left as it is")

// Close waits for the changes that were handed over and closes the file.
// Closing twice is no error.
func (s *Store) Close() error {
	var err error
	s.closed.Do(func() {
		if s.write != nil {
			err = s.write.close()
		}
		if s.read != nil {
			err = errors.Join(err, s.read.close())
		}
		if s.lock != nil {
			err = errors.Join(err, s.lock.Close())
		}
	})
	return err
}
