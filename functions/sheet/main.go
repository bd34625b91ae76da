// Command sheet is the Lambda function that brings the journal into the Google
// Sheet that staff read.
package main

import (
	"github.com/aws/aws-lambda-go/lambda"

	"callagent/infra/wiring/cloud"
)

func main() {
	p := cloud.Start("sheet")
	lambda.StartWithOptions(handler{p.Sheet}.handle, lambda.WithEnableSIGTERM(p.Stop))
}
