package sqs

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"
	"github.com/aws/smithy-go"

	"callagent/core/agent"
)

// longestHidden is for how long after its receipt a message may stay hidden at
// most. SQS allows 12 h; Lambda may have held a message for some minutes before
// anybody here saw it.
const longestHidden = 12*time.Hour - 10*time.Minute

// ErrLapsed: the delivery is over, because the message's visibility time has
// run out or the message is gone. Nothing was changed.
var ErrLapsed = errors.New("the delivery of this message is over")

// Config says which queues there are.
type Config struct {
	URL            string // of the queue
	DeadLettersURL string // of its dead letters
	// Now is the clock; nil is time.Now.
	Now func() time.Time
}

// Queue is a queue and its dead letters. It is safe for concurrent use.
//
// An id of a delivery holds all that Again and Bury have to know, the body
// included, so a process may settle a message that another part of it has
// received; it must not be logged. The id of an earlier delivery may still work
// as long as SQS keeps it, so it is the visibility time that has to be long
// enough.
type Queue struct {
	*Sender
	dead *Sender
	now  func() time.Time
}

var _ agent.Queue = (*Queue)(nil)

// New does no I/O. Requests that fail are sent again as the client's retryer
// says.
func New(client *sqs.Client, c Config) *Queue {
	if c.Now == nil {
		c.Now = time.Now
	}
	return &Queue{Sender: NewSender(client, c.URL), dead: NewSender(client, c.DeadLettersURL), now: c.Now}
}

// Delivered is a message that was received at a time, by its parts as SQS and
// the events of Lambda give them. Attributes that are missing or no numbers
// count as unknown.
func Delivered(handle, body string, attributes map[string]string, received time.Time) agent.Message {
	m := agent.Message{ID: delivery{received: received, handle: handle, body: body}.id(), Body: []byte(body)}
	m.Receives, _ = strconv.Atoi(attributes[string(types.MessageSystemAttributeNameApproximateReceiveCount)])
	m.Sent = sent(attributes)
	return m
}

// sent is when a message was put on its queue, zero when that is not known.
func sent(attributes map[string]string) time.Time {
	ms, err := strconv.ParseInt(attributes[string(types.MessageSystemAttributeNameSentTimestamp)], 10, 64)
	if err != nil {
		return time.Time{}
	}
	return time.UnixMilli(ms).UTC()
}

// delivery is what an id stands for.
type delivery struct {
	received     time.Time
	handle, body string
}

func (d delivery) id() string {
	return strconv.FormatInt(d.received.UnixMilli(), 10) + " " + d.handle + " " + d.body
}

// deliveryOf reads an id.
func deliveryOf(id string) (delivery, error) {
	parts := strings.SplitN(id, " ", 3)
	ms, err := strconv.ParseInt(parts[0], 10, 64)
	if err != nil || len(parts) < 3 || parts[1] == "" {
		return delivery{}, errors.New("sqs: no delivery has this id")
	}
	return delivery{received: time.UnixMilli(ms), handle: parts[1], body: parts[2]}, nil
}

// Receive takes up to limit messages and hides them for the visibility time
// that the queue has. Up to ten it makes one request, for more as many as bring
// any, so it may take fewer than there are. SQS cannot select: only has to be
// nil.
func (q *Queue) Receive(ctx context.Context, limit int, only []string) ([]agent.Message, error) {
	if only != nil {
		return nil, errors.New("sqs: SQS cannot select messages by the call's key")
	}
	taken, err := q.receive(ctx, limit, 0)
	now := q.now()
	messages := make([]agent.Message, len(taken))
	for i, m := range taken {
		messages[i] = Delivered(aws.ToString(m.ReceiptHandle), aws.ToString(m.Body), m.Attributes, now)
	}
	return messages, err
}

// receive takes up to limit messages and hides them for so many seconds, for
// the queue's own visibility time when that is 0. An error that comes after the
// first messages is left to the next call.
func (s *Sender) receive(ctx context.Context, limit int, hidden int32) (messages []types.Message, err error) {
	for len(messages) < limit {
		out, err := s.client.ReceiveMessage(ctx, &sqs.ReceiveMessageInput{
			QueueUrl: aws.String(s.url), MaxNumberOfMessages: int32(min(limit-len(messages), maxBatch)), VisibilityTimeout: hidden,
			MessageAttributeNames: []string{reasonName},
			MessageSystemAttributeNames: []types.MessageSystemAttributeName{
				types.MessageSystemAttributeNameApproximateReceiveCount, types.MessageSystemAttributeNameSentTimestamp,
			},
		})
		if err != nil && len(messages) == 0 {
			return nil, fmt.Errorf("sqs: %w", err)
		}
		if err != nil || len(out.Messages) == 0 {
			break
		}
		messages = append(messages, out.Messages...)
		if limit <= maxBatch {
			break
		}
	}
	return messages, nil
}

// Done removes a message.
func (q *Queue) Done(ctx context.Context, id string) error {
	d, err := deliveryOf(id)
	if err != nil {
		return err
	}
	return q.remove(ctx, d.handle)
}

func (s *Sender) remove(ctx context.Context, handle string) error {
	_, err := s.client.DeleteMessage(ctx, &sqs.DeleteMessageInput{QueueUrl: aws.String(s.url), ReceiptHandle: aws.String(handle)})
	return settled(err)
}

// Again makes a message due at the time, rounded up to whole seconds from now.
// One that would be hidden for nearly 12 h since its receipt, the most that SQS
// allows, comes before its time.
func (q *Queue) Again(ctx context.Context, id string, at time.Time) error {
	d, err := deliveryOf(id)
	if err != nil {
		return err
	}
	now := q.now()
	return q.hide(ctx, d.handle, seconds(at.Sub(now), max(0, d.received.Add(longestHidden).Sub(now).Truncate(time.Second))))
}

// hide hides a received message for so many seconds from now.
func (s *Sender) hide(ctx context.Context, handle string, seconds int32) error {
	_, err := s.client.ChangeMessageVisibility(ctx, &sqs.ChangeMessageVisibilityInput{
		QueueUrl: aws.String(s.url), ReceiptHandle: aws.String(handle), VisibilityTimeout: seconds,
	})
	return settled(err)
}

// Bury copies a message to the dead letters with the reason and removes it. A
// crash between the two leaves both.
func (q *Queue) Bury(ctx context.Context, id, reason string) error {
	d, err := deliveryOf(id)
	if err != nil {
		return err
	}
	if err := q.dead.send(ctx, []message{buried(d.body, reason)}); err != nil {
		return err
	}
	return q.remove(ctx, d.handle)
}

// settled is the error of a request about one delivery.
func settled(err error) error {
	if err == nil {
		return nil
	}
	var (
		notInFlight *types.MessageNotInflight
		badHandle   *types.ReceiptHandleIsInvalid
		api         smithy.APIError
	)
	gone := errors.As(err, &api) && strings.Contains(api.ErrorMessage(), "Message does not exist") // SQS has no code for it
	if gone || errors.As(err, &notInFlight) || errors.As(err, &badHandle) {
		return fmt.Errorf("sqs: %w", ErrLapsed)
	}
	return fmt.Errorf("sqs: %w", err)
}
