// Package overlay builds the shipped code with a few lines changed, without
// touching the code itself: what a proof is worth shows when the line that it
// stands on is removed.
package overlay

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// Edit is one change of the shipped code: Old stands in File exactly once and
// New takes its place. File is relative to the root of the module, with
// slashes.
type Edit struct {
	File string
	Old  string
	New  string
}

// Apply gives the file's text with the change made. A file that does not hold
// Old exactly once is an error: the code has moved on and the edit has not.
func (e Edit) Apply(root string) (string, error) {
	text, err := os.ReadFile(e.path(root))
	if err != nil {
		return "", err
	}
	return e.change(string(text))
}

func (e Edit) path(root string) string { return filepath.Join(root, filepath.FromSlash(e.File)) }

func (e Edit) change(text string) (string, error) {
	if n := strings.Count(text, e.Old); n != 1 || e.Old == e.New {
		return "", fmt.Errorf("%s holds %d times, not once, what is to be changed: %q", e.File, n, e.Old)
	}
	return strings.Replace(text, e.Old, e.New, 1), nil
}

// Write puts the changed files into dir and gives the path of the file there
// that the go command's flag -overlay takes. A file may be changed in several
// places.
func Write(dir, root string, edits ...Edit) (string, error) {
	replace := map[string]string{}
	for i, e := range edits {
		from := e.path(root)
		source, file := from, filepath.Join(dir, fmt.Sprintf("%d.go", i))
		if changed := replace[from]; changed != "" {
			source, file = changed, changed
		}
		text, err := os.ReadFile(source)
		if err != nil {
			return "", err
		}
		changed, err := e.change(string(text))
		if err != nil {
			return "", err
		}
		replace[from] = file
		if err := os.WriteFile(file, []byte(changed), 0o644); err != nil {
			return "", err
		}
	}
	all, err := json.Marshal(map[string]any{"Replace": replace})
	if err != nil {
		return "", err
	}
	path := filepath.Join(dir, "overlay.json")
	return path, os.WriteFile(path, all, 0o644)
}

// Build builds a command of this module from the shipped code with the edits
// made. It puts everything that it needs into dir, and gives the program's path.
func Build(dir, root, command string, edits ...Edit) (string, error) {
	file, err := Write(dir, root, edits...)
	if err != nil {
		return "", err
	}
	program := filepath.Join(dir, "program")
	build := exec.Command("go", "build", "-overlay", file, "-o", program, command)
	build.Dir = filepath.Join(root, "bench")
	if out, err := build.CombinedOutput(); err != nil {
		return "", fmt.Errorf("%w: %s", err, out)
	}
	return program, nil
}

// Root finds the root of the shipped module from the working directory: the
// nearest folder above that has core and infra.
func Root() (string, error) {
	dir, err := os.Getwd()
	if err != nil {
		return "", err
	}
	for ; ; dir = filepath.Dir(dir) {
		_, core := os.Stat(filepath.Join(dir, "core", "agent"))
		_, mod := os.Stat(filepath.Join(dir, "go.mod"))
		if core == nil && mod == nil {
			return dir, nil
		}
		if dir == filepath.Dir(dir) {
			return "", errors.New("run this inside the repository")
		}
	}
}
