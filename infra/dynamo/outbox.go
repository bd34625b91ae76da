package dynamo

import (
	"context"
	"encoding/json"
	"iter"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"callagent/core/alert"
)

// KeepDelivered is how long a channel remembers an alert that it delivered, so
// that a late copy is dropped.
const KeepDelivered = 90 * 24 * time.Hour

// Outbox keeps alerts until every channel has delivered them: agent.Outbox on
// the circuits table. It is safe for concurrent use.
//
// A channel is one partition. An alert is two items there: its mark, found by
// the alert's id, and while it waits the alert itself, in the order of telling.
// Both are written in one transaction. The order of raising is that of the
// clocks of those who raised.
type Outbox struct {
	client api
	table  string
	now    func() time.Time
}

// NewOutbox returns the outbox of a circuits table. It does no I/O.
func NewOutbox(client *dynamodb.Client, table string, now func() time.Time) *Outbox {
	return &Outbox{client: apiOf(client), table: table, now: now}
}

// The kinds of items in a channel's partition, by how their sort keys begin.
const (
	markItems  = "id#"    // and the alert's id
	aloneItems = "new#0#" // told one by one: when it was raised, # and its id
	groupItems = "new#1#" // told in a group: the same
	newItems   = "new#"
	stateItems = "group#" // what was last sent of a group: its key
)

func channelKey(channel, sort string) item {
	return item{PartitionKey: text("channel#" + channel), SortKey: text(sort)}
}

// Raise keeps an alert on each channel that does not know its id.
func (o *Outbox) Raise(ctx context.Context, channels []string, a alert.Alert) error {
	a.At = a.At.UTC()
	body, err := json.Marshal(a)
	if err != nil {
		return failed("keep an alert", err)
	}
	place := aloneItems
	if a.Key() != "" {
		place = groupItems
	}
	place += stamp(o.now()) + "#" + a.ID
	for _, channel := range channels {
		if err := o.keep(ctx, channel, a.ID, place, body); err != nil {
			return failed("keep an alert", err)
		}
	}
	return nil
}

// keep puts one alert on one channel, unless its id is known there.
func (o *Outbox) keep(ctx context.Context, channel, id, place string, body []byte) error {
	mark, waiting := channelKey(channel, markItems+id), channelKey(channel, place)
	mark["place"], waiting["alert"] = text(place), text(string(body))
	err := o.transact(ctx, []types.TransactWriteItem{
		{Put: &types.Put{
			TableName: &o.table, Item: mark, ConditionExpression: aws.String("attribute_not_exists(" + PartitionKey + ")"),
		}},
		{Put: &types.Put{TableName: &o.table, Item: waiting}},
	})
	if cancelledFor(err, "ConditionalCheckFailed") {
		return nil
	}
	return err
}

// Undelivered lists a channel's alerts, those told one by one before those of
// groups, the first raised first.
func (o *Outbox) Undelivered(ctx context.Context, channel string, limit int) ([]alert.Alert, error) {
	var alerts []alert.Alert
	for i, err := range o.items(ctx, channel, newItems, limit) {
		if len(alerts) == limit {
			break
		}
		var a alert.Alert
		if err == nil {
			err = json.Unmarshal([]byte(textOf(i["alert"])), &a)
		}
		if err != nil {
			return nil, failed("list the alerts of "+channel, err)
		}
		alerts = append(alerts, a)
	}
	return alerts, nil
}

// Groups reads what was last sent on a channel.
func (o *Outbox) Groups(ctx context.Context, channel string) (map[string]alert.Group, error) {
	groups := map[string]alert.Group{}
	for i, err := range o.items(ctx, channel, stateItems, 1000) {
		g := alert.Group{Sent: int(numberOf(i["sent"]))}
		if last := textOf(i["last_sent"]); last != "" && err == nil {
			g.LastSent, err = time.Parse(moment, last)
		}
		if err != nil {
			return nil, failed("read the groups of "+channel, err)
		}
		groups[strings.TrimPrefix(textOf(i[SortKey]), stateItems)] = g
	}
	return groups, nil
}

// items goes through a channel's items of one kind in their order, reading as
// many at a time as page says.
func (o *Outbox) items(ctx context.Context, channel, kind string, page int) iter.Seq2[item, error] {
	pages := dynamodb.NewQueryPaginator(o.client, &dynamodb.QueryInput{
		TableName: &o.table, ConsistentRead: aws.Bool(true), Limit: aws.Int32(int32(page)),
		KeyConditionExpression:    aws.String(PartitionKey + " = :channel AND begins_with(" + SortKey + ", :kind)"),
		ExpressionAttributeValues: item{":channel": channelKey(channel, "")[PartitionKey], ":kind": text(kind)},
	})
	return func(yield func(item, error) bool) {
		for pages.HasMorePages() {
			page, err := pages.NextPage(ctx)
			if err != nil {
				yield(nil, err)
				return
			}
			for _, i := range page.Items {
				if !yield(i, nil) {
					return
				}
			}
		}
	}
}
