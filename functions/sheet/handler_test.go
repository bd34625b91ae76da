package main

import (
	"context"
	"testing"

	"github.com/aws/aws-lambda-go/events"

	"callagent/core/agent"
	"callagent/functions/internal/eventtest"
)

// counting is a writer that counts, and wants the last message again.
type counting struct{ messages int }

func (c *counting) Write(_ context.Context, messages []agent.Message) []bool {
	c.messages += len(messages)
	again := make([]bool, len(messages))
	again[len(again)-1] = true
	return again
}

func TestEveryMessageOfABatchIsWritten(t *testing.T) {
	for name, want := range map[string]int{"valid": 1, "malformed": 2, "batch-of-ten": 10, "duplicate": 2} {
		c, e := &counting{}, eventtest.Read[events.SQSEvent](t, name)
		answer, err := handler{c.Write}.handle(t.Context(), e)
		if err != nil || c.messages != want {
			t.Errorf("%s: %d messages, error %v, want %d", name, c.messages, err, want)
		}
		if f := answer.BatchItemFailures; len(f) != 1 || f[0].ItemIdentifier != e.Records[want-1].MessageId {
			t.Errorf("%s: failures %v", name, f)
		}
	}
}
