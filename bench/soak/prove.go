package main

import (
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"time"

	"callagent/bench/overlay"
)

// patience is how many seeds a breakage may go unseen.
const patience = 3000

// prove puts each breakage into the code, plays seeds until a promise is
// broken, and gives the exit status: 1 if a breakage went unseen.
func prove(w io.Writer) int {
	began, caught := time.Now(), 0
	for _, b := range breakages {
		seed, promise, err := b.shown()
		switch {
		case err != nil:
			fmt.Fprintf(w, "%-55s %v\n", b.what, err)
		case promise == "":
			fmt.Fprintf(w, "%-55s NOT SEEN in %d seeds\n", b.what, patience)
		default:
			caught++
			fmt.Fprintf(w, "%-55s seed %-5s %s\n", b.what, seed, promise)
		}
	}
	fmt.Fprintf(w, "soak-broken: breakages=%d caught=%d seconds=%.0f\n", len(breakages), caught, time.Since(began).Seconds())
	if caught != len(breakages) {
		return 1
	}
	return 0
}

// shown builds this command with the breakage in it and plays until a promise
// is broken. It gives the seed and the promise, "" when none was.
func (b breakage) shown() (seed, promise string, err error) {
	root, err := overlay.Root()
	if err != nil {
		return "", "", err
	}
	dir, err := os.MkdirTemp("", "soak")
	if err != nil {
		return "", "", err
	}
	defer func() { _ = os.RemoveAll(dir) }() // what stays is in the system's temporary folder
	command, err := overlay.Build(dir, root, "./soak", b.edits...)
	if err != nil {
		return "", "", err
	}
	report, err := exec.Command(command, "-seeds", fmt.Sprint(patience), "-failures", "1").Output()
	for line := range strings.Lines(string(report)) {
		if number, rest, found := strings.Cut(line, ": BROKEN "); found {
			return strings.TrimPrefix(number, "seed "), strings.TrimSpace(rest), nil
		}
	}
	return "", "", err
}
