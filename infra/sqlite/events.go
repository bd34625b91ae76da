package sqlite

import (
	"context"
	"encoding/json"
	"slices"

	"callagent/core/journal"
)

// mostEvents is how many journal entries stay: the newest.
const mostEvents = 50_000

// Append adds journal entries, all or none.
func (s *Store) Append(ctx context.Context, entries []journal.Entry) error {
	bodies := make([][]byte, len(entries))
	for i, e := range entries {
		e.Time = e.Time.UTC()
		body, err := json.Marshal(e)
		if err != nil {
			return failed(err)
		}
		bodies[i] = body
	}
	return s.change(ctx, func(t *tx) error {
		for _, body := range bodies {
			if err := t.run("INSERT INTO events (body) VALUES (?)", body); err != nil {
				return err
			}
		}
		return t.run("DELETE FROM events WHERE seq <= (SELECT max(seq) FROM events) - ?", mostEvents)
	})
}

// Events lists entries after a place, the oldest first.
func (s *Store) Events(ctx context.Context, after int64, limit int) ([]journal.Stored, error) {
	rows, err := s.read.query(ctx, "SELECT seq, body FROM events WHERE seq > ? ORDER BY seq LIMIT ?", after, limit)
	return collect(rows, err, scanEvent)
}

// Latest lists the newest entries, the oldest of them first: Events goes on
// after the last.
func (s *Store) Latest(ctx context.Context, limit int) ([]journal.Stored, error) {
	rows, err := s.read.query(ctx, "SELECT seq, body FROM events ORDER BY seq DESC LIMIT ?", limit)
	latest, err := collect(rows, err, scanEvent)
	slices.Reverse(latest)
	return latest, err
}

func scanEvent(scan func(to ...any) error) (journal.Stored, error) {
	var (
		e    journal.Stored
		body []byte
	)
	if err := scan(&e.Seq, &body); err != nil {
		return e, err
	}
	err := json.Unmarshal(body, &e.Entry)
	return e, err
}
