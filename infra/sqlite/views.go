package sqlite

import (
	"context"
	"iter"
	"math"
	"time"

	"callagent/core/agent"
	"callagent/core/call"
)

// Due lists the calls that somebody must look at by t.
func (s *Store) Due(ctx context.Context, t time.Time, limit int) ([]call.Call, error) {
	rows, err := s.read.query(ctx, "SELECT "+columns+" FROM calls WHERE due <= ? ORDER BY due, id LIMIT ?", nanos(t), limit)
	return decodeAll(collect(rows, err, scanRow))
}

// Parked lists the calls that wait for a service's circuit.
func (s *Store) Parked(ctx context.Context, service string, unsent time.Time, limit int) ([]call.Call, error) {
	rows, err := s.read.query(ctx, "SELECT "+columns+` FROM calls
		WHERE park_service = ?1 AND (?2 IS NULL OR sent_at IS NULL OR sent_at <= ?2)
		ORDER BY park_since, id LIMIT ?3`, service, nanos(unsent), limit)
	return decodeAll(collect(rows, err, scanRow))
}

// Stamp notes when a parked call was sent a wake-up.
func (s *Store) Stamp(ctx context.Context, c call.Call, at time.Time) error {
	return s.change(ctx, func(t *tx) error {
		changed, err := t.changed("UPDATE calls SET sent_at = ? WHERE campaign = ? AND contact = ? AND state = ? AND park_number = ?",
			nanos(at), c.Key.Campaign, c.Key.Contact, c.State, c.Park.Number)
		if err == nil && !changed {
			err = agent.ErrConflict
		}
		return err
	})
}

// page is how many calls are read at once, so that a long list blocks nobody.
const page = 500

// Calls goes through the calls page by page. A call that is changed meanwhile
// is given as it is when its page is read.
func (s *Store) Calls(ctx context.Context, f call.Filter) iter.Seq2[call.Call, error] {
	return func(yield func(call.Call, error) bool) {
		left := f.Limit
		if left == 0 {
			left = math.MaxInt
		}
		last := position{created: math.MaxInt64, id: math.MaxInt64}
		for left > 0 {
			rows, err := s.page(ctx, f, last, min(left, page))
			if err != nil {
				yield(call.Call{}, err)
				return
			}
			for _, r := range rows {
				c, err := r.decode()
				if !yield(c, err) || err != nil {
					return
				}
				last = r.position
			}
			if len(rows) < page {
				return
			}
			left -= len(rows)
		}
	}
}

// position is a place in the list of all calls, the newest first.
type position struct{ created, id int64 }

// listed is a call in that list.
type listed struct {
	position
	row
}

// page reads the calls behind a position that the filter selects.
func (s *Store) page(ctx context.Context, f call.Filter, after position, limit int) ([]listed, error) {
	indexed := ""
	if f.State == call.Unknown { // the calls that wait for a person have an index of their own
		indexed = "AND state = 'unknown'"
	}
	rows, err := s.read.query(ctx, "SELECT created, id, "+columns+` FROM calls
		WHERE (created, id) < (?1, ?2) `+indexed+`
		AND ?3 IN ('', state) AND ?4 IN ('', campaign) AND ?5 IN ('', contact) AND ?6 IN ('', result)
		ORDER BY created DESC, id DESC LIMIT ?7`,
		after.created, after.id, f.State, f.Campaign, f.Contact, f.Result, limit)
	return collect(rows, err, func(scan func(to ...any) error) (listed, error) {
		var l listed
		err := scan(&l.created, &l.id, &l.body, &l.sentAt, &l.answer)
		return l, err
	})
}

// Counts counts all calls, kept ones apart, sorted by campaign, state and
// result.
func (s *Store) Counts(ctx context.Context) ([]call.Count, error) {
	rows, err := s.read.query(ctx, `SELECT campaign, state, result, count(*) - sum(kept), sum(kept) FROM calls
		GROUP BY state, campaign, result ORDER BY campaign, state, result`)
	return collect(rows, err, func(scan func(to ...any) error) (call.Count, error) {
		var c call.Count
		err := scan(&c.Campaign, &c.State, &c.Result, &c.Calls, &c.Kept)
		return c, err
	})
}

// Ended counts the calls that ended since a moment, by span of time, state and
// result. Spans begin at whole multiples of call.EndedSpan.
func (s *Store) Ended(ctx context.Context, since time.Time) ([]call.Ended, error) {
	rows, err := s.read.query(ctx, `SELECT finished / 300000000000, state, result, count(*) FROM calls
		WHERE finished IS NOT NULL AND finished / 300000000000 >= ? GROUP BY 1, 2, 3 ORDER BY 1, 2, 3`,
		since.UnixNano()/int64(call.EndedSpan))
	return collect(rows, err, func(scan func(to ...any) error) (call.Ended, error) {
		var (
			e    call.Ended
			span int64
		)
		err := scan(&span, &e.State, &e.Result, &e.Calls)
		e.From = time.Unix(0, span*int64(call.EndedSpan)).UTC()
		return e, err
	})
}

// Unrecorded counts the finished calls that no circuit holds and of which
// somebody has still to be told: the CRM, or people.
func (s *Store) Unrecorded(ctx context.Context) (n int, err error) {
	_, err = s.read.row(ctx, "SELECT count(*) FROM calls WHERE due IS NOT NULL AND finished IS NOT NULL AND park_service IS NULL", nil, &n)
	return n, err
}

// ParkedFor counts the parked calls by service.
func (s *Store) ParkedFor(ctx context.Context) (map[string]int, error) {
	type count struct {
		service string
		calls   int
	}
	rows, err := s.read.query(ctx, "SELECT park_service, count(*) FROM calls WHERE park_service IS NOT NULL GROUP BY park_service")
	counts, err := collect(rows, err, func(scan func(to ...any) error) (count, error) {
		var c count
		err := scan(&c.service, &c.calls)
		return c, err
	})
	parked := map[string]int{}
	for _, c := range counts {
		parked[c.service] = c.calls
	}
	return parked, err
}
