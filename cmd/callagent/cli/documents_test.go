package cli

import (
	"encoding"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"callagent/core/journal"
	"callagent/docs/docstest"
)

// docs/commands.md has the fields of every document that --json prints.
func TestThePageHasTheDocuments(t *testing.T) {
	d := documents{t: t, remarks: map[string]map[string]string{}, told: map[reflect.Type]string{
		reflect.TypeFor[journal.Stored](): "as in [app_logs.json](logs.md#app_logsjson), and `seq`, which goes up",
	}}
	for _, doc := range []struct {
		command string
		of      any
	}{
		{"run --json, simulate --json", summary{}},
		{"status --json", status{}},
		{"calls --json, in its list `calls`", listedCall{}},
		{"call --json", callDetails{}},
		{"circuit --json", circuitReport{}},
		{"doctor --json", diagnosis{}},
		{"cost --json", costs{}},
	} {
		fmt.Fprintf(&d.b, "### %s\n\n| field | is | meaning |\n|---|---|---|\n", doc.command)
		d.fields("", reflect.TypeOf(doc.of))
		d.b.WriteString("\n")
	}
	docstest.Part(t, "commands.md", "documents", d.b.String())
}

// documents writes the tables.
type documents struct {
	t       *testing.T
	b       strings.Builder
	remarks map[string]map[string]string // of the fields of a package's types, by "Type.Field"
	told    map[reflect.Type]string      // objects that are explained already, and where
}

// fields lists the fields of an object, those of objects inside it behind a dot.
func (d *documents) fields(prefix string, of reflect.Type) {
	for f := range of.Fields() {
		name, options, _ := strings.Cut(f.Tag.Get("json"), ",")
		switch {
		case f.Anonymous && name == "":
			d.fields(prefix, f.Type)
		case !f.IsExported() || name == "-":
		default:
			is, inside := kind(f.Type)
			parts := []string{d.remark(of, f.Name), d.told[inside]}
			if strings.HasPrefix(options, "omit") && !strings.Contains(parts[0], "absent") {
				parts = append(parts, "may be absent")
			}
			parts = slices.DeleteFunc(parts, func(s string) bool { return s == "" })
			fmt.Fprintf(&d.b, "| `%s` | %s | %s |\n", prefix+name, is, docstest.Cell(strings.Join(parts, "; ")))
			if inside != nil && d.told[inside] == "" {
				d.told[inside] = "as `" + prefix + name + "` above"
				d.fields(prefix+name+strings.Repeat("[]", strings.Count(is, "list"))+".", inside)
			}
		}
	}
}

// kind says what a field is in JSON; inside is the object that it or its items
// are.
func kind(t reflect.Type) (is string, inside reflect.Type) {
	switch {
	case t == reflect.TypeFor[time.Time]():
		return "time", nil
	case t.Implements(reflect.TypeFor[encoding.TextMarshaler]()):
		return "text", nil
	}
	switch t.Kind() {
	case reflect.Pointer:
		return kind(t.Elem())
	case reflect.Slice:
		is, inside = kind(t.Elem())
		return "list of " + is + "s", inside
	case reflect.Map:
		is, inside = kind(t.Elem())
		return "by name: " + is, inside
	case reflect.Struct:
		return "object", t
	case reflect.String:
		return "text", nil
	case reflect.Bool:
		return "true or false", nil
	}
	return "number", nil
}

// remark is what the source says of a field.
func (d *documents) remark(of reflect.Type, field string) string {
	pkg := of.PkgPath()
	if d.remarks[pkg] == nil {
		d.remarks[pkg] = map[string]string{}
		d.read(filepath.Join(docstest.Root(d.t), strings.TrimPrefix(pkg, "callagent/")), d.remarks[pkg])
	}
	return d.remarks[pkg][of.Name()+"."+field]
}

func (d *documents) read(dir string, into map[string]string) {
	files, err := filepath.Glob(filepath.Join(dir, "*.go"))
	if err != nil {
		d.t.Fatal(err)
	}
	for _, file := range files {
		f, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.ParseComments|parser.SkipObjectResolution)
		if err != nil {
			d.t.Fatal(err)
		}
		ast.Inspect(f, func(n ast.Node) bool {
			spec, ok := n.(*ast.TypeSpec)
			if !ok {
				return true
			}
			if s, ok := spec.Type.(*ast.StructType); ok {
				for _, f := range s.Fields.List {
					for _, name := range f.Names {
						into[spec.Name.Name+"."+name.Name] = plain(name.Name, f)
					}
				}
			}
			return true
		})
	}
}

// plain is a field's remark without the name that it may begin with.
func plain(name string, f *ast.Field) string {
	text := strings.Join(strings.Fields(f.Doc.Text()+f.Comment.Text()), " ")
	text = strings.TrimPrefix(strings.TrimPrefix(text, name+" "), "is ")
	return strings.TrimSuffix(text, ".")
}
