// Command promises removes, one after the other, each line that keeps a promise
// of docs/promises.md, and demands that the test which is named for it fails:
// once with the shipped code, where it has to pass, and once without the line.
// It ends with status 1 if a test passes that should fail, or fails that should
// pass. The code on disk is not touched.
package main

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"sync"
	"time"

	"callagent/bench/overlay"
)

func main() {
	root, err := overlay.Root()
	if err != nil {
		fmt.Fprintln(os.Stderr, "promises:", err)
		os.Exit(2)
	}
	began := time.Now()
	verdicts := judge(root)
	kept, lines := 0, 0
	for _, p := range promises {
		for _, l := range p.Lines {
			lines++
			v := verdicts[l.Keeps]
			if v == nil {
				kept++
				fmt.Printf("%3d  %-70s %s fails without it\n", p.Number, l.Keeps, l.Test)
				continue
			}
			fmt.Printf("%3d  %-70s WRONG: %v\n", p.Number, l.Keeps, v)
		}
	}
	fmt.Printf("promises: promises=%d lines=%d proved=%d seconds=%.0f\n", len(promises), lines, kept, time.Since(began).Seconds())
	if kept != lines {
		os.Exit(1)
	}
}

// judge tries all lines, as many at a time as there are processors, and gives
// what is wrong by what the line keeps.
func judge(root string) map[string]error {
	var (
		mu   sync.Mutex
		all  sync.WaitGroup
		free = make(chan struct{}, runtime.GOMAXPROCS(0))
	)
	wrong := map[string]error{}
	try := func(key string, check func() error) {
		all.Go(func() {
			free <- struct{}{}
			defer func() { <-free }()
			if err := check(); err != nil {
				mu.Lock()
				defer mu.Unlock()
				wrong[key] = errors.Join(wrong[key], err)
			}
		})
	}
	for pkg, lines := range byPackage() {
		try(lines[0].Keeps, func() error { return passes(root, pkg, lines) })
		for _, l := range lines {
			try(l.Keeps, func() error { return fails(root, l) })
		}
	}
	all.Wait()
	return wrong
}

func byPackage() map[string][]line {
	lines := map[string][]line{}
	for _, p := range promises {
		for _, l := range p.Lines {
			lines[l.Package] = append(lines[l.Package], l)
		}
	}
	return lines
}

// passes demands that the tests of a package pass with the shipped code.
func passes(root, pkg string, lines []line) error {
	var names []string
	for _, l := range lines {
		names = append(names, l.Test)
	}
	out, err := test(root, pkg, strings.Join(names, "|"))
	if err != nil {
		return fmt.Errorf("with the shipped code: %w\n%s", err, out)
	}
	return nil
}

// fails demands that the line's test fails without it. Code that does not
// compile proves nothing.
func fails(root string, l line) error {
	dir, err := os.MkdirTemp("", "promises")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	file, err := overlay.Write(dir, root, l.Edit)
	if err != nil {
		return err
	}
	out, err := test(root, l.Package, l.Test, "-overlay", file)
	switch {
	case err == nil:
		return fmt.Errorf("%s passes although %s", l.Test, l.Removed)
	case strings.Contains(out, "[build failed]") || !strings.Contains(out, "FAIL"):
		return fmt.Errorf("it cannot be tried: %s", out)
	}
	return nil
}

// test runs tests of a package and gives what they print.
func test(root, pkg, names string, flags ...string) (string, error) {
	args := append([]string{"test", "-count=1", "-timeout=2m", "-run", "^(" + names + ")$"}, flags...)
	c := exec.Command("go", append(args, "./"+pkg)...)
	c.Dir = root
	c.Env = append(os.Environ(), "RAPID_NOFAILFILE=true") // what fails here on purpose is not kept
	out, err := c.CombinedOutput()
	return string(out), err
}
