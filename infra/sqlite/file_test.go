package sqlite_test

import (
	"context"
	"database/sql"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"callagent/core/call"
	"callagent/infra/sqlite"
)

// refused opens a file that must be refused with a sentence that names the
// path and the remedy.
func refused(t *testing.T, path, remedy string) {
	t.Helper()
	s, err := sqlite.Open(t.Context(), path, sqlite.Options{})
	if err == nil {
		_ = s.Close()
		t.Fatal("the file was accepted")
	}
	if text := err.Error(); !strings.Contains(text, path) || !strings.Contains(text, remedy) || strings.Contains(text, "\n") {
		t.Errorf("error is %q, want one line with %q and %q", text, path, remedy)
	}
}

// raw runs SQL on a file past the store.
func raw(t *testing.T, path, query string, to ...any) {
	t.Helper()
	db, err := sql.Open("sqlite", path)
	if err != nil {
		t.Fatal(err)
	}
	if len(to) == 0 {
		_, err = db.Exec(query)
	} else {
		err = db.QueryRow(query).Scan(to...)
	}
	if err := errors.Join(err, db.Close()); err != nil {
		t.Fatal(err)
	}
}

func TestRefusesWhatIsNoStore(t *testing.T) {
	dir := t.TempDir()
	t.Run("a file that is no database", func(t *testing.T) {
		path := filepath.Join(dir, "text")
		text := strings.Repeat("campaign,contact_id,phone\n", 100)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		refused(t, path, "choose another one")
		if got, err := os.ReadFile(path); err != nil || string(got) != text {
			t.Errorf("the file was changed (%v)", err)
		}
	})
	t.Run("a database of somebody else", func(t *testing.T) {
		path := filepath.Join(dir, "other.db")
		raw(t, path, "CREATE TABLE songs (title TEXT)")
		before, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		refused(t, path, "choose another one")
		if after, err := os.ReadFile(path); err != nil || string(after) != string(before) {
			t.Errorf("the file was changed (%v)", err)
		}
	})
	t.Run("a store of a newer version", func(t *testing.T) {
		path := filepath.Join(dir, "newer.db")
		if err := open(t, path, sqlite.Options{}).Close(); err != nil {
			t.Fatal(err)
		}
		raw(t, path, "PRAGMA user_version = 99")
		refused(t, path, "use the newer callagent")
	})
	t.Run("a folder", func(t *testing.T) { refused(t, dir, "choose a file") })
	t.Run("a folder that is not there", func(t *testing.T) {
		refused(t, filepath.Join(dir, "nowhere", "calls.db"), "choose a file in a folder that exists")
	})
}

func TestFileIsForItsOwnerOnly(t *testing.T) {
	path := filepath.Join(t.TempDir(), "odd name?#%41&x.db")
	s := open(t, path, sqlite.Options{})
	if err := s.Block(t.Context(), "hash"); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{path, path + "-wal", path + "-shm"} {
		info, err := os.Stat(name)
		if err != nil {
			t.Fatal(err)
		}
		if got := info.Mode().Perm(); got != 0o600 {
			t.Errorf("%s has mode %o, want 600", filepath.Base(name), got)
		}
	}
}

func TestStoreOutlivesItsProcess(t *testing.T) {
	path := filepath.Join(t.TempDir(), "calls.db")
	c := call.Call{Key: call.Key{Campaign: "spring", Contact: "ada"}, State: call.Running}
	first := open(t, path, sqlite.Options{})
	if err := first.Put(t.Context(), call.Write{Call: c}); err != nil {
		t.Fatal(err)
	}
	secret := first.Secret()
	if err := first.Close(); err != nil {
		t.Fatal(err)
	}

	second := open(t, path, sqlite.Options{})
	if got, err := second.Get(t.Context(), c.Key); err != nil || got.Version != 1 {
		t.Errorf("got version %d, %v; want 1", got.Version, err)
	}
	if len(secret) != 32 || string(second.Secret()) != string(secret) {
		t.Error("the secret is not the one that was made with the file")
	}
	if other := open(t, "", sqlite.Options{}); string(other.Secret()) == string(secret) {
		t.Error("two files have the same secret")
	}
}

func TestManyOpenANewFileAtOnce(t *testing.T) {
	path := filepath.Join(t.TempDir(), "calls.db")
	secrets := make([]string, 8)
	var all sync.WaitGroup
	for i := range secrets {
		all.Go(func() {
			s, err := sqlite.Open(t.Context(), path, sqlite.Options{})
			if err != nil {
				t.Error(err)
				return
			}
			secrets[i] = string(s.Secret())
			if err := s.Close(); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	for _, secret := range secrets {
		if secret != secrets[0] {
			t.Fatal("two secrets were made")
		}
	}
}

func TestClosedStore(t *testing.T) {
	s := open(t, "", sqlite.Options{Working: true})
	for range 2 {
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.Block(t.Context(), "hash"); !errors.Is(err, sqlite.ErrClosed) {
		t.Errorf("change: %v, want %v", err, sqlite.ErrClosed)
	}
	if _, err := s.Blocked(t.Context(), "hash"); err == nil {
		t.Error("a read succeeded")
	}
}

func TestOpenObeysItsContext(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	s, err := sqlite.Open(ctx, filepath.Join(t.TempDir(), "calls.db"), sqlite.Options{Working: true})
	if !errors.Is(err, context.Canceled) {
		t.Errorf("error is %v, want %v", err, context.Canceled)
	}
	if err == nil {
		_ = s.Close()
	}
}
