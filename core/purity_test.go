// Package core_test guards what no single package of the core can guard alone:
// that the core stays pure, that imports point inward, and that the pages in
// docs say what the code does.
package core_test

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// kernel lists the pure packages. Each may import those before it, so that no
// two ever import one another.
var kernel = []string{"fault", "backoff", "breaker", "health", "alert", "call", "journal"}

// The standard library as the core may use it: nothing here can reach a clock,
// a file, a network or a random number, but for the names in acts and io, of
// which passive lists all that may be used.
var (
	kernelImports = []string{
		"bytes", "cmp", "encoding/json", "errors", "fmt", "io", "iter", "maps", "math", "slices", "sort",
		"strconv", "strings", "time", "unicode", "unicode/utf8",
	}
	agentImports = append([]string{"context", "encoding/hex", "hash/fnv", "sync", "sync/atomic"}, kernelImports...)
)

// acts are the functions of allowed packages that do more than compute.
var acts = map[string][]string{
	"time": {"Now", "Since", "Until", "Sleep", "After", "AfterFunc", "Tick", "NewTimer", "NewTicker"},
	"fmt":  {"Print", "Printf", "Println", "Scan", "Scanf", "Scanln"},
}

// passive are the only names of an allowed package that may be used.
var passive = map[string][]string{"io": {"EOF"}}

// active reports whether a name of a package does more than compute.
func active(pkg, name string) bool {
	harmless, restricted := passive[pkg]
	return slices.Contains(acts[pkg], name) || restricted && !slices.Contains(harmless, name)
}

// rules is what one package must keep to.
type rules struct {
	imports []string // of the standard library
	core    []string // packages of the core
	pure    bool     // no channels and no variables that change, either
}

func ruleBook() map[string]rules {
	book := map[string]rules{"agent": {imports: agentImports, core: kernel}}
	for i, name := range kernel {
		book[name] = rules{imports: kernelImports, core: kernel[:i], pure: true}
	}
	return book
}

func TestCoreIsPure(t *testing.T) {
	for name, r := range ruleBook() {
		files := parseFolder(t, name)
		if len(files) == 0 {
			t.Errorf("core/%s is listed here and does not exist", name)
		}
		for _, b := range r.breaches(files) {
			t.Errorf("core/%s: %s", name, b)
		}
	}
	folders, err := os.ReadDir(".")
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range folders {
		if _, listed := ruleBook()[f.Name()]; f.IsDir() && !listed && !isKit(f.Name()) {
			t.Errorf("core/%s is new: list it in kernel, after all that it imports", f.Name())
		}
	}
}

// parseFolder reads the Go files of a folder that are no tests.
func parseFolder(t *testing.T, folder string) []*ast.File {
	t.Helper()
	paths, err := filepath.Glob(filepath.Join(folder, "*.go"))
	if err != nil {
		t.Fatal(err)
	}
	var files []*ast.File
	for _, p := range paths {
		if strings.HasSuffix(p, "_test.go") {
			continue
		}
		f, err := parser.ParseFile(token.NewFileSet(), p, nil, parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		files = append(files, f)
	}
	return files
}

// breaches says in one sentence each what the files of a package do against
// its rules.
func (r rules) breaches(files []*ast.File) []string {
	var found []string
	report := func(format string, args ...any) { found = append(found, fmt.Sprintf(format, args...)) }
	var vars map[string]bool
	if r.pure {
		vars = packageVars(files, report)
	}
	for _, f := range files {
		names := r.checkImports(f, report)
		ast.Inspect(f, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.GoStmt:
				report("starts a goroutine")
			case *ast.SelectorExpr:
				if x, ok := n.X.(*ast.Ident); ok && active(names[x.Name], n.Sel.Name) {
					report("uses %s.%s", names[x.Name], n.Sel.Name)
				}
			case *ast.CallExpr:
				if x, ok := n.Fun.(*ast.Ident); ok && (x.Name == "print" || x.Name == "println") {
					report("uses %s", x.Name)
				}
			case *ast.FuncDecl:
				checkWrites(n, vars, report)
			}
			if r.pure && talks(n) {
				report("uses a channel")
			}
			return true
		})
	}
	return found
}

// checkImports judges the imports of a file and returns what they are called
// in it: local name to import path.
func (r rules) checkImports(f *ast.File, report func(string, ...any)) map[string]string {
	names := map[string]string{}
	for _, spec := range f.Imports {
		p, _ := strconv.Unquote(spec.Path.Value)
		name := path.Base(p)
		if spec.Name != nil {
			name = spec.Name.Name
		}
		names[name] = p
		own, isCore := strings.CutPrefix(p, module+"/core/")
		switch {
		case name == "." || name == "_":
			report("imports %s as %q", p, name)
		case isCore && slices.Contains(r.core, own):
		case !isCore && slices.Contains(r.imports, p):
		default:
			report("imports %s", p)
		}
	}
	return names
}

// talks reports whether a node is about a channel.
func talks(n ast.Node) bool {
	switch n := n.(type) {
	case *ast.ChanType, *ast.SendStmt, *ast.SelectStmt:
		return true
	case *ast.UnaryExpr:
		return n.Op == token.ARROW
	}
	return false
}

// packageVars lists the variables of a package. Each must be a table: given
// its value where it is declared, and, as checkWrites sees to, never again.
func packageVars(files []*ast.File, report func(string, ...any)) map[string]bool {
	vars := map[string]bool{}
	for _, f := range files {
		for _, d := range f.Decls {
			g, ok := d.(*ast.GenDecl)
			if !ok || g.Tok != token.VAR {
				continue
			}
			for _, s := range g.Specs {
				spec := s.(*ast.ValueSpec)
				for _, name := range spec.Names {
					vars[name.Name] = true
					if len(spec.Values) == 0 {
						report("declares %s without a value", name.Name)
					}
				}
			}
		}
	}
	return vars
}

// checkWrites reports what a function does to the variables of its package:
// assigning to them or a part of them, or letting their address escape.
// Names that the function declares itself are its own.
func checkWrites(fn *ast.FuncDecl, vars map[string]bool, report func(string, ...any)) {
	own := declared(fn)
	writes := func(e ast.Expr) {
		if name := root(e); vars[name] && !own[name] {
			report("changes %s", name)
		}
	}
	ast.Inspect(fn, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.AssignStmt:
			if n.Tok != token.DEFINE {
				for _, e := range n.Lhs {
					writes(e)
				}
			}
		case *ast.IncDecStmt:
			writes(n.X)
		case *ast.UnaryExpr:
			if n.Op == token.AND {
				writes(n.X)
			}
		case *ast.CallExpr:
			if x, ok := n.Fun.(*ast.Ident); ok && (x.Name == "delete" || x.Name == "clear" || x.Name == "copy") {
				writes(n.Args[0])
			}
		}
		return true
	})
}

// root is the variable that an expression is a part of.
func root(e ast.Expr) string {
	switch e := e.(type) {
	case *ast.Ident:
		return e.Name
	case *ast.IndexExpr:
		return root(e.X)
	case *ast.SelectorExpr:
		return root(e.X)
	case *ast.StarExpr:
		return root(e.X)
	case *ast.ParenExpr:
		return root(e.X)
	}
	return ""
}

// declared lists the names of a function's parameters, results and variables.
func declared(fn *ast.FuncDecl) map[string]bool {
	own := map[string]bool{}
	ast.Inspect(fn, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.Field:
			for _, name := range n.Names {
				own[name.Name] = true
			}
		case *ast.AssignStmt:
			if n.Tok == token.DEFINE {
				for _, e := range n.Lhs {
					own[root(e)] = true
				}
			}
		case *ast.RangeStmt:
			if n.Tok == token.DEFINE {
				own[root(n.Key)] = true
				own[root(n.Value)] = true
			}
		case *ast.ValueSpec:
			for _, name := range n.Names {
				own[name.Name] = true
			}
		}
		return true
	})
	return own
}

// Every rule is broken here once, so that none of them can go blind.
func TestPurityRulesBite(t *testing.T) {
	pure := rules{imports: kernelImports, core: []string{"fault"}, pure: true}
	agent := rules{imports: agentImports, core: kernel}
	for _, c := range []struct {
		name, source string
		rules        rules
		want         []string
	}{
		{"an import that acts", `import "os"`, pure, []string{"imports os"}},
		{"randomness", `import "math/rand/v2"`, pure, []string{"imports math/rand/v2"}},
		{"a context in the kernel", `import "context"`, pure, []string{"imports context"}},
		{"a lock in the kernel", `import "sync"`, pure, []string{"imports sync"}},
		{"the network", `import "net/http"`, agent, []string{"imports net/http"}},
		{"another library", `import "github.com/google/uuid"`, pure, []string{"imports github.com/google/uuid"}},
		{"a package of the core out of order", `import "callagent/core/call"`, pure, []string{"imports callagent/core/call"}},
		{"an adapter", `import "callagent/infra/sqlite"`, agent, []string{"imports callagent/infra/sqlite"}},
		{"a dot import", `import . "time"`, pure, []string{`imports time as "."`}},
		{"an import for its effects", `import _ "time"`, pure, []string{`imports time as "_"`}},
		{"the clock", "import \"time\"\nfunc f() time.Time { return time.Now() }", pure, []string{"uses time.Now"}},
		{"the clock under another name", "import t \"time\"\nfunc f() t.Time { return t.Now() }", agent, []string{"uses time.Now"}},
		{"the clock as a value", "import \"time\"\nvar now = time.Now", pure, []string{"uses time.Now"}},
		{"a sleep", "import \"time\"\nfunc f() { time.Sleep(1) }", agent, []string{"uses time.Sleep"}},
		{"a timer", "import \"time\"\nfunc f() { _ = time.NewTimer(1) }", agent, []string{"uses time.NewTimer"}},
		{"reading", "import \"io\"\nfunc f(r io.Reader) {}", pure, []string{"uses io.Reader"}},
		{"output", "import \"fmt\"\nfunc f() { fmt.Println() }", pure, []string{"uses fmt.Println"}},
		{"output of the language's own", "func f() { println() }", agent, []string{"uses println"}},
		{"a goroutine in the kernel", "func f() { go f() }", pure, []string{"starts a goroutine"}},
		{"a goroutine in the agent", "func f() { go f() }", agent, []string{"starts a goroutine"}},
		{"a channel", "func f(c chan int) {}", pure, []string{"uses a channel"}},
		{"a send", "func f() { c <- 1 }", pure, []string{"uses a channel"}},
		{"a receive", "func f() { <-c }", pure, []string{"uses a channel"}},
		{"a select", "func f() { select {} }", pure, []string{"uses a channel"}},
		{"a variable to be filled later", "var cache map[string]int", pure, []string{"declares cache without a value"}},
		{"a table that is reassigned", "var t = []int{1}\nfunc f() { t = nil }", pure, []string{"changes t"}},
		{"a table that is changed", "var t = map[int]int{}\nfunc f() { t[1] = 2 }", pure, []string{"changes t"}},
		{"a field that is changed", "var t = struct{ n int }{1}\nfunc f() { t.n++ }", pure, []string{"changes t"}},
		{"an entry that is deleted", "var t = map[int]int{}\nfunc f() { delete(t, 1) }", pure, []string{"changes t"}},
		{"an address that escapes", "var t = [2]int{}\nfunc f() *int { return &t[0] }", pure, []string{"changes t"}},

		{"what is allowed", `import (
			"callagent/core/fault"
			"io"
			"time"
		)
		var names = [...]string{"a"}
		func f(at time.Time, t int) (string, *fault.Fault) { t++; names := names[t:]; names[0] = "b"; return names[0], nil }
		func g() (time.Duration, error) { return 2 * time.Second, io.EOF }`, pure, nil},
		{"what the agent may", `import (
			"context"
			"sync"
		)
		var once sync.Once
		func f(ctx context.Context) { <-ctx.Done() }`, agent, nil},
	} {
		f, err := parser.ParseFile(token.NewFileSet(), "example.go", "package example\n"+c.source, parser.SkipObjectResolution)
		if err != nil {
			t.Fatalf("%s: %v", c.name, err)
		}
		if got := c.rules.breaches([]*ast.File{f}); !slices.Equal(got, c.want) {
			t.Errorf("%s is reported as %q, want %q", c.name, got, c.want)
		}
	}
}
