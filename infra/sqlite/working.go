package sqlite

import (
	"context"
	"errors"
	"time"

	"callagent/core/breaker"
	"callagent/core/call"
)

// ErrWorking: another process works on the store.
var ErrWorking = errors.New("another callagent works on this store: wait for it, stop it, or choose another --store")

// EndLeases lets everything that an earlier working process held be claimed
// and received at once. It returns the number of calls. Only a working process
// may ask for it, before it starts to work.
func (s *Store) EndLeases(ctx context.Context) (n int, err error) {
	now := s.now()
	err = s.change(ctx, func(t *tx) error {
		// Two queries, because each has an index.
		rows, err := t.query("SELECT "+columns+" FROM calls WHERE state = ?1 UNION ALL SELECT "+columns+
			" FROM calls WHERE state <> ?1 AND due IS NOT NULL", call.Running)
		calls, err := decodeAll(collect(rows, err, scanRow))
		if err != nil {
			return t.fail(err)
		}
		n = 0
		for _, c := range calls {
			if c.Lease.Holder == "" || c.State != call.Running && !c.State.Final() {
				continue
			}
			// Over even for a reader who allows for clocks that differ.
			c.Lease.Until, c.Due = now.Add(-breaker.Skew), now.Add(-breaker.Skew)
			r, err := encode(c)
			if err != nil {
				return t.fail(err)
			}
			if _, err := t.store(r); err != nil {
				return err
			}
			n++
		}
		return t.run("UPDATE messages SET due = ?, taken = 0 WHERE taken = 1", now.UnixNano())
	})
	return n, err
}

// kept is how long what is finished stays.
const kept = 90 * 24 * time.Hour

// deleteTogether is how many finished calls one transaction deletes.
const deleteTogether = 1000

// purge deletes what has been finished for 90 days. What belongs to a call
// goes with it.
func (s *Store) purge(ctx context.Context) error {
	before := s.now().Add(-kept).UnixNano()
	for _, statement := range []string{
		"DELETE FROM calls WHERE id IN (SELECT id FROM calls WHERE finished < ? LIMIT ?)",
		"DELETE FROM alerts WHERE seq IN (SELECT seq FROM alerts WHERE delivered < ? LIMIT ?)",
		"DELETE FROM dead_letters WHERE id IN (SELECT id FROM dead_letters WHERE buried < ? LIMIT ?)",
	} {
		for more := true; more; {
			err := s.change(ctx, func(t *tx) (err error) {
				more, err = t.changed(statement, before, deleteTogether)
				return err
			})
			if err != nil {
				return err
			}
		}
	}
	return nil
}
