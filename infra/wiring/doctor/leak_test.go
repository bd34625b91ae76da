//go:build !integration

package doctor

import (
	"testing"

	"go.uber.org/goleak"
)

// The doctor leaves nothing running. The clients of the AWS SDK keep their
// connections, so the tests with them do not ask.
func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }
