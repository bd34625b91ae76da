package dynamo

import (
	"context"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"callagent/core/agent"
	"callagent/core/breaker"
)

// Circuits is the shared circuits and the shared pace: agent.Circuits and
// agent.Pace on the circuits table. One item a service holds its circuit, one
// its pace; neither ever expires. It is safe for concurrent use.
//
// Load costs one read unit and Swap one write unit, and neither is sent a
// second time: the time limit is in the context, and a write whose answer was
// lost is recognised by the record's Writer. Slot costs at most two.
type Circuits struct {
	client api
	table  string

	mu    sync.Mutex
	slots map[string]time.Time // the last moment that was reserved here, by service
}

// NewCircuits returns the circuits of a table. It does no I/O.
func NewCircuits(client *dynamodb.Client, table string) *Circuits {
	return &Circuits{client: apiOf(client), table: table, slots: map[string]time.Time{}}
}

// serviceKey is the key of one of a service's items.
func serviceKey(service, which string) item {
	return item{PartitionKey: text("service#" + service), SortKey: text(which)}
}

func circuitKey(service string) item { return serviceKey(service, "circuit") }

// Load reads a record, with a consistent read.
func (c *Circuits) Load(ctx context.Context, service string) (breaker.Record, error) {
	out, err := c.client.GetItem(ctx, &dynamodb.GetItemInput{
		TableName: &c.table, Key: circuitKey(service), ConsistentRead: aws.Bool(true),
	}, once)
	if err != nil {
		return breaker.Record{}, failed("read the circuit of "+service, err)
	}
	return decodeCircuit(service, out.Item)
}

// Swap stores r over the version that it was read with. The refusal of a
// conditional write brings the stored record along, so a lost race costs no
// read; only servers that leave it out are asked for it.
func (c *Circuits) Swap(ctx context.Context, r breaker.Record) (breaker.Record, error) {
	next := r
	next.Version++
	stored, err := encodeCircuit(next)
	if err != nil {
		return breaker.Record{}, failed("store the circuit of "+r.Service, err)
	}
	_, err = c.client.PutItem(ctx, c.put(stored, r.Version), once)
	if old, refused := oldItem(err); refused {
		return c.conflict(ctx, r.Service, old)
	}
	if err != nil {
		return breaker.Record{}, failed("store the circuit of "+r.Service, err)
	}
	return decodeCircuit(r.Service, stored)
}

// put replaces the whole item if its version is still the one that was read; 0:
// if there is none.
func (c *Circuits) put(i item, was int64) *dynamodb.PutItemInput {
	put := &dynamodb.PutItemInput{
		TableName: &c.table, Item: i,
		ConditionExpression:                 aws.String("attribute_not_exists(" + PartitionKey + ")"),
		ReturnValuesOnConditionCheckFailure: types.ReturnValuesOnConditionCheckFailureAllOld,
	}
	if was != 0 {
		put.ConditionExpression = aws.String("version = :was")
		put.ExpressionAttributeValues = item{":was": number(was)}
	}
	return put
}

// conflict gives the record that a swap lost against.
func (c *Circuits) conflict(ctx context.Context, service string, old item) (breaker.Record, error) {
	read := func() (breaker.Record, error) { return decodeCircuit(service, old) }
	if len(old) == 0 {
		read = func() (breaker.Record, error) { return c.Load(ctx, service) }
	}
	r, err := read()
	if err == nil {
		err = agent.ErrConflict
	}
	return r, err
}
