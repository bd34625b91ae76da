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
	if version != w.Call.Version || w.Unanswered && answered(old, w.Call.SID) {
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

// answered reports whether a stored answer stands in the way of a write that
// knows only the SID sid.
func answered(a *call.Answer, sid string) bool {
	return a != nil && (a.Final() || a.SID != "" && a.SID != sid)
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
	a.At = a.At.UTC()
	var after row
	err := s.change(ctx, func(t *tx) (err error) {
		after, err = t.answer(s, k, attempt, a)
		return err
	})
	if err != nil {
		return call.Call{}, err
	}
	return after.decode()
}

// answer returns the row as it is afterwards.
func (t *tx) answer(s *Store, k call.Key, attempt string, a call.Answer) (row, error) {
	var (
		r  row
		id int64
	)
	found, err := t.row("SELECT id, "+columns+" FROM calls WHERE campaign = ? AND contact = ? AND attempt = ?",
		[]any{k.Campaign, k.Contact, attempt}, &id, &r.body, &r.sentAt, &r.answer)
	if err != nil {
		return row{}, err
	}
	if !found {
		return row{}, agent.ErrNotFound
	}
	old, err := decodeAnswer(r.answer)
	if err != nil {
		return row{}, err
	}
	if old != nil {
		if !news(*old, a) {
			return r, nil
		}
		if old.Final() {
			return row{}, agent.ErrConflict
		}
		if a.SID == "" {
			a.SID = old.SID
		}
	}
	if err := t.unowned(a.SID, id); err != nil {
		return row{}, err
	}
	c, err := r.decode()
	if err != nil {
		return row{}, err
	}

	if c, settled := call.Settle(c, a, s.now()); settled {
		stored, err := encode(c)
		if err != nil {
			return row{}, err
		}
		if _, err := t.store(stored); err != nil {
			return row{}, err
		}
		r.body = stored.body
	}
	if r.answer, err = json.Marshal(a); err != nil {
		return row{}, err
	}
	if err := t.run("UPDATE calls SET answer = ? WHERE id = ?", r.answer, id); err != nil {
		return row{}, err
	}
	return r, t.own(a.SID, id)
}

// news reports whether a says anything that old does not.
func news(old, a call.Answer) bool {
	return a.SID != "" && a.SID != old.SID || a.Final() && a.Result != old.Result
}
