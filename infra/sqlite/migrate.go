package sqlite

import (
	"context"
	"crypto/rand"
	"database/sql"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"time"

	driver "modernc.org/sqlite"
)

// migrations are the steps from one version of the file to the next, in the
// order of their names. A step that was ever released is never changed.
//
//go:embed migrations/*.sql
var migrations embed.FS

// application marks the file as one of callagent: "call" in ASCII.
const application = 0x63616c6c

// newest is the version that the last migration leaves.
const newest = 4

// openFor is how long processes that open one file at the same time wait for
// each other.
const openFor = 5 * time.Second

// migrateInTurn migrates, and tries again while another process does: SQLite
// itself does not wait when a file changes its journal.
func migrateInTurn(ctx context.Context, conn *sql.Conn) error {
	ctx, cancel := context.WithTimeout(ctx, openFor)
	defer cancel()
	for {
		err := migrate(ctx, conn)
		if e, ok := errors.AsType[*driver.Error](err); !ok || e.Code()&0xff != busy {
			return err
		}
		select {
		case <-ctx.Done():
			return err
		case <-time.After(20 * time.Millisecond):
		}
	}
}

// busy is SQLITE_BUSY, the first byte of all its variants.
const busy = 5

// migrate brings the file to the newest version. Until it is known to be a
// store, nothing in it is changed.
func migrate(ctx context.Context, conn *sql.Conn) error {
	if _, err := versionOf(ctx, conn); err != nil {
		return err
	}
	for _, statement := range []string{"PRAGMA journal_mode = WAL", "BEGIN IMMEDIATE"} {
		if _, err := conn.ExecContext(ctx, statement); err != nil {
			return err
		}
	}
	if err := steps(ctx, conn); err != nil {
		_, undo := conn.ExecContext(context.WithoutCancel(ctx), "ROLLBACK")
		return errors.Join(err, undo)
	}
	if _, err := conn.ExecContext(ctx, "COMMIT"); err != nil {
		_, undo := conn.ExecContext(context.WithoutCancel(ctx), "ROLLBACK")
		return errors.Join(err, undo)
	}
	return nil
}

// steps runs the migrations that the file has not seen.
func steps(ctx context.Context, conn *sql.Conn) error {
	version, err := versionOf(ctx, conn) // again: somebody else may have migrated it
	if err != nil {
		return err
	}
	names, err := fs.Glob(migrations, "migrations/*.sql")
	if err != nil {
		return err
	}
	for _, name := range names[version:newest] {
		text, err := migrations.ReadFile(name)
		if err != nil {
			return err
		}
		if _, err := conn.ExecContext(ctx, string(text)); err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
	}
	marks := fmt.Sprintf("PRAGMA application_id = %d; PRAGMA user_version = %d", application, newest)
	if version < newest {
		_, err = conn.ExecContext(ctx, marks)
	}
	return err
}

// versionOf reads the file's version, 0 for a new file. A database of somebody
// else is refused, and so is one of a newer callagent.
func versionOf(ctx context.Context, conn *sql.Conn) (int, error) {
	var owner, version, tables int
	const query = "SELECT * FROM pragma_application_id, pragma_user_version, (SELECT count(*) FROM sqlite_schema)"
	if err := conn.QueryRowContext(ctx, query).Scan(&owner, &version, &tables); err != nil {
		return 0, err
	}
	if owner != application && (owner != 0 || version != 0 || tables != 0) {
		return 0, errNotAStore
	}
	if version > newest {
		return 0, fmt.Errorf("the file has version %d and this callagent knows versions up to %d: use the newer callagent that wrote it", version, newest)
	}
	return version, nil
}

// Secret is 32 random bytes that were made with the file, for keyed hashes.
func (s *Store) Secret() []byte { return append([]byte(nil), s.secret...) }

// loadSecret reads the secret; whoever comes first makes it.
func (s *Store) loadSecret(ctx context.Context) ([]byte, error) {
	fresh := make([]byte, 32)
	rand.Read(fresh)
	var secret []byte
	err := s.change(ctx, func(t *tx) error {
		if err := t.run("INSERT INTO meta (key, value) VALUES ('secret', ?) ON CONFLICT DO NOTHING", fresh); err != nil {
			return err
		}
		_, err := t.row("SELECT value FROM meta WHERE key = 'secret'", nil, &secret)
		return err
	})
	if err != nil {
		return nil, err
	}
	return secret, nil
}
