package main

import (
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"callagent/bench/overlay"
	"callagent/docs/docstest"
)

// The text of every mutant still stands in the source, its configuration
// exists, and its trace is kept; no other trace is.
func TestEveryMutantIsUpToDate(t *testing.T) {
	root, err := overlay.Root()
	if err != nil {
		t.Fatal(err)
	}
	known := map[string]bool{}
	for _, m := range models(0) {
		known[m.name] = true
	}
	for _, m := range theMutants() {
		if _, err := overlay.Write(t.TempDir(), root, m.edits...); err != nil {
			t.Errorf("%s: %v", m.name, err)
		}
		if !known[m.model] {
			t.Errorf("%s: there is no configuration %q", m.name, m.model)
		}
		if _, err := os.Stat(filepath.Join("traces", fileName(m.name)+".txt")); err != nil {
			t.Errorf("%s: %v", m.name, err)
		}
	}
	kept, _ := filepath.Glob("traces/*.txt")
	if len(kept) != len(theMutants()) {
		t.Errorf("%d traces of %d mutants are kept", len(kept), len(theMutants()))
	}
}

// The short form of make explore: each configuration with a request or a
// deviation less, and no mutants.
func TestNothingIsBrokenWithinNarrowerBounds(t *testing.T) {
	if err := run(io.Discard, settings{more: -1}); err != nil {
		t.Fatal(err)
	}
}

// The page shows the figures and the traces that are kept.
func TestThePageShowsWhatIsKept(t *testing.T) {
	figures, err := os.ReadFile("figures.md")
	if err != nil {
		t.Fatal(err)
	}
	docstest.Part(t, "exploration.md", "figures", strings.ReplaceAll(string(figures), "](traces/", "](../bench/explore/traces/"))
	for _, name := range []string{"a callback's SID without its owner", "'not there' counted from the intent", "an overtaken report moves streak_at back"} {
		trace, err := os.ReadFile(filepath.Join("traces", fileName(name)+".txt"))
		if err != nil {
			t.Fatal(err)
		}
		_, steps, _ := strings.Cut(string(trace), "\n")
		docstest.Part(t, "exploration.md", fileName(name), "```text\n"+steps+"```\n")
	}
}
