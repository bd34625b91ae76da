//go:build integration

package dynamo_test

import (
	"sync"
	"testing"
	"time"

	"callagent/core/agent"
	"callagent/infra/dynamo"
)

func TestASlotCostsOneWriteOrTwo(t *testing.T) {
	table := circuitsTable(t)
	a, b := &wire{}, &wire{}
	first := dynamo.NewCircuits(clientAt(endpoint(t), a), table)
	second := dynamo.NewCircuits(clientAt(endpoint(t), b), table)
	for _, step := range []struct {
		what     string
		by       *dynamo.Circuits
		wire     *wire
		now, at  time.Duration
		expected int
	}{
		{"nobody stands in line", first, a, 0, 0, 1},
		{"one that I know of", first, a, 0, time.Second, 1},
		{"some that I do not know of", second, b, 0, 2 * time.Second, 2},
		{"now I do", second, b, 0, 3 * time.Second, 1},
		{"the line has moved on since I knew it", first, a, time.Second, 4 * time.Second, 1},
		{"the line is over", first, a, time.Minute, time.Minute, 1},
	} {
		at, err := step.by.Slot(t.Context(), agent.Twilio, time.Second, midday.Add(step.now))
		reads, writes := step.wire.counted()
		if err != nil || !at.Equal(midday.Add(step.at)) || reads != 0 || writes != step.expected {
			t.Errorf("%s: at %s, %d reads and %d writes, %v", step.what, at.Sub(midday), reads, writes, err)
		}
	}
}

func TestFiftyInLineNeedTwoWritesEachAtMost(t *testing.T) {
	table := circuitsTable(t)
	wires := make([]wire, crowd)
	var all sync.WaitGroup
	for i := range wires {
		all.Go(func() {
			c := dynamo.NewCircuits(clientAt(endpoint(t), &wires[i]), table)
			if _, err := c.Slot(t.Context(), agent.Twilio, time.Second, midday); err != nil {
				t.Error(err)
			}
			if reads, writes := wires[i].counted(); reads != 0 || writes > 2 {
				t.Errorf("%d reads and %d writes", reads, writes)
			}
		})
	}
	all.Wait()
}
