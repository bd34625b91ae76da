package main

import (
	"context"

	"github.com/aws/aws-lambda-go/events"

	"callagent/core/agent"
	"callagent/functions/internal/batch"
)

// teller tells people; see [cloud.Process.Tell].
type teller interface {
	Tell(ctx context.Context, messages []agent.Message) (again []bool)
}

type handler struct{ teller }

// handle takes a batch of alerts, and of requests to send what became due.
func (h handler) handle(ctx context.Context, e events.SQSEvent) (events.SQSEventResponse, error) {
	return batch.Handle(ctx, e, h.Tell)
}
