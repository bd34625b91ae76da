package memory

import (
	"cmp"
	"context"
	"iter"
	"slices"
	"strings"
	"time"

	"callagent/core/agent"
	"callagent/core/call"
)

// find copies the calls that match, in the order of less, limit at most; a
// limit of 0 is none.
func (l *ledger) find(match func(call.Call) bool, less func(a, b call.Call) int, limit int) []call.Call {
	l.mu.Lock()
	defer l.mu.Unlock()
	var found []call.Call
	for _, c := range l.calls {
		if match(c) {
			found = append(found, c)
		}
	}
	slices.SortFunc(found, func(a, b call.Call) int {
		return cmp.Or(less(a, b), strings.Compare(a.Key.String(), b.Key.String()))
	})
	if limit > 0 && len(found) > limit {
		found = found[:limit]
	}
	for i, c := range found {
		found[i] = c.Clone()
	}
	return found
}

// Due lists the calls that somebody must look at by t.
func (l *ledger) Due(ctx context.Context, t time.Time, limit int) ([]call.Call, error) {
	match := func(c call.Call) bool { return !c.Due.IsZero() && !c.Due.After(t) }
	longest := func(a, b call.Call) int { return a.Due.Compare(b.Due) }
	return l.find(match, longest, limit), ctx.Err()
}

// Parked lists the calls that wait for a service's circuit.
func (l *ledger) Parked(ctx context.Context, service string, unsent time.Time, limit int) ([]call.Call, error) {
	match := func(c call.Call) bool {
		return c.Park.Service == service && (unsent.IsZero() || !c.Park.SentAt.After(unsent))
	}
	longest := func(a, b call.Call) int { return a.Park.Since.Compare(b.Park.Since) }
	return l.find(match, longest, limit), ctx.Err()
}

// Stamp notes when a parked call was sent a wake-up.
func (l *ledger) Stamp(ctx context.Context, c call.Call, at time.Time) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	stored, found := l.calls[c.Key]
	if !found || stored.State != c.State || stored.Park.Number != c.Park.Number {
		return agent.ErrConflict
	}
	stored.Park.SentAt = utc(at)
	l.calls[c.Key] = stored
	return nil
}

// Calls goes through the calls as they are when the loop begins.
func (l *ledger) Calls(ctx context.Context, f call.Filter) iter.Seq2[call.Call, error] {
	match := func(c call.Call) bool {
		return (f.State == "" || f.State == c.State) &&
			(f.Campaign == "" || f.Campaign == c.Key.Campaign) &&
			(f.Contact == "" || f.Contact == c.Key.Contact) &&
			(f.Result == "" || f.Result == c.Result)
	}
	newest := func(a, b call.Call) int { return b.CreatedAt.Compare(a.CreatedAt) }
	return func(yield func(call.Call, error) bool) {
		for _, c := range l.find(match, newest, f.Limit) {
			if err := ctx.Err(); err != nil {
				yield(call.Call{}, err)
				return
			}
			if !yield(c, nil) {
				return
			}
		}
	}
}

// Counts counts all calls, kept ones apart, sorted by campaign, state and
// result.
func (l *ledger) Counts(ctx context.Context) ([]call.Count, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	calls, kept := map[call.Count]int{}, map[call.Count]int{}
	for k, c := range l.calls {
		alike := call.Count{Campaign: k.Campaign, State: c.State, Result: c.Result}
		calls[alike] += 0
		if k.Kept() {
			kept[alike]++
		} else {
			calls[alike]++
		}
	}
	var counts []call.Count
	for c, n := range calls {
		c.Calls, c.Kept = n, kept[c]
		counts = append(counts, c)
	}
	slices.SortFunc(counts, func(a, b call.Count) int {
		return cmp.Or(cmp.Compare(a.Campaign, b.Campaign), cmp.Compare(a.State, b.State), cmp.Compare(a.Result, b.Result))
	})
	return counts, ctx.Err()
}

// ParkedFor counts the parked calls by service.
func (l *ledger) ParkedFor(ctx context.Context) (map[string]int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	parked := map[string]int{}
	for _, c := range l.calls {
		if c.Park.Service != "" {
			parked[c.Park.Service]++
		}
	}
	return parked, ctx.Err()
}
