// Command soak plays histories of a whole fleet in virtual time, each drawn
// from a number: the real agents, with crashes at every use of a port, lost,
// doubled, delayed and reordered messages, lost answers, conflicts, old
// readings, clocks that differ, silent stores and failing providers. It ends
// with status 1 if a promise was broken, and says how to see it again.
// docs/simulation.md tells what is drawn and what is checked.
package main

import (
	"flag"
	"fmt"
	"os"
	"runtime"
	"runtime/debug"
	"sync"
	"sync/atomic"
	"time"
)

func main() {
	seeds := flag.Uint64("seeds", 1000, "how many histories; one alone is told in full")
	from := flag.Uint64("from", 1, "the number of the first")
	stop := flag.Int("failures", 5, "how many broken promises end the run")
	proof := flag.Bool("broken", false, "break the code in many ways, one at a time, and demand that each is seen")
	flag.Parse()
	if *proof {
		os.Exit(prove(os.Stdout))
	}
	debug.SetGCPercent(800) // a history is short and leaves everything behind
	if *seeds == 1 {
		os.Exit(tell(os.Stdout, *from))
	}
	began := time.Now()
	sum := play(*from, *seeds, *stop)
	sum.write(os.Stdout, time.Since(began))
	if len(sum.failed) > 0 || len(sum.never()) > 0 && sum.seeds >= enough {
		os.Exit(1)
	}
}

// play plays the seeds on all processors. It stops early when enough have
// failed.
func play(from, seeds uint64, stop int) *summary {
	var (
		next atomic.Uint64
		all  sync.WaitGroup
		mu   sync.Mutex
	)
	sum := newSummary(from)
	for range runtime.GOMAXPROCS(0) {
		all.Go(func() {
			for n := next.Add(1) - 1; n < seeds; n = next.Add(1) - 1 {
				r := run(from+n, nil)
				mu.Lock()
				sum.add(r)
				enough := len(sum.failed) >= stop
				mu.Unlock()
				if enough {
					return
				}
			}
		})
	}
	all.Wait()
	return sum
}

// tell plays one seed with everything that happens in it, and gives the exit
// status.
func tell(w *os.File, number uint64) int {
	r := run(number, w)
	fmt.Fprintf(w, "seed %d: %s\n", number, r)
	sum := newSummary(number)
	sum.add(r)
	fmt.Fprintln(w, sum.last(time.Second))
	return min(1, len(r.violations))
}
