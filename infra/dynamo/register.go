package dynamo

import (
	"cmp"
	"context"
	"iter"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"callagent/core/agent"
	"callagent/core/call"
)

// Calls goes through the calls that the filter selects. No index has them in
// the order of their age, so it scans the whole table first, and keeps the key
// and the time of each call selected: about 150 bytes a call, or of twice
// f.Limit calls where that is less. Records are read by the hundred as
// the loop comes to them, each as it is then; one that no longer fits the
// filter is left out.
func (s *Calls) Calls(ctx context.Context, f call.Filter) iter.Seq2[call.Call, error] {
	return func(yield func(call.Call, error) bool) {
		places, err := s.newest(ctx, f)
		if err != nil {
			yield(call.Call{}, err)
			return
		}
		for some := range slices.Chunk(places, together) {
			calls, err := s.readInOrder(ctx, some)
			if err != nil {
				yield(call.Call{}, err)
				return
			}
			for _, c := range calls {
				if selects(f, c) && !yield(c, nil) {
					return
				}
			}
		}
	}
}

// place is a call in the list of all calls, the newest first.
type place struct {
	key     string
	created int64
}

func (p place) compare(q place) int {
	return cmp.Or(cmp.Compare(q.created, p.created), strings.Compare(p.key, q.key))
}

// newest finds the calls that the filter selects.
func (s *Calls) newest(ctx context.Context, f call.Filter) ([]place, error) {
	limit := f.Limit
	if limit == 0 {
		limit = math.MaxInt / 2
	}
	var places []place
	err := s.scan(ctx, func(i item) {
		c := call.Call{Key: keyOf(i), State: call.State(textOf(i[attrState])), Result: call.Result(textOf(i[attrResult]))}
		if !selects(f, c) {
			return
		}
		places = append(places, place{textOf(i[PartitionKey]), numberOf(i[attrCreated])})
		if len(places) == 2*limit {
			slices.SortFunc(places, place.compare)
			places = places[:limit]
		}
	})
	slices.SortFunc(places, place.compare)
	return places[:min(len(places), limit)], err
}

// selects reports whether the filter lets the call pass.
func selects(f call.Filter, c call.Call) bool {
	return (f.State == "" || f.State == c.State) &&
		(f.Campaign == "" || f.Campaign == c.Key.Campaign) &&
		(f.Contact == "" || f.Contact == c.Key.Contact) &&
		(f.Result == "" || f.Result == c.Result)
}

// readInOrder reads the records of some places. Those that are gone are left
// out.
func (s *Calls) readInOrder(ctx context.Context, places []place) ([]call.Call, error) {
	at, keys := map[call.Key]int{}, []item{}
	for i, p := range places {
		key := item{PartitionKey: text(p.key)}
		at[keyOf(key)] = i
		keys = append(keys, key)
	}
	calls, err := s.readAll(ctx, keys)
	slices.SortFunc(calls, func(a, b call.Call) int { return cmp.Compare(at[a.Key], at[b.Key]) })
	return calls, err
}

// Counts counts all calls, kept ones apart, sorted by campaign, state and
// result. It scans the whole table and keeps the counts only.
func (s *Calls) Counts(ctx context.Context) ([]call.Count, error) {
	calls := map[call.Count]call.Count{}
	err := s.scan(ctx, func(i item) {
		k := keyOf(i)
		alike := call.Count{Campaign: k.Campaign, State: call.State(textOf(i[attrState])), Result: call.Result(textOf(i[attrResult]))}
		n, counted := calls[alike]
		if !counted {
			n = alike
		}
		if k.Kept() {
			n.Kept++
		} else {
			n.Calls++
		}
		calls[alike] = n
	})
	if err != nil {
		return nil, err
	}
	var counts []call.Count
	for _, n := range calls {
		counts = append(counts, n)
	}
	slices.SortFunc(counts, func(a, b call.Count) int {
		return cmp.Or(cmp.Compare(a.Campaign, b.Campaign), cmp.Compare(a.State, b.State), cmp.Compare(a.Result, b.Result))
	})
	return counts, nil
}

// Ended counts the calls that ended since a moment, by span of time, state and
// result. It knows when a call ended by the end of its time in the table, so one
// that the CRM has not heard of yet is not among them, and the moment is that of
// its last write. It scans the whole table.
func (s *Calls) Ended(ctx context.Context, since time.Time) ([]call.Ended, error) {
	calls := map[call.Ended]int{}
	err := s.scan(ctx, func(i item) {
		end := numberOf(i[TTL])
		at := time.Unix(end, 0).Add(-kept).Truncate(call.EndedSpan).UTC()
		if end != 0 && !at.Before(since.Truncate(call.EndedSpan)) {
			calls[call.Ended{From: at, State: call.State(textOf(i[attrState])), Result: call.Result(textOf(i[attrResult]))}]++
		}
	})
	ended := make([]call.Ended, 0, len(calls))
	for e, n := range calls {
		e.Calls = n
		ended = append(ended, e)
	}
	slices.SortFunc(ended, func(a, b call.Ended) int {
		return cmp.Or(a.From.Compare(b.From), cmp.Compare(a.State, b.State), cmp.Compare(a.Result, b.Result))
	})
	return ended, err
}

// scan goes through the items of all calls, of which it reads only what lists
// and counts need. A read unit pays for 8 KB of whole items all the same.
func (s *Calls) scan(ctx context.Context, visit func(item)) error {
	pages := dynamodb.NewScanPaginator(s.client, &dynamodb.ScanInput{
		TableName:            &s.table,
		FilterExpression:     aws.String("begins_with(#pk, :prefix)"),
		ProjectionExpression: aws.String("#pk, #state, #result, #created, #ttl"),
		ExpressionAttributeNames: map[string]string{
			"#pk": PartitionKey, "#state": attrState, "#result": attrResult, "#created": attrCreated, "#ttl": TTL,
		},
		ExpressionAttributeValues: item{":prefix": text(callPrefix)},
	})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return failed("go through the calls", err)
		}
		for _, i := range page.Items {
			visit(i)
		}
	}
	return nil
}

// ParkedFor counts the calls that wait for each of the agent's services in the
// index, without reading them.
func (s *Calls) ParkedFor(ctx context.Context) (map[string]int, error) {
	parked := map[string]int{}
	for _, service := range agent.Services() {
		query := parkedQuery(service)
		query.TableName, query.Select = &s.table, types.SelectCount
		pages := dynamodb.NewQueryPaginator(s.client, &query)
		for pages.HasMorePages() {
			page, err := pages.NextPage(ctx)
			if err != nil {
				return nil, failed("count the parked calls", err)
			}
			if page.Count > 0 {
				parked[service] += int(page.Count)
			}
		}
	}
	return parked, nil
}
