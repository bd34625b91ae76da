package sqs

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"iter"
	"slices"
	"strconv"
	"sync"
	"time"
	"unicode/utf8"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"
	smithytime "github.com/aws/smithy-go/time"
)

const (
	maxBatch   = 10 // messages in one request
	tries      = 4  // of what the server fails to take out of a batch
	maxBackoff = 5 * time.Second
)

// message is a message on its way to a queue.
type message struct {
	number int // among those of one Send
	body   string
	delay  int32  // s
	reason string // why it is a dead letter; "" for other messages
}

func (m message) size() int {
	if m.reason == "" {
		return len(m.body)
	}
	return len(m.body) + reasonOverhead + len(m.reason)
}

// check finds messages that the service can never take.
func check(messages []message) error {
	for _, m := range messages {
		switch {
		case m.body == "":
			return fmt.Errorf("message %d is empty", m.number)
		case m.size() > MaxBytes:
			return fmt.Errorf("message %d has %d bytes, SQS takes at most %d", m.number, m.size(), MaxBytes)
		case !utf8.ValidString(m.body):
			return fmt.Errorf("message %d is not UTF-8", m.number)
		}
	}
	return nil
}

// batches cuts messages into runs that fit into one request each.
func batches(messages []message) iter.Seq[[]message] {
	return func(yield func([]message) bool) {
		begin, size := 0, 0
		for i, m := range messages {
			if i-begin == maxBatch || size+m.size() > MaxBytes {
				if !yield(messages[begin:i]) {
					return
				}
				begin, size = i, 0
			}
			size += m.size()
		}
		if begin < len(messages) {
			yield(messages[begin:])
		}
	}
}

// sending is one Send under way.
type sending struct {
	*Sender
	mu     sync.Mutex
	failed SendError
	broken bool // a request failed as a whole: no further batch is begun
}

// deliver sends one batch, and again what the server failed to take of it.
func (s *sending) deliver(ctx context.Context, batch []message) {
	var why error
	if s.over() {
		s.misses(batch, nil)
		return
	}
	backoff := retry.NewExponentialJitterBackoff(maxBackoff)
	for try := range tries {
		if try > 0 {
			pause, _ := backoff.BackoffDelay(try-1, why) // it never fails
			if err := smithytime.SleepWithContext(ctx, pause); err != nil {
				s.breaks(batch, err)
				return
			}
		}
		out, err := s.client.SendMessageBatch(ctx, s.request(batch))
		if err != nil {
			s.breaks(batch, err)
			return
		}
		var refused []message
		batch, refused, why = divide(batch, out)
		s.misses(refused, why)
		if len(batch) == 0 {
			return
		}
	}
	s.misses(batch, why)
}

func (s *sending) over() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.broken
}

// misses notes messages that are not known to be on the queue.
func (s *sending) misses(unsent []message, why error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, m := range unsent {
		s.failed.Unsent = append(s.failed.Unsent, m.number)
	}
	if len(unsent) > 0 {
		s.failed.Err = cmp.Or(s.failed.Err, why)
	}
}

// breaks notes a batch that failed as a whole.
func (s *sending) breaks(batch []message, why error) {
	s.misses(batch, why)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.broken = true
}

// result is the error in order, nil when everything was sent.
func (s *sending) result() error {
	if len(s.failed.Unsent) == 0 {
		return nil
	}
	slices.Sort(s.failed.Unsent)
	return &s.failed
}

// request is the request that sends a batch. The id of a message in it is its
// place in the batch.
func (s *Sender) request(batch []message) *sqs.SendMessageBatchInput {
	entries := make([]types.SendMessageBatchRequestEntry, len(batch))
	for i, m := range batch {
		entries[i] = types.SendMessageBatchRequestEntry{Id: aws.String(strconv.Itoa(i)), MessageBody: aws.String(m.body), DelaySeconds: m.delay}
		if m.reason != "" {
			entries[i].MessageAttributes = reasonAttribute(m.reason)
		}
	}
	return &sqs.SendMessageBatchInput{QueueUrl: aws.String(s.url), Entries: entries}
}

// divide says what became of a batch: which messages are to be sent again
// because the server failed, and which ones it refuses for good. A message that
// the answer does not mention is sent again.
func divide(batch []message, out *sqs.SendMessageBatchOutput) (again, refused []message, why error) {
	taken, bad := map[string]bool{}, map[string]bool{}
	for _, e := range out.Successful {
		taken[aws.ToString(e.Id)] = true
	}
	for _, e := range out.Failed {
		bad[aws.ToString(e.Id)] = e.SenderFault
		why = cmp.Or(why, fmt.Errorf("%s: %s", aws.ToString(e.Code), aws.ToString(e.Message)))
	}
	for i, m := range batch {
		switch id := strconv.Itoa(i); {
		case taken[id]:
		case bad[id]:
			refused = append(refused, m)
		default:
			again = append(again, m)
		}
	}
	if why == nil && len(again) > 0 {
		why = errors.New("the answer leaves messages out")
	}
	return again, refused, why
}
