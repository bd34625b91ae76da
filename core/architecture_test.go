package core_test

import (
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

const module = "callagent"

// layer says what some packages may import. Packages are named by their folder
// in the module; "infra/..." stands for infra and all below it. A layer that
// names one package says that it exists; one with dots speaks of whatever is
// there.
type layer struct {
	of  string
	may []string // of this module; nil for nothing
	// libraries are the ones of others that may be imported; nil for any.
	libraries []string
}

// own stands for the package's own folder and all below it: its adapter.
const own = "."

// layers is searched from the top; the first that fits a package counts.
func layers() []layer {
	none := []string{}
	inner := underCore(kernel)
	all := []layer{
		{of: "core/agent", may: inner, libraries: none},
		{of: "core/agent/...", may: []string{"core/..."}}, // the conformance suites
		{of: "core/storytest", libraries: none},
	}
	for i, name := range kernel {
		all = append(all, layer{of: "core/" + name, may: underCore(kernel[:i]), libraries: none})
	}
	edge := []string{"core/...", "infra/wiring", "infra/wiring/...", "infra/settings", "infra/contactlist", "infra/clock", own}
	console := []string{"infra/operator", "infra/dashboard", "infra/cost"}
	return append(all,
		layer{of: "infra/clock", libraries: none},
		layer{of: "infra/wiring", may: []string{"core/...", "infra/..."}},
		layer{of: "infra/wiring/...", may: []string{"core/...", "infra/..."}},
		layer{of: "infra/dashboard", may: []string{"core/...", "infra/operator", "infra/clock"}, libraries: none},
		layer{of: "infra/...", may: []string{"core/...", "infra/httpcall", "infra/clock", own}},
		layer{of: "localstack/simulator"},
		layer{of: "localstack/...", may: []string{"core/...", "infra/...", "localstack/...", "examples/..."}},
		layer{of: "cmd/...", may: slices.Concat([]string{"localstack/simulator", "examples/..."}, console, edge), libraries: []string{
			"github.com/alecthomas/...", "github.com/schollz/...", "golang.org/x/...",
		}},
		layer{of: "functions/...", may: append([]string{"functions/internal/..."}, edge...), libraries: []string{"github.com/aws/aws-lambda-go/..."}},
		layer{of: "examples/...", libraries: none},
		layer{of: "docs/docstest", libraries: none},
	)
}

func underCore(names []string) []string {
	paths := make([]string, len(names))
	for i, n := range names {
		paths[i] = "core/" + n
	}
	return paths
}

// imports is the module as these rules see it: for each package what its files
// import that are no tests.
type imports map[string][]string

func TestImportsPointInward(t *testing.T) {
	for _, b := range readModule(t, "..").breaches(layers()) {
		t.Error(b)
	}
}

// isModule reports whether a folder begins another module.
func isModule(dir string) bool {
	_, err := os.Stat(filepath.Join(dir, "go.mod"))
	return err == nil
}

func readModule(t *testing.T, root string) imports {
	t.Helper()
	found := imports{}
	err := filepath.WalkDir(root, func(p string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && p != root && (strings.HasPrefix(d.Name(), ".") || d.Name() == "testdata" || d.Name() == "build" || isModule(p)):
			return filepath.SkipDir // "build" holds what make builds; another module has rules of its own
		case d.IsDir() || !strings.HasSuffix(p, ".go") || strings.HasSuffix(p, "_test.go"):
			return nil
		}
		f, err := parser.ParseFile(token.NewFileSet(), p, nil, parser.ImportsOnly)
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(root, filepath.Dir(p))
		if err != nil {
			return err
		}
		pkg := filepath.ToSlash(rel)
		found[pkg] = append(found[pkg], []string{}...)
		for _, spec := range f.Imports {
			path, _ := strconv.Unquote(spec.Path.Value)
			found[pkg] = append(found[pkg], path)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return found
}

// breaches says in one sentence each which imports no layer allows, and which
// layers speak of a package that does not exist.
func (m imports) breaches(layers []layer) []string {
	found := map[string]bool{}
	for _, l := range layers {
		for _, name := range append([]string{l.of}, l.may...) {
			if _, exists := m[name]; !exists && name != own && !strings.HasSuffix(name, "...") {
				found[name+" is listed here and does not exist"] = true
			}
		}
	}
	for pkg, paths := range m {
		i := slices.IndexFunc(layers, func(l layer) bool { return covers(l.of, pkg) })
		if i < 0 {
			found[pkg+" is in no layer: say here what it may import"] = true
			continue
		}
		for _, p := range paths {
			if !layers[i].allows(pkg, p) {
				found[pkg+" imports "+strings.TrimPrefix(p, module+"/")] = true
			}
		}
	}
	sentences := make([]string, 0, len(found))
	for s := range found {
		sentences = append(sentences, s)
	}
	slices.Sort(sentences)
	return sentences
}

// covers reports whether a package is the one that a pattern names, or one of
// those below it.
func covers(pattern, pkg string) bool {
	folder, below := strings.CutSuffix(pattern, "/...")
	return pkg == folder || below && strings.HasPrefix(pkg, folder+"/")
}

func (l layer) allows(pkg, imported string) bool {
	local, isOurs := strings.CutPrefix(imported, module+"/")
	first, _, _ := strings.Cut(imported, "/")
	coversIt := func(name string) func(string) bool {
		return func(pattern string) bool { return covers(pattern, name) }
	}
	switch {
	case isKit(imported) && !isKit(pkg):
		return false
	case isOurs && slices.Contains(l.may, own) && covers(adapter(pkg)+"/...", local):
		return true
	case isOurs:
		return slices.ContainsFunc(l.may, coversIt(local))
	case strings.Contains(first, "."):
		return l.libraries == nil || slices.ContainsFunc(l.libraries, coversIt(imported))
	default:
		return true // the standard library
	}
}

// isKit reports whether a package exists for tests alone.
func isKit(pkg string) bool {
	return pkg == "testing" || strings.HasPrefix(pkg, "testing/") || strings.HasSuffix(path.Base(pkg), "test")
}

// adapter is the folder of the adapter that a package belongs to: the first
// two elements of its path.
func adapter(pkg string) string {
	parts := strings.SplitN(pkg, "/", 3)
	return path.Join(parts[:min(2, len(parts))]...)
}

// Every rule is broken here once, so that none of them can go blind.
func TestArchitectureRulesBite(t *testing.T) {
	sound := func() imports {
		m := imports{}
		for _, l := range layers() {
			for _, name := range append([]string{l.of}, l.may...) {
				if name != own && !strings.HasSuffix(name, "...") {
					m[name] = []string{"time"}
				}
			}
		}
		m["infra/twilio"] = []string{"callagent/core/agent", "callagent/infra/httpcall", "callagent/infra/twilio/wire"}
		m["infra/twilio/wire"] = []string{"encoding/json", "callagent/core/call"}
		m["infra/wiring"] = []string{"callagent/core/agent", "callagent/infra/twilio"}
		m["core/agent/ledgertest"] = []string{"testing", "callagent/core/agent", "github.com/google/go-cmp/cmp"}
		m["localstack/simulator"] = []string{"net/http"}
		m["cmd/callagent"] = []string{"callagent/infra/wiring", "github.com/alecthomas/kong", "callagent/cmd/callagent/cli"}
		m["functions/call"] = []string{"callagent/infra/wiring", "github.com/aws/aws-lambda-go/events"}
		return m
	}
	if got := sound().breaches(layers()); len(got) != 0 {
		t.Fatalf("a sound module is reported: %q", got)
	}
	for _, c := range []struct{ pkg, imported, want string }{
		{"core/call", "callagent/infra/sqlite", "core/call imports infra/sqlite"},
		{"core/agent", "callagent/infra/clock", "core/agent imports infra/clock"},
		{"core/fault", "callagent/core/breaker", "core/fault imports core/breaker"},
		{"core/breaker", "github.com/google/uuid", "core/breaker imports github.com/google/uuid"},
		{"core/agent", "callagent/core/agent/ledgertest", "core/agent imports core/agent/ledgertest"},
		{"core/agent/ledgertest", "callagent/infra/memory", "core/agent/ledgertest imports infra/memory"},
		{"infra/twilio", "callagent/infra/hubspot", "infra/twilio imports infra/hubspot"},
		{"infra/twilio/wire", "callagent/infra/hubspot", "infra/twilio/wire imports infra/hubspot"},
		{"infra/twilio", "callagent/infra/wiring", "infra/twilio imports infra/wiring"},
		{"infra/twilio", "net/http/httptest", "infra/twilio imports net/http/httptest"},
		{"infra/twilio", "testing", "infra/twilio imports testing"},
		{"infra/dashboard", "callagent/infra/sqlite", "infra/dashboard imports infra/sqlite"},
		{"infra/twilio", "callagent/infra/operator", "infra/twilio imports infra/operator"},
		{"infra/clock", "callagent/core/call", "infra/clock imports core/call"},
		{"infra/wiring", "callagent/cmd/callagent", "infra/wiring imports cmd/callagent"},
		{"localstack/simulator", "callagent/core/agent", "localstack/simulator imports core/agent"},
		{"localstack/simulator", "callagent/infra/twilio", "localstack/simulator imports infra/twilio"},
		{"cmd/callagent", "callagent/infra/sqlite", "cmd/callagent imports infra/sqlite"},
		{"cmd/callagent", "github.com/aws/aws-sdk-go-v2/service/sqs", "cmd/callagent imports github.com/aws/aws-sdk-go-v2/service/sqs"},
		{"functions/call", "callagent/infra/dynamo", "functions/call imports infra/dynamo"},
		{"functions/call", "callagent/functions/alert", "functions/call imports functions/alert"},
		{"functions/call", "github.com/aws/aws-sdk-go-v2/service/sqs", "functions/call imports github.com/aws/aws-sdk-go-v2/service/sqs"},
		{"helpers", "time", "helpers is in no layer: say here what it may import"},
	} {
		m := sound()
		m[c.pkg] = append(m[c.pkg], c.imported)
		if got := m.breaches(layers()); !slices.Equal(got, []string{c.want}) {
			t.Errorf("%s with %s is reported as %q, want %q", c.pkg, c.imported, got, c.want)
		}
	}
	m := sound()
	delete(m, "infra/contactlist")
	if got, want := m.breaches(layers()), []string{"infra/contactlist is listed here and does not exist"}; !slices.Equal(got, want) {
		t.Errorf("a missing package is reported as %q, want %q", got, want)
	}
}
