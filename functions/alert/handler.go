package main

import (
	"context"

	"github.com/aws/aws-lambda-go/events"

	"callagent/functions/internal/batch"
)

// handler tells people; see [cloud.Process.Tell].
type handler struct{ tell batch.Work }

// handle takes a batch of alerts, and of requests to send what became due.
func (h handler) handle(ctx context.Context, e events.SQSEvent) (events.SQSEventResponse, error) {
	return batch.Handle(ctx, e, h.tell)
}
