//go:build integration

package sqs

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"os"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"
	"github.com/google/go-cmp/cmp"

	"callagent/core/agent"
	"callagent/core/agent/queuetest"
)

const (
	visibility = 5 * time.Second
	// late is how much later than due the emulator shows a message: it looks
	// once a second.
	late = 1300 * time.Millisecond
)

// emulator is a client of the server that AWS_ENDPOINT_URL names.
func emulator(t *testing.T) *sqs.Client {
	t.Helper()
	if os.Getenv("AWS_ENDPOINT_URL") == "" {
		t.Fatal("set AWS_ENDPOINT_URL to the emulator's address, or run: make integration")
	}
	c, err := config.LoadDefaultConfig(t.Context(), config.WithRegion("us-east-1"),
		config.WithCredentialsProvider(credentials.NewStaticCredentialsProvider("test", "test", "")))
	if err != nil {
		t.Fatal(err)
	}
	return sqs.NewFromConfig(c)
}

// create makes a queue for one test.
func create(t *testing.T, client *sqs.Client, attributes map[string]string) (url string) {
	t.Helper()
	out, err := client.CreateQueue(t.Context(), &sqs.CreateQueueInput{
		QueueName: aws.String(fmt.Sprintf("test-%x", rand.Uint64())), Attributes: attributes,
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if _, err := client.DeleteQueue(context.Background(), &sqs.DeleteQueueInput{QueueUrl: out.QueueUrl}); err != nil {
			t.Error(err)
		}
	})
	return aws.ToString(out.QueueUrl)
}

// open makes a queue with dead letters, to which SQS moves what has been
// received so often.
func open(t *testing.T, client *sqs.Client, hidden time.Duration, receives int) *Queue {
	t.Helper()
	dead := create(t, client, nil)
	about, err := client.GetQueueAttributes(t.Context(), &sqs.GetQueueAttributesInput{
		QueueUrl: aws.String(dead), AttributeNames: []types.QueueAttributeName{types.QueueAttributeNameQueueArn},
	})
	if err != nil {
		t.Fatal(err)
	}
	return New(client, Config{DeadLettersURL: dead, URL: create(t, client, map[string]string{
		"VisibilityTimeout": fmt.Sprint(hidden.Seconds()),
		"RedrivePolicy":     fmt.Sprintf(`{"deadLetterTargetArn":%q,"maxReceiveCount":%d}`, about.Attributes["QueueArn"], receives),
	})})
}

func TestQueue(t *testing.T) {
	client := emulator(t)
	queuetest.Run(t, func(t *testing.T) queuetest.Harness {
		t.Parallel()
		hidden := visibility
		if strings.Contains(t.Name(), "/many_messages") || strings.Contains(t.Name(), "/no_message") {
			hidden = time.Hour // they receive hundreds, for which a busy machine needs its time
		}
		q := open(t, client, hidden, 1000)
		return queuetest.Harness{
			Queue: q, Now: time.Now, Visibility: hidden, Advance: advance,
			Buried:    func(t *testing.T) []queuetest.Buried { return buriedIn(t, q) },
			Unordered: true, Unselective: true, Unfenced: true,
		}
	})
}

// advance waits until the emulator knows that the time has passed. One check
// looks a second before a message is due, and must not wait for more than that.
func advance(d time.Duration) {
	if d != visibility-time.Second {
		d += late
	}
	time.Sleep(d)
}

func buriedIn(t *testing.T, q *Queue) (buried []queuetest.Buried) {
	t.Helper()
	for _, l := range letters(t, q) {
		buried = append(buried, queuetest.Buried{Body: string(l.Body), Reason: l.Reason})
	}
	return buried
}

func letters(t *testing.T, q *Queue) []agent.DeadLetter {
	t.Helper()
	all, err := q.DeadLetters(t.Context(), 100)
	if err != nil {
		t.Fatal(err)
	}
	return all
}

func send(t *testing.T, q *Queue, bodies ...string) {
	t.Helper()
	for _, body := range bodies {
		if err := q.Send(t.Context(), 0, []byte(body)); err != nil {
			t.Fatal(err)
		}
	}
}

func receive(t *testing.T, q *Queue) []agent.Message {
	t.Helper()
	messages, err := q.Receive(t.Context(), 100, nil)
	if err != nil {
		t.Fatal(err)
	}
	return messages
}

// moved makes a queue that received each of the bodies until SQS moved it to
// the dead letters.
func moved(t *testing.T, bodies ...string) *Queue {
	t.Helper()
	q := open(t, emulator(t), time.Second, 1)
	send(t, q, bodies...)
	for deadline := time.Now().Add(15 * time.Second); ; time.Sleep(200 * time.Millisecond) {
		receive(t, q)
		if d, err := q.dead.Depth(t.Context()); err != nil || d.Visible == len(bodies) {
			return q
		} else if time.Now().After(deadline) {
			t.Fatalf("the dead letters are %+v, %v", d, err)
		}
	}
}

func TestOnlyMovedLettersGoBack(t *testing.T) {
	t.Parallel()
	q := moved(t, "moved")
	if err := q.Bury(t.Context(), Delivered("none", "buried", nil, time.Now()).ID, "it is no contact"); !errors.Is(err, ErrLapsed) {
		t.Fatalf("a handle that is none: %v", err)
	}
	before := letters(t, q)
	if len(before) != 2 || len(letters(t, q)) != 2 {
		t.Fatalf("the dead letters are %+v", before)
	}
	for _, l := range before {
		if age := time.Since(l.At); age < 0 || age > time.Minute || (l.Reason == "") != (string(l.Body) == "moved") {
			t.Errorf("%q: at %v, reason %q", l.Body, l.At, l.Reason)
		}
	}
	err := q.EachDeadLetter(t.Context(), 100, func(l agent.DeadLetter) (Fate, error) {
		if l.Reason == "" {
			return Return, nil
		}
		return Leave, nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if got := receive(t, q); len(got) != 1 || string(got[0].Body) != "moved" || got[0].Receives != 1 {
		t.Errorf("the queue has %+v", got)
	}
	if d := cmp.Diff([]queuetest.Buried{{Body: "buried", Reason: "it is no contact"}}, buriedIn(t, q)); d != "" {
		t.Errorf("dead letters (-want +got):\n%s", d)
	}
}

func TestAFailedLookHidesNoLetter(t *testing.T) {
	t.Parallel()
	bodies := []string{"a", "b", "c", "d"}
	q := moved(t, bodies...)
	seen, stop := 0, errors.New("the ledger is silent")
	err := q.EachDeadLetter(t.Context(), 100, func(agent.DeadLetter) (Fate, error) {
		if seen++; seen == 2 {
			return Return, stop
		}
		return Leave, nil
	})
	if !errors.Is(err, stop) || seen != 2 {
		t.Errorf("%d letters were shown, error %v", seen, err)
	}
	if got := letters(t, q); len(got) != len(bodies) {
		t.Errorf("%d letters can be received, want %d", len(got), len(bodies))
	}
}

// counting counts requests.
type counting struct {
	*awshttp.BuildableClient
	requests atomic.Int64
}

func (c *counting) Do(r *http.Request) (*http.Response, error) {
	c.requests.Add(1)
	return c.BuildableClient.Do(r)
}

func TestSendLaterNeedsOneRequestForTen(t *testing.T) {
	t.Parallel()
	client := emulator(t)
	counter := &counting{BuildableClient: awshttp.NewBuildableClient()}
	s := NewSender(sqs.New(client.Options(), func(o *sqs.Options) { o.HTTPClient = counter }), create(t, client, nil))
	var delays []time.Duration
	for i := range 24 {
		delays = append(delays, time.Duration(i+1)*5*time.Second)
	}
	if err := s.SendLater(t.Context(), []byte("tick"), delays...); err != nil {
		t.Fatal(err)
	}
	if n := counter.requests.Load(); n != 3 {
		t.Errorf("%d requests, want 3", n)
	}
	if got, err := s.Depth(t.Context()); err != nil || got != (Depth{Delayed: 24}) {
		t.Errorf("%+v, %v; want 24 delayed", got, err)
	}
}

func TestLargeMessages(t *testing.T) {
	t.Parallel()
	q := open(t, emulator(t), visibility, 1000)
	var bodies [][]byte
	want := map[string]int{}
	for _, size := range []int{MaxBytes, 1, 600_000, 300_000, 200_000, MaxBytes - 1, 2} {
		body := strings.Repeat("x", size)
		bodies, want[body] = append(bodies, []byte(body)), 1
	}
	if err := q.Send(t.Context(), 0, bodies...); err != nil {
		t.Fatal(err)
	}
	for _, m := range receive(t, q) {
		want[string(m.Body)]--
		if err := q.Bury(t.Context(), m.ID, "it is no contact"); err != nil {
			t.Error(err)
		}
	}
	for body, missing := range want {
		if missing != 0 {
			t.Errorf("%d messages of %d bytes are missing", missing, len(body))
		}
	}
	if got := letters(t, q); len(got) != len(bodies) {
		t.Errorf("%d dead letters, want %d", len(got), len(bodies))
	}
}

func TestADeliveryThatIsOver(t *testing.T) {
	t.Parallel()
	q := open(t, emulator(t), visibility, 1000)
	send(t, q, "ada")
	m := receive(t, q)[0]
	if err := q.Done(t.Context(), m.ID); err != nil {
		t.Fatal(err)
	}
	err := q.Again(t.Context(), m.ID, time.Now().Add(time.Second))
	if !errors.Is(err, ErrLapsed) || err.Error() != "sqs: the delivery of this message is over" {
		t.Errorf("error is %v", err)
	}
	if err := q.Done(t.Context(), Delivered("no handle", "", nil, time.Now()).ID); !errors.Is(err, ErrLapsed) {
		t.Errorf("error is %v", err)
	}
}

func TestAQueueThatIsNotThere(t *testing.T) {
	t.Parallel()
	client := emulator(t)
	s := NewSender(client, create(t, client, nil)+"-gone")
	err := s.Send(t.Context(), 0, []byte("a"), []byte("b"))
	none, ok := errors.AsType[*types.QueueDoesNotExist](err)
	failed, listed := errors.AsType[*SendError](err)
	if !ok || !listed || none.ErrorCode() == "" || !slices.Equal(failed.Unsent, []int{0, 1}) {
		t.Errorf("error is %v", err)
	}
	if _, err := s.Depth(t.Context()); err == nil {
		t.Error("it has a depth")
	}
}
