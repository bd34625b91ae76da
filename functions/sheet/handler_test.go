package main

import (
	"context"
	"testing"

	"github.com/aws/aws-lambda-go/events"

	"callagent/functions/internal/batch"
	"callagent/functions/internal/eventtest"
)

func TestEveryMessageOfABatchIsWritten(t *testing.T) {
	eventtest.Batches(t, func(work batch.Work) func(context.Context, events.SQSEvent) (events.SQSEventResponse, error) {
		return handler{work}.handle
	})
}
