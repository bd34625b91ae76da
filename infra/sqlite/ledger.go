package sqlite

import (
	"context"
	"encoding/json"

	"callagent/core/agent"
	"callagent/core/call"
)

// Get reads one call.
func (s *Store) Get(ctx context.Context, k call.Key) (call.Call, error) {
	var r row
	found, err := s.read.row(ctx, "SELECT "+columns+" FROM calls WHERE campaign = ? AND contact = ?",
		[]any{k.Campaign, k.Contact}, &r.body, &r.sentAt, &r.answer)
	if err != nil {
		return call.Call{}, err
	}
	if !found {
		return call.Call{}, agent.ErrNotFound
	}
	return r.decode()
}

// Put makes one write.
func (s *Store) Put(ctx context.Context, w call.Write) error {
	r, err := encode(w.Call)
	if err != nil {
		return failed(err)
	}
	if w.Number == call.KeepNumber && w.Own == "" && !w.Unanswered && w.Keep == nil {
		return s.change(ctx, func(t *tx) error {
			_, err := t.store(r)
			return err
		})
	}
	return s.change(ctx, func(t *tx) error { return t.put(w, r) })
}

// put makes a write that has more conditions than the version.
func (t *tx) put(w call.Write, r record) error {
	var (
		id, version int64
		answer      []byte
	)
	_, err := t.row("SELECT id, version, answer FROM calls WHERE campaign = ? AND contact = ?",
		[]any{r.Key.Campaign, r.Key.Contact}, &id, &version, &answer)
	if err != nil {
		return err
	}
	old, err := decodeAnswer(answer)
	if err != nil {
		return err
	}
	if version != w.Call.Version || w.Barred(old) {
		return agent.ErrConflict
	}
	if w.Number == call.TakeNumber {
		if err := t.free(r.Number, r.Key.Campaign, id); err != nil {
			return err
		}
	}
	if err := t.unowned(w.Own, id); err != nil {
		return err
	}

	if w.Keep != nil {
		id, err = t.replace(id, *w.Keep, r)
	} else {
		var created int64
		created, err = t.store(r)
		id = max(id, created)
	}
	if err != nil {
		return err
	}
	if err := t.own(w.Own, id); err != nil {
		return err
	}
	return t.changeNumber(w.Number, r.Number, r.Key.Campaign, id)
}

// store writes the record over the version before it, and returns the id of a
// record that is new.
func (t *tx) store(r record) (created int64, err error) {
	if r.Version == 1 {
		return t.insert(r)
	}
	changed, err := t.changed(`UPDATE calls SET version = ?, state = ?, result = ?, due = ?, attempt = ?,
		park_service = ?, park_since = ?, park_number = ?, created = ?, finished = ?, sent_at = ?, body = ?
		WHERE campaign = ? AND contact = ? AND version = ?`,
		r.Version, r.State, r.Result, nanos(r.Due), r.attempt(),
		r.service(), nanos(r.Park.Since), r.Park.Number, r.created(), nanos(r.FinishedAt), nanos(r.Park.SentAt), r.body,
		r.Key.Campaign, r.Key.Contact, r.Version-1)
	if err == nil && !changed {
		err = agent.ErrConflict
	}
	return 0, err
}

// insert writes a record that must not exist yet.
func (t *tx) insert(r record) (id int64, err error) {
	result, err := t.exec(`INSERT INTO calls (campaign, contact, version, state, result, due, attempt,
		park_service, park_since, park_number, created, finished, sent_at, body)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING`,
		r.Key.Campaign, r.Key.Contact, r.Version, r.State, r.Result, nanos(r.Due), r.attempt(),
		r.service(), nanos(r.Park.Since), r.Park.Number, r.created(), nanos(r.FinishedAt), nanos(r.Park.SentAt), r.body)
	if err != nil {
		return 0, err
	}
	if n, err := result.RowsAffected(); err != nil || n == 0 {
		return 0, agent.ErrConflict
	}
	id, err = result.LastInsertId()
	return id, t.fail(err)
}

// Answer stores what is new in a, and settles the call if it ended unknown.
func (s *Store) Answer(ctx context.Context, k call.Key, attempt string, a call.Answer) (call.Call, error) {
	var after call.Call
	err := s.change(ctx, func(t *tx) (err error) {
		after, err = t.answer(s, k, attempt, a)
		return err
	})
	if err != nil {
		return call.Call{}, err
	}
	return after, nil
}

// answer returns the call as it is afterwards.
func (t *tx) answer(s *Store, k call.Key, attempt string, a call.Answer) (call.Call, error) {
	var (
		r  row
		id int64
	)
	found, err := t.row("SELECT id, "+columns+" FROM calls WHERE campaign = ? AND contact = ? AND attempt = ?",
		[]any{k.Campaign, k.Contact, attempt}, &id, &r.body, &r.sentAt, &r.answer)
	if err != nil {
		return call.Call{}, err
	}
	if !found {
		return call.Call{}, agent.ErrNotFound
	}
	before, err := r.decode()
	if err != nil {
		return call.Call{}, err
	}
	c, hearing := call.Hear(before, attempt, a, s.now())
	switch hearing {
	case call.Unasked:
		return call.Call{}, agent.ErrNotFound
	case call.TooLate:
		return call.Call{}, agent.ErrConflict
	case call.OldNews:
		return c, nil
	}
	if err := t.unowned(a.SID, id); err != nil {
		return call.Call{}, err
	}
	return c, t.heard(id, before, c)
}

// heard stores the answer of a call, and the record that it settled.
func (t *tx) heard(id int64, before, c call.Call) error {
	if c.Version != before.Version {
		settled := c
		settled.Version = before.Version
		stored, err := encode(settled)
		if err != nil {
			return err
		}
		if _, err := t.store(stored); err != nil {
			return err
		}
	}
	answer, err := json.Marshal(c.Answer)
	if err != nil {
		return err
	}
	if err := t.run("UPDATE calls SET answer = ? WHERE id = ?", answer, id); err != nil {
		return err
	}
	return t.own(c.Answer.SID, id)
}
