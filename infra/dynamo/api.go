package dynamo

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
)

// api is the requests that this package sends. A store holds them in place of
// the client, because a client that can be reached through a store's type makes
// the linker keep its other fifty requests too: a third of a function's size.
type api struct {
	GetItem            request[dynamodb.GetItemInput, dynamodb.GetItemOutput]
	BatchGetItem       request[dynamodb.BatchGetItemInput, dynamodb.BatchGetItemOutput]
	PutItem            request[dynamodb.PutItemInput, dynamodb.PutItemOutput]
	UpdateItem         request[dynamodb.UpdateItemInput, dynamodb.UpdateItemOutput]
	DeleteItem         request[dynamodb.DeleteItemInput, dynamodb.DeleteItemOutput]
	TransactWriteItems request[dynamodb.TransactWriteItemsInput, dynamodb.TransactWriteItemsOutput]
	query              request[dynamodb.QueryInput, dynamodb.QueryOutput]
	scan               request[dynamodb.ScanInput, dynamodb.ScanOutput]
}

// request is a method of the client.
type request[In, Out any] func(context.Context, *In, ...func(*dynamodb.Options)) (*Out, error)

func apiOf(c *dynamodb.Client) api {
	return api{
		GetItem: c.GetItem, BatchGetItem: c.BatchGetItem, PutItem: c.PutItem, UpdateItem: c.UpdateItem,
		DeleteItem: c.DeleteItem, TransactWriteItems: c.TransactWriteItems, query: c.Query, scan: c.Scan,
	}
}

// Query is for the SDK's paginator.
func (a api) Query(ctx context.Context, in *dynamodb.QueryInput, o ...func(*dynamodb.Options)) (*dynamodb.QueryOutput, error) {
	return a.query(ctx, in, o...)
}

// Scan is for the SDK's paginator.
func (a api) Scan(ctx context.Context, in *dynamodb.ScanInput, o ...func(*dynamodb.Options)) (*dynamodb.ScanOutput, error) {
	return a.scan(ctx, in, o...)
}
