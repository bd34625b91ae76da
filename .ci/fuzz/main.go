// Command fuzz runs every fuzz target of the module, one after the other, and
// prints a table. It ends with one line that a script can read, and with status
// 1 if an input broke a target: that input is then kept beside the target.
package main

import (
	"cmp"
	"context"
	"flag"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"
)

func main() {
	spent := flag.Duration("time", 30*time.Second, "how long to fuzz each target")
	keep := flag.Int("keep", 0, "copy so many of the inputs that were found interesting beside each target")
	only := flag.String("only", "", "targets whose package and name match")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	crashers, err := run(ctx, os.Stdout, *only, *spent, *keep)
	if err != nil {
		fmt.Fprintln(os.Stderr, "fuzz:", err)
	}
	if err != nil || crashers > 0 {
		os.Exit(1)
	}
}

// target is one fuzz test.
type target struct{ folder, name string }

func (t target) String() string { return t.folder + " " + t.name }

// result is what came of one target.
type result struct {
	inputs, interesting int
	crash               string // what go test said; "" when nothing broke
}

func run(ctx context.Context, out io.Writer, only string, spent time.Duration, keep int) (crashers int, err error) {
	matching, err := regexp.Compile(only)
	if err != nil {
		return 0, err
	}
	targets, err := find(".")
	targets = slices.DeleteFunc(targets, func(t target) bool { return !matching.MatchString(t.String()) })
	if err != nil || len(targets) == 0 {
		return 0, cmp.Or(err, fmt.Errorf("there is no target"))
	}
	inputs := 0
	table := tabwriter.NewWriter(out, 0, 0, 2, ' ', tabwriter.AlignRight)
	var broken []string
	fmt.Fprintln(table, "inputs\tnew\tcrashers\t  target\t")
	for _, t := range targets {
		r := t.fuzz(ctx, spent)
		if ctx.Err() != nil {
			return crashers, ctx.Err()
		}
		if r.crash != "" {
			crashers++
			broken = append(broken, t.String()+"\n"+r.crash)
		}
		inputs += r.inputs
		fmt.Fprintf(table, "%d\t%d\t%d\t  %s\t\n", r.inputs, r.interesting, min(1, len(r.crash)), t)
		if err := t.keep(keep); err != nil {
			return crashers, err
		}
	}
	_ = table.Flush() // it goes to the terminal
	for _, b := range broken {
		fmt.Fprintln(out, b)
	}
	fmt.Fprintf(out, "fuzz: targets=%d inputs=%d crashers=%d\n", len(targets), inputs, crashers)
	return crashers, nil
}

var declared = regexp.MustCompile(`(?m)^func (Fuzz\w+)\(f \*testing\.F\)`)

// find lists the targets below a folder.
func find(root string) (targets []target, err error) {
	err = filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && (d.Name() == "testdata" || len(d.Name()) > 1 && d.Name()[0] == '.' || path == "bench"):
			return filepath.SkipDir
		case d.IsDir() || !strings.HasSuffix(path, "_test.go"):
			return nil
		}
		code, err := os.ReadFile(path)
		for _, found := range declared.FindAllSubmatch(code, -1) {
			targets = append(targets, target{filepath.Dir(path), string(found[1])})
		}
		return err
	})
	slices.SortFunc(targets, func(a, b target) int { return strings.Compare(a.String(), b.String()) })
	return targets, err
}

var progress = regexp.MustCompile(`execs: (\d+) .*new interesting: (\d+)`)

// fuzz runs one target. Go sometimes fails a target whose time is over in the
// middle of an input (go.dev/issue/75804): that is no crash.
func (t target) fuzz(ctx context.Context, spent time.Duration) (r result) {
	cmd := exec.CommandContext(ctx, "go", "test", "-run", "^$", "-fuzz", "^"+t.name+"$", "-fuzztime", spent.String(), "-fuzzminimizetime", "50x", "./"+t.folder)
	cmd.Cancel = func() error { return cmd.Process.Signal(os.Interrupt) } // so that go test ends its own
	said, err := cmd.CombinedOutput()
	text := string(said)
	if all := progress.FindAllStringSubmatch(text, -1); len(all) > 0 {
		last := all[len(all)-1]
		r.inputs, _ = strconv.Atoi(last[1]) // they are digits
		r.interesting, _ = strconv.Atoi(last[2])
	}
	over := strings.Contains(text, "context deadline exceeded") && !strings.Contains(text, "Failing input written")
	if err != nil && !(over && r.inputs > 0) {
		r.crash = cmp.Or(text[max(0, strings.Index(text, "--- FAIL")):], err.Error())
	}
	return r
}

// largest is how large an input may be that is kept, in bytes.
const largest = 2 << 10

// keep copies some of the inputs that Go found interesting into the corpus, from
// the shortest to the longest.
func (t target) keep(n int) error {
	if n <= 0 {
		return nil
	}
	inputs, err := t.cached()
	if err != nil {
		return err
	}
	corpus := filepath.Join(t.folder, "testdata", "fuzz", t.name)
	if err := os.MkdirAll(corpus, 0o755); err != nil {
		return err
	}
	names := slices.SortedFunc(maps.Keys(inputs), func(a, b string) int {
		return cmp.Or(cmp.Compare(len(inputs[a]), len(inputs[b])), strings.Compare(a, b))
	})
	n = min(n, len(names))
	for i := range n {
		name := names[i*len(names)/n]
		if err := os.WriteFile(filepath.Join(corpus, name), inputs[name], 0o644); err != nil {
			return err
		}
	}
	return nil
}

// cached reads the inputs that Go keeps in its own cache.
func (t target) cached() (inputs map[string][]byte, err error) {
	cache, err := exec.Command("go", "env", "GOCACHE").Output()
	if err != nil {
		return nil, err
	}
	path, err := exec.Command("go", "list", "./"+t.folder).Output()
	if err != nil {
		return nil, err
	}
	found, err := filepath.Glob(filepath.Join(strings.TrimSpace(string(cache)), "fuzz", strings.TrimSpace(string(path)), t.name, "*"))
	inputs = map[string][]byte{}
	for _, path := range found {
		data, err := os.ReadFile(path)
		if err != nil {
			return nil, err
		}
		if len(data) <= largest {
			inputs[filepath.Base(path)] = data
		}
	}
	return inputs, err
}
