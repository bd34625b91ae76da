package sqlite_test

import (
	"path/filepath"
	"slices"
	"testing"

	"callagent/core/call"
	"callagent/infra/sqlite"
)

// A file of the first version, which knew of no rounds, is brought forward with
// all its calls.
func TestAFileWithoutRoundsIsBroughtForward(t *testing.T) {
	path := filepath.Join(t.TempDir(), "calls.db")
	c := call.Call{Key: call.Key{Campaign: "spring", Contact: "ada"}, State: call.Failed}
	before := open(t, path, sqlite.Options{})
	if err := before.Put(t.Context(), call.Write{Call: c}); err != nil {
		t.Fatal(err)
	}
	if err := before.Close(); err != nil {
		t.Fatal(err)
	}
	raw(t, path, `DROP INDEX calls_ended; DROP INDEX calls_unknown; DROP INDEX calls_counted; ALTER TABLE calls DROP COLUMN kept;
		CREATE INDEX calls_counted ON calls (state, campaign, result);
		DROP INDEX messages_due; ALTER TABLE messages DROP COLUMN begun; ALTER TABLE messages DROP COLUMN sent;
		CREATE INDEX messages_due ON messages (due); ALTER TABLE alerts DROP COLUMN grouped; PRAGMA user_version = 1`)

	after := open(t, path, sqlite.Options{})
	c, err := after.Get(t.Context(), c.Key)
	if err != nil {
		t.Fatal(err)
	}
	next, kept, _ := c.Again(c.FinishedAt)
	if err := after.Put(t.Context(), call.Write{Call: next, Keep: &kept}); err != nil {
		t.Fatal(err)
	}
	counts, err := after.Counts(t.Context())
	want := []call.Count{{Campaign: "spring", State: call.Failed, Kept: 1}, {Campaign: "spring", State: call.Waiting, Calls: 1}}
	if err != nil || !slices.Equal(counts, want) {
		t.Errorf("the counts are %v, %v; want %v", counts, err, want)
	}
}
