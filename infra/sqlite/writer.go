package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"
)

// mostTogether bounds how many changes share a transaction, so that the first
// of them does not wait for ever.
const mostTogether = 512

// change is what one caller wants done.
type change struct {
	ctx  context.Context
	do   func(t *tx) error
	err  error
	done chan error
}

// writer makes all changes, in one goroutine on one connection.
type writer struct {
	db      *sql.DB
	tx      *tx
	now     func() time.Time
	failing Failures // of transactions that had something to write
	waiting chan *change
	quit    chan struct{}
	done    chan struct{}
}

// newWriter brings the file to the newest version. The caller starts run.
func newWriter(ctx context.Context, db *sql.DB, now func() time.Time) (*writer, error) {
	conn, err := db.Conn(ctx)
	if err != nil {
		return nil, errors.Join(err, db.Close())
	}
	if err := migrateInTurn(ctx, conn); err != nil {
		return nil, errors.Join(err, conn.Close(), db.Close())
	}
	return &writer{
		db: db, tx: &tx{conn: conn, statements: map[string]*sql.Stmt{}}, now: now,
		waiting: make(chan *change), quit: make(chan struct{}), done: make(chan struct{}),
	}, nil
}

// close stops the goroutine when it has made the changes that it took.
func (w *writer) close() error {
	close(w.quit)
	<-w.done
	return errors.Join(w.tx.conn.Close(), w.db.Close())
}

// change hands do to the writer and waits until what it did is on the disk. do
// checks all its conditions before it changes anything, so an error of its own
// leaves nothing to undo, and it may be run a second time after the first run
// was undone.
func (s *Store) change(ctx context.Context, do func(t *tx) error) error {
	c := &change{ctx: ctx, do: do, done: make(chan error, 1)}
	select {
	case s.write.waiting <- c:
	case <-s.write.quit:
		return ErrClosed
	case <-ctx.Done():
		return ctx.Err()
	}
	// The writer begins with it at once, unless ctx has ended. Waiting for the
	// end costs one commit; not waiting would leave it unknown whether a phone
	// may be rung.
	return <-c.done
}

func (w *writer) run() {
	defer close(w.done)
	for {
		select {
		case first := <-w.waiting:
			w.serve(w.collect(first))
		case <-w.quit:
			return
		}
	}
}

// collect takes what is waiting behind the first change.
func (w *writer) collect(first *change) []*change {
	batch := []*change{first}
	for len(batch) < mostTogether {
		select {
		case next := <-w.waiting:
			batch = append(batch, next)
		default:
			return batch
		}
	}
	return batch
}

// serve makes the changes in one transaction. When that fails for a reason
// that is none of theirs, each gets a transaction of its own, so that one that
// cannot be made harms no other.
func (w *writer) serve(batch []*change) {
	began, err := w.commit(batch)
	for _, c := range batch {
		alone := err
		if began && err != nil && len(batch) > 1 {
			_, alone = w.commit([]*change{c})
		}
		if alone != nil {
			c.err = alone
		}
		c.done <- c.err
	}
}

// commit makes the changes in one transaction and notes the error of each. It
// fails, with nothing changed, when the database does; began is false when not
// even the transaction could begin.
func (w *writer) commit(batch []*change) (began bool, err error) {
	w.tx.wrote = false
	began, err = w.try(batch)
	if err != nil || w.tx.wrote {
		w.failing.Note(w.now(), err)
	}
	return began, err
}

func (w *writer) try(batch []*change) (began bool, err error) {
	if err := w.tx.run("BEGIN IMMEDIATE"); err != nil {
		return false, err
	}
	for _, c := range batch {
		if c.err = c.ctx.Err(); c.err != nil {
			continue
		}
		if c.err = c.do(w.tx); w.tx.failed != nil {
			return true, w.tx.rollback()
		}
	}
	if w.tx.run("COMMIT") != nil {
		return true, w.tx.rollback()
	}
	return true, nil
}

// tx is the transaction in which the writer is. Its methods need no context:
// a statement is never given up half way.
type tx struct {
	conn       *sql.Conn
	statements map[string]*sql.Stmt
	failed     error // the first error of the database in this transaction
	wrote      bool  // a row has changed in this transaction
}

// rollback undoes the transaction and returns what made it fail.
func (t *tx) rollback() error {
	err := t.failed
	t.failed = nil
	// SQLite may have undone it already; then there is nothing to do.
	_, _ = t.conn.ExecContext(context.Background(), "ROLLBACK")
	return err
}

// run executes a statement that gives nothing back.
func (t *tx) run(query string, args ...any) error {
	_, err := t.exec(query, args...)
	return err
}

// exec executes a statement.
func (t *tx) exec(query string, args ...any) (sql.Result, error) {
	statement, err := t.statement(query)
	if err != nil {
		return nil, err
	}
	result, err := statement.Exec(args...)
	if err != nil {
		return nil, t.fail(err)
	}
	if n, err := result.RowsAffected(); err == nil && n > 0 {
		t.wrote = true
	}
	return result, nil
}

// changed executes a statement and reports whether it changed a row.
func (t *tx) changed(query string, args ...any) (bool, error) {
	result, err := t.exec(query, args...)
	if err != nil {
		return false, err
	}
	n, err := result.RowsAffected()
	return n > 0, t.fail(err)
}

// query reads rows; the caller closes them before its next statement.
func (t *tx) query(query string, args ...any) (*sql.Rows, error) {
	statement, err := t.statement(query)
	if err != nil {
		return nil, err
	}
	rows, err := statement.Query(args...)
	return rows, t.fail(err)
}

// row reads one row into to and reports whether there is one.
func (t *tx) row(query string, args []any, to ...any) (bool, error) {
	statement, err := t.statement(query)
	if err != nil {
		return false, err
	}
	err = statement.QueryRow(args...).Scan(to...)
	if errors.Is(err, sql.ErrNoRows) {
		return false, nil
	}
	return err == nil, t.fail(err)
}

// statement prepares a query when it is first used.
func (t *tx) statement(query string) (*sql.Stmt, error) {
	if prepared := t.statements[query]; prepared != nil {
		return prepared, nil
	}
	prepared, err := t.conn.PrepareContext(context.Background(), query)
	if err != nil {
		return nil, t.fail(err)
	}
	t.statements[query] = prepared
	return prepared, nil
}

// fail remembers an error of the database: the transaction is not to be
// committed.
func (t *tx) fail(err error) error {
	if err == nil {
		return nil
	}
	err = fmt.Errorf("store: %w", explain(err))
	if t.failed == nil {
		t.failed = err
	}
	return err
}
