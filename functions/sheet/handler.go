package main

import (
	"context"

	"github.com/aws/aws-lambda-go/events"

	"callagent/functions/internal/batch"
)

// handler writes the sheet; see [cloud.Process.Sheet].
type handler struct{ write batch.Work }

// handle takes a batch of journal messages.
func (h handler) handle(ctx context.Context, e events.SQSEvent) (events.SQSEventResponse, error) {
	return batch.Handle(ctx, e, h.write)
}
