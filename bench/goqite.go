package main

import (
	"context"
	"database/sql"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"maragu.dev/goqite"
	_ "modernc.org/sqlite" // the driver that infra/sqlite uses
)

// goqiteMessages sends, receives and deletes one message a contact.
func goqiteMessages(goroutines int) func(ctx context.Context, dir string, bodies [][]byte) (time.Duration, error) {
	return func(ctx context.Context, dir string, bodies [][]byte) (time.Duration, error) {
		db, err := sql.Open("sqlite", "file:"+filepath.Join(dir, "goqite.db")+"?_txlock=immediate&_pragma=busy_timeout(5000)&_pragma=journal_mode(WAL)&_pragma=synchronous(FULL)&_pragma=foreign_keys(1)&_pragma=cache_size(-65536)&_pragma=wal_autocheckpoint(8192)")
		if err != nil {
			return 0, err
		}
		db.SetMaxOpenConns(1) // as goqite advises
		if err := setUp(ctx, db); err != nil {
			return 0, errors.Join(err, db.Close())
		}
		q := goqite.New(goqite.NewOpts{DB: db, Name: "contacts", Timeout: 15 * time.Minute})
		began := time.Now()
		err = share(goroutines, bodies, func(body []byte) error { return through(ctx, q, body) })
		return time.Since(began), errors.Join(err, db.Close())
	}
}

// setUp makes goqite's table by the schema that comes with its module.
func setUp(ctx context.Context, db *sql.DB) error {
	dir, err := exec.CommandContext(ctx, "go", "list", "-m", "-f", "{{.Dir}}", "maragu.dev/goqite").Output()
	if err != nil {
		return err
	}
	schema, err := os.ReadFile(filepath.Join(strings.TrimSpace(string(dir)), "schema_sqlite.sql"))
	if err != nil {
		return err
	}
	_, err = db.ExecContext(ctx, string(schema))
	return err
}

// through takes one message through the queue.
func through(ctx context.Context, q *goqite.Queue, body []byte) error {
	if err := q.Send(ctx, goqite.Message{Body: body}); err != nil {
		return err
	}
	m, err := q.Receive(ctx)
	if err != nil {
		return err
	}
	if m == nil {
		return errors.New("the queue is empty")
	}
	return q.Delete(ctx, m.ID)
}

// share gives every goroutine an equal share of the bodies.
func share(goroutines int, bodies [][]byte, do func(body []byte) error) error {
	var all sync.WaitGroup
	errs := make([]error, goroutines)
	for g := range goroutines {
		all.Go(func() {
			for i := g; i < len(bodies) && errs[g] == nil; i += goroutines {
				errs[g] = do(bodies[i])
			}
		})
	}
	all.Wait()
	return errors.Join(errs...)
}
