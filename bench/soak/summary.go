package main

import (
	"bytes"
	"fmt"
	"io"
	"slices"
	"time"

	"callagent/bench/world"
)

// enough is how many seeds must have shown every kind of fault.
const enough = 1000

// summary is the sum of all seeds.
type summary struct {
	from     uint64
	seeds    int
	failed   []result
	counts   map[string]int
	outcomes map[string]int
	figures  world.Figures
	faults   int
	fewest   int           // faults in one seed
	drain    time.Duration // the longest
}

func newSummary(from uint64) *summary {
	return &summary{from: from, counts: map[string]int{}, outcomes: map[string]int{}}
}

func (s *summary) add(r result) {
	s.seeds++
	if len(r.violations) > 0 {
		s.failed = append(s.failed, r)
	}
	for name, n := range r.counts {
		s.counts[name] += n
	}
	for state, n := range r.outcomes {
		s.outcomes[state] += n
	}
	f, g := &s.figures, r.figures
	f.Steps, f.Requests, f.Rings, f.Openings = f.Steps+g.Steps, f.Requests+g.Requests, f.Rings+g.Rings, f.Openings+g.Openings
	f.Crashes, f.Duplicates, f.Lost, f.Conflicts = f.Crashes+g.Crashes, f.Duplicates+g.Duplicates, f.Lost+g.Lost, f.Conflicts+g.Conflicts
	if s.faults += r.faults; s.seeds == 1 || r.faults < s.fewest {
		s.fewest = r.faults
	}
	s.drain = max(s.drain, r.drain)
}

// never lists the faults that no seed had.
func (s *summary) never() []string {
	return slices.DeleteFunc(world.Faults(), func(name string) bool { return s.counts[name] > 0 })
}

// write prints the report.
func (s *summary) write(w io.Writer, took time.Duration) {
	for _, r := range s.failed {
		fmt.Fprintf(w, "seed %d: %s\n%s  again, with everything that happens: make soak SEEDS=1 FROM=%d\n\n", r.seed, r, tail(r.seed), r.seed)
	}
	fmt.Fprintf(w, "what was done to them, in %d seeds from %d on:\n", s.seeds, s.from)
	for _, name := range world.Faults() {
		fmt.Fprintf(w, "  %-45s %9d\n", name, s.counts[name])
	}
	f := s.figures
	fmt.Fprintf(w, "what came of it:\n  %d turns, %d requests, %d rings, %d openings of a circuit\n  outcomes:", f.Steps, f.Requests, f.Rings, f.Openings)
	for _, state := range []string{"completed", "failed", "unknown", "expired"} {
		fmt.Fprintf(w, " %d %s", s.outcomes[state], state)
	}
	fmt.Fprintf(w, "\n  %.0f faults a seed, at least %d; all work ended at most %s after the last one (allowed: %s)\n",
		float64(s.faults)/float64(s.seeds), s.fewest, s.drain.Round(time.Second), drained)
	for _, name := range s.never() {
		fmt.Fprintf(w, "  never happened: %s\n", name)
	}
	fmt.Fprintln(w, s.last(took))
}

// last is the line for scripts.
func (s *summary) last(took time.Duration) string {
	f := s.figures
	return fmt.Sprintf("soak: seeds=%d violations=%d crashes=%d duplicates=%d lost=%d conflicts=%d seeds_per_s=%.0f",
		s.seeds, len(s.failed), f.Crashes, f.Duplicates, f.Lost, f.Conflicts, float64(s.seeds)/took.Seconds())
}

// shown is how many lines of a trace a report has.
const shown = 30

// tail is the end of a seed's trace, up to the broken promise.
func tail(number uint64) string {
	var b bytes.Buffer
	run(number, &b)
	lines := bytes.SplitAfter(b.Bytes(), []byte("\n"))
	return string(bytes.Join(lines[max(0, len(lines)-1-shown):], nil))
}
