// Command fleet plays outages of a service that a whole fleet of processes
// calls, in virtual time: callagent's agent as it is shipped, beside a port of
// the circuit breaker of AWS Powertools, a counter that knows everything and
// counters that know one process each. It prints what the outage costs with
// each of them, how often a service that fails now and then is shut needlessly,
// and fails when callagent misses one of its targets. The same seeds give the
// same figures on every machine.
package main

import (
	"flag"
	"fmt"
	"io"
	"os"
)

func main() {
	var s study
	flag.IntVar(&s.seeds, "seeds", fullStudy, "runs of each measurement")
	flag.BoolVar(&s.short, "short", false, "only the failure rate that has targets, and not the busiest fleet")
	out := flag.String("out", "", "file that the results are written to; none if empty")
	flag.Parse()
	s.progress = os.Stderr
	if err := run(os.Stdout, s, *out); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// run measures, prints and judges.
func run(w io.Writer, s study, out string) error {
	if s.seeds < 1 {
		return fmt.Errorf("-seeds is %d: use 1 or more", s.seeds)
	}
	r := s.run()
	if out != "" {
		if err := r.write(out); err != nil {
			return err
		}
	}
	if err := r.print(w); err != nil {
		return err
	}
	missed := r.misses()
	fmt.Fprintln(w)
	fmt.Fprintln(w, r.summary())
	return missed
}
