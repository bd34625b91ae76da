package main

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/ssm"
	ssmtypes "github.com/aws/aws-sdk-go-v2/service/ssm/types"

	"callagent/core/call"
	"callagent/infra/dynamo"
	"callagent/localstack/simulator"
)

// What the events of the functions speak of.
const (
	token  = "0123456789abcdef0123456789abcdef" // signed the callback
	public = "https://abcdefghijklmnopqrstuvwxyz0123.lambda-url.us-east-1.on.aws"
)

// open lets calls be made at any time of the day.
const open = "[campaign.default]\ncall_window = \"00:00-24:00\"\n"

// stack is what the functions run on: queues, bucket and secrets in the
// emulator, tables that are made anew for every start, and the simulator.
type stack struct {
	name     string
	sim      *simulator.Simulator
	network  recorder
	env      map[string]string // of the functions
	calls    *dynamo.Calls     // of this start
	dynamodb *dynamodb.Client
	sqs      *sqs.Client
	s3       *s3.Client
	ssm      *ssm.Client
}

// newStack makes everything but the tables.
func newStack() (*stack, error) {
	endpoint := os.Getenv("AWS_ENDPOINT_URL")
	if endpoint == "" {
		return nil, errors.New("AWS_ENDPOINT_URL is not set: run make bench-startup")
	}
	c := aws.Config{Region: "us-east-1", BaseEndpoint: &endpoint, Credentials: credentials.NewStaticCredentialsProvider("test", "test", "")}
	s := &stack{
		name:     fmt.Sprintf("startup-%d", time.Now().UnixMilli()),
		dynamodb: dynamodb.NewFromConfig(c), sqs: sqs.NewFromConfig(c), ssm: ssm.NewFromConfig(c),
		s3: s3.NewFromConfig(c, func(o *s3.Options) { o.UsePathStyle = true }),
	}
	s.env = map[string]string{
		"AWS_ENDPOINT_URL": endpoint, "AWS_REGION": c.Region, "AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test",
		"SECRETS_PATH": "/" + s.name, "AUDIO_BUCKET": s.name, "SETTINGS_OBJECT": "s3://" + s.name + "/callagent.toml", "PUBLIC_URL": public,
	}
	var err error
	s.sim, err = simulator.Start(simulator.Config{
		Keys: simulator.Keys{TwilioToken: token},
		Ring: time.Hour, NoCallbacks: true, // nothing happens by itself
	})
	if err != nil {
		return nil, err
	}
	if err := errors.Join(s.providers(), s.queues(), s.bucket(), s.lead()); err != nil {
		s.close()
		return nil, err
	}
	return s, nil
}

// close ends what this process runs. The emulator keeps the rest.
func (s *stack) close() {
	s.network.close()
	s.sim.Close()
}

// providers makes secrets and environment lead to the simulator. The service
// account's key stays as it is: the address for tokens is part of what is signed.
func (s *stack) providers() error {
	for _, pair := range s.sim.Env() {
		name, value, _ := strings.Cut(pair, "=")
		value, err := s.network.through(value)
		switch {
		case err != nil:
		case secret(name):
			err = s.keep(name, value)
		default:
			s.env[name] = value
		}
		if err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
	}
	return nil
}

// secret reports whether a variable is an SSM parameter.
func secret(name string) bool {
	for _, end := range []string{"_KEY", "_TOKEN", "_SECRET", "SMTP_URL", "WEBHOOK_URL"} {
		if strings.HasSuffix(name, end) {
			return true
		}
	}
	return false
}

func (s *stack) keep(name, value string) error {
	_, err := s.ssm.PutParameter(context.Background(), &ssm.PutParameterInput{
		Name: aws.String("/" + s.name + "/" + name), Value: &value, Type: ssmtypes.ParameterTypeSecureString,
	})
	return err
}

// queues makes the queues of template.yaml.
func (s *stack) queues() error {
	for _, variable := range []string{"CONTACTS_QUEUE_URL", "CONTACTS_DEAD_LETTERS_URL", "TICKS_QUEUE_URL", "ALERTS_QUEUE_URL", "JOURNAL_QUEUE_URL"} {
		name := s.name + "-" + strings.ToLower(strings.TrimSuffix(variable, "_URL"))
		out, err := s.sqs.CreateQueue(context.Background(), &sqs.CreateQueueInput{QueueName: &name})
		if err != nil {
			return err
		}
		s.env[variable] = *out.QueueUrl
	}
	return nil
}

// bucket makes the bucket with the settings.
func (s *stack) bucket() error {
	if _, err := s.s3.CreateBucket(context.Background(), &s3.CreateBucketInput{Bucket: &s.name}); err != nil {
		return err
	}
	_, err := s.s3.PutObject(context.Background(), &s3.PutObjectInput{Bucket: &s.name, Key: aws.String("callagent.toml"), Body: strings.NewReader(open)})
	return err
}

// lead makes the way to AWS lead through the recorder.
func (s *stack) lead() (err error) {
	s.env["AWS_ENDPOINT_URL"], err = s.network.through(s.env["AWS_ENDPOINT_URL"])
	return err
}

// tables makes new tables, and gives what removes them.
func (s *stack) tables() (remove func(), err error) {
	at := fmt.Sprintf("%s-%d", s.name, time.Now().UnixMilli())
	calls, circuits := dynamo.CallsTable(at+"-calls"), dynamo.CircuitsTable(at+"-circuits")
	for _, t := range []*dynamodb.CreateTableInput{calls, circuits} {
		if _, err := s.dynamodb.CreateTable(context.Background(), t); err != nil {
			return nil, err
		}
	}
	s.env["CALLS_TABLE"], s.env["CIRCUITS_TABLE"] = *calls.TableName, *circuits.TableName
	s.calls = dynamo.NewCalls(s.dynamodb, *calls.TableName, time.Now)
	return func() {
		for _, t := range []*dynamodb.CreateTableInput{calls, circuits} {
			_, _ = s.dynamodb.DeleteTable(context.Background(), &dynamodb.DeleteTableInput{TableName: t.TableName}) // the emulator forgets them anyway
		}
	}, nil
}

// dial puts the call into the ledger that the callback speaks of.
func (s *stack) dial() error {
	contact, err := call.Decode([]byte(`{"campaign":"default","contact_id":"c-001","phone":"+15005550101"}`))
	if err != nil {
		return err
	}
	now := time.Now().UTC()
	c := call.Call{Key: contact.Key(), Contact: contact, Number: "n", CreatedAt: now, State: call.Running}
	c = c.Intends("k4hq7xw2", "+15005550006", now).Placed("CA"+strings.Repeat("a1", 16), now)
	return s.calls.Put(context.Background(), call.Write{Call: c})
}

// environment is what a function finds, and how it reaches its Runtime API.
func (s *stack) environment(p *program, api string) []string {
	env := maps.Clone(s.env)
	maps.Copy(env, map[string]string{
		"AWS_LAMBDA_RUNTIME_API": api, "_HANDLER": "bootstrap", "AWS_LAMBDA_FUNCTION_NAME": p.name,
		"AWS_LAMBDA_FUNCTION_VERSION": "$LATEST", "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "256", "AWS_LAMBDA_INITIALIZATION_TYPE": "on-demand",
	})
	var pairs []string
	for name, value := range env {
		pairs = append(pairs, name+"="+value)
	}
	return pairs
}
