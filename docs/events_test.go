package docs_test

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"callagent/docs/docstest"
)

// TestThePageHasEveryEvent compares docs/logs.md with the code: each event that
// any package gives to the journal, and the levels that it comes with.
func TestThePageHasEveryEvent(t *testing.T) {
	written := eventsOfTheCode(t)
	page := pages(t)["docs/logs.md"]
	explained := map[string]string{}
	for _, row := range regexp.MustCompile("(?m)^\\| `([a-z_]+)` \\| ([A-Z, ]+) \\| .+ \\|$").FindAllStringSubmatch(page, -1) {
		explained[row[1]] = row[2]
	}
	for _, event := range slices.Sorted(maps.Keys(written)) {
		levels := strings.Join(slices.Sorted(maps.Keys(written[event])), ", ")
		if explained[event] != levels {
			t.Errorf("docs/logs.md explains %q with levels %q, the code writes it with %q", event, explained[event], levels)
		}
	}
	for event := range explained {
		if written[event] == nil {
			t.Errorf("docs/logs.md explains %q, which nobody writes", event)
		}
	}
}

// levels are the words of the levels that an event is written with.
type levels map[string]bool

// eventsOfTheCode reads all packages that write a journal. An event is a text
// that becomes the Event of a journal.Entry: in its literal, by an assignment,
// or as the argument "event" of a function. Whatever else becomes one is an
// error, so that none is overlooked.
func eventsOfTheCode(t *testing.T) map[string]levels {
	t.Helper()
	found := map[string]levels{}
	for _, folder := range []string{"core/agent", "core/journal", "infra", "functions", "cmd/callagent"} {
		err := filepath.WalkDir(filepath.Join(docstest.Root(t), folder), func(p string, d fs.DirEntry, err error) error {
			if err != nil || !d.IsDir() {
				return err
			}
			s := source{found: found, helpers: map[string]helper{}}
			if err := s.read(p); err != nil {
				return err
			}
			s.collect()
			for _, problem := range s.problems {
				t.Error(problem)
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	return found
}

// source is one package.
type source struct {
	set      *token.FileSet
	files    []*ast.File
	helpers  map[string]helper // functions that are told the event, by name
	found    map[string]levels
	table    string // the level of the events that stand in a table's field "event"
	problems []string
}

// helper is a function with a parameter "event".
type helper struct {
	event int
	level int    // the parameter that is the level; -1 if it is always the same
	fixed string // that level
}

func (s *source) read(dir string) error {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return err
	}
	s.set = token.NewFileSet()
	for _, e := range entries {
		if e.IsDir() || !strings.HasSuffix(e.Name(), ".go") || strings.HasSuffix(e.Name(), "_test.go") {
			continue
		}
		f, err := parser.ParseFile(s.set, filepath.Join(dir, e.Name()), nil, parser.SkipObjectResolution)
		if err != nil {
			return err
		}
		s.files = append(s.files, f)
	}
	return nil
}

// collect finds the helpers, and then everything that is written.
func (s *source) collect() {
	for again := true; again; { // a helper may lean on another one
		before := len(s.helpers)
		s.functions(func(f *ast.FuncDecl) {
			if h, ok := s.helper(f); ok {
				s.helpers[f.Name.Name] = h
			}
		})
		again = len(s.helpers) > before
	}
	s.everywhere(func(n ast.Node) {
		if l, ok := n.(*ast.CompositeLit); ok && isEntry(l) {
			if sel, ok := field(l, "Event").(*ast.SelectorExpr); ok && name(sel) == "event" {
				s.table = word(field(l, "Level"))
			}
		}
	})
	s.everywhere(s.visit)
}

func (s *source) everywhere(do func(ast.Node)) {
	for _, f := range s.files {
		ast.Inspect(f, func(n ast.Node) bool {
			do(n)
			return true
		})
	}
}

func (s *source) functions(do func(*ast.FuncDecl)) {
	for _, f := range s.files {
		for _, d := range f.Decls {
			if f, ok := d.(*ast.FuncDecl); ok && f.Body != nil {
				do(f)
			}
		}
	}
}

// helper reports how a function that has a parameter "event" is told the level.
func (s *source) helper(f *ast.FuncDecl) (helper, bool) {
	names := parameters(f)
	h, writes := helper{event: slices.Index(names, "event"), level: -1}, false
	if h.event < 0 {
		return h, false
	}
	ast.Inspect(f.Body, func(n ast.Node) bool {
		var level ast.Expr
		switch n := n.(type) {
		case *ast.CompositeLit:
			if !isEntry(n) {
				return true
			}
			level = field(n, "Level")
		case *ast.CallExpr:
			inner, ok := s.helpers[name(n.Fun)]
			if !ok || inner.level < 0 {
				return true
			}
			level = n.Args[inner.level]
		default:
			return true
		}
		writes = true
		if id, ok := level.(*ast.Ident); ok {
			h.level = slices.Index(names, id.Name)
		} else {
			h.fixed = word(level)
		}
		return true
	})
	return h, writes
}

// visit notes what a piece of code writes.
func (s *source) visit(n ast.Node) {
	switch n := n.(type) {
	case *ast.CompositeLit:
		if event := field(n, "Event"); event != nil && isEntry(n) {
			s.note(event, word(field(n, "Level")))
		}
		if event := field(n, "event"); event != nil && s.table != "" {
			s.note(event, s.table)
		}
	case *ast.CallExpr:
		h, ok := s.helpers[name(n.Fun)]
		if !ok || h.event >= len(n.Args) {
			return
		}
		level := h.fixed
		if h.level >= 0 {
			level = word(n.Args[h.level])
		}
		s.note(n.Args[h.event], level)
	case *ast.BlockStmt:
		s.assignments(n.List)
	case *ast.CaseClause:
		s.assignments(n.Body)
	}
}

// assignments notes the events that are assigned in a list of statements, with
// every level that is assigned there or below.
func (s *source) assignments(list []ast.Stmt) {
	var event ast.Expr
	for _, statement := range list {
		if a, ok := statement.(*ast.AssignStmt); ok {
			if e := assigned(a, "Event"); e != nil {
				event = e
			}
		}
	}
	if event == nil {
		return
	}
	words := levels{}
	for _, statement := range list {
		ast.Inspect(statement, func(n ast.Node) bool {
			if a, ok := n.(*ast.AssignStmt); ok {
				if l := assigned(a, "Level"); l != nil {
					words[word(l)] = true
				}
			}
			return true
		})
	}
	if len(words) == 0 {
		words[word(nil)] = true
	}
	for w := range words {
		s.note(event, w)
	}
}

// note notes one event. A parameter or a field "event" is what a helper or a
// table was told, which is noted there.
func (s *source) note(event ast.Expr, level string) {
	switch e := event.(type) {
	case *ast.BasicLit:
		text, _ := strconv.Unquote(e.Value)
		if s.found[text] == nil {
			s.found[text] = levels{}
		}
		s.found[text][level] = true
		return
	case *ast.Ident, *ast.SelectorExpr:
		if name(e) == "event" {
			return
		}
	}
	s.problems = append(s.problems, fmt.Sprintf("%s: an event is written that is no text: this test cannot know its name", s.set.Position(event.Pos())))
}

// isEntry reports a literal of journal.Entry.
func isEntry(l *ast.CompositeLit) bool { return name(l.Type) == "Entry" }

// field is the value of a field in a literal, nil if it is not there.
func field(l *ast.CompositeLit, called string) ast.Expr {
	for _, e := range l.Elts {
		if kv, ok := e.(*ast.KeyValueExpr); ok && name(kv.Key) == called {
			return kv.Value
		}
	}
	return nil
}

// assigned is what a statement assigns to a field.
func assigned(a *ast.AssignStmt, called string) ast.Expr {
	for i, left := range a.Lhs {
		if sel, ok := left.(*ast.SelectorExpr); ok && sel.Sel.Name == called && len(a.Lhs) == len(a.Rhs) {
			return a.Rhs[i]
		}
	}
	return nil
}

// name is the last part of an identifier, "" of anything else.
func name(e ast.Expr) string {
	switch e := e.(type) {
	case *ast.Ident:
		return e.Name
	case *ast.SelectorExpr:
		return e.Sel.Name
	}
	return ""
}

// word is the level as the journal writes it; none is INFO.
func word(level ast.Expr) string {
	if level == nil {
		return "INFO"
	}
	return strings.ToUpper(name(level))
}

func parameters(f *ast.FuncDecl) []string {
	var names []string
	for _, p := range f.Type.Params.List {
		for _, n := range p.Names {
			names = append(names, n.Name)
		}
	}
	return names
}
