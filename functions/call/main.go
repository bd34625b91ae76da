// Command call is the Lambda function that works the contacts queue.
package main

import (
	"github.com/aws/aws-lambda-go/lambda"

	"callagent/infra/wiring/cloud"
)

func main() {
	p := cloud.Start("call")
	lambda.StartWithOptions(handler{p.Work}.handle, lambda.WithEnableSIGTERM(p.Stop))
}
