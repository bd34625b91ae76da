package settings

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
)

// Write prints what is in force as a callagent.toml that would have the same
// effect, but for phone numbers, which are masked, and the environment in
// comments below it, secrets hidden.
func Write(w io.Writer, s Settings) error {
	var b bytes.Buffer
	var open []string
	for _, e := range s.entries() {
		last := len(e.path) - 1
		if in := e.path[:last]; !slices.Equal(in, open) {
			fmt.Fprintf(&b, "\n[%s]\n", dotted(in))
			open = in
		}
		fmt.Fprintf(&b, "%s = %s\n", e.path[last], literal(e.get()))
	}
	b.WriteString("\n# The environment:\n")
	for _, v := range s.Providers.variables() {
		fmt.Fprintf(&b, "# %s = %s\n", v.name, v.shown())
	}
	_, err := w.Write(b.Bytes())
	return err
}

// MarshalJSON gives the same as [Write] as one object: the tables of the file,
// and the environment as a table of its own.
func (s Settings) MarshalJSON() ([]byte, error) {
	root := map[string]any{}
	for _, e := range s.entries() {
		at := root
		for _, part := range e.path[:len(e.path)-1] {
			child, ok := at[part].(map[string]any)
			if !ok {
				child = map[string]any{}
				at[part] = child
			}
			at = child
		}
		at[e.path[len(e.path)-1]] = e.get()
	}
	environment := map[string]string{}
	for _, v := range s.Providers.variables() {
		environment[v.name] = v.shown()
	}
	root["environment"] = environment
	return json.Marshal(root)
}

// literal writes a value the way TOML does.
func literal(v any) string {
	switch v := v.(type) {
	case string:
		if body, ok := strings.CutSuffix(v, "\n"); ok {
			lines := strings.Split(body, "\n")
			for i, line := range lines {
				quoted := quote(line)
				lines[i] = quoted[1 : len(quoted)-1]
			}
			return `"""` + "\n" + strings.Join(lines, "\n") + "\n" + `"""`
		}
		return quote(v)
	case []string:
		items := make([]string, len(v))
		for i, s := range v {
			items[i] = quote(s)
		}
		return "[" + strings.Join(items, ", ") + "]"
	case float64:
		return strconv.FormatFloat(v, 'g', -1, 64)
	default:
		return fmt.Sprint(v)
	}
}

// quote writes a basic string. The escapes of JSON are all escapes of TOML;
// only DEL has to be escaped besides.
func quote(s string) string {
	var b strings.Builder
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	_ = e.Encode(s) // a string always encodes
	return strings.ReplaceAll(strings.TrimSuffix(b.String(), "\n"), "\x7f", `\u007f`)
}
