package machine

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"
	"time"

	"callagent/infra/clock"
	"callagent/infra/settings"
	"callagent/infra/sqlite"
	"callagent/infra/wiring"
)

// Visibility is how long a received message stays hidden when nobody settles
// it: longer than any call stays in one pair of hands.
const Visibility = 10 * time.Minute

// OpenStore opens the store that the settings name, for a command that does
// not work the queue. Unless create is set it has to be there.
func OpenStore(ctx context.Context, s settings.Settings, c *clock.Clock, create bool) (wiring.Store, error) {
	path, err := storePath(s)
	if err != nil {
		return nil, err
	}
	if _, err := os.Stat(path); !create && errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("there is no store %s yet: callagent run or enqueue makes it, or name another with --store", path)
	}
	store, err := sqlite.Open(ctx, path, sqlite.Options{Now: c.Now, Visibility: Visibility})
	if err != nil {
		return nil, err
	}
	return store, nil
}

func storePath(s settings.Settings) (string, error) {
	path, ok := strings.CutPrefix(s.Store, "sqlite:")
	if !ok || path == "" {
		return "", &settings.Error{Problem: fmt.Sprintf("store %q cannot be used here: write sqlite:PATH", s.Store)}
	}
	return path, nil
}
