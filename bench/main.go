// Command bench measures callagent and what others offer for the same job, in
// one run on one machine: rounds in which all take turns, and the medians.
package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"runtime/pprof"
	"testing"
)

// settings say what is measured, and how long.
type settings struct {
	rounds   int
	time     string
	contacts int
	dir      string
	only     string
	out      string
}

func main() {
	var s settings
	flag.IntVar(&s.rounds, "rounds", 7, "how often everything is measured; the medians count")
	flag.StringVar(&s.time, "time", "200ms", "how long one measurement of a breaker or a delay takes")
	flag.IntVar(&s.contacts, "contacts", 2000, "contacts of one measurement of durable calls")
	flag.StringVar(&s.dir, "dir", "", "directory on the disk that is measured; the system's temporary one if empty")
	flag.StringVar(&s.only, "only", "", "the one comparison to make; all if empty")
	flag.StringVar(&s.out, "out", "results.json", "file that the results are written to")
	profile := flag.String("profile", "", "file that a CPU profile is written to; none if empty")
	testing.Init()
	flag.Parse()
	if err := errors.Join(flag.Set("test.benchtime", s.time), profiled(*profile, func() error { return run(os.Stdout, s) })); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

// profiled does the work and writes its CPU profile.
func profiled(path string, work func() error) error {
	if path == "" {
		return work()
	}
	f, err := os.Create(path)
	if err != nil {
		return err
	}
	if err := pprof.StartCPUProfile(f); err != nil {
		return errors.Join(err, f.Close())
	}
	err = work()
	pprof.StopCPUProfile()
	return errors.Join(err, f.Close())
}

func run(w io.Writer, s settings) error {
	var comparisons []comparison
	for _, c := range []comparison{
		breakerSuccess(), breakerSuccessParallel(), breakerReject(), backoffDelay(), durableCall(s.dir, s.contacts),
	} {
		if s.only == "" || s.only == c.name {
			comparisons = append(comparisons, c)
		}
	}
	for round := range s.rounds {
		fmt.Fprintf(os.Stderr, "round %d of %d\n", round+1, s.rounds)
		for i := range comparisons {
			if err := comparisons[i].measure(); err != nil {
				return fmt.Errorf("%s: %w", comparisons[i].name, err)
			}
		}
	}
	results := make([]result, len(comparisons))
	for i, c := range comparisons {
		results[i] = c.result()
	}
	if err := write(s.out, results); err != nil {
		return err
	}
	return table(w, results, comparisons)
}
