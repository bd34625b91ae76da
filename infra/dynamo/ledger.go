package dynamo

import (
	"context"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"callagent/core/agent"
	"callagent/core/call"
)

// Calls is the ledger with the numbers: the four ports over one table (see
// [CallsTable]). It keeps nothing in memory and is safe for concurrent use.
//
// Conditional writes are sent without the SDK's retries; the store itself sends
// a write again whose answer was lost, and knows it by a nonce if it had been
// done. Every method obeys its context; with none that ends, a silent table is
// waited for as long as the client's HTTP time limits allow.
type Calls struct {
	client api
	table  string
	now    func() time.Time
}

var _ interface {
	agent.Ledger
	agent.Backlog
	agent.Register
	agent.Blocklist
} = (*Calls)(nil)

// NewCalls is the ledger in the table. It makes no request. A nil now is
// time.Now.
func NewCalls(client *dynamodb.Client, table string, now func() time.Time) *Calls {
	if now == nil {
		now = time.Now
	}
	return &Calls{client: apiOf(client), table: table, now: now}
}

// Get reads one call.
func (s *Calls) Get(ctx context.Context, k call.Key) (call.Call, error) {
	r, err := s.get(ctx, k)
	return r.Call, err
}

func (s *Calls) get(ctx context.Context, k call.Key) (record, error) {
	found, err := s.item(ctx, item{PartitionKey: text(callKey(k))})
	if err != nil {
		return record{}, err
	}
	if found == nil {
		return record{}, agent.ErrNotFound
	}
	return read(found)
}

// item reads an item as it is now; nil when there is none.
func (s *Calls) item(ctx context.Context, key item) (item, error) {
	out, err := s.client.GetItem(ctx, &dynamodb.GetItemInput{TableName: &s.table, Key: key, ConsistentRead: aws.Bool(true)})
	if err != nil {
		return nil, failed("read a call", err)
	}
	if len(out.Item) == 0 {
		return nil, nil
	}
	return out.Item, nil
}

// Owner finds the call that owns a SID. It is forgotten 90 days after the SID
// was stored; no provider speaks of a call for so long.
func (s *Calls) Owner(ctx context.Context, sid string) (call.Key, error) {
	found, err := s.item(ctx, item{PartitionKey: text(sidPrefix + sid)})
	if err == nil && found == nil {
		err = agent.ErrNotFound
	}
	if err != nil {
		return call.Key{}, err
	}
	return keyFrom(textOf(found[attrOwner])), nil
}

// owning makes a SID that is free or the old owner's the new owner's.
func (s *Calls) owning(sid string, old, owner call.Key) *change {
	to := changing(sidPrefix + sid)
	to.absentOr(attrOwner, text(keyText(old)))
	to.set(attrOwner, text(keyText(owner)))
	to.set(TTL, number(s.now().Add(kept).Unix()))
	return to
}

// attrOwner is the call that a SID belongs to.
const attrOwner = "owner"
