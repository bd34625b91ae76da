package sqs

import (
	"context"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"

	"callagent/core/agent"
)

const (
	reasonName     = "Reason" // the attribute of a dead letter that somebody buried
	reasonType     = "String"
	reasonOverhead = len(reasonName) + len(reasonType) // what SQS counts beside the text
	longestReason  = 1000                              // bytes

	// lookSeconds is for how long dead letters are hidden while they are looked
	// at.
	lookSeconds = 60
)

func reasonAttribute(reason string) map[string]types.MessageAttributeValue {
	return map[string]types.MessageAttributeValue{reasonName: {DataType: aws.String(reasonType), StringValue: aws.String(reason)}}
}

// buried is a message as a dead letter. Its reason is never empty, because that
// tells it from those that SQS moved; a body that leaves no room for the reason
// loses its end.
func buried(body, reason string) message {
	reason = strings.ToValidUTF8(strings.Map(printable, reason[:min(len(reason), longestReason)]), "")
	if reason == "" {
		reason = "no reason given"
	}
	m := message{body: body, reason: reason}
	if over := m.size() - MaxBytes; over > 0 {
		m.body = strings.ToValidUTF8(body[:len(body)-over], "")
	}
	return m
}

// printable keeps out what SQS refuses in a text.
func printable(r rune) rune {
	if unicode.IsControl(r) || r == '\uFFFE' || r == '\uFFFF' {
		return ' '
	}
	return r
}

// Fate is what becomes of a dead letter. The zero Fate is Leave.
type Fate uint8

// The fates.
const (
	Leave  Fate = iota // it stays
	Return             // it goes back to the queue, as a new message
)

// EachDeadLetter shows decide up to limit dead letters, in any order, and does
// with each what decide says. A letter with a reason was buried; one that SQS
// moved, because it had been received too often, has none. It stops at the
// first error, decide's included.
//
// The letters are hidden from others for up to a minute meanwhile; those that
// stay can be received again when it returns. One that goes back is copied
// first and then removed, so a crash leaves both.
func (q *Queue) EachDeadLetter(ctx context.Context, limit int, decide func(agent.DeadLetter) (Fate, error)) error {
	letters, err := q.dead.receive(ctx, limit, lookSeconds)
	if err != nil {
		return err
	}
	var stay []types.Message
	for i, m := range letters {
		fate, err := decide(deadLetter(m))
		if err == nil && fate == Return {
			err = q.returnLetter(ctx, m)
		}
		if err != nil {
			q.dead.show(ctx, append(stay, letters[i:]...))
			return err
		}
		if fate == Leave {
			stay = append(stay, m)
		}
	}
	q.dead.show(ctx, stay)
	return nil
}

func (q *Queue) returnLetter(ctx context.Context, m types.Message) error {
	if err := q.Send(ctx, 0, []byte(aws.ToString(m.Body))); err != nil {
		return err
	}
	return q.dead.remove(ctx, aws.ToString(m.ReceiptHandle))
}

// show lets received messages be received again at once. When that fails, they
// can be in a minute.
func (s *Sender) show(ctx context.Context, messages []types.Message) {
	for some := range slices.Chunk(messages, maxBatch) {
		entries := make([]types.ChangeMessageVisibilityBatchRequestEntry, len(some))
		for i, m := range some {
			entries[i] = types.ChangeMessageVisibilityBatchRequestEntry{Id: aws.String(strconv.Itoa(i)), ReceiptHandle: m.ReceiptHandle}
		}
		_, _ = s.client.ChangeMessageVisibilityBatch(ctx, &sqs.ChangeMessageVisibilityBatchInput{QueueUrl: aws.String(s.url), Entries: entries})
	}
}

// DeadLetters reads up to limit dead letters, the newest of them first, and
// removes none. When there are more, it is any of them.
func (q *Queue) DeadLetters(ctx context.Context, limit int) ([]agent.DeadLetter, error) {
	var letters []agent.DeadLetter
	err := q.EachDeadLetter(ctx, limit, func(l agent.DeadLetter) (Fate, error) {
		letters = append(letters, l)
		return Leave, nil
	})
	slices.SortStableFunc(letters, func(a, b agent.DeadLetter) int { return b.At.Compare(a.At) })
	return letters, err
}

// deadLetter reads a dead letter. At is when it was buried, or when it was sent
// if SQS moved it. Receives counts the looks at it too.
func deadLetter(m types.Message) agent.DeadLetter {
	d := Delivered("", aws.ToString(m.Body), m.Attributes, time.Time{})
	return agent.DeadLetter{Body: d.Body, Reason: aws.ToString(m.MessageAttributes[reasonName].StringValue), Receives: d.Receives, At: d.Sent}
}
