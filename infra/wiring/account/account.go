// Package account opens the operator's store in AWS with the keys that the SDK
// finds on a person's machine. It stands apart so that the SDK's search for
// them is linked into no function.
package account

import (
	"context"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/config"

	"callagent/infra/clock"
	"callagent/infra/settings"
	"callagent/infra/wiring"
	"callagent/infra/wiring/cloud"
)

// OpenStore opens the queues and tables that the environment names.
func OpenStore(ctx context.Context, s settings.Settings) (wiring.Store, error) {
	found, err := config.LoadDefaultConfig(ctx)
	if err != nil {
		return nil, fmt.Errorf("the AWS settings cannot be read: %w", err)
	}
	return cloud.OpenStore(ctx, s, &clock.Clock{}, found)
}
