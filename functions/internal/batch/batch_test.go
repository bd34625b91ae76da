package batch_test

import (
	"context"
	"encoding/json"
	"fmt"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/events"

	"callagent/core/agent"
	"callagent/functions/internal/batch"
)

// records are n records as SQS gives them.
func records(n int) events.SQSEvent {
	var e events.SQSEvent
	for i := range n {
		e.Records = append(e.Records, events.SQSMessage{
			MessageId: fmt.Sprintf("message-%d", i), ReceiptHandle: fmt.Sprintf("handle-%d", i), Body: fmt.Sprintf("body %d", i),
			Attributes: map[string]string{"ApproximateReceiveCount": fmt.Sprint(i + 1), "SentTimestamp": "1764844200000"},
		})
	}
	return e
}

func TestOnlyWhatComesAgainIsAFailure(t *testing.T) {
	answer, err := batch.Handle(t.Context(), records(10), func(_ context.Context, messages []agent.Message) []bool {
		again := make([]bool, len(messages))
		for i, m := range messages {
			if string(m.Body) != fmt.Sprintf("body %d", i) || m.Receives != i+1 || !m.Sent.Equal(time.UnixMilli(1764844200000)) || m.ID == "" {
				t.Errorf("message %d is %+v", i, m)
			}
			again[i] = i == 2 || i == 7
		}
		return again
	})
	if err != nil {
		t.Fatal(err)
	}
	got, _ := json.Marshal(answer)
	if want := `{"batchItemFailures":[{"itemIdentifier":"message-2"},{"itemIdentifier":"message-7"}]}`; string(got) != want {
		t.Errorf("answer %s, want %s", got, want)
	}
}

func TestNothingToRepeatIsAnEmptyList(t *testing.T) {
	answer, err := batch.Handle(t.Context(), records(2), func(context.Context, []agent.Message) []bool { return make([]bool, 2) })
	got, _ := json.Marshal(answer)
	if want := `{"batchItemFailures":[]}`; string(got) != want || err != nil {
		t.Errorf("answer %s, %v, want %s", got, err, want)
	}
}
