package main

import (
	"archive/zip"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
)

// The folders of the repository, seen from bench/.
const (
	root      = ".."
	functions = "../functions"
)

// empty is what the functions are compared with.
const empty = "empty"

// program is one function, or the empty handler.
type program struct {
	name    string
	limit   int64            // bytes that its zip may have; 0 is no limit
	queue   string           // the variable of the queue that its events come from; "" for none
	binary  string           // for this machine
	zipped  map[string]int64 // bytes, by architecture
	starts  []sample         // by round
	prepare func(*stack) error
	answer  string // to the event
}

const megabyte = 1_000_000

// programs are all that can be measured, the empty handler first.
func programs() []*program {
	settled, again := `{"batchItemFailures":[]}`, `{"batchItemFailures":[{"itemIdentifier":`
	return []*program{
		{name: empty, answer: "null"},
		{name: "call", limit: 6 * megabyte, queue: "CONTACTS_QUEUE_URL", answer: again}, // the phone rings: it looks again later
		{name: "healthcheck", limit: 6 * megabyte, answer: "null"},
		{name: "callback", limit: 6 * megabyte, prepare: (*stack).dial, answer: `{"statusCode":204`},
		{name: "alert", queue: "ALERTS_QUEUE_URL", answer: settled},
		{name: "sheet", limit: 9 * megabyte, queue: "JOURNAL_QUEUE_URL", answer: settled},
	}
}

// build builds the empty handler and the one function, or all of them, for
// both architectures of Lambda.
func build(dir, only string) ([]*program, error) {
	var built []*program
	for _, p := range programs() {
		if only != "" && p.name != only && p.name != empty {
			continue
		}
		p.zipped = map[string]int64{}
		for _, architecture := range []string{"arm64", "amd64"} {
			binary, err := p.make(dir, architecture)
			if err != nil {
				return nil, err
			}
			if architecture == runtime.GOARCH {
				p.binary = binary
			}
			if p.zipped[architecture], err = zippedSize(binary); err != nil {
				return nil, err
			}
		}
		built = append(built, p)
	}
	if len(built) < 2 {
		return nil, fmt.Errorf("there is no function %q", only)
	}
	return built, nil
}

// make builds for an architecture with the rule that sam build runs, so that
// all have its flags.
func (p *program) make(dir, architecture string) (binary string, err error) {
	artifacts := filepath.Join(dir, architecture, p.name)
	if err := os.MkdirAll(artifacts, 0o755); err != nil {
		return "", err
	}
	args := []string{"-s", "-C", functions, "build-" + strings.ToUpper(p.name[:1]) + p.name[1:] + "Function", "GOARCH=" + architecture, "ARTIFACTS_DIR=" + artifacts}
	if p.name == empty {
		args = append(args, "GO=go -C ../bench/startup")
	}
	c := exec.Command("make", args...)
	c.Stderr = os.Stderr
	if err := c.Run(); err != nil {
		return "", fmt.Errorf("build %s for %s: %w", p.name, architecture, err)
	}
	return filepath.Join(artifacts, "bootstrap"), nil
}

// zippedSize is the size of a zip file that holds the file and nothing else.
func zippedSize(path string) (int64, error) {
	f, err := os.Open(path)
	if err != nil {
		return 0, err
	}
	defer f.Close()
	var size counter
	z := zip.NewWriter(&size)
	w, err := z.Create(filepath.Base(path))
	if err != nil {
		return 0, err
	}
	if _, err := io.Copy(w, f); err != nil {
		return 0, err
	}
	err = z.Close()
	return int64(size), err
}

// counter counts what is written to it.
type counter int64

func (c *counter) Write(p []byte) (int, error) {
	*c += counter(len(p))
	return len(p), nil
}
