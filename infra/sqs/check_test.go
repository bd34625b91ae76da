package sqs

import "testing"

func TestRedrive(t *testing.T) {
	const arn = "arn:aws:sqs:us-east-1:000000000000:contacts-dead"
	for policy, want := range map[string]struct {
		name     string
		receives int
	}{
		`{"deadLetterTargetArn":"` + arn + `","maxReceiveCount":1000}`:   {"contacts-dead", 1000},
		`{"deadLetterTargetArn":"` + arn + `","maxReceiveCount":"1000"}`: {"contacts-dead", 1000},
		``: {"", 0},
		`{"maxReceiveCount":3,"deadLetterTargetArn":""}`: {"", 3},
	} {
		if name, receives := redrive(policy); name != want.name || receives != want.receives {
			t.Errorf("%s: %q, %d", policy, name, receives)
		}
	}
}
