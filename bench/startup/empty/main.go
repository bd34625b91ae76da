// Command empty is a Lambda function that does nothing. What the others take
// longer than it to start is theirs.
package main

import (
	"context"

	"github.com/aws/aws-lambda-go/lambda"
)

func main() {
	lambda.Start(func(context.Context) error { return nil })
}
