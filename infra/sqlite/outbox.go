package sqlite

import (
	"context"
	"encoding/json"

	"callagent/core/alert"
)

// Raise keeps an alert on each channel that does not know its id.
func (s *Store) Raise(ctx context.Context, channels []string, a alert.Alert) error {
	a.At = a.At.UTC()
	body, err := json.Marshal(a)
	if err != nil {
		return failed(err)
	}
	return s.change(ctx, func(t *tx) error {
		for _, channel := range channels {
			if err := t.run("INSERT INTO alerts (channel, id, body, grouped) VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING", channel, a.ID, body, a.Key() != ""); err != nil {
				return err
			}
		}
		return nil
	})
}

// Undelivered lists a channel's alerts, those told one by one before those of
// groups, the first raised first.
func (s *Store) Undelivered(ctx context.Context, channel string, limit int) ([]alert.Alert, error) {
	rows, err := s.read.query(ctx, "SELECT body FROM alerts WHERE channel = ? AND delivered IS NULL ORDER BY grouped, seq LIMIT ?", channel, limit)
	return collect(rows, err, func(scan func(to ...any) error) (alert.Alert, error) {
		var (
			body []byte
			a    alert.Alert
		)
		if err := scan(&body); err != nil {
			return a, err
		}
		err := json.Unmarshal(body, &a)
		return a, err
	})
}

// Groups reads what was last sent on a channel.
func (s *Store) Groups(ctx context.Context, channel string) (map[string]alert.Group, error) {
	type keyed struct {
		key   string
		group alert.Group
	}
	rows, err := s.read.query(ctx, "SELECT key, last_sent, sent FROM alert_groups WHERE channel = ?", channel)
	all, err := collect(rows, err, func(scan func(to ...any) error) (keyed, error) {
		var (
			k    keyed
			last *int64
		)
		err := scan(&k.key, &last, &k.group.Sent)
		k.group.LastSent = instant(last)
		return k, err
	})
	groups := map[string]alert.Group{}
	for _, k := range all {
		groups[k.key] = k.group
	}
	return groups, err
}

// Delivered marks the alerts and stores the group. Key "" is no group.
func (s *Store) Delivered(ctx context.Context, channel string, ids []string, key string, g alert.Group) error {
	now := s.now().UnixNano()
	return s.change(ctx, func(t *tx) error {
		for _, id := range ids {
			if err := t.run("UPDATE alerts SET delivered = ? WHERE channel = ? AND id = ? AND delivered IS NULL", now, channel, id); err != nil {
				return err
			}
		}
		if key == "" {
			return nil
		}
		return t.run(`INSERT INTO alert_groups (channel, key, last_sent, sent) VALUES (?, ?, ?, ?)
			ON CONFLICT DO UPDATE SET last_sent = excluded.last_sent, sent = excluded.sent`, channel, key, nanos(g.LastSent), g.Sent)
	})
}
