//go:build integration

package dynamo_test

import (
	"context"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/smithy-go/middleware"

	"callagent/core/call"
	"callagent/infra/dynamo"
)

// meter notes what every operation of a client consumed, as the server says.
type meter struct {
	mu         sync.Mutex
	operations []operation
}

// operation is one request.
type operation struct {
	what   string  // for what it was sent
	name   string  // "UpdateItem"
	write  float64 // units, those of the indexes included
	index  float64 // units of the indexes
	read   float64
	ledger bool // of the calls table
}

// client is one whose operations are noted.
func (m *meter) client(t testing.TB) *dynamodb.Client {
	o := clientAt(endpoint(t), connections).Options()
	o.APIOptions = append(slices.Clone(o.APIOptions), func(s *middleware.Stack) error {
		return s.Initialize.Add(middleware.InitializeMiddlewareFunc("meter", m.observe), middleware.Before)
	})
	return dynamodb.New(o)
}

func (m *meter) observe(ctx context.Context, in middleware.InitializeInput, next middleware.InitializeHandler) (middleware.InitializeOutput, middleware.Metadata, error) {
	op := operation{name: middleware.GetOperationName(ctx)}
	op.what, _ = ctx.Value(purpose{}).(string)
	ask(in.Parameters)
	out, meta, err := next.HandleInitialize(ctx, in)
	for _, c := range consumed(out.Result) {
		op.add(c)
	}
	m.mu.Lock()
	m.operations = append(m.operations, op)
	m.mu.Unlock()
	return out, meta, err
}

// ask has the server tell what an operation consumes, index by index.
func ask(in any) {
	const indexes = types.ReturnConsumedCapacityIndexes
	switch in := in.(type) {
	case *dynamodb.GetItemInput:
		in.ReturnConsumedCapacity = indexes
	case *dynamodb.UpdateItemInput:
		in.ReturnConsumedCapacity = indexes
	case *dynamodb.PutItemInput:
		in.ReturnConsumedCapacity = indexes
	case *dynamodb.TransactWriteItemsInput:
		in.ReturnConsumedCapacity = indexes
	case *dynamodb.QueryInput:
		in.ReturnConsumedCapacity = indexes
	case *dynamodb.BatchGetItemInput:
		in.ReturnConsumedCapacity = indexes
	}
}

func consumed(out any) []types.ConsumedCapacity {
	switch out := out.(type) {
	case *dynamodb.GetItemOutput:
		return one(out.ConsumedCapacity)
	case *dynamodb.UpdateItemOutput:
		return one(out.ConsumedCapacity)
	case *dynamodb.PutItemOutput:
		return one(out.ConsumedCapacity)
	case *dynamodb.TransactWriteItemsOutput:
		return out.ConsumedCapacity
	case *dynamodb.QueryOutput:
		return one(out.ConsumedCapacity)
	case *dynamodb.BatchGetItemOutput:
		return out.ConsumedCapacity
	}
	return nil
}

func one(c *types.ConsumedCapacity) []types.ConsumedCapacity {
	if c == nil {
		return nil
	}
	return []types.ConsumedCapacity{*c}
}

// add notes a table's share.
func (o *operation) add(c types.ConsumedCapacity) {
	o.ledger = o.ledger || strings.HasPrefix(aws.ToString(c.TableName), "calls-")
	units := aws.ToFloat64(c.CapacityUnits)
	if reads := o.name == "GetItem" || o.name == "Query" || o.name == "BatchGetItem"; reads {
		o.read += units
		return
	}
	times := 1.0
	if o.name == "TransactWriteItems" {
		times = 2 // as DynamoDB charges it; DynamoDB Local says what single writes would cost
	}
	o.write += times * units
	for _, i := range c.GlobalSecondaryIndexes {
		o.index += times * aws.ToFloat64(i.CapacityUnits)
	}
}

// take gives the operations since the last time.
func (m *meter) take() []operation {
	m.mu.Lock()
	defer m.mu.Unlock()
	ops := m.operations
	m.operations = nil
	return ops
}

// purpose is the key of a context's value: what an operation is for.
type purpose struct{}

// told is a ledger whose operations say what they are for.
type told struct{ *dynamo.Calls }

func (l told) Put(ctx context.Context, w call.Write) error {
	return l.Calls.Put(context.WithValue(ctx, purpose{}, purposeOf(w)), w)
}

// purposeOf names a write of a call that meets no trouble by what it changes.
func purposeOf(w call.Write) string {
	c := w.Call
	switch {
	case c.Version == 0:
		return "first claim"
	case w.Number == call.TakeNumber:
		return "intent"
	case w.Own != "":
		return "placed"
	case w.Number == call.FreeNumber:
		return "end"
	case c.Recorded == call.Yes:
		return "recorded"
	case !c.Dialled() && c.Speech != "":
		return "speech"
	case !c.Dialled() && c.Script != "":
		return "script"
	}
	return "claim"
}
