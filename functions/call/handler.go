package main

import (
	"context"

	"github.com/aws/aws-lambda-go/events"

	"callagent/functions/internal/batch"
)

// handler works contacts; see [cloud.Process.Work].
type handler struct{ work batch.Work }

// handle works a batch of contacts and wake-ups.
func (h handler) handle(ctx context.Context, e events.SQSEvent) (events.SQSEventResponse, error) {
	return batch.Handle(ctx, e, h.work)
}
