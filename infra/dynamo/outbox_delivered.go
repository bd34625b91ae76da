package dynamo

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"callagent/core/alert"
)

// What DynamoDB takes in one request.
const (
	mostInTransaction = 100
	mostInBatchGet    = 100
)

// Delivered marks the alerts and stores the group, in one transaction for up to
// 49 alerts. Of more, the group's state is stored with the first of them: when
// the rest is cut off those are told once more, after the group's silence. Key
// "" is no group.
func (o *Outbox) Delivered(ctx context.Context, channel string, ids []string, key string, g alert.Group) error {
	marks, err := o.waiting(ctx, channel, ids)
	if err != nil {
		return failed("read the alerts of "+channel, err)
	}
	var writes []types.TransactWriteItem
	if key != "" {
		writes = append(writes, types.TransactWriteItem{Put: &types.Put{TableName: &o.table, Item: groupItem(channel, key, g)}})
	}
	for _, mark := range marks {
		if len(writes)+2 > mostInTransaction {
			if err := o.transact(ctx, writes); err != nil {
				return failed("mark the alerts of "+channel, err)
			}
			writes = nil
		}
		writes = append(writes, o.settle(mark)...)
	}
	return failed("mark the alerts of "+channel, o.transact(ctx, writes))
}

func groupItem(channel, key string, g alert.Group) item {
	i := channelKey(channel, stateItems+key)
	i["sent"] = number(int64(g.Sent))
	if !g.LastSent.IsZero() {
		i["last_sent"] = text(stamp(g.LastSent))
	}
	return i
}

// settle removes a waiting alert and lets its mark expire.
func (o *Outbox) settle(mark item) []types.TransactWriteItem {
	channel := mark[PartitionKey]
	return []types.TransactWriteItem{
		{Delete: &types.Delete{TableName: &o.table, Key: item{PartitionKey: channel, SortKey: mark["place"]}}},
		{Update: &types.Update{
			TableName: &o.table, Key: item{PartitionKey: channel, SortKey: mark[SortKey]},
			UpdateExpression:          aws.String("SET #ttl = :ttl REMOVE place"),
			ExpressionAttributeNames:  map[string]string{"#ttl": TTL},
			ExpressionAttributeValues: item{":ttl": number(o.now().Add(KeepDelivered).Unix())},
		}},
	}
}

// waiting reads the marks of those alerts that the channel has not delivered.
func (o *Outbox) waiting(ctx context.Context, channel string, ids []string) ([]item, error) {
	var marks []item
	ids = slices.Compact(slices.Sorted(slices.Values(ids)))
	for some := range slices.Chunk(ids, mostInBatchGet) {
		var keys []item
		for _, id := range some {
			keys = append(keys, channelKey(channel, markItems+id))
		}
		found, err := o.read(ctx, keys)
		if err != nil {
			return nil, err
		}
		marks = append(marks, slices.DeleteFunc(found, func(mark item) bool { return mark["place"] == nil })...)
	}
	return marks, nil
}

// read gets the items of up to 100 keys that are there.
func (o *Outbox) read(ctx context.Context, keys []item) ([]item, error) {
	var found []item
	left := map[string]types.KeysAndAttributes{o.table: {Keys: keys, ConsistentRead: aws.Bool(true)}}
	for n := 1; ; n++ {
		out, err := o.client.BatchGetItem(ctx, &dynamodb.BatchGetItemInput{RequestItems: left})
		if err != nil {
			return nil, err
		}
		found = append(found, out.Responses[o.table]...)
		if left = out.UnprocessedKeys; len(left) == 0 {
			return found, nil
		}
		if err := pause(ctx, spread(n)); err != nil {
			return nil, err
		}
	}
}

// firstPause is about how long a request waits that DynamoDB did not carry out
// because of others at the same moment; see spread.
const firstPause = 10 * time.Millisecond

// transact does the writes, all or none of them. One that met another
// transaction on the same item is sent again until the context is over.
func (o *Outbox) transact(ctx context.Context, writes []types.TransactWriteItem) error {
	if len(writes) == 0 {
		return nil
	}
	for n := 1; ; n++ {
		_, err := o.client.TransactWriteItems(ctx, &dynamodb.TransactWriteItemsInput{TransactItems: writes})
		if !cancelledFor(err, "TransactionConflict") {
			return err
		}
		if err := pause(ctx, spread(n)); err != nil {
			return err
		}
	}
}

// cancelledFor reports whether a transaction was cancelled for this reason.
func cancelledFor(err error, code string) bool {
	var cancelled *types.TransactionCanceledException
	return errors.As(err, &cancelled) && slices.ContainsFunc(cancelled.CancellationReasons, func(r types.CancellationReason) bool {
		return aws.ToString(r.Code) == code
	})
}

func pause(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
