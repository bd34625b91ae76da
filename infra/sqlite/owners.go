package sqlite

import (
	"context"

	"callagent/core/agent"
	"callagent/core/call"
)

// Owner finds the call that owns a SID.
func (s *Store) Owner(ctx context.Context, sid string) (call.Key, error) {
	var k call.Key
	found, err := s.read.row(ctx, "SELECT campaign, contact FROM sids JOIN calls ON calls.id = call WHERE sid = ?",
		[]any{sid}, &k.Campaign, &k.Contact)
	if err == nil && !found {
		err = agent.ErrNotFound
	}
	return k, err
}

// unowned refuses a SID that belongs to another call than id.
func (t *tx) unowned(sid string, id int64) error {
	if sid == "" {
		return nil
	}
	var owner int64
	found, err := t.row("SELECT call FROM sids WHERE sid = ?", []any{sid}, &owner)
	if err == nil && found && owner != id {
		err = t.taken(agent.SIDOwned, owner)
	}
	return err
}

// own makes a SID the call's.
func (t *tx) own(sid string, id int64) error {
	if sid == "" {
		return nil
	}
	return t.run("INSERT INTO sids (sid, call) VALUES (?, ?) ON CONFLICT DO NOTHING", sid, id)
}

// taken names the call that stands in the way.
func (t *tx) taken(what agent.TakenWhat, id int64) error {
	refusal := &agent.TakenError{What: what}
	if _, err := t.row("SELECT campaign, contact FROM calls WHERE id = ?", []any{id}, &refusal.By.Campaign, &refusal.By.Contact); err != nil {
		return err
	}
	return refusal
}

// free refuses a number that the call id may not take for its campaign.
func (t *tx) free(number, campaign string, id int64) error {
	var (
		blocked      bool
		holder, mark *int64
	)
	_, err := t.row(`SELECT EXISTS (SELECT 1 FROM blocked WHERE number = ?1),
		(SELECT call FROM holders WHERE number = ?1),
		(SELECT call FROM marks WHERE number = ?1 AND campaign = ?2)`,
		[]any{number, campaign}, &blocked, &holder, &mark)
	switch {
	case err != nil:
		return err
	case blocked:
		return agent.ErrBlocked
	case holder != nil && *holder != id:
		return t.taken(agent.NumberBusy, *holder)
	case mark != nil && *mark != id:
		return t.taken(agent.NumberMarked, *mark)
	}
	return nil
}

// changeNumber does what a write says to the number of the call id.
func (t *tx) changeNumber(op call.NumberOp, number, campaign string, id int64) error {
	switch op {
	case call.TakeNumber:
		if err := t.run("INSERT INTO holders (number, call) VALUES (?, ?) ON CONFLICT DO NOTHING", number, id); err != nil {
			return err
		}
		return t.run("INSERT INTO marks (number, campaign, call) VALUES (?, ?, ?) ON CONFLICT DO NOTHING", number, campaign, id)
	case call.WithdrawNumber:
		if err := t.run("DELETE FROM marks WHERE number = ? AND campaign = ? AND call = ?", number, campaign, id); err != nil {
			return err
		}
		fallthrough
	case call.FreeNumber:
		return t.run("DELETE FROM holders WHERE number = ? AND call = ?", number, id)
	}
	return nil
}

// Block puts a number on the do-not-call list.
func (s *Store) Block(ctx context.Context, number string) error {
	return s.change(ctx, func(t *tx) error {
		return t.run("INSERT INTO blocked (number) VALUES (?) ON CONFLICT DO NOTHING", number)
	})
}

// Unblock takes a number off the list; one that is not on it is no error.
func (s *Store) Unblock(ctx context.Context, number string) error {
	return s.change(ctx, func(t *tx) error { return t.run("DELETE FROM blocked WHERE number = ?", number) })
}

// Blocked reports whether a number is on the list.
func (s *Store) Blocked(ctx context.Context, number string) (bool, error) {
	var blocked bool
	_, err := s.read.row(ctx, "SELECT EXISTS (SELECT 1 FROM blocked WHERE number = ?)", []any{number}, &blocked)
	return blocked, err
}
