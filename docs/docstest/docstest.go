// Package docstest compares the parts of docs that are made from the code.
package docstest

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "write the parts of docs that are made from the code")

// Updating reports whether the tests are asked to write what they would compare.
func Updating() bool { return *update }

// Part compares one part of a page of docs with what the code makes of it now.
// A part stands between two remarks, "generated: NAME" and "end: NAME". Run
// with -update, the test writes it anew.
func Part(t testing.TB, page, name, want string) {
	t.Helper()
	path := filepath.Join(Root(t), "docs", page)
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	fresh, err := replace(string(text), name, want)
	switch {
	case err != nil:
		t.Fatalf("docs/%s: %v", page, err)
	case fresh == string(text):
	case !*update:
		t.Errorf("docs/%s: the part %q no longer says what the code does; run make diagrams", page, name)
	default:
		if err := os.WriteFile(path, []byte(fresh), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

// Root is the root of the repository, which the test runs in.
func Root(t testing.TB) string {
	t.Helper()
	dir, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	for {
		_, module := os.Stat(filepath.Join(dir, "go.mod"))
		_, docs := os.Stat(filepath.Join(dir, "docs"))
		if module == nil && docs == nil {
			return dir
		}
		if dir == filepath.Dir(dir) {
			t.Fatal("no folder above the test has go.mod and docs")
		}
		dir = filepath.Dir(dir)
	}
}

// replace puts text between the two remarks that name a part of a page.
func replace(page, name, text string) (string, error) {
	begin, end := "<!-- generated: "+name+" -->\n", "<!-- end: "+name+" -->"
	before, rest, begins := strings.Cut(page, begin)
	_, after, ends := strings.Cut(rest, end)
	if !begins || !ends {
		return "", fmt.Errorf("the remarks around %q are missing", name)
	}
	return before + begin + text + end + after, nil
}

// Cell makes a text fit into a cell of a table.
func Cell(text string) string {
	return strings.NewReplacer("|", `\|`, "\n", " ").Replace(text)
}
