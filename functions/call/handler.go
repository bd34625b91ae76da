package main

import (
	"context"

	"github.com/aws/aws-lambda-go/events"

	"callagent/core/agent"
	"callagent/functions/internal/batch"
)

// worker works contacts; see [cloud.Process.Work].
type worker interface {
	Work(ctx context.Context, messages []agent.Message) (again []bool)
}

type handler struct{ worker }

// handle works a batch of contacts and wake-ups.
func (h handler) handle(ctx context.Context, e events.SQSEvent) (events.SQSEventResponse, error) {
	return batch.Handle(ctx, e, h.Work)
}
