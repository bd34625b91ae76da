// Package metertest counts what requests to AWS consume, as the server says.
package metertest

import (
	"context"
	"errors"
	"sync"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/smithy-go/middleware"
)

// Operation is one request. One that the SDK sent again is one still.
type Operation struct {
	Purpose string // for what it was sent; see For
	Service string // "DynamoDB", "SQS"
	Name    string // "UpdateItem"
	Table   string // "" for none

	// Units of DynamoDB: what was written, of that what the indexes cost, and
	// what was read.
	Write, Index, Read float64
}

// Meter notes operations. The zero Meter is ready, and safe for concurrent use.
type Meter struct {
	mu         sync.Mutex
	operations []Operation
}

// Observe adds the meter to the stack of a client, as one of its APIOptions.
func (m *Meter) Observe(s *middleware.Stack) error {
	return s.Initialize.Add(middleware.InitializeMiddlewareFunc("meter", m.observe), middleware.Before)
}

// Take gives the operations since the last time, in the order of their ends.
func (m *Meter) Take() []Operation {
	m.mu.Lock()
	defer m.mu.Unlock()
	ops := m.operations
	m.operations = nil
	return ops
}

// purpose is the key of a context's value.
type purpose struct{}

// For gives a context whose operations say what they are for.
func For(ctx context.Context, what string) context.Context {
	return context.WithValue(ctx, purpose{}, what)
}

func (m *Meter) observe(ctx context.Context, in middleware.InitializeInput, next middleware.InitializeHandler) (middleware.InitializeOutput, middleware.Metadata, error) {
	op := Operation{Service: middleware.GetServiceID(ctx), Name: middleware.GetOperationName(ctx)}
	op.Purpose, _ = ctx.Value(purpose{}).(string)
	ask(in.Parameters)
	out, meta, err := next.HandleInitialize(ctx, in)
	for _, c := range consumed(out.Result) {
		op.add(c)
	}
	op.Write += refused(in.Parameters, err)
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
	case *dynamodb.DeleteItemInput:
		in.ReturnConsumedCapacity = indexes
	case *dynamodb.TransactWriteItemsInput:
		in.ReturnConsumedCapacity = indexes
	case *dynamodb.QueryInput:
		in.ReturnConsumedCapacity = indexes
	case *dynamodb.ScanInput:
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
	case *dynamodb.DeleteItemOutput:
		return one(out.ConsumedCapacity)
	case *dynamodb.TransactWriteItemsOutput:
		return out.ConsumedCapacity
	case *dynamodb.QueryOutput:
		return one(out.ConsumedCapacity)
	case *dynamodb.ScanOutput:
		return one(out.ConsumedCapacity)
	case *dynamodb.BatchGetItemOutput:
		return out.ConsumedCapacity
	}
	return nil
}

// refused is what a write costs whose condition failed: no less, if its items
// are small. The server does not say it.
func refused(in any, err error) float64 {
	if t, is := in.(*dynamodb.TransactWriteItemsInput); is && errors.As(err, new(*types.TransactionCanceledException)) {
		return float64(2 * len(t.TransactItems))
	}
	if errors.As(err, new(*types.ConditionalCheckFailedException)) {
		return 1
	}
	return 0
}

func one(c *types.ConsumedCapacity) []types.ConsumedCapacity {
	if c == nil {
		return nil
	}
	return []types.ConsumedCapacity{*c}
}

// add notes a table's share.
func (o *Operation) add(c types.ConsumedCapacity) {
	o.Table = aws.ToString(c.TableName)
	units := aws.ToFloat64(c.CapacityUnits)
	switch o.Name {
	case "Query", "Scan":
		o.Read += max(units, 0.5) // what finds nothing costs half a unit; DynamoDB Local says 0
		return
	case "GetItem", "BatchGetItem":
		o.Read += units
		return
	}
	times := 1.0
	if o.Name == "TransactWriteItems" {
		times = 2 // as DynamoDB charges it; DynamoDB Local says what single writes would cost
	}
	o.Write += times * units
	for _, i := range c.GlobalSecondaryIndexes {
		o.Index += times * aws.ToFloat64(i.CapacityUnits)
	}
}
