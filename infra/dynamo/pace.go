package dynamo

import (
	"context"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
)

// Slot reserves the next free moment of the service, with one write, or with
// two when nobody in this process knew that somebody else stands in line. It
// never loses a race twice: a moment that is taken never becomes free again,
// so whoever was refused the present one gets the next by an addition that has
// no condition. An addition that is sent again after a lost answer leaves a
// moment unused.
func (c *Circuits) Slot(ctx context.Context, service string, every time.Duration, now time.Time) (time.Time, error) {
	now = now.Round(0).UTC()
	if !c.inLine(service, every, now) {
		err := c.takeNow(ctx, service, every, now)
		if _, refused := oldItem(err); !refused {
			return c.reserved(service, now, err)
		}
	}
	at, err := c.takeNext(ctx, service, every, now)
	return c.reserved(service, at, err)
}

// inLine reports whether the moment that was last reserved here is so near that
// now cannot be free.
func (c *Circuits) inLine(service string, every time.Duration, now time.Time) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.slots[service].Add(every).After(now)
}

// reserved keeps a moment in mind.
func (c *Circuits) reserved(service string, at time.Time, err error) (time.Time, error) {
	if err != nil {
		return time.Time{}, failed("reserve a moment of "+service, err)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if at.After(c.slots[service]) {
		c.slots[service] = at
	}
	return at, nil
}

// takeNow reserves now if the moment before it is long enough ago.
func (c *Circuits) takeNow(ctx context.Context, service string, every time.Duration, now time.Time) error {
	_, err := c.client.UpdateItem(ctx, &dynamodb.UpdateItemInput{
		TableName: &c.table, Key: serviceKey(service, "pace"),
		UpdateExpression:    aws.String("SET slot = :now"),
		ConditionExpression: aws.String("attribute_not_exists(slot) OR slot <= :before"),
		ExpressionAttributeValues: item{
			":now": number(now.UnixNano()), ":before": number(now.Add(-every).UnixNano()),
		},
	})
	return err
}

// takeNext reserves the moment after the last one. Without a last one that is
// now.
func (c *Circuits) takeNext(ctx context.Context, service string, every time.Duration, now time.Time) (time.Time, error) {
	out, err := c.client.UpdateItem(ctx, &dynamodb.UpdateItemInput{
		TableName: &c.table, Key: serviceKey(service, "pace"),
		UpdateExpression: aws.String("SET slot = if_not_exists(slot, :before) + :every"),
		ExpressionAttributeValues: item{
			":before": number(now.Add(-every).UnixNano()), ":every": number(int64(every)),
		},
		ReturnValues: types.ReturnValueUpdatedNew,
	})
	if err != nil {
		return time.Time{}, err
	}
	return time.Unix(0, numberOf(out.Attributes["slot"])).UTC(), nil
}
