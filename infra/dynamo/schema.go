package dynamo

import (
	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
)

// The attributes that tables and indexes are made of. Every other attribute is
// the business of the store that writes it.
const (
	PartitionKey = "pk"  // of both tables
	SortKey      = "sk"  // of the circuits table
	TTL          = "ttl" // epoch seconds, in both tables; absent: the item is kept
)

// The indexes of the calls table. Both are sparse: an item without the keys
// does not stand in them.
const (
	DueIndex    = "due"
	ParkedIndex = "parked"

	dueHash     = "due_part"  // a constant: one list of all calls
	dueRange    = "due"       // Unix milliseconds, at or before the call's due time; see dueKey
	parkedHash  = "parked"    // the service whose circuit the call waits for
	parkedRange = "parked_at" // Unix milliseconds, when it was parked
)

// CallsTable describes the table of calls, numbers and SIDs. Its items are
// told apart by their keys: call#CAMPAIGN/CONTACT, number#HASH, sid#SID and
// secret#NAME.
func CallsTable(name string) *dynamodb.CreateTableInput {
	return &dynamodb.CreateTableInput{
		TableName:   aws.String(name),
		BillingMode: types.BillingModePayPerRequest,
		AttributeDefinitions: []types.AttributeDefinition{
			attribute(PartitionKey, types.ScalarAttributeTypeS),
			attribute(dueHash, types.ScalarAttributeTypeS),
			attribute(dueRange, types.ScalarAttributeTypeN),
			attribute(parkedHash, types.ScalarAttributeTypeS),
			attribute(parkedRange, types.ScalarAttributeTypeN),
		},
		KeySchema: []types.KeySchemaElement{hash(PartitionKey)},
		GlobalSecondaryIndexes: []types.GlobalSecondaryIndex{
			keysOnly(DueIndex, dueHash, dueRange),
			keysOnly(ParkedIndex, parkedHash, parkedRange),
		},
	}
}

// CircuitsTable describes the table of circuits, paces, alerts and leases.
func CircuitsTable(name string) *dynamodb.CreateTableInput {
	return &dynamodb.CreateTableInput{
		TableName:   aws.String(name),
		BillingMode: types.BillingModePayPerRequest,
		AttributeDefinitions: []types.AttributeDefinition{
			attribute(PartitionKey, types.ScalarAttributeTypeS),
			attribute(SortKey, types.ScalarAttributeTypeS),
		},
		KeySchema: []types.KeySchemaElement{hash(PartitionKey), sortedBy(SortKey)},
	}
}

func attribute(name string, t types.ScalarAttributeType) types.AttributeDefinition {
	return types.AttributeDefinition{AttributeName: aws.String(name), AttributeType: t}
}

func hash(name string) types.KeySchemaElement {
	return types.KeySchemaElement{AttributeName: aws.String(name), KeyType: types.KeyTypeHash}
}

func sortedBy(name string) types.KeySchemaElement {
	return types.KeySchemaElement{AttributeName: aws.String(name), KeyType: types.KeyTypeRange}
}

// keysOnly is an index that projects nothing: an entry costs a write only when
// it comes, moves or goes.
func keysOnly(index, by, sorted string) types.GlobalSecondaryIndex {
	return types.GlobalSecondaryIndex{
		IndexName:  aws.String(index),
		KeySchema:  []types.KeySchemaElement{hash(by), sortedBy(sorted)},
		Projection: &types.Projection{ProjectionType: types.ProjectionTypeKeysOnly},
	}
}
