package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"

	"callagent/bench/explore/search"
	"callagent/bench/overlay"
)

// traces is where the shortest ways to each mutant's mistake are kept.
const traces = "explore/traces"

// catch is what became of one mutant.
type catch struct {
	drawing string // the promise that it breaks, and how; "" when nobody noticed
	err     error
}

// steps is how many there are in the drawing.
func (c catch) steps() int { return max(0, strings.Count(c.drawing, "\n")-1) }

// promise is the one that is broken.
func (c catch) promise() string {
	promise, _, _ := strings.Cut(c.drawing, "\n")
	return promise
}

// hunt builds this command with each mutant, and explores the mutant's
// configuration to half the depth that the code as it is has there. Two at a
// time; the catches are in the order of the mutants.
func hunt(clean map[string]search.Result) ([]catch, error) {
	root, err := overlay.Root()
	if err != nil {
		return nil, err
	}
	dir, err := os.MkdirTemp("", "explore")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)

	list := theMutants()
	found := make([]catch, len(list))
	turns := make(chan struct{}, 2)
	var wg sync.WaitGroup
	for i, m := range list {
		turns <- struct{}{}
		wg.Go(func() {
			defer func() { <-turns }()
			found[i] = try(root, filepath.Join(dir, fmt.Sprint(i)), m, clean[m.model].Depth/2)
		})
	}
	wg.Wait()
	return found, nil
}

// tell prints what became of the mutants, and compares or keeps the traces.
func tell(w io.Writer, s settings, clean map[string]search.Result, found []catch) (caught int, err error) {
	fmt.Fprintln(w)
	for i, m := range theMutants() {
		c := found[i]
		err = errors.Join(err, c.err)
		if c.drawing == "" {
			fmt.Fprintf(w, "  SURVIVES        %-9s %s\n", m.model, m.name)
			continue
		}
		caught++
		fmt.Fprintf(w, "  caught at %3d of %3d  %-9s %s\n%34s%s\n", c.steps(), clean[m.model].Depth, m.model, m.name, "", c.promise())
		err = errors.Join(err, keep(m, c.drawing, s.update))
	}
	if s.update {
		err = errors.Join(err, os.WriteFile(figures, []byte(table(s, clean, found)), 0o644))
	}
	return caught, err
}

// figures is where the figures of docs/exploration.md are kept.
const figures = "explore/figures.md"

// table is the figures, with links that lead on from their own folder.
func table(s settings, clean map[string]search.Result, found []catch) string {
	var b strings.Builder
	b.WriteString("| configuration | states | steps tried | depth |\n| --- | --- | --- | --- |\n")
	for _, m := range models(s.more) {
		r := clean[m.name]
		fmt.Fprintf(&b, "| %s | %d | %d | %d |\n", m.bounds, r.States, r.Transitions, r.Depth)
	}
	b.WriteString("\n| mistake | noticed after | of | as |\n| --- | --- | --- | --- |\n")
	for i, m := range theMutants() {
		fmt.Fprintf(&b, "| [%s](traces/%s.txt) | %d | %d, %s | %s |\n",
			m.name, fileName(m.name), found[i].steps(), clean[m.model].Depth, m.model, found[i].promise())
	}
	return b.String()
}

// try builds and runs one mutant.
func try(root, dir string, m mutant, depth int) catch {
	if err := os.Mkdir(dir, 0o700); err != nil {
		return catch{err: err}
	}
	program, err := overlay.Build(dir, root, "./explore", m.edits...)
	if err != nil {
		return catch{err: fmt.Errorf("mutant %q: %w", m.name, err)}
	}
	defer os.Remove(program)
	var out, said bytes.Buffer
	run := exec.Command(program, "-model", m.model, "-depth", fmt.Sprint(depth))
	run.Stdout, run.Stderr = &out, &said
	if err := run.Run(); err != nil {
		return catch{err: fmt.Errorf("mutant %q: %w\n%s", m.name, err, said.String())}
	}
	return catch{drawing: out.String()}
}

// keep compares a mutant's trace with the one that is kept, or keeps it.
func keep(m mutant, drawing string, update bool) error {
	path := filepath.Join(traces, fileName(m.name)+".txt")
	page := "# " + m.name + "\n" + drawing
	if update {
		return os.WriteFile(path, []byte(page), 0o644)
	}
	kept, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	if string(kept) != page {
		return fmt.Errorf("%s is not the trace that was found; look at it, then run make explore-update:\n%s", path, page)
	}
	return nil
}

// fileName is a mutant's name as that of a file.
func fileName(name string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r == ' ' || r == '-':
			return '-'
		case r >= 'a' && r <= 'z', r >= 'A' && r <= 'Z':
			return r
		}
		return -1
	}, strings.ToLower(name))
}
