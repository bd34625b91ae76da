package sqlite

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"callagent/core/agent"
	"callagent/core/call"
)

// sendTogether is how many messages one transaction holds.
const sendTogether = 1000

// Send puts messages on the queue, up to 1,000 of them all or none.
func (s *Store) Send(ctx context.Context, delay time.Duration, bodies ...[]byte) error {
	for some := range slices.Chunk(bodies, sendTogether) {
		messages := make([]message, len(some))
		for i, body := range some {
			messages[i] = message{key: call.KeyOf(body), body: append([]byte{}, body...)}
		}
		now := s.now()
		due := now.Add(delay).UnixNano()
		err := s.change(ctx, func(t *tx) error {
			for _, m := range messages {
				if err := t.run(sendMessage, m.key, due, m.body, now.UnixNano()); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// message is a message on its way in, without id, or out, without key.
type message struct {
	id, receives, sent int64
	key                string
	body               []byte
}

const (
	// A key is campaign/contact, and neither may hold a slash.
	sendMessage = `INSERT INTO messages (key, due, body, sent, begun) VALUES (?1, ?2, ?3, ?4, EXISTS (
		SELECT 1 FROM calls WHERE campaign = substr(?1, 1, instr(?1, '/') - 1) AND contact = substr(?1, instr(?1, '/') + 1)))`
	dueMessages = `SELECT id, receives + 1, body, sent FROM messages WHERE begun = ?3 AND due <= ?1 ORDER BY due, id LIMIT ?2`
	// INDEXED BY: the calls asked for are few, the messages may be many.
	dueMessagesOf = `SELECT id, receives + 1, body, sent FROM messages INDEXED BY messages_key
		WHERE due <= ?1 AND key IN (SELECT value FROM json_each(?3)) ORDER BY due, id LIMIT ?2`
)

// Receive takes messages in the order of their due times, those of calls that
// were begun first.
func (s *Store) Receive(ctx context.Context, limit int, only []string) ([]agent.Message, error) {
	now := s.now()
	keys, err := json.Marshal(only)
	if err != nil {
		return nil, failed(err)
	}
	hidden := now.Add(s.visibility).UnixNano()
	var taken []message
	err = s.change(ctx, func(t *tx) (err error) {
		if only != nil {
			taken, err = t.receive(dueMessagesOf, []any{now.UnixNano(), limit, string(keys)}, hidden)
			return err
		}
		if taken, err = t.receive(dueMessages, []any{now.UnixNano(), limit, 1}, hidden); err != nil || len(taken) == limit {
			return err
		}
		fresh, err := t.receive(dueMessages, []any{now.UnixNano(), limit - len(taken), 0}, hidden)
		taken = append(taken, fresh...)
		return err
	})
	if err != nil {
		return nil, err
	}
	messages := make([]agent.Message, len(taken))
	for i, m := range taken {
		messages[i] = agent.Message{ID: fmt.Sprintf("%d.%d", m.id, m.receives), Body: m.body, Receives: int(m.receives), Sent: instant(&m.sent)}
	}
	return messages, nil
}

// receive takes the messages of a query and hides them.
func (t *tx) receive(query string, args []any, hidden int64) ([]message, error) {
	rows, err := t.query(query, args...)
	messages, err := collect(rows, err, func(scan func(to ...any) error) (message, error) {
		var m message
		err := scan(&m.id, &m.receives, &m.body, &m.sent)
		return m, err
	})
	if err != nil {
		return nil, t.fail(err)
	}
	for _, m := range messages {
		if err := t.run("UPDATE messages SET due = ?, receives = ?, taken = 1 WHERE id = ?", hidden, m.receives, m.id); err != nil {
			return nil, err
		}
	}
	return messages, nil
}

// settle changes the message whose latest delivery is id, with a statement
// that gets the two parts of the id last. An id of an earlier delivery changes
// nothing.
func (s *Store) settle(ctx context.Context, id string, statements []string, args ...any) error {
	var message, receives int64
	if _, err := fmt.Sscanf(id, "%d.%d", &message, &receives); err != nil || receives == 0 {
		return nil // no delivery has this id
	}
	args = append(args, message, receives)
	return s.change(ctx, func(t *tx) error {
		for _, statement := range statements {
			if err := t.run(statement, args...); err != nil {
				return err
			}
		}
		return nil
	})
}

// Done removes a message. An id of an earlier delivery changes nothing, here
// and in the two methods below.
func (s *Store) Done(ctx context.Context, id string) error {
	return s.settle(ctx, id, []string{"DELETE FROM messages WHERE id = ?1 AND receives = ?2"})
}

// Again makes a message due at the time.
func (s *Store) Again(ctx context.Context, id string, at time.Time) error {
	return s.settle(ctx, id, []string{"UPDATE messages SET due = ?1, taken = 0, begun = 1 WHERE id = ?2 AND receives = ?3"}, at.UnixNano())
}

// Bury moves a message to the dead letters.
func (s *Store) Bury(ctx context.Context, id, reason string) error {
	return s.settle(ctx, id, []string{
		`INSERT INTO dead_letters (buried, receives, reason, body)
			SELECT ?1, receives, ?2, body FROM messages WHERE id = ?3 AND receives = ?4`,
		"DELETE FROM messages WHERE id = ?3 AND receives = ?4",
	}, s.now().UnixNano(), reason)
}

// DeadLetters lists the dead letters, the newest first.
func (s *Store) DeadLetters(ctx context.Context, limit int) ([]agent.DeadLetter, error) {
	rows, err := s.read.query(ctx, "SELECT body, reason, receives, buried FROM dead_letters ORDER BY id DESC LIMIT ?", limit)
	return collect(rows, err, func(scan func(to ...any) error) (agent.DeadLetter, error) {
		var (
			d  agent.DeadLetter
			at int64
		)
		err := scan(&d.Body, &d.Reason, &d.Receives, &at)
		d.At = instant(&at)
		return d, err
	})
}

// Unclaimed counts the contacts on the queue that have no call yet: those that
// nobody has begun to work.
func (s *Store) Unclaimed(ctx context.Context) (n int, err error) {
	_, err = s.read.row(ctx, `SELECT count(DISTINCT key) FROM messages WHERE key <> '' AND NOT EXISTS (
		SELECT 1 FROM calls WHERE campaign = substr(key, 1, instr(key, '/') - 1) AND contact = substr(key, instr(key, '/') + 1))`, nil, &n)
	return n, err
}

// Pending counts the messages that can be received now and those that cannot
// yet, and says when the first of the latter can; zero when there is none.
func (s *Store) Pending(ctx context.Context) (visible, hidden int, next time.Time, err error) {
	var first *int64
	_, err = s.read.row(ctx, "SELECT count(*) FILTER (WHERE due <= ?1), count(*) FILTER (WHERE due > ?1), min(due) FILTER (WHERE due > ?1) FROM messages",
		[]any{s.now().UnixNano()}, &visible, &hidden, &first)
	return visible, hidden, instant(first), err
}
