// Package batch translates between the batches that Lambda gives a function
// from SQS and the messages of the agent.
package batch

import (
	"context"
	"time"

	"github.com/aws/aws-lambda-go/events"

	"callagent/core/agent"
	"callagent/infra/wiring/cloud"
)

// Work works the messages of a batch and says which of them come again.
type Work func(ctx context.Context, messages []agent.Message) (again []bool)

// Handle has a batch worked. What comes again is a failure to SQS, which else
// would remove it; its time is set by then. The error is always nil: with one
// all records would come again, those that are done with included.
func Handle(ctx context.Context, e events.SQSEvent, work Work) (events.SQSEventResponse, error) {
	messages, now := make([]agent.Message, len(e.Records)), time.Now()
	for i, r := range e.Records {
		messages[i] = cloud.Received(r.ReceiptHandle, r.Body, r.Attributes, now)
	}
	answer := events.SQSEventResponse{BatchItemFailures: []events.SQSBatchItemFailure{}}
	for i, again := range work(ctx, messages) {
		if again {
			answer.BatchItemFailures = append(answer.BatchItemFailures, events.SQSBatchItemFailure{ItemIdentifier: e.Records[i].MessageId})
		}
	}
	return answer, nil
}
