package dynamo

import (
	"context"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"callagent/core/breaker"
)

// Lease lets one process at a time do what must not be done twice at once:
// flush a channel, write the sheet. It is safe for concurrent use.
type Lease struct {
	client api
	table  string
}

// NewLease returns the leases of a circuits table. It does no I/O.
func NewLease(client *dynamodb.Client, table string) *Lease {
	return &Lease{client: apiOf(client), table: table}
}

func leaseKey(name string) item {
	return item{PartitionKey: text("lease#" + name), SortKey: text("lease")}
}

// Take gives holder the lease until now + d, and reports false while somebody
// else has it. A holder that takes its lease again prolongs it. Somebody else's
// is over breaker.Skew after its end, because clocks differ; so a holder has to
// stop at its own end and not later.
func (l *Lease) Take(ctx context.Context, name, holder string, now time.Time, d time.Duration) (bool, error) {
	i := leaseKey(name)
	i["holder"], i["until"] = text(holder), text(stamp(now.Add(d)))
	_, err := l.client.PutItem(ctx, &dynamodb.PutItemInput{
		TableName: &l.table, Item: i,
		ConditionExpression:      aws.String("attribute_not_exists(holder) OR holder = :me OR #until < :over"),
		ExpressionAttributeNames: map[string]string{"#until": "until"},
		ExpressionAttributeValues: item{
			":me": text(holder), ":over": text(stamp(now.Add(-breaker.Skew))),
		},
	})
	if _, refused := oldItem(err); refused {
		return false, nil
	}
	return err == nil, failed("take the lease "+name, err)
}

// Release gives the lease back. One that is no longer holder's is left alone.
func (l *Lease) Release(ctx context.Context, name, holder string) error {
	_, err := l.client.DeleteItem(ctx, &dynamodb.DeleteItemInput{
		TableName: &l.table, Key: leaseKey(name),
		ConditionExpression:       aws.String("holder = :me"),
		ExpressionAttributeValues: item{":me": text(holder)},
	})
	if _, refused := oldItem(err); refused {
		return nil
	}
	return failed("release the lease "+name, err)
}

// moment is how times are written that DynamoDB compares: they sort as text.
const moment = "2006-01-02T15:04:05.000000000Z"

func stamp(t time.Time) string { return t.UTC().Format(moment) }
