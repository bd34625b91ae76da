package main

import (
	"context"
	"slices"
	"testing"

	"github.com/aws/aws-lambda-go/events"

	"callagent/core/agent"
	"callagent/core/call"
	"callagent/functions/internal/eventtest"
)

// decoded is a worker that only reads: it wants every message again that is no
// contact.
type decoded struct{ keys []string }

func (d *decoded) Work(_ context.Context, messages []agent.Message) []bool {
	again := make([]bool, len(messages))
	for i, m := range messages {
		c, err := call.Decode(m.Body)
		if again[i] = err != nil; err == nil {
			d.keys = append(d.keys, c.Key().String())
		}
	}
	return again
}

func TestTheEventsAreWhatTheirNamesSay(t *testing.T) {
	ten := []string{"default/c-010", "default/c-011", "default/c-012", "default/c-013", "default/c-014",
		"default/c-015", "default/c-016", "default/c-017", "default/c-018", "default/c-019"}
	for name, want := range map[string]struct {
		keys   []string
		failed int
	}{
		"valid":        {[]string{"default/c-001"}, 0},
		"malformed":    {[]string{"nobody/c-003"}, 3},
		"batch-of-ten": {ten, 0},
		"duplicate":    {[]string{"default/c-001", "default/c-001"}, 0},
	} {
		d := &decoded{}
		answer, err := handler{d.Work}.handle(t.Context(), eventtest.Read[events.SQSEvent](t, name))
		if err != nil || !slices.Equal(d.keys, want.keys) || len(answer.BatchItemFailures) != want.failed {
			t.Errorf("%s: contacts %v, %d failures, error %v, want %+v", name, d.keys, len(answer.BatchItemFailures), err, want)
		}
	}
}
