package sqlite

import (
	"callagent/core/agent"
	"callagent/core/call"
)

// replace gives the row of a finished call the key under which it is kept, so
// that its answer and its SIDs stay with it, and puts the new record r in its
// place. What is known of the number goes over to r. It returns the id of r's
// row.
func (t *tx) replace(id int64, kept call.Call, r record) (int64, error) {
	kept.Version = r.Version - 1 // as it was read, like r's
	k, err := encode(kept)
	if err != nil {
		return 0, failed(err)
	}
	taken, err := t.row("SELECT 1 FROM calls WHERE campaign = ? AND contact = ?", []any{k.Key.Campaign, k.Key.Contact}, new(int))
	if err == nil && (taken || id == 0) {
		err = agent.ErrConflict
	}
	if err != nil {
		return 0, err
	}
	err = t.run("UPDATE calls SET campaign = ?, contact = ?, kept = 1 WHERE id = ?", k.Key.Campaign, k.Key.Contact, id)
	if err != nil {
		return 0, err
	}
	if _, err := t.store(k); err != nil {
		return 0, err
	}
	placed, err := t.insert(r)
	if err != nil {
		return 0, err
	}
	for _, statement := range []string{"UPDATE marks SET call = ? WHERE call = ?", "UPDATE holders SET call = ? WHERE call = ?"} {
		if err := t.run(statement, placed, id); err != nil {
			return 0, err
		}
	}
	return placed, nil
}
