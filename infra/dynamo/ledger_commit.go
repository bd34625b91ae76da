package dynamo

import (
	"context"
	"crypto/rand"
	"errors"
	random "math/rand/v2"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/smithy-go"
)

// refusal is a change whose condition failed, and the item that stands there;
// nil for no item.
type refusal struct {
	of  *change
	old item
}

// verdict is how a write ended that DynamoDB answered.
type verdict struct {
	refused []refusal // in the order of the changes; none: the write is done
	// doubtful: an earlier sending of the write got no answer, so it may have
	// been done and what is refused is only its repetition.
	doubtful bool
}

// sendings is how often one write is sent at most.
const sendings = 8

// commit does the changes, all or none: one item by itself, several in a
// transaction, which costs twice as much. A write that another transaction
// stands in the way of was not done and is sent again after a moment. So is one
// whose answer was lost: its conditions fail if it was done. After an error it
// may or may not have been done.
func (s *Calls) commit(ctx context.Context, changes ...*change) (verdict, error) {
	send := s.transact(changes)
	if len(changes) == 1 {
		send = s.update(changes[0])
	}
	var v verdict
	for n := 1; ; n++ {
		olds, err := send(ctx)
		switch {
		case err == nil && olds == nil:
			return v, nil
		case err == nil:
			v.refused, err = s.refusals(ctx, changes, olds)
			return v, err
		case n == sendings || ctx.Err() != nil || refusedForGood(err):
			return v, failed("write a call", err)
		case !undone(err):
			v.doubtful = true
		}
		if pause(ctx, spread(n)) != nil {
			return v, failed("write a call", err)
		}
	}
}

// outcome is what became of one change: nil when its condition held.
type outcome struct{ old item }

// update sends one change by itself.
func (s *Calls) update(c *change) func(context.Context) ([]*outcome, error) {
	in := &dynamodb.UpdateItemInput{
		TableName: &s.table, Key: c.key, UpdateExpression: c.update(), ConditionExpression: c.condition(),
		ExpressionAttributeNames: c.names, ExpressionAttributeValues: c.bound(),
		ReturnValuesOnConditionCheckFailure: types.ReturnValuesOnConditionCheckFailureAllOld,
	}
	return func(ctx context.Context) ([]*outcome, error) {
		_, err := s.client.UpdateItem(ctx, in, once)
		if old, refused := oldItem(err); refused {
			return []*outcome{{old}}, nil
		}
		return nil, err
	}
}

// transact sends several changes as one.
func (s *Calls) transact(changes []*change) func(context.Context) ([]*outcome, error) {
	in := &dynamodb.TransactWriteItemsInput{ClientRequestToken: aws.String(rand.Text())}
	for _, c := range changes {
		in.TransactItems = append(in.TransactItems, types.TransactWriteItem{Update: &types.Update{
			TableName: &s.table, Key: c.key, UpdateExpression: c.update(), ConditionExpression: c.condition(),
			ExpressionAttributeNames: c.names, ExpressionAttributeValues: c.bound(),
			ReturnValuesOnConditionCheckFailure: types.ReturnValuesOnConditionCheckFailureAllOld,
		}})
	}
	return func(ctx context.Context) ([]*outcome, error) {
		_, err := s.client.TransactWriteItems(ctx, in, once)
		var canceled *types.TransactionCanceledException
		if !errors.As(err, &canceled) {
			return nil, err
		}
		olds, refused := make([]*outcome, len(changes)), false
		for i, reason := range canceled.CancellationReasons {
			if aws.ToString(reason.Code) == "ConditionalCheckFailed" && i < len(olds) {
				olds[i], refused = &outcome{reason.Item}, true
			}
		}
		if !refused {
			return nil, err
		}
		return olds, nil
	}
}

// refusals pairs the refused changes with the items that stand in their way.
// An item that the server did not return is read.
func (s *Calls) refusals(ctx context.Context, changes []*change, olds []*outcome) ([]refusal, error) {
	var rs []refusal
	for i, o := range olds {
		if o == nil {
			continue
		}
		if o.old == nil {
			found, err := s.item(ctx, changes[i].key)
			if err != nil {
				return nil, err
			}
			o.old = found
		}
		rs = append(rs, refusal{changes[i], o.old})
	}
	return rs, nil
}

// once switches the SDK's retries off: one layer retries.
func once(o *dynamodb.Options) { o.Retryer = aws.NopRetryer{} }

// undone reports whether the error says that the write was not done and may be
// tried again: somebody else's transaction was in the way, or too much was
// asked of the table.
func undone(err error) bool {
	var canceled *types.TransactionCanceledException
	if errors.As(err, &canceled) {
		return true
	}
	var api smithy.APIError
	if !errors.As(err, &api) {
		return false
	}
	switch api.ErrorCode() {
	case "TransactionConflictException", "TransactionInProgressException", "ThrottlingException",
		"ProvisionedThroughputExceededException", "RequestLimitExceeded":
		return true
	}
	return false
}

// refusedForGood reports whether sending the same write again cannot help.
func refusedForGood(err error) bool {
	var canceled *types.TransactionCanceledException
	if errors.As(err, &canceled) {
		for _, reason := range canceled.CancellationReasons {
			switch aws.ToString(reason.Code) {
			case "ValidationError", "ItemCollectionSizeLimitExceeded":
				return true
			}
		}
		return false
	}
	var api smithy.APIError
	return errors.As(err, &api) && api.ErrorFault() == smithy.FaultClient && !undone(err)
}

// spread is how long the n-th repetition waits, so that those who met do not
// meet again: about n times 10 ms.
func spread(n int) time.Duration {
	return time.Duration((float64(n) - 0.5 + random.Float64()) * float64(firstPause))
}
