// Package account opens the operator's store in AWS, and reads its settings,
// with the keys that the SDK finds on a person's machine. It stands apart so that the SDK's search for
// them is linked into no function.
package account

import (
	"context"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/config"

	"callagent/infra/clock"
	"callagent/infra/s3"
	"callagent/infra/settings"
	"callagent/infra/wiring"
	"callagent/infra/wiring/cloud"
)

// OpenStore opens the queues and tables that the environment names.
func OpenStore(ctx context.Context, s settings.Settings) (wiring.Store, error) {
	found, err := find(ctx)
	if err != nil {
		return nil, err
	}
	return cloud.OpenStore(ctx, s, &clock.Clock{}, found)
}

// Settings reads the settings of the functions, which are the object
// s3://bucket/key.
func Settings(ctx context.Context, address string) (settings.Layer, error) {
	found, err := find(ctx)
	if err != nil {
		return settings.Layer{}, err
	}
	text, err := s3.ReadObject(ctx, s3.NewClient(found), address)
	if err != nil {
		return settings.Layer{}, fmt.Errorf("the settings that SETTINGS_OBJECT names cannot be read, and --settings FILE would take others: %w", err)
	}
	return settings.ParseLayer(address, text)
}

// find finds how this person speaks to AWS.
func find(ctx context.Context) (aws.Config, error) {
	found, err := config.LoadDefaultConfig(ctx)
	if err != nil {
		return found, fmt.Errorf("the AWS settings cannot be read: %w", err)
	}
	return found, nil
}
