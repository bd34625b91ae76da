// Command alert is the Lambda function that tells people: it works the alerts
// queue and sends what is due by email, Telegram and webhook.
package main

import (
	"github.com/aws/aws-lambda-go/lambda"

	"callagent/infra/wiring/cloud"
)

func main() {
	p := cloud.Start("alert")
	lambda.StartWithOptions(handler{p.Tell}.handle, lambda.WithEnableSIGTERM(p.Stop))
}
