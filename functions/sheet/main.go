// Command sheet is the Lambda function that brings the journal into the Google
// Sheet that staff read.
package main

import (
	"context"

	"github.com/aws/aws-lambda-go/lambda"

	"callagent/core/agent"
	"callagent/infra/wiring/book"
	"callagent/infra/wiring/cloud"
)

func main() {
	p := cloud.Start("sheet")
	write := func(ctx context.Context, messages []agent.Message) []bool { return p.Sheet(ctx, messages, book.Open) }
	lambda.StartWithOptions(handler{write}.handle, lambda.WithEnableSIGTERM(p.Stop))
}
