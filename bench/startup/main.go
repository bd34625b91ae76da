// Command startup measures how the functions start: from exec to the first
// real event answered, in rounds in which all take turns with an empty handler
// built alike. AWS is an emulator and the providers are the simulator, which
// every function reaches through a recorder, so that the time it waits for the
// network can be left out. Beside it stand the peak memory and the sizes of
// the zip files that are deployed.
//
// It runs in bench/ and needs AWS_ENDPOINT_URL: make bench-startup sets it.
// make sizes measures the sizes alone and needs nothing.
package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
)

// settings say what is measured.
type settings struct {
	rounds int
	only   string
	out    string
	sizes  bool
}

func main() {
	var s settings
	// More in a minute are more than the simulated Google allows one reader.
	flag.IntVar(&s.rounds, "rounds", 9, "how often every function is started; the medians count")
	flag.StringVar(&s.only, "only", "", "the one function to measure; all if empty")
	flag.StringVar(&s.out, "out", "startup.json", "file that the results are written to")
	flag.BoolVar(&s.sizes, "sizes", false, "only measure the zip files")
	flag.Parse()
	if err := run(os.Stdout, s); err != nil {
		fmt.Fprintln(os.Stderr, "startup:", err)
		os.Exit(1)
	}
}

func run(w io.Writer, s settings) error {
	dir, err := os.MkdirTemp("", "callagent-startup-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	all, err := build(dir, s.only)
	if err != nil {
		return err
	}
	if s.sizes {
		return errors.Join(sizeTable(w, all), oversize(all))
	}
	if err := start(all, s.rounds); err != nil {
		return err
	}
	results := resultsOf(all)
	if err := write(s.out, results); err != nil {
		return err
	}
	return errors.Join(table(w, results), oversize(all), late(results))
}

// start starts every program in every round.
func start(all []*program, rounds int) error {
	s, err := newStack()
	if err != nil {
		return err
	}
	defer s.close()
	for round := range rounds {
		fmt.Fprintf(os.Stderr, "round %d of %d\n", round+1, rounds)
		for _, p := range all {
			one, err := s.start(p)
			if err != nil {
				return fmt.Errorf("%s: %w", p.name, err)
			}
			p.starts = append(p.starts, one)
		}
	}
	return nil
}
