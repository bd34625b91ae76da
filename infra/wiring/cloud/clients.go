package cloud

import (
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	awss3 "github.com/aws/aws-sdk-go-v2/service/s3"
	awssqs "github.com/aws/aws-sdk-go-v2/service/sqs"
	awsssm "github.com/aws/aws-sdk-go-v2/service/ssm"

	"callagent/infra/s3"
)

// clients are the AWS clients of a process.
type clients struct {
	dynamo *dynamodb.Client
	sqs    *awssqs.Client
	s3     *awss3.Client
	ssm    *awsssm.Client
}

// silence is how long DynamoDB may take to answer: much longer than it ever
// does when it does.
const silence = 5 * time.Second

// connect makes the clients. It does no I/O.
func connect(c aws.Config) clients {
	return clients{
		dynamo: dynamodb.NewFromConfig(c, func(o *dynamodb.Options) { o.HTTPClient = awshttp.NewBuildableClient().WithTimeout(silence) }),
		sqs:    awssqs.NewFromConfig(c),
		s3:     s3.NewClient(c),
		ssm:    awsssm.NewFromConfig(c),
	}
}

// inFunction is the configuration that Lambda gives a function: region and
// credentials in the environment. The SDK's own search for credentials would
// bring five more services into every function.
func inFunction(env func(string) (string, bool)) aws.Config {
	get := func(name string) string { v, _ := env(name); return v }
	c := aws.Config{
		Region:      get("AWS_REGION"),
		Credentials: aws.NewCredentialsCache(credentials.NewStaticCredentialsProvider(get("AWS_ACCESS_KEY_ID"), get("AWS_SECRET_ACCESS_KEY"), get("AWS_SESSION_TOKEN"))),
	}
	if endpoint := get("AWS_ENDPOINT_URL"); endpoint != "" {
		c.BaseEndpoint = &endpoint
	}
	return c
}
