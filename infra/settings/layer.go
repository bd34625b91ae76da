package settings

import (
	"errors"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/pelletier/go-toml/v2"
	"github.com/pelletier/go-toml/v2/unstable"
)

// Layer is a TOML text with the keys of callagent.toml that is laid over what
// is below it. The zero Layer sets nothing. It never changes, so it may be
// shared.
type Layer struct {
	set map[string]setting // by dotted key; tables are among them
}

// setting is one value as somebody wrote it.
type setting struct {
	path  []string
	value any
	file  string
	line  int // 0 when it is not known
	key   string
}

// table reports whether the value is a table, or a list of tables.
func (s setting) table() bool {
	list, isList := s.value.([]any)
	_, isTable := s.value.(map[string]any)
	return isTable || isList && !slices.ContainsFunc(list, func(v any) bool { _, ok := v.(map[string]any); return !ok })
}

// blame makes an error about the setting.
func (s setting) blame(problem string) error {
	return &Error{File: s.file, Line: s.line, Key: s.key, Problem: problem}
}

// ParseLayer reads a text; name is what errors call it. Which keys exist is
// checked by [Load].
func ParseLayer(name string, data []byte) (Layer, error) {
	var tree map[string]any
	if err := toml.Unmarshal(data, &tree); err != nil {
		e := &Error{File: name, Problem: "this is not TOML: " + strings.TrimPrefix(err.Error(), "toml: ")}
		if at, ok := errors.AsType[*toml.DecodeError](err); ok {
			e.Line, _ = at.Position()
		}
		return Layer{}, e
	}
	l := Layer{set: map[string]setting{}}
	lines := positions(data)
	flatten(nil, tree, func(path []string, v any) {
		k := dotted(path)
		l.set[k] = setting{path: path, value: v, file: name, line: lineFor(path, lines), key: k}
	})
	return l, nil
}

// flatten visits every table and every value of a tree. The tables of a list
// have their place in it, from 1, as a part of their path.
func flatten(path []string, v any, visit func([]string, any)) {
	under := func(part string) []string { return append(slices.Clone(path), part) }
	if len(path) > 0 {
		visit(path, v)
	}
	switch v := v.(type) {
	case map[string]any:
		for k, child := range v {
			flatten(under(k), child, visit)
		}
	case []any:
		for i, child := range v {
			if table, ok := child.(map[string]any); ok {
				flatten(under(strconv.Itoa(i+1)), table, visit)
			}
		}
	}
}

// positions finds the line of every key and table of a text that is known to
// be TOML.
func positions(data []byte) map[string]int {
	lines, counts := map[string]int{}, map[string]int{}
	note := func(path []string, line int) {
		for n := len(path); n > 0; n-- {
			k := dotted(path[:n])
			if _, known := lines[k]; !known {
				lines[k] = line
			}
		}
	}
	var table []string
	p := unstable.Parser{}
	p.Reset(data)
	for p.NextExpression() {
		node := p.Expression()
		var path []string
		line := 0
		if node.Kind != unstable.Table && node.Kind != unstable.ArrayTable && node.Kind != unstable.KeyValue {
			continue
		}
		for it := node.Key(); it.Next(); {
			path = append(path, string(it.Node().Data))
			line = p.Shape(it.Node().Raw).Start.Line
		}
		if node.Kind == unstable.KeyValue {
			note(slices.Concat(table, path), line)
			continue
		}
		if table = path; node.Kind == unstable.ArrayTable {
			k := dotted(path)
			counts[k]++
			table = append(path, strconv.Itoa(counts[k]))
		}
		note(table, line)
	}
	return lines
}

// lineFor gives the line of a key, or of the nearest table around it that has
// one.
func lineFor(path []string, lines map[string]int) int {
	for n := len(path); n > 0; n-- {
		if line, ok := lines[dotted(path[:n])]; ok {
			return line
		}
	}
	return 0
}

var bare = regexp.MustCompile(`^[A-Za-z0-9_-]+$`)

// dotted joins a path the way TOML writes it.
func dotted(path []string) string {
	parts := make([]string, len(path))
	for i, p := range path {
		if parts[i] = p; !bare.MatchString(p) {
			parts[i] = strconv.Quote(p)
		}
	}
	return strings.Join(parts, ".")
}

// under gives the part of the layer below a table, as a layer of its own.
// Errors still call the keys what they are called in the whole.
func (l Layer) under(table string) Layer {
	part := Layer{set: map[string]setting{}}
	for _, s := range l.set {
		if len(s.path) > 1 && s.path[0] == table {
			s.path = s.path[1:]
			part.set[dotted(s.path)] = s
		}
	}
	return part
}

// without leaves out all that is below a table.
func (l Layer) without(table string) Layer {
	rest := Layer{set: maps.Clone(l.set)}
	maps.DeleteFunc(rest.set, func(_ string, s setting) bool { return len(s.path) > 1 && s.path[0] == table })
	return rest
}

// stack lays layers over each other, the last one on top.
func stack(layers ...Layer) Layer {
	top := Layer{set: map[string]setting{}}
	for _, l := range layers {
		maps.Copy(top.set, l.set)
	}
	return top
}

// names lists the tables right below a table, sorted.
func (l Layer) names(table string) []string {
	var names []string
	for _, s := range l.set {
		if _, ok := s.value.(map[string]any); ok && len(s.path) == 2 && s.path[0] == table {
			names = append(names, s.path[1])
		}
	}
	slices.Sort(names)
	return names
}
