//go:build integration

package cloud

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha1"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	awss3 "github.com/aws/aws-sdk-go-v2/service/s3"
	awssqs "github.com/aws/aws-sdk-go-v2/service/sqs"
	awstypes "github.com/aws/aws-sdk-go-v2/service/sqs/types"
	awsssm "github.com/aws/aws-sdk-go-v2/service/ssm"
	ssmtypes "github.com/aws/aws-sdk-go-v2/service/ssm/types"

	"callagent/core/agent"
	"callagent/core/journal"
	"callagent/infra/dynamo"
	"callagent/infra/wiring"
	"callagent/localstack/simulator"
)

// stack is the tables, queues, bucket and secrets of one test in the emulator,
// with simulated providers.
type stack struct {
	t       *testing.T
	name    string
	clients clients
	sim     *simulator.Simulator
	env     map[string]string
	log     *output
}

// output collects what a process prints.
type output struct {
	mu sync.Mutex
	bytes.Buffer
}

func (o *output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.Buffer.Write(p)
}

// text is everything that was printed.
func (o *output) text() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.String()
}

// entries reads the journal entries that were printed; metrics are left out.
func (o *output) entries(t *testing.T) []journal.Entry {
	t.Helper()
	var all []journal.Entry
	for line := range strings.Lines(o.text()) {
		var e journal.Entry
		if err := json.Unmarshal([]byte(line), &e); err != nil {
			t.Fatalf("a line of the log is no JSON: %s", line)
		}
		if e.Event != "" {
			all = append(all, e)
		}
	}
	return all
}

// isSecret reports whether a variable is an SSM parameter in the cloud.
func isSecret(name string) bool {
	for _, end := range []string{"_KEY", "_TOKEN", "_SECRET", "SMTP_URL", "WEBHOOK_URL"} {
		if strings.HasSuffix(name, end) {
			return true
		}
	}
	return false
}

// newStack makes everything anew, with calls that are over at once.
func newStack(t *testing.T) *stack {
	t.Helper()
	return newStackWith(t, simulator.Config{Ring: 50 * time.Millisecond, Talk: 50 * time.Millisecond})
}

// newStackWith is newStack with other providers.
func newStackWith(t *testing.T, providers simulator.Config) *stack {
	t.Helper()
	if os.Getenv("AWS_ENDPOINT_URL") == "" {
		t.Fatal("AWS_ENDPOINT_URL is not set: run make integration")
	}
	c := connect(inFunction(os.LookupEnv))
	s := &stack{t: t, name: "test-" + wiring.NewID()[:12], clients: c, log: &output{}, env: map[string]string{}}
	var err error
	if s.sim, err = simulator.Start(providers); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.sim.Close)
	s.env["SECRETS_PATH"] = "/" + s.name
	for _, name := range []string{"AWS_ENDPOINT_URL", "AWS_REGION", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"} {
		s.env[name] = os.Getenv(name)
	}
	for _, pair := range s.sim.Env() {
		name, value, _ := strings.Cut(pair, "=")
		if name == "GOOGLE_APPLICATION_CREDENTIALS" { // in the cloud the key itself
			key, err := os.ReadFile(value)
			s.must(key, err)
			s.secret(name, string(key))
		} else if isSecret(name) {
			s.secret(name, value)
		} else {
			s.env[name] = value
		}
	}
	s.queue("CONTACTS_DEAD_LETTERS_URL", "60")
	s.queue("CONTACTS_QUEUE_URL", "60")
	s.queue("TICKS_QUEUE_URL", "60")
	s.queue("ALERTS_QUEUE_URL", "60")
	s.queue("JOURNAL_QUEUE_URL", "60")
	s.env["CALLS_TABLE"], s.env["CIRCUITS_TABLE"] = s.name+"-calls", s.name+"-circuits"
	s.must(c.dynamo.CreateTable(t.Context(), dynamo.CallsTable(s.env["CALLS_TABLE"])))
	s.must(c.dynamo.CreateTable(t.Context(), dynamo.CircuitsTable(s.env["CIRCUITS_TABLE"])))
	s.env["AUDIO_BUCKET"] = s.name
	s.must(c.s3.CreateBucket(t.Context(), &awss3.CreateBucketInput{Bucket: &s.name}))
	s.settings(`[campaign.default]
call_window = "00:00-24:00"
`)
	return s
}

// must fails the test when a step of it does.
func (s *stack) must(_ any, err error) {
	s.t.Helper()
	if err != nil {
		s.t.Fatal(err)
	}
}

func (s *stack) secret(name, value string) {
	s.must(s.clients.ssm.PutParameter(s.t.Context(), &awsssm.PutParameterInput{
		Name: aws.String("/" + s.name + "/" + name), Value: &value, Type: ssmtypes.ParameterTypeSecureString, Overwrite: aws.Bool(true),
	}))
}

func (s *stack) queue(variable, visibility string) {
	s.t.Helper()
	out, err := s.clients.sqs.CreateQueue(s.t.Context(), &awssqs.CreateQueueInput{
		QueueName: aws.String(s.name + "-" + strings.ToLower(strings.TrimSuffix(variable, "_QUEUE_URL"))), Attributes: map[string]string{"VisibilityTimeout": visibility},
	})
	s.must(out, err)
	s.env[variable] = *out.QueueUrl
}

// settings makes the settings object.
func (s *stack) settings(toml string) {
	s.must(s.clients.s3.PutObject(s.t.Context(), &awss3.PutObjectInput{Bucket: &s.name, Key: aws.String("callagent.toml"), Body: strings.NewReader(toml)}))
	s.env["SETTINGS_OBJECT"] = "s3://" + s.name + "/callagent.toml"
}

// process starts a process of a function.
func (s *stack) process(function string) *Process {
	return start(function, func(name string) (string, bool) { v, ok := s.env[name]; return v, ok }, s.log)
}

// callbacks serves a process of the callback function on loopback, as a
// function URL would, and counts its runs. Reports are so late.
func (s *stack) callbacks(p *Process, late time.Duration) *atomic.Int64 {
	var runs atomic.Int64
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if err := r.ParseForm(); err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		runs.Add(1)
		time.Sleep(late)
		refused := p.Callback(r.Context(), wiring.Callback{
			URL: s.env["PUBLIC_URL"] + r.URL.RequestURI(), Form: r.PostForm, Signature: r.Header.Get("X-Twilio-Signature"),
		})
		if refused != nil {
			http.Error(w, refused.Reason, refused.Status)
		}
	}))
	s.t.Cleanup(server.Close)
	s.env["PUBLIC_URL"] = server.URL
	return &runs
}

// messages receives from a queue as Lambda does, at most ten.
func (s *stack) messages(variable string) ([]agent.Message, []awstypes.Message) {
	s.t.Helper()
	out, err := s.clients.sqs.ReceiveMessage(s.t.Context(), &awssqs.ReceiveMessageInput{
		QueueUrl: aws.String(s.env[variable]), MaxNumberOfMessages: 10, WaitTimeSeconds: 1, // without it a busy queue may look empty
		MessageSystemAttributeNames: []awstypes.MessageSystemAttributeName{awstypes.MessageSystemAttributeNameAll},
		MessageAttributeNames:       []string{"All"},
	})
	s.must(out, err)
	var messages []agent.Message
	for _, m := range out.Messages {
		messages = append(messages, Received(*m.ReceiptHandle, *m.Body, m.Attributes, time.Now()))
	}
	return messages, out.Messages
}

// pump feeds what is on a queue to a function until nothing is due, and says
// how many messages there were. What the function is done with is removed.
func (s *stack) pump(variable string, work func(context.Context, []agent.Message) []bool) int {
	s.t.Helper()
	total := 0
	for {
		messages, raw := s.messages(variable)
		if len(messages) == 0 {
			return total
		}
		total += len(messages)
		for i, again := range work(s.t.Context(), messages) {
			if !again {
				s.must(s.clients.sqs.DeleteMessage(s.t.Context(), &awssqs.DeleteMessageInput{QueueUrl: aws.String(s.env[variable]), ReceiptHandle: raw[i].ReceiptHandle}))
			}
		}
	}
}

// send puts bodies on the contacts queue.
func (s *stack) send(bodies ...string) {
	s.t.Helper()
	for _, body := range bodies {
		s.must(s.clients.sqs.SendMessage(s.t.Context(), &awssqs.SendMessageInput{QueueUrl: aws.String(s.env["CONTACTS_QUEUE_URL"]), MessageBody: &body}))
	}
}

// contactID is the id of a contact.
func contactID(n int) string { return fmt.Sprintf("c-%03d", n) }

func contactBody(n int) string {
	return fmt.Sprintf(`{"campaign":"default","contact_id":"c-%03d","phone":"+1500555%04d","name":"Ada"}`, n, 100+n)
}

// dropCalls removes the calls table.
func (s *stack) dropCalls() {
	s.must(s.clients.dynamo.DeleteTable(s.t.Context(), &dynamodb.DeleteTableInput{TableName: aws.String(s.env["CALLS_TABLE"])}))
}

// sign signs a form post as Twilio does.
func sign(token, target string, form url.Values) string {
	mac := hmac.New(sha1.New, []byte(token))
	mac.Write([]byte(target))
	for _, name := range slices.Sorted(maps.Keys(form)) {
		mac.Write([]byte(name + form.Get(name)))
	}
	return base64.StdEncoding.EncodeToString(mac.Sum(nil))
}
