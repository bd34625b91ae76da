package dynamo

import (
	"context"
	"fmt"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
)

// Differences says in what a table is not as [CallsTable] or [CircuitsTable]
// wants it: a short phrase each, none when all is well. It makes two requests.
// A table that does not exist, and one that may not be looked at, are errors of
// the SDK.
func Differences(ctx context.Context, client *dynamodb.Client, want *dynamodb.CreateTableInput) ([]string, error) {
	out, err := client.DescribeTable(ctx, &dynamodb.DescribeTableInput{TableName: want.TableName})
	if err != nil {
		return nil, err
	}
	ttl, err := client.DescribeTimeToLive(ctx, &dynamodb.DescribeTimeToLiveInput{TableName: want.TableName})
	if err != nil {
		return nil, err
	}
	found := different(out.Table, want)
	if d := ttl.TimeToLiveDescription; d == nil || d.TimeToLiveStatus != types.TimeToLiveStatusEnabled || aws.ToString(d.AttributeName) != TTL {
		found = append(found, "items do not expire by "+TTL)
	}
	return found, nil
}

func different(is *types.TableDescription, want *dynamodb.CreateTableInput) (found []string) {
	if is.TableStatus != types.TableStatusActive && is.TableStatus != types.TableStatusUpdating {
		found = append(found, "it is "+string(is.TableStatus))
	}
	if !sameKey(is.KeySchema, want.KeySchema, is.AttributeDefinitions, want.AttributeDefinitions) {
		found = append(found, "its key is not "+described(want.KeySchema, want.AttributeDefinitions))
	}
	for _, w := range want.GlobalSecondaryIndexes {
		i := slices.IndexFunc(is.GlobalSecondaryIndexes, func(g types.GlobalSecondaryIndexDescription) bool {
			return aws.ToString(g.IndexName) == *w.IndexName
		})
		switch {
		case i < 0:
			found = append(found, "it lacks the index "+*w.IndexName)
		case !sameKey(is.GlobalSecondaryIndexes[i].KeySchema, w.KeySchema, is.AttributeDefinitions, want.AttributeDefinitions):
			found = append(found, "the key of the index "+*w.IndexName+" is not "+described(w.KeySchema, want.AttributeDefinitions))
		case is.GlobalSecondaryIndexes[i].IndexStatus != types.IndexStatusActive:
			found = append(found, "the index "+*w.IndexName+" is "+string(is.GlobalSecondaryIndexes[i].IndexStatus))
		}
	}
	if b := is.BillingModeSummary; b == nil || b.BillingMode != want.BillingMode {
		found = append(found, "its capacity is bounded, not on demand")
	}
	return found
}

func sameKey(is, want []types.KeySchemaElement, defined, wanted []types.AttributeDefinition) bool {
	return described(is, defined) == described(want, wanted)
}

// described writes a key as "pk (S), sk (S)", the hash first.
func described(key []types.KeySchemaElement, defined []types.AttributeDefinition) string {
	text := ""
	for _, kind := range []types.KeyType{types.KeyTypeHash, types.KeyTypeRange} {
		for _, k := range key {
			i := slices.IndexFunc(defined, func(a types.AttributeDefinition) bool {
				return aws.ToString(a.AttributeName) == aws.ToString(k.AttributeName)
			})
			if k.KeyType == kind && i >= 0 {
				text += fmt.Sprintf(", %s (%s)", *k.AttributeName, defined[i].AttributeType)
			}
		}
	}
	return text[min(2, len(text)):]
}
