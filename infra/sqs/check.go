package sqs

import (
	"context"
	"encoding/json"
	"strconv"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"
)

// Terms are the settings of a queue that what works it counts on.
type Terms struct {
	Name       string
	Visibility time.Duration // for how long a received message stays hidden
	Retention  time.Duration // for how long a message is kept
	Receives   int           // how often a message may be received before it is a dead letter; 0: for ever
	DeadLetter string        // the name of the dead-letter queue; "" for none
	FIFO       bool
}

// ReadTerms reads the settings of a queue. A queue that does not exist is an
// error of the SDK.
func ReadTerms(ctx context.Context, client *sqs.Client, url string) (Terms, error) {
	out, err := client.GetQueueAttributes(ctx, &sqs.GetQueueAttributesInput{
		QueueUrl: aws.String(url), AttributeNames: []types.QueueAttributeName{types.QueueAttributeNameAll},
	})
	if err != nil {
		return Terms{}, err
	}
	get := func(name types.QueueAttributeName) string { return out.Attributes[string(name)] }
	span := func(name types.QueueAttributeName) time.Duration {
		n, _ := strconv.ParseInt(get(name), 10, 32) // what is no number is 0
		return time.Duration(n) * time.Second
	}
	t := Terms{
		Name:       lastOf(get(types.QueueAttributeNameQueueArn)),
		Visibility: span(types.QueueAttributeNameVisibilityTimeout),
		Retention:  span(types.QueueAttributeNameMessageRetentionPeriod),
		FIFO:       get(types.QueueAttributeNameFifoQueue) == "true",
	}
	t.DeadLetter, t.Receives = redrive(get(types.QueueAttributeNameRedrivePolicy))
	return t, nil
}

// redrive reads a redrive policy; "" and 0 when there is none. The count is a
// number in some answers and a text in others.
func redrive(policy string) (deadLetter string, receives int) {
	var p struct {
		Target   string          `json:"deadLetterTargetArn"`
		Receives json.RawMessage `json:"maxReceiveCount"`
	}
	if json.Unmarshal([]byte(policy), &p) != nil {
		return "", 0
	}
	receives, _ = strconv.Atoi(strings.Trim(string(p.Receives), `"`))
	return lastOf(p.Target), receives
}

// lastOf is the name at the end of an ARN.
func lastOf(arn string) string { return arn[strings.LastIndexByte(arn, ':')+1:] }

// ReadTermsOf reads the settings of the queue with a name, in the account of
// the client.
func ReadTermsOf(ctx context.Context, client *sqs.Client, name string) (Terms, error) {
	out, err := client.GetQueueUrl(ctx, &sqs.GetQueueUrlInput{QueueName: aws.String(name)})
	if err != nil {
		return Terms{}, err
	}
	return ReadTerms(ctx, client, aws.ToString(out.QueueUrl))
}
