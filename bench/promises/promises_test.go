package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"callagent/bench/overlay"
	"callagent/docs/docstest"
)

// wording is what is promised, by number.
var wording = []string{
	"Every accepted contact reaches exactly one outcome.",
	"No number is rung twice in a campaign, unless a person says so.",
	"A step whose result was stored is never paid for twice.",
	"Each opening of a circuit from CLOSED and each announced closing is told at least once, and once only without a crash.",
	"From one second after OPEN was written no request is admitted but one for each probe lease.",
	"A result from before a transition changes nothing after it.",
	"A permanent fault of a contact never counts toward a circuit and never keeps a probe.",
	"A delay is never shorter than asked: 5, 10 and 20 s, or what the server said.",
	"When faults end, the system drains by itself.",
	"If the circuit store is down calls go on; if the ledger is down nothing is dialled.",
	"A lost message, process or tick delays a call and never loses it.",
}

func TestThePageNamesEveryLine(t *testing.T) {
	var b strings.Builder
	for i, p := range promises {
		if p.Number != i+1 {
			t.Fatalf("promise %d stands at place %d", p.Number, i+1)
		}
		fmt.Fprintf(&b, "### %d. %s\n\n| what keeps it | without it | the test that fails then |\n| --- | --- | --- |\n", p.Number, wording[i])
		for _, l := range p.Lines {
			fmt.Fprintf(&b, "| %s | %s | `%s` in %s |\n", l.Keeps, l.Removed, l.Test, l.Package)
		}
		b.WriteString("\n")
	}
	docstest.Part(t, "promises.md", "promises", b.String())
}

func TestEveryLineIsInTheCode(t *testing.T) {
	root, err := overlay.Root()
	if err != nil {
		t.Fatal(err)
	}
	seen := map[string]bool{}
	for _, p := range promises {
		for _, l := range p.Lines {
			if seen[l.Keeps] {
				t.Errorf("two lines keep %q", l.Keeps)
			}
			seen[l.Keeps] = true
			if _, err := l.Edit.Apply(root); err != nil {
				t.Errorf("%s: %v", l.Keeps, err)
			}
			if !declares(t, filepath.Join(root, l.Package), l.Test) {
				t.Errorf("%s: %s has no test %s", l.Keeps, l.Package, l.Test)
			}
		}
	}
}

// declares reports whether the tests of a package have one of the name.
func declares(t *testing.T, dir, name string) bool {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(dir, "*_test.go"))
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if strings.Contains(string(text), "func "+name+"(t *testing.T) {") {
			return true
		}
	}
	return false
}
