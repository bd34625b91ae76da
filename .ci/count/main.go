// Command count reads `go test -json` and prints what failed and how many
// tests ran.
package main

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
)

// event is one line of `go test -json`.
type event struct {
	Action, Package, Test, Output string
}

func main() { os.Exit(count(os.Stdin, os.Stdout)) }

// count prints the output of failed tests and packages and one closing line.
// It returns 1 if anything failed or nothing ran.
func count(in io.Reader, out io.Writer) int {
	var passed, failed, skipped int
	output := map[string][]string{}
	d := json.NewDecoder(in)
	for {
		var e event
		if err := d.Decode(&e); err == io.EOF {
			break
		} else if err != nil {
			fmt.Fprintln(out, "the test output cannot be read:", err)
			return 1
		}
		key := e.Package + " " + e.Test
		switch e.Action {
		case "output", "build-output":
			output[key] = append(output[key], e.Output)
		case "pass":
			if e.Test != "" {
				passed++
			}
			delete(output, key)
		case "skip":
			if e.Test != "" {
				skipped++
				fmt.Fprintln(out, "skipped:", key)
			}
		case "fail", "build-fail":
			failed++
			fmt.Fprintln(out, "FAILED:", key)
			for _, line := range output[key] {
				fmt.Fprint(out, line)
			}
		}
	}
	fmt.Fprintf(out, "%d passed, %d failed, %d skipped\n", passed, failed, skipped)
	if failed > 0 || passed == 0 {
		return 1
	}
	return 0
}
