package sqs

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/service/sqs"
)

// api is the requests that this package sends. A queue holds them in place of
// the client, because a client that can be reached through a queue's type makes
// the linker keep all of its other requests too.
type api struct {
	SendMessageBatch             method[sqs.SendMessageBatchInput, sqs.SendMessageBatchOutput]
	ReceiveMessage               method[sqs.ReceiveMessageInput, sqs.ReceiveMessageOutput]
	DeleteMessage                method[sqs.DeleteMessageInput, sqs.DeleteMessageOutput]
	ChangeMessageVisibility      method[sqs.ChangeMessageVisibilityInput, sqs.ChangeMessageVisibilityOutput]
	ChangeMessageVisibilityBatch method[sqs.ChangeMessageVisibilityBatchInput, sqs.ChangeMessageVisibilityBatchOutput]
	GetQueueAttributes           method[sqs.GetQueueAttributesInput, sqs.GetQueueAttributesOutput]
}

// method is one of the client.
type method[In, Out any] func(context.Context, *In, ...func(*sqs.Options)) (*Out, error)

func apiOf(c *sqs.Client) api {
	return api{
		SendMessageBatch: c.SendMessageBatch, ReceiveMessage: c.ReceiveMessage, DeleteMessage: c.DeleteMessage,
		ChangeMessageVisibility: c.ChangeMessageVisibility, ChangeMessageVisibilityBatch: c.ChangeMessageVisibilityBatch,
		GetQueueAttributes: c.GetQueueAttributes,
	}
}
