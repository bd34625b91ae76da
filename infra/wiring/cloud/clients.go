package cloud

import (
	"context"
	"time"

	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	awss3 "github.com/aws/aws-sdk-go-v2/service/s3"
	awssqs "github.com/aws/aws-sdk-go-v2/service/sqs"
	awsssm "github.com/aws/aws-sdk-go-v2/service/ssm"

	"callagent/infra/s3"
	"callagent/infra/settings"
)

// clients are the AWS clients of a process.
type clients struct {
	dynamo *dynamodb.Client
	sqs    *awssqs.Client
	s3     *awss3.Client
	ssm    *awsssm.Client
}

// connectTimeout bounds the reading of the SDK's own settings.
const connectTimeout = 10 * time.Second

// silence is how long DynamoDB may take to answer: much longer than it ever
// does when it does.
const silence = 5 * time.Second

// connect makes them from the environment that the SDK knows: region,
// credentials, AWS_ENDPOINT_URL.
func connect() (clients, error) {
	ctx, cancel := context.WithTimeout(context.Background(), connectTimeout)
	defer cancel()
	c, err := config.LoadDefaultConfig(ctx)
	if err != nil {
		return clients{}, err
	}
	return clients{
		dynamo: dynamodb.NewFromConfig(c, func(o *dynamodb.Options) { o.HTTPClient = awshttp.NewBuildableClient().WithTimeout(silence) }),
		sqs:    awssqs.NewFromConfig(c),
		s3: awss3.NewFromConfig(c, func(o *awss3.Options) {
			o.UsePathStyle = o.BaseEndpoint != nil // an emulator has one host name
		}),
		ssm: awsssm.NewFromConfig(c),
	}, nil
}

// readSettings reads callagent.toml from S3.
func (c clients) readSettings(ctx context.Context, object string) (settings.Layer, error) {
	data, err := s3.ReadObject(ctx, c.s3, object)
	if err != nil {
		return settings.Layer{}, err
	}
	return settings.ParseLayer(object, data)
}
