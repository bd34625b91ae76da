// Package search visits every state that a model can reach, breadth first, and
// draws the shortest way to one that breaks a promise.
package search

import (
	"fmt"
	"runtime"
	"strings"
	"sync"
	"time"
)

// Model is a system whose states are values. Its methods are called from
// several goroutines at once.
type Model[S any] interface {
	// Starts are the states that it may begin in.
	Starts() []S
	// Steps gives each step that may be taken in a state to yield, always in the
	// same order.
	Steps(s S, yield func(Step[S]))
	// Print is the fingerprint of a state. Two states with the same one are
	// taken for the same.
	Print(s S) uint64
}

// Step is one step and the state after it.
type Step[S any] struct {
	Next S
	// Broken says which promise the step breaks; "" for none.
	Broken string
	// Tell is one line for a reader: who did what, and what came of it. It is
	// called only for steps that are drawn.
	Tell func() string
}

// Bounds end a search before its frontier is empty. The zero Bounds end none.
type Bounds struct {
	Depth  int           // steps from a start
	States int           // states visited
	For    time.Duration // of real time
}

// Result is what a search found.
type Result struct {
	States      int
	Transitions int
	Depth       int      // of the last level that was looked at
	Whole       bool     // the frontier is empty: there is no further state
	Broken      string   // the promise that is broken; "" for none
	Trace       []string // the shortest way there, a line a step
}

// link says how a state was reached: by which step of which state.
type link struct {
	parent uint32
	step   uint32
}

// level is a run of states that are equally far from the start. The first of
// them has the number first.
type level[S any] struct {
	first  uint32
	states []S
}

// run is one search.
type run[S any] struct {
	model  Model[S]
	bounds Bounds
	began  time.Time
	seen   map[uint64]struct{}
	links  []link
	result Result
}

// Run searches from the starts until the frontier is empty, a promise is broken
// or a bound is reached. It uses all cores, and its result does not depend on
// how many there are, unless real time ends it.
func Run[S any](m Model[S], b Bounds) Result {
	r := &run[S]{model: m, bounds: b, began: time.Now(), seen: map[uint64]struct{}{}}
	at := level[S]{}
	for i, s := range m.Starts() {
		r.meet(&at, child[S]{state: s, print: m.Print(s), link: link{parent: none, step: uint32(i)}})
	}
	for len(at.states) > 0 && r.result.Broken == "" && !r.over() {
		at = r.descend(at)
	}
	r.result.States = len(r.links)
	r.result.Whole = len(at.states) == 0 && r.result.Broken == ""
	return r.result
}

// none is the parent of a start.
const none = ^uint32(0)

func (r *run[S]) over() bool {
	b := r.bounds
	return b.Depth > 0 && r.result.Depth >= b.Depth || b.States > 0 && len(r.links) >= b.States ||
		b.For > 0 && time.Since(r.began) > b.For
}

// child is a state that a step leads to.
type child[S any] struct {
	state S
	print uint64
	link  link
}

// found is what one piece of a level leads to.
type found[S any] struct {
	children    []child[S]
	transitions int
	broken      string
	at          link // the step that breaks the promise
}

// pieceSize is how many states a goroutine takes at once.
const pieceSize = 256

// descend takes all steps of a level and gives the next one. The pieces of the
// level are worked at once and put together in their order.
func (r *run[S]) descend(at level[S]) level[S] {
	pieces := make([]found[S], (len(at.states)+pieceSize-1)/pieceSize)
	var wg sync.WaitGroup
	turns := make(chan int, len(pieces))
	for i := range pieces {
		turns <- i
	}
	close(turns)
	for range runtime.GOMAXPROCS(0) {
		wg.Go(func() {
			for i := range turns {
				from := i * pieceSize
				pieces[i] = r.expand(at.states[from:min(from+pieceSize, len(at.states))], at.first+uint32(from))
			}
		})
	}
	wg.Wait()
	r.result.Depth++
	next := level[S]{first: uint32(len(r.links))}
	for _, p := range pieces {
		r.result.Transitions += p.transitions
		if p.broken != "" {
			r.result.Broken, r.result.Trace = p.broken, r.draw(p.at)
			return next
		}
		for _, c := range p.children {
			r.meet(&next, c)
		}
	}
	return next
}

// expand takes all steps of some states. It only reads what was seen before.
func (r *run[S]) expand(states []S, first uint32) found[S] {
	var f found[S]
	fresh := map[uint64]struct{}{}
	for i, s := range states {
		at := link{parent: first + uint32(i)}
		r.model.Steps(s, func(step Step[S]) {
			f.transitions++
			if step.Broken != "" && f.broken == "" {
				f.broken, f.at = step.Broken, at
			}
			print := r.model.Print(step.Next)
			_, old := r.seen[print]
			if _, twice := fresh[print]; !old && !twice {
				fresh[print] = struct{}{}
				f.children = append(f.children, child[S]{step.Next, print, at})
			}
			at.step++
		})
		if f.broken != "" {
			return f
		}
	}
	return f
}

// meet adds a state to a level unless it was seen before.
func (r *run[S]) meet(l *level[S], c child[S]) {
	if _, old := r.seen[c.print]; old {
		return
	}
	r.seen[c.print] = struct{}{}
	r.links = append(r.links, c.link)
	l.states = append(l.states, c.state)
}

// draw tells the steps that lead from a start to the last one.
func (r *run[S]) draw(last link) []string {
	way := []link{last}
	for way[0].parent != none {
		way = append([]link{r.links[way[0].parent]}, way...)
	}
	s := r.model.Starts()[way[0].step]
	var lines []string
	for _, l := range way[1:] {
		step := pick(r.model, s, l.step)
		lines = append(lines, step.Tell())
		s = step.Next
	}
	return lines
}

// pick takes the nth step of a state.
func pick[S any](m Model[S], s S, n uint32) Step[S] {
	var picked Step[S]
	i := uint32(0)
	m.Steps(s, func(step Step[S]) {
		if i == n {
			picked = step
		}
		i++
	})
	return picked
}

// String is one line: states, transitions, depth, and what ended the search.
func (r Result) String() string {
	end := "frontier empty"
	if !r.Whole {
		end = "bounded"
	}
	if r.Broken != "" {
		end = "BROKEN: " + r.Broken
	}
	return fmt.Sprintf("%9d states %10d transitions  depth %3d  %s", r.States, r.Transitions, r.Depth, end)
}

// Drawing is the trace as a page: the promise and the numbered steps.
func (r Result) Drawing() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s\n", r.Broken)
	for i, line := range r.Trace {
		fmt.Fprintf(&b, "%3d  %s\n", i+1, line)
	}
	return b.String()
}

// Mix is a hash of bytes: FNV-1a with a final mix, the same in every run.
func Mix(h uint64, bytes ...byte) uint64 {
	for _, b := range bytes {
		h = (h ^ uint64(b)) * 0x100000001b3
	}
	return h
}

// Finish ends a chain of Mix.
func Finish(h uint64) uint64 {
	h ^= h >> 32
	h *= 0xd6e8feb86659fd93
	h ^= h >> 32
	return h
}

// Seed begins a chain of Mix.
const Seed uint64 = 0xcbf29ce484222325
