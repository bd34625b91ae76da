// Package template checks what cfn-lint does not see in template.yaml: that it
// fits the code, that its numbers fit each other, and that nobody may do more
// than he has to.
package template

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"gopkg.in/yaml.v3"
)

// object is a mapping of the template. A short intrinsic such as !Ref X is the
// object {"Ref": "X"}, !Sub X is {"Fn::Sub": "X"}.
type object = map[string]any

// stack is template.yaml.
type stack struct {
	Parameters map[string]object `yaml:"Parameters"`
	Globals    object            `yaml:"Globals"`
	Resources  map[string]object `yaml:"Resources"`
	Outputs    map[string]object `yaml:"Outputs"`
}

// load reads the template.
func load(t *testing.T) stack {
	t.Helper()
	data, err := os.ReadFile(filepath.Join("..", "..", "template.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	var document yaml.Node
	if err := yaml.Unmarshal(data, &document); err != nil {
		t.Fatal(err)
	}
	expand(document.Content[0])
	var s stack
	if err := document.Decode(&s); err != nil {
		t.Fatal(err)
	}
	return s
}

// expand writes the short intrinsics below a node out.
func expand(n *yaml.Node) {
	for _, c := range n.Content {
		expand(c)
	}
	name, short := strings.CutPrefix(n.Tag, "!")
	if !short || strings.HasPrefix(name, "!") {
		return
	}
	inner := *n
	inner.Tag = ""
	if name == "GetAtt" {
		inner = list(strings.SplitN(n.Value, ".", 2)...)
	}
	if name != "Ref" && name != "Condition" {
		name = "Fn::" + name
	}
	*n = yaml.Node{Kind: yaml.MappingNode, Content: []*yaml.Node{{Kind: yaml.ScalarNode, Value: name}, &inner}}
}

func list(values ...string) yaml.Node {
	n := yaml.Node{Kind: yaml.SequenceNode}
	for _, v := range values {
		n.Content = append(n.Content, &yaml.Node{Kind: yaml.ScalarNode, Value: v})
	}
	return n
}

// in walks down a path of keys; nil when there is nothing.
func in(v any, path ...string) any {
	for _, key := range path {
		o, _ := v.(object)
		v = o[key]
	}
	return v
}

// number is the number at a path, that of a parameter being its default.
func (s stack) number(t *testing.T, v any, path ...string) int {
	t.Helper()
	found := in(v, path...)
	if name, isRef := in(found, "Ref").(string); isRef {
		found = s.Parameters[name]["Default"]
	}
	n, ok := found.(int)
	if !ok {
		t.Fatalf("%v is %v, no number", path, found)
	}
	return n
}

// target is the logical id that a value refers to; "" when to none.
func target(v any) string {
	if name, ok := in(v, "Ref").(string); ok {
		return name
	}
	if path, ok := in(v, "Fn::GetAtt").([]any); ok {
		return path[0].(string)
	}
	return ""
}

// of lists the resources of a type, in the order of their names.
func (s stack) of(kind string) []string {
	var names []string
	for name, r := range s.Resources {
		if r["Type"] == kind {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}

// properties are those of a resource.
func (s stack) properties(name string) object {
	p, _ := s.Resources[name]["Properties"].(object)
	return p
}

// each calls visit with every value of the template's resources, and where it
// stands.
func (s stack) each(visit func(path string, v any)) {
	for name, r := range s.Resources {
		walk(name, r, visit)
	}
}

func walk(path string, v any, visit func(path string, v any)) {
	visit(path, v)
	switch v := v.(type) {
	case object:
		for key, below := range v {
			walk(path+"."+key, below, visit)
		}
	case []any:
		for _, below := range v {
			walk(path+"[]", below, visit)
		}
	}
}

// each is one value as a list of one, and a list as it is.
func each(v any) []any {
	if v == nil {
		return nil
	}
	if l, ok := v.([]any); ok {
		return l
	}
	return []any{v}
}
