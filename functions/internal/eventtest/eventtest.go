// Package eventtest reads the events that lie beside a function, and checks what
// functions behind queues do alike with them.
package eventtest

import (
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"testing"

	"github.com/aws/aws-lambda-go/events"

	"callagent/core/agent"
	"callagent/functions/internal/batch"
)

// Read gives the event of that name from the folder events.
func Read[E any](t *testing.T, name string) E {
	t.Helper()
	data, err := os.ReadFile(filepath.Join("events", name+".json"))
	if err != nil {
		t.Fatal(err)
	}
	var e E
	if err := json.Unmarshal(data, &e); err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	return e
}

// counting is work that counts messages, and wants the last one again.
type counting struct{ messages int }

func (c *counting) work(_ context.Context, messages []agent.Message) []bool {
	c.messages += len(messages)
	again := make([]bool, len(messages))
	again[len(again)-1] = true
	return again
}

// Batches checks of a function behind a queue that every message of its events
// is worked, and that the one that comes again is the failure.
func Batches(t *testing.T, function func(batch.Work) func(context.Context, events.SQSEvent) (events.SQSEventResponse, error)) {
	t.Helper()
	for name, want := range map[string]int{"valid": 1, "malformed": 2, "batch-of-ten": 10, "duplicate": 2} {
		c, e := &counting{}, Read[events.SQSEvent](t, name)
		answer, err := function(c.work)(t.Context(), e)
		if err != nil || c.messages != want {
			t.Errorf("%s: %d messages, error %v, want %d", name, c.messages, err, want)
		}
		if f := answer.BatchItemFailures; len(f) != 1 || f[0].ItemIdentifier != e.Records[want-1].MessageId {
			t.Errorf("%s: failures %v", name, f)
		}
	}
}
