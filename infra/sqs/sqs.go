// Package sqs keeps messages on queues of Amazon SQS: the contacts with their
// dead letters, and the plain queues of alerts, ticks and journal entries.
//
// These queues are standard queues: messages come in any order, and now and
// then one comes twice. The ledger decides what a message means, so neither
// matters. What must not happen is loss, so every doubt here ends in a second
// copy: a request whose answer was lost is sent again by the SDK, and one that
// is copied elsewhere is copied before it is removed.
package sqs

import (
	"cmp"
	"context"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"
	"golang.org/x/sync/errgroup"
)

const (
	// MaxBytes is the largest message, and the largest sum of messages in one
	// request. A reason counts with its message.
	MaxBytes = 1 << 20
	// MaxDelay is the longest delay of a message.
	MaxDelay = 15 * time.Minute

	atOnce = 8 // requests of one Send that are under way together
)

// Sender puts messages on one queue. It is safe for concurrent use.
type Sender struct {
	client api
	url    string
}

// NewSender does no I/O. Requests that fail are sent again as the client's
// retryer says.
func NewSender(client *sqs.Client, url string) *Sender {
	return &Sender{client: apiOf(client), url: url}
}

// Send puts messages on the queue, ten in a request and up to eight requests at
// once. A delay is rounded up to whole seconds; one longer than [MaxDelay] is
// cut to that, so its messages come early.
//
// Messages are texts in UTF-8 of 1 to [MaxBytes] bytes; when one is not,
// nothing is sent. When not all could be sent the error is a *[SendError].
// A message may be sent twice.
func (s *Sender) Send(ctx context.Context, delay time.Duration, bodies ...[]byte) error {
	messages := make([]message, len(bodies))
	for i, body := range bodies {
		messages[i] = message{number: i, body: string(body), delay: seconds(delay, MaxDelay)}
	}
	return s.send(ctx, messages)
}

// SendLater puts one copy of a message on the queue for each of the delays, ten
// in a request. It is like Send in all else.
func (s *Sender) SendLater(ctx context.Context, body []byte, delays ...time.Duration) error {
	messages := make([]message, len(delays))
	for i, delay := range delays {
		messages[i] = message{number: i, body: string(body), delay: seconds(delay, MaxDelay)}
	}
	return s.send(ctx, messages)
}

// SendError says that not all messages of one Send are on the queue.
type SendError struct {
	Of     int   // how many there were
	Unsent []int // which of them are not known to be on the queue, counted from 0
	Err    error // why the first one that failed did
}

// Error counts what was sent and names the first few that were not.
func (e *SendError) Error() string {
	const few = 5
	if e.Of == 1 {
		return fmt.Sprintf("sqs: the message was not sent: %v", e.Err)
	}
	var missing strings.Builder
	for i, n := range e.Unsent[:min(few, len(e.Unsent))] {
		if i > 0 {
			missing.WriteString(", ")
		}
		missing.WriteString(strconv.Itoa(n))
	}
	if more := len(e.Unsent) - few; more > 0 {
		fmt.Fprintf(&missing, " and %d more", more)
	}
	return fmt.Sprintf("sqs: %d of %d messages were sent, not those at %s: %v", e.Of-len(e.Unsent), e.Of, &missing, e.Err)
}

// Unwrap gives the reason.
func (e *SendError) Unwrap() error { return e.Err }

// send sends messages in batches.
func (s *Sender) send(ctx context.Context, messages []message) error {
	if err := cmp.Or(check(messages), ctx.Err()); err != nil {
		return fmt.Errorf("sqs: nothing was sent: %w", err)
	}
	var (
		all      = sending{Sender: s, failed: SendError{Of: len(messages)}}
		requests errgroup.Group
	)
	requests.SetLimit(atOnce)
	for batch := range batches(messages) {
		requests.Go(func() error {
			all.deliver(ctx, batch)
			return nil
		})
	}
	_ = requests.Wait() // what went wrong is in all.failed
	return all.result()
}

// Depth is about how many messages a queue holds. The service counts them with
// a delay of up to a minute.
type Depth struct {
	Visible  int // that can be received
	InFlight int // that are hidden because somebody received them
	Delayed  int // that were sent with a delay
}

// Depth counts the messages.
func (s *Sender) Depth(ctx context.Context) (Depth, error) {
	const visible, inFlight, delayed = types.QueueAttributeNameApproximateNumberOfMessages,
		types.QueueAttributeNameApproximateNumberOfMessagesNotVisible, types.QueueAttributeNameApproximateNumberOfMessagesDelayed
	out, err := s.client.GetQueueAttributes(ctx, &sqs.GetQueueAttributesInput{
		QueueUrl: aws.String(s.url), AttributeNames: []types.QueueAttributeName{visible, inFlight, delayed},
	})
	if err != nil {
		return Depth{}, fmt.Errorf("sqs: %w", err)
	}
	var d Depth
	for name, n := range map[types.QueueAttributeName]*int{visible: &d.Visible, inFlight: &d.InFlight, delayed: &d.Delayed} {
		if *n, err = strconv.Atoi(out.Attributes[string(name)]); err != nil {
			return Depth{}, fmt.Errorf("sqs: the queue does not count its messages: %s is %q", name, out.Attributes[string(name)])
		}
	}
	return d, nil
}

// seconds rounds a duration up to whole seconds between 0 and a limit.
func seconds(d, limit time.Duration) int32 {
	d = min(max(d, 0), limit)
	return int32((d + time.Second - 1) / time.Second)
}
