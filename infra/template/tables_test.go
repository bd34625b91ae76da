package template

import (
	"reflect"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"callagent/infra/dynamo"
)

func TestTablesAreThoseOfTheCode(t *testing.T) {
	s := load(t)
	for name, code := range map[string]*dynamodb.CreateTableInput{
		"CallsTable":    dynamo.CallsTable(""),
		"CircuitsTable": dynamo.CircuitsTable(""),
	} {
		got, want := object{}, described(code)
		for key := range want {
			got[key] = s.properties(name)[key]
		}
		if !reflect.DeepEqual(got, want) {
			t.Errorf("%s is\n%v\nand in the code\n%v", name, got, want)
		}
		if indexes := s.properties(name)["GlobalSecondaryIndexes"]; len(each(indexes)) != len(code.GlobalSecondaryIndexes) {
			t.Errorf("%s has %d indexes, in the code %d", name, len(each(indexes)), len(code.GlobalSecondaryIndexes))
		}
		if ttl := in(s.properties(name), "TimeToLiveSpecification"); !reflect.DeepEqual(ttl, object{"AttributeName": dynamo.TTL, "Enabled": true}) {
			t.Errorf("%s: the time to live is %v", name, ttl)
		}
	}
	if n := len(s.of("AWS::DynamoDB::Table")); n != 2 {
		t.Errorf("%d tables, want 2", n)
	}
}

// described is a table as a template describes it.
func described(in *dynamodb.CreateTableInput) object {
	o := object{"BillingMode": string(in.BillingMode), "KeySchema": keys(in.KeySchema)}
	var attributes, indexes []any
	for _, a := range in.AttributeDefinitions {
		attributes = append(attributes, object{"AttributeName": aws.ToString(a.AttributeName), "AttributeType": string(a.AttributeType)})
	}
	for _, i := range in.GlobalSecondaryIndexes {
		indexes = append(indexes, object{
			"IndexName": aws.ToString(i.IndexName), "KeySchema": keys(i.KeySchema),
			"Projection": object{"ProjectionType": string(i.Projection.ProjectionType)},
		})
	}
	o["AttributeDefinitions"] = attributes
	if indexes != nil {
		o["GlobalSecondaryIndexes"] = indexes
	}
	return o
}

func keys(schema []types.KeySchemaElement) []any {
	var all []any
	for _, k := range schema {
		all = append(all, object{"AttributeName": aws.ToString(k.AttributeName), "KeyType": string(k.KeyType)})
	}
	return all
}

func TestTablesAreEncryptedAndCanBeRestored(t *testing.T) {
	s := load(t)
	for _, name := range s.of("AWS::DynamoDB::Table") {
		if in(s.properties(name), "PointInTimeRecoverySpecification", "PointInTimeRecoveryEnabled") != true {
			t.Errorf("%s cannot be restored", name)
		}
		if in(s.properties(name), "SSESpecification", "SSEEnabled") != true {
			t.Errorf("%s is not encrypted with the account's key", name)
		}
	}
}

// Who was rung, and what was said, must survive a stack that is deleted or
// replaced.
func TestEvidenceOutlivesTheStack(t *testing.T) {
	s := load(t)
	for _, name := range []string{"CallsTable", "AudioBucket"} {
		if s.Resources[name]["DeletionPolicy"] != "RetainExceptOnCreate" || s.Resources[name]["UpdateReplacePolicy"] != "Retain" {
			t.Errorf("%s goes with the stack", name)
		}
	}
}

func TestBucketIsPrivate(t *testing.T) {
	s := load(t)
	b := s.properties("AudioBucket")
	for _, block := range []string{"BlockPublicAcls", "BlockPublicPolicy", "IgnorePublicAcls", "RestrictPublicBuckets"} {
		if in(b, "PublicAccessBlockConfiguration", block) != true {
			t.Errorf("%s is off", block)
		}
	}
	encryption := each(in(b, "BucketEncryption", "ServerSideEncryptionConfiguration"))
	if len(encryption) != 1 || in(encryption[0], "ServerSideEncryptionByDefault", "SSEAlgorithm") == nil {
		t.Errorf("the bucket is encrypted by %v", encryption)
	}
	rules := each(in(b, "LifecycleConfiguration", "Rules"))
	if len(rules) != 1 || in(rules[0], "Status") != "Enabled" || in(rules[0], "ExpirationInDays") != 90 {
		t.Errorf("objects go by %v", rules)
	}
	all := []any{object{"Fn::GetAtt": []any{"AudioBucket", "Arn"}}, object{"Fn::Sub": "${AudioBucket.Arn}/*"}}
	if p := s.properties("AudioBucketPolicy"); target(p["Bucket"]) != "AudioBucket" || !deniesPlain(p, "s3:*", all) {
		t.Error("the bucket can be used without TLS")
	}
}
