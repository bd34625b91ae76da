package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"sync"
)

// reader makes the reads, several at a time. Each sees all that was committed
// when it began.
type reader struct {
	db         *sql.DB
	mu         sync.Mutex
	statements map[string]*sql.Stmt
}

func newReader(db *sql.DB) *reader {
	db.SetMaxOpenConns(readers)
	db.SetMaxIdleConns(readers)
	return &reader{db: db, statements: map[string]*sql.Stmt{}}
}

func (r *reader) close() error { return r.db.Close() }

// query reads rows; the caller closes them.
func (r *reader) query(ctx context.Context, query string, args ...any) (*sql.Rows, error) {
	statement, err := r.statement(ctx, query)
	if err != nil {
		return nil, failed(err)
	}
	rows, err := statement.QueryContext(ctx, args...)
	return rows, failed(err)
}

// row reads one row into to and reports whether there is one.
func (r *reader) row(ctx context.Context, query string, args []any, to ...any) (bool, error) {
	statement, err := r.statement(ctx, query)
	if err != nil {
		return false, failed(err)
	}
	err = statement.QueryRowContext(ctx, args...).Scan(to...)
	if errors.Is(err, sql.ErrNoRows) {
		return false, nil
	}
	return err == nil, failed(err)
}

// statement prepares a query when it is first used.
func (r *reader) statement(ctx context.Context, query string) (*sql.Stmt, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if prepared := r.statements[query]; prepared != nil {
		return prepared, nil
	}
	prepared, err := r.db.PrepareContext(ctx, query)
	if err != nil {
		return nil, err
	}
	r.statements[query] = prepared
	return prepared, nil
}

// failed says whose error it is.
func failed(err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("store: %w", err)
}

// collect reads all rows of a query with scan and closes them.
func collect[T any](rows *sql.Rows, err error, scan func(scan func(to ...any) error) (T, error)) ([]T, error) {
	if err != nil {
		return nil, err
	}
	var all []T
	for rows.Next() {
		one, err := scan(rows.Scan)
		if err != nil {
			return nil, errors.Join(failed(err), rows.Close())
		}
		all = append(all, one)
	}
	return all, failed(errors.Join(rows.Err(), rows.Close()))
}
