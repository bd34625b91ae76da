package dynamo

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"callagent/core/agent"
	"callagent/core/call"
)

// A request reads together items at most, and fewest where less is asked for.
const (
	together = 100
	fewest   = 20
)

// Due lists the calls that somebody must look at by t. The index may lag
// behind; what is listed is read anew, so every record is as Get reads it.
func (s *Calls) Due(ctx context.Context, t time.Time, limit int) ([]call.Call, error) {
	return s.list(ctx, listing{
		limit: limit,
		at:    func(c call.Call) time.Time { return c.Due },
		wants: func(c call.Call) bool { return !c.Due.IsZero() && !c.Due.After(t) },
		query: dynamodb.QueryInput{
			IndexName:                aws.String(DueIndex),
			KeyConditionExpression:   aws.String("#hash = :hash AND #range <= :range"),
			ExpressionAttributeNames: map[string]string{"#hash": dueHash, "#range": dueRange},
			ExpressionAttributeValues: item{
				":hash": text(allCalls), ":range": number(t.UnixMilli()),
			},
		},
		sortedBy: dueRange,
	})
}

// Parked lists the calls that wait for a service's circuit, read anew like
// those of Due.
func (s *Calls) Parked(ctx context.Context, service string, unsent time.Time, limit int) ([]call.Call, error) {
	return s.list(ctx, listing{
		limit: limit,
		at:    func(c call.Call) time.Time { return c.Park.Since },
		wants: func(c call.Call) bool {
			return c.Park.Service == service && (unsent.IsZero() || !c.Park.SentAt.After(unsent))
		},
		query:    parkedQuery(service),
		sortedBy: parkedRange,
	})
}

// parkedQuery selects what waits for a service.
func parkedQuery(service string) dynamodb.QueryInput {
	return dynamodb.QueryInput{
		IndexName:                 aws.String(ParkedIndex),
		KeyConditionExpression:    aws.String("#hash = :hash"),
		ExpressionAttributeNames:  map[string]string{"#hash": parkedHash},
		ExpressionAttributeValues: item{":hash": text(service)},
	}
}

// listing is a list of calls in the order of a time, found by an index whose
// places are at or before those times.
type listing struct {
	query    dynamodb.QueryInput
	sortedBy string // the index's range key
	at       func(call.Call) time.Time
	wants    func(call.Call) bool
	limit    int
}

// list goes through the index until no call that stands further on can be
// among the first. It holds limit calls and one page.
func (s *Calls) list(ctx context.Context, l listing) ([]call.Call, error) {
	l.query.TableName, l.query.Limit = &s.table, aws.Int32(int32(min(together, max(2*l.limit, fewest))))
	var found []call.Call
	pages := dynamodb.NewQueryPaginator(s.client, &l.query)
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return nil, failed("list calls", err)
		}
		records, err := s.readAll(ctx, page.Items)
		if err != nil {
			return nil, err
		}
		found = l.first(append(found, records...))
		if len(page.Items) == 0 || len(found) < l.limit {
			continue
		}
		last := numberOf(page.Items[len(page.Items)-1][l.sortedBy])
		if l.limit == 0 || last > l.at(found[l.limit-1]).UnixMilli() {
			break
		}
	}
	return found, nil
}

// first picks the calls that are wanted, in their order, limit at most.
func (l listing) first(calls []call.Call) []call.Call {
	calls = slices.DeleteFunc(calls, func(c call.Call) bool { return !l.wants(c) })
	slices.SortFunc(calls, func(a, b call.Call) int {
		return cmp.Or(l.at(a).Compare(l.at(b)), strings.Compare(a.Key.String(), b.Key.String()))
	})
	return calls[:min(len(calls), l.limit)]
}

// readAll reads the records with the keys of the items, at most together of
// them, as they are now and in any order. Records that are gone are left out.
func (s *Calls) readAll(ctx context.Context, items []item) ([]call.Call, error) {
	var keys []item
	for _, i := range items {
		keys = append(keys, item{PartitionKey: i[PartitionKey]})
	}
	var calls []call.Call
	for n := 1; len(keys) > 0; n++ {
		if n > sendings {
			return nil, errors.New("dynamodb: read calls: the table gives them too slowly")
		}
		out, err := s.client.BatchGetItem(ctx, &dynamodb.BatchGetItemInput{
			RequestItems: map[string]types.KeysAndAttributes{s.table: {Keys: keys, ConsistentRead: aws.Bool(true)}},
		})
		if err != nil {
			return nil, failed("read calls", err)
		}
		for _, i := range out.Responses[s.table] {
			r, err := read(i)
			if err != nil {
				return nil, err
			}
			calls = append(calls, r.Call)
		}
		if keys = out.UnprocessedKeys[s.table].Keys; len(keys) > 0 {
			if err := pause(ctx, spread(n)); err != nil {
				return nil, fmt.Errorf("dynamodb: read calls: %w", err)
			}
		}
	}
	return calls, nil
}

// Stamp notes when a parked call was sent a wake-up.
func (s *Calls) Stamp(ctx context.Context, c call.Call, at time.Time) error {
	to := changing(callKey(c.Key))
	to.equals(attrState, text(string(c.State)))
	to.equals(attrPark, number(int64(c.Park.Number)))
	to.set(attrSentAt, nanos(at))
	v, err := s.commit(ctx, to)
	if err == nil && len(v.refused) > 0 {
		err = agent.ErrConflict
	}
	return err
}
