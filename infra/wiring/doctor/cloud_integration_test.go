//go:build integration

package doctor

import (
	"crypto/rand"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	awss3 "github.com/aws/aws-sdk-go-v2/service/s3"
	awssqs "github.com/aws/aws-sdk-go-v2/service/sqs"
	awsssm "github.com/aws/aws-sdk-go-v2/service/ssm"
	ssmtypes "github.com/aws/aws-sdk-go-v2/service/ssm/types"

	"callagent/infra/dynamo"
	"callagent/localstack/simulator"
)

// stack is a stack of its own in the emulator, as template.yaml deploys it.
type stack struct {
	t      *testing.T
	name   string
	env    map[string]string
	tables *dynamodb.Client
	queues *awssqs.Client
	s3     *awss3.Client
	ssm    *awsssm.Client
}

func newStack(t *testing.T) *stack {
	t.Helper()
	if os.Getenv("AWS_ENDPOINT_URL") == "" {
		t.Fatal("AWS_ENDPOINT_URL is not set: run make integration")
	}
	c, err := config.LoadDefaultConfig(t.Context())
	must(t, err)
	s := &stack{t: t, name: "doctor-" + strings.ToLower(rand.Text()[:10]), tables: dynamodb.NewFromConfig(c), queues: awssqs.NewFromConfig(c),
		s3: awss3.NewFromConfig(c, func(o *awss3.Options) { o.UsePathStyle = true }), ssm: awsssm.NewFromConfig(c)}
	s.env = map[string]string{"CALLS_TABLE": s.name + "-calls", "CIRCUITS_TABLE": s.name + "-circuits",
		"AUDIO_BUCKET": s.name + "-audio", "SECRETS_PATH": "/" + s.name}
	s.table(dynamo.CallsTable(s.env["CALLS_TABLE"]), true)
	s.table(dynamo.CircuitsTable(s.env["CIRCUITS_TABLE"]), true)
	_, err = s.s3.CreateBucket(t.Context(), &awss3.CreateBucketInput{Bucket: aws.String(s.env["AUDIO_BUCKET"])})
	must(t, err)
	for _, q := range queueTerms {
		dead := s.queue(q.check+" dead", map[string]string{"MessageRetentionPeriod": "1209600"})
		if q.variable == "CONTACTS_QUEUE_URL" {
			s.env["CONTACTS_DEAD_LETTERS_URL"] = dead
		}
		s.env[q.variable] = s.queue(q.check, map[string]string{
			"VisibilityTimeout":      fmt.Sprint(q.least.Visibility.Seconds()),
			"MessageRetentionPeriod": fmt.Sprint(int(q.least.Retention.Seconds())),
			"RedrivePolicy":          s.redriveTo(q.check+" dead", q.least.Receives),
		})
	}
	return s
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func (s *stack) table(in *dynamodb.CreateTableInput, expires bool) {
	s.t.Helper()
	_, err := s.tables.CreateTable(s.t.Context(), in)
	must(s.t, err)
	if expires {
		_, err = s.tables.UpdateTimeToLive(s.t.Context(), &dynamodb.UpdateTimeToLiveInput{TableName: in.TableName,
			TimeToLiveSpecification: &types.TimeToLiveSpecification{AttributeName: aws.String(dynamo.TTL), Enabled: aws.Bool(true)}})
		must(s.t, err)
	}
}

// queue makes a queue and gives its URL.
func (s *stack) queue(role string, attributes map[string]string) string {
	s.t.Helper()
	out, err := s.queues.CreateQueue(s.t.Context(), &awssqs.CreateQueueInput{QueueName: aws.String(s.queueName(role)), Attributes: attributes})
	must(s.t, err)
	return *out.QueueUrl
}

func (s *stack) queueName(role string) string {
	return s.name + "-" + strings.ReplaceAll(role, " ", "-")
}

func (s *stack) redriveTo(role string, receives int) string {
	return fmt.Sprintf(`{"deadLetterTargetArn":"arn:aws:sqs:us-east-1:000000000000:%s","maxReceiveCount":%d}`, s.queueName(role), receives)
}

// change changes the queue that a variable names.
func (s *stack) change(variable, attribute, value string) {
	s.t.Helper()
	_, err := s.queues.SetQueueAttributes(s.t.Context(), &awssqs.SetQueueAttributesInput{
		QueueUrl: aws.String(s.env[variable]), Attributes: map[string]string{attribute: value}})
	must(s.t, err)
}

func (s *stack) object(key, text string) {
	s.t.Helper()
	_, err := s.s3.PutObject(s.t.Context(), &awss3.PutObjectInput{Bucket: aws.String(s.env["AUDIO_BUCKET"]), Key: aws.String(key), Body: strings.NewReader(text)})
	must(s.t, err)
	s.env["SETTINGS_OBJECT"] = "s3://" + s.env["AUDIO_BUCKET"] + "/" + key
}

// examine gives the lines about AWS and what else is not all right. The key of
// the LLM is in SSM and nowhere else.
func (s *stack) examine() []string {
	s.t.Helper()
	sim, err := simulator.Start(simulator.Config{})
	must(s.t, err)
	defer sim.Close()
	env := map[string]string{}
	for _, line := range sim.Env() {
		name, value, _ := strings.Cut(line, "=")
		env[name] = value
	}
	s.secret("OPENAI_API_KEY", env["OPENAI_API_KEY"])
	delete(env, "OPENAI_API_KEY")
	maps.Copy(env, s.env)
	c := Read(s.t.Context(), lookup(env))
	maps.Copy(env, c.Values)
	var lines []string
	for _, f := range Examine(s.t.Context(), Options{Settings: load(s.t, env, `store = "aws"`), Cloud: c}) {
		if f.Service == amazon || f.Status != OK {
			lines = append(lines, fmt.Sprintf("%s %s: %s", f.Status, f.Check, strings.ReplaceAll(f.Meaning, s.name, "STACK")))
		}
	}
	return lines
}

func lookup(env map[string]string) func(string) (string, bool) {
	return func(name string) (string, bool) { v, ok := env[name]; return v, ok }
}

func (s *stack) secret(name, value string) {
	s.t.Helper()
	_, err := s.ssm.PutParameter(s.t.Context(), &awsssm.PutParameterInput{Name: aws.String(s.env["SECRETS_PATH"] + "/" + name), Value: aws.String(value),
		Type: ssmtypes.ParameterTypeSecureString, Overwrite: aws.Bool(true)})
	must(s.t, err)
}

func TestDeployedStackIsHealthy(t *testing.T) {
	s := newStack(t)
	s.object("callagent.toml", "workers = 2\n")
	got := s.examine()
	for _, line := range got {
		if !strings.HasPrefix(line, "ok ") {
			t.Error(line)
		}
	}
	if len(got) != 10 {
		t.Errorf("%d lines: %q", len(got), got)
	}
}

// Each stack has one mistake, and the doctor names it and nothing else.
func TestMistakesInTheStack(t *testing.T) {
	const gone = ": It does not exist in this account and region ("
	for _, c := range []struct {
		name  string
		spoil func(s *stack)
		want  []string // how the lines begin that are not all right
	}{
		{"no calls table", func(s *stack) { s.env["CALLS_TABLE"] = "nowhere" }, []string{"error calls table" + gone}},
		{"calls table not named", func(s *stack) { s.env["CALLS_TABLE"] = "" }, []string{"error calls table: CALLS_TABLE is not set."}},
		{"the tables taken for each other", func(s *stack) {
			s.env["CALLS_TABLE"], s.env["CIRCUITS_TABLE"] = s.env["CIRCUITS_TABLE"], s.env["CALLS_TABLE"]
		}, []string{
			"error calls table: STACK-circuits is not as callagent needs it: its key is not pk (S); it lacks the index due; it lacks the index parked.",
			"error circuits table: STACK-calls is not as callagent needs it: its key is not pk (S), sk (S).",
		}},
		{"items do not expire", func(s *stack) {
			s.env["CIRCUITS_TABLE"] = s.name + "-kept"
			s.table(dynamo.CircuitsTable(s.name+"-kept"), false)
		}, []string{"error circuits table: STACK-kept is not as callagent needs it: items do not expire by ttl."}},
		{"an index with another key, capacity bounded", func(s *stack) {
			s.env["CALLS_TABLE"] = s.name + "-index"
			s.table(otherIndex(s.name+"-index"), true)
		}, []string{"error calls table: STACK-index is not as callagent needs it: the key of the index due is not due_part (S), due (N); its capacity is bounded, not on demand."}},
		{"messages come back too early", func(s *stack) { s.change("CONTACTS_QUEUE_URL", "VisibilityTimeout", "30") },
			[]string{"error contacts queue: STACK-contacts-queue is not as callagent needs it: a message is hidden for 30s, not 12m0s."}},
		{"an outage spends the receives", func(s *stack) {
			s.change("ALERTS_QUEUE_URL", "RedrivePolicy", s.redriveTo("alerts queue dead", 5))
		}, []string{"error alerts queue: STACK-alerts-queue is not as callagent needs it: a message may come 5 times, not 1000."}},
		{"no dead-letter queue", func(s *stack) {
			s.env["TICKS_QUEUE_URL"] = s.queue("plain", map[string]string{"VisibilityTimeout": "720"})
		}, []string{"error ticks queue: STACK-plain is not as callagent needs it: it has no dead-letter queue."}},
		{"dead letters kept too short", func(s *stack) {
			s.env["short"] = s.queue("journal queue dead", nil)
			s.change("short", "MessageRetentionPeriod", "3600")
		}, []string{"error journal queue: STACK-journal-queue is not as callagent needs it: dead letters are kept for 1h0m0s, not 336h0m0s."}},
		{"dead letters go elsewhere", func(s *stack) { s.env["CONTACTS_DEAD_LETTERS_URL"] = s.queue("elsewhere", nil) },
			[]string{"error dead letters: STACK-elsewhere is not as callagent needs it: the dead letters of the contacts queue go to STACK-contacts-queue-dead."}},
		{"no contacts queue", func(s *stack) { s.env["CONTACTS_QUEUE_URL"] += "-gone" }, []string{"error contacts queue" + gone}},
		{"no bucket", func(s *stack) { s.env["AUDIO_BUCKET"] = s.name + "-none" }, []string{"error audio bucket" + gone}},
		{"settings that are none", func(s *stack) { s.object("callagent.toml", "workers = ") },
			[]string{"error settings: s3://STACK-audio/callagent.toml cannot be used: "}},
		{"no settings object", func(s *stack) { s.env["SETTINGS_OBJECT"] = "s3://" + s.env["AUDIO_BUCKET"] + "/none.toml" }, []string{"error settings" + gone}},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := newStack(t)
			c.spoil(s)
			wrong := slices.DeleteFunc(s.examine(), func(line string) bool { return strings.HasPrefix(line, "ok ") })
			if !slices.EqualFunc(wrong, c.want, strings.HasPrefix) {
				t.Errorf("not all right:\n%s\nwant\n%s", strings.Join(wrong, "\n"), strings.Join(c.want, "\n"))
			}
		})
	}
}

// otherIndex is the calls table with one key for both indexes and a bounded
// capacity.
func otherIndex(name string) *dynamodb.CreateTableInput {
	in := dynamo.CallsTable(name)
	in.GlobalSecondaryIndexes[0].KeySchema = in.GlobalSecondaryIndexes[1].KeySchema
	in.AttributeDefinitions = slices.Concat(in.AttributeDefinitions[:1], in.AttributeDefinitions[3:])
	in.BillingMode = types.BillingModeProvisioned
	in.ProvisionedThroughput = &types.ProvisionedThroughput{ReadCapacityUnits: aws.Int64(5), WriteCapacityUnits: aws.Int64(5)}
	for i := range in.GlobalSecondaryIndexes {
		in.GlobalSecondaryIndexes[i].ProvisionedThroughput = in.ProvisionedThroughput
	}
	return in
}

// Without parameters below the path, and without a path.
func TestSecretsOfTheStack(t *testing.T) {
	s := newStack(t)
	if c := Read(t.Context(), lookup(s.env)); c.secrets.result != missing {
		t.Errorf("without parameters: %v", c.secrets)
	}
	delete(s.env, "SECRETS_PATH")
	if c := Read(t.Context(), lookup(s.env)); c.secrets.result != off || len(c.Values) > 0 {
		t.Errorf("without a path: %v", c.secrets)
	}
}

// Nobody listens at the endpoint; and there are no credentials.
func TestAWSOutOfReach(t *testing.T) {
	path := lookup(map[string]string{"SECRETS_PATH": "/x"})
	t.Setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:"+closedPort(t))
	t.Setenv("AWS_MAX_ATTEMPTS", "1")
	t.Setenv("AWS_ACCESS_KEY_ID", "test")
	t.Setenv("AWS_SECRET_ACCESS_KEY", "test")
	if c := Read(t.Context(), path); c.secrets.result != unreachable {
		t.Errorf("nobody listens: %v", c.secrets)
	}
	for _, name := range []string{"AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_PROFILE"} {
		t.Setenv(name, "")
	}
	t.Setenv("AWS_EC2_METADATA_DISABLED", "true")
	t.Setenv("AWS_SHARED_CREDENTIALS_FILE", os.DevNull)
	t.Setenv("AWS_CONFIG_FILE", os.DevNull)
	if c := Read(t.Context(), path); c.secrets.result != key {
		t.Errorf("no credentials: %v", c.secrets)
	}
}
