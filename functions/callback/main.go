// Command callback is the Lambda function behind the URL that Twilio reports
// the status of calls to.
package main

import (
	"github.com/aws/aws-lambda-go/lambda"

	"callagent/infra/wiring/cloud"
)

func main() {
	p := cloud.Start("callback")
	lambda.StartWithOptions(handler{p.Callback}.handle, lambda.WithEnableSIGTERM(p.Stop))
}
