package crashtest

import (
	"database/sql"
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"testing"

	"callagent/core/alert"
	"callagent/core/call"
	"callagent/infra/sqlite"
)

// steps are the steps whose result is stored for a call: what must never be
// requested again.
func steps(c call.Call) []string {
	var stored []string
	for _, s := range []struct {
		name string
		done bool
	}{
		{"script", c.Script != ""},
		{"speech", c.Speech != ""},
		{"dial", c.Dialled()}, // an intent is enough: only its own holder could have withdrawn it
		{"record", c.Recorded == call.Yes},
	} {
		if s.done {
			stored = append(stored, s.name)
		}
	}
	return stored
}

// autopsy reads what a dead process left behind, from a copy, so that the next
// process finds the file as it is. thorough checks the file itself on the way.
func autopsy(t *testing.T, store string, thorough bool) []call.Call {
	t.Helper()
	dir, err := os.MkdirTemp(t.TempDir(), "")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = os.RemoveAll(dir) }() // the test's own folder goes at its end in any case
	copied := filepath.Join(dir, "copy.db")
	for _, suffix := range []string{"", "-wal"} {
		data, err := os.ReadFile(store + suffix)
		if errors.Is(err, fs.ErrNotExist) {
			continue // it died before it made it
		}
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(copied+suffix, data, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if thorough {
		sound(t, copied)
	}
	if query[int](t, copied, "SELECT count(*) FROM sqlite_schema WHERE name = 'calls'") == 0 {
		return nil // it died before it made the table
	}
	return collect(t, copied, "SELECT body FROM calls", func(scan func(...any) error) (c call.Call, err error) {
		var body []byte
		if err = scan(&body); err == nil {
			err = json.Unmarshal(body, &c)
		}
		return c, err
	})
}

// read lists the calls of a store.
func read(t *testing.T, store string) []call.Call {
	t.Helper()
	s, err := sqlite.Open(t.Context(), store, sqlite.Options{})
	if err != nil {
		t.Fatal(err)
	}
	var calls []call.Call
	for c, err := range s.Calls(t.Context(), call.Filter{}) {
		if err != nil {
			t.Fatal(err)
		}
		calls = append(calls, c)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	return calls
}

// query reads one value from a store.
func query[T any](t *testing.T, store, statement string) T {
	t.Helper()
	var v T
	db := raw(t, store)
	defer func() { _ = db.Close() }()
	if err := db.QueryRowContext(t.Context(), statement).Scan(&v); err != nil {
		t.Fatalf("%s: %v", statement, err)
	}
	return v
}

// sound checks the file itself.
func sound(t *testing.T, store string) {
	t.Helper()
	if verdict := query[string](t, store, "PRAGMA integrity_check"); verdict != "ok" {
		t.Fatalf("the store is damaged: %s", verdict)
	}
}

// raised is an alert for a channel.
type raised struct {
	channel string
	alert   alert.Alert
}

// raisedAlerts lists everything that was raised, for each channel.
func raisedAlerts(t *testing.T, store string) []raised {
	t.Helper()
	return collect(t, store, "SELECT channel, body FROM alerts ORDER BY seq", func(scan func(...any) error) (r raised, err error) {
		var body []byte
		if err = scan(&r.channel, &body); err == nil {
			err = json.Unmarshal(body, &r.alert)
		}
		return r, err
	})
}

// collect reads all rows of a query.
func collect[T any](t *testing.T, store, statement string, one func(scan func(...any) error) (T, error)) []T {
	t.Helper()
	db := raw(t, store)
	defer func() { _ = db.Close() }()
	rows, err := db.QueryContext(t.Context(), statement)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = rows.Close() }()
	var all []T
	for rows.Next() {
		v, err := one(rows.Scan)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, v)
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return all
}

// raw opens a store without its rules. The caller closes it.
func raw(t *testing.T, store string) *sql.DB {
	t.Helper()
	db, err := sql.Open("sqlite", store)
	if err != nil {
		t.Fatal(err)
	}
	return db
}
