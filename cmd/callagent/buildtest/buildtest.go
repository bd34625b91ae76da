// Package buildtest builds the command for tests that run it as a process.
package buildtest

import (
	"fmt"
	"os/exec"
	"path/filepath"
)

// Build puts the command into a folder and gives its path. It is built as make
// build does it, which so finds its packages compiled. Its processes are without
// the race detector, which would make their start ten times as long.
func Build(dir string) (string, error) {
	path := filepath.Join(dir, "callagent")
	cmd := exec.Command("go", "build", "-trimpath", "-o", path, "callagent/cmd/callagent")
	cmd.Env = append(cmd.Environ(), "CGO_ENABLED=0")
	if said, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("%w: %s", err, said)
	}
	return path, nil
}
