// Command explore visits every state that the circuit and the call protocol can
// reach within bounds, on the shipped code, and judges each against the
// promises. Then it does the same with lines of that code changed, one mutant
// after another, and demands that each is noticed. See docs/exploration.md.
package main

import (
	"flag"
	"fmt"
	"io"
	"os"
	"runtime/debug"
	"time"

	"callagent/bench/explore/search"
)

// settings say what is explored.
type settings struct {
	model  string // the only one; "" for all
	depth  int    // steps, 0 for as many as there are
	update bool   // write the traces again
	more   int    // deviations and requests beyond those of the configurations
	hunts  bool   // the mutants too
}

func main() {
	var s settings
	flag.StringVar(&s.model, "model", "", "the one configuration to explore, without mutants; all if empty")
	flag.IntVar(&s.depth, "depth", 0, "how many steps from the start; 0: until there is no further state")
	flag.BoolVar(&s.update, "update", false, "write the traces of the mutants again")
	flag.IntVar(&s.more, "more", 0, "wider bounds: so many deviations and requests more")
	flag.BoolVar(&s.hunts, "mutants", true, "explore the mutants too")
	flag.Parse()
	debug.SetGCPercent(400)
	if err := run(os.Stdout, s); err != nil {
		fmt.Fprintln(os.Stderr, "explore:", err)
		os.Exit(1)
	}
}

func run(w io.Writer, s settings) error {
	if s.model != "" {
		return one(w, s)
	}
	began := time.Now()
	clean, err := explore(w, s)
	if err != nil {
		return err
	}
	caught, all := 0, 0
	if s.hunts {
		all = len(theMutants())
		found, err := hunt(clean)
		if err != nil {
			return err
		}
		if caught, err = tell(w, s, clean, found); err != nil {
			return err
		}
	}
	sum := total(clean)
	fmt.Fprintf(w, "\n%s\n", time.Since(began).Round(time.Second))
	fmt.Fprintf(w, "explore: states=%d transitions=%d depth=%d violations=%d mutants=%d/%d\n",
		sum.States, sum.Transitions, sum.Depth, broken(clean), caught, all)
	if caught < all || broken(clean) > 0 {
		return fmt.Errorf("%d promises are broken and %d mutants survive", broken(clean), all-caught)
	}
	return nil
}

// one explores one configuration; it is what a mutant's program does.
func one(w io.Writer, s settings) error {
	for _, m := range models(s.more) {
		if m.name == s.model {
			r := m.explore(search.Bounds{Depth: s.depth})
			if r.Broken != "" {
				fmt.Fprint(w, r.Drawing())
			}
			return nil
		}
	}
	return fmt.Errorf("there is no configuration %q", s.model)
}

// explore visits all configurations of the code as it is.
func explore(w io.Writer, s settings) (map[string]search.Result, error) {
	found := map[string]search.Result{}
	for _, m := range models(s.more) {
		began := time.Now()
		r := m.explore(search.Bounds{Depth: s.depth})
		found[m.name] = r
		fmt.Fprintf(w, "%-9s %s  %6s\n          %s\n", m.name, r, time.Since(began).Round(100*time.Millisecond), m.bounds)
		if r.Broken != "" {
			fmt.Fprintf(w, "\n%s\n", r.Drawing())
			return nil, fmt.Errorf("a promise is broken in configuration %s", m.name)
		}
	}
	return found, nil
}

func total(found map[string]search.Result) (sum search.Result) {
	for _, r := range found {
		sum.States += r.States
		sum.Transitions += r.Transitions
		sum.Depth = max(sum.Depth, r.Depth)
	}
	return sum
}

func broken(found map[string]search.Result) int {
	n := 0
	for _, r := range found {
		if r.Broken != "" {
			n++
		}
	}
	return n
}
