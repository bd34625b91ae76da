// Command healthcheck is the Lambda function that runs the background work:
// each minute by a schedule, and more often by the ticks queue while a circuit
// is open.
package main

import (
	"github.com/aws/aws-lambda-go/lambda"

	"callagent/infra/wiring/cloud"
)

func main() {
	p := cloud.Start("healthcheck")
	lambda.StartWithOptions(handler{p.Tick}.handle, lambda.WithEnableSIGTERM(p.Stop))
}
