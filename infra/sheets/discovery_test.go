package sheets_test

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"callagent/core/breaker"
)

// schema is a type of the discovery document.
type schema struct {
	Ref        string            `json:"$ref"`
	Type       string            `json:"type"`
	Enum       []string          `json:"enum"`
	Pattern    string            `json:"pattern"`
	Properties map[string]schema `json:"properties"`
	Items      *schema           `json:"items"`
}

// discovery is the document that Google publishes about the API.
type discovery struct {
	Schemas map[string]schema `json:"schemas"`
}

func readDiscovery(t *testing.T) discovery {
	t.Helper()
	dir, err := exec.CommandContext(t.Context(), "go", "list", "-m", "-f", "{{.Dir}}", "google.golang.org/api").Output()
	if err != nil {
		t.Fatal(err)
	}
	data, err := os.ReadFile(filepath.Join(strings.TrimSpace(string(dir)), "sheets/v4/sheets-api.json"))
	if err != nil {
		t.Fatal(err)
	}
	var d discovery
	if err := json.Unmarshal(data, &d); err != nil {
		t.Fatal(err)
	}
	return d
}

// problems says what in a value is not as a type of the document wants it.
func (d discovery) problems(at string, s schema, v any) []string {
	if s.Ref != "" {
		s = d.Schemas[s.Ref]
	}
	var found []string
	wrong := func(is bool) {
		if !is {
			found = append(found, at+" is no "+s.Type)
		}
	}
	switch v := v.(type) {
	case map[string]any:
		wrong(s.Type == "object")
		for name, inner := range v {
			below, known := s.Properties[name]
			if !known {
				found = append(found, at+" has no field "+name)
				continue
			}
			found = append(found, d.problems(at+"."+name, below, inner)...)
		}
	case []any:
		wrong(s.Type == "array" && s.Items != nil)
		for _, inner := range v {
			found = append(found, d.problems(at+"[]", *s.Items, inner)...)
		}
	case string:
		wrong(s.Type == "string")
		if s.Enum != nil && !strings.Contains("|"+strings.Join(s.Enum, "|")+"|", "|"+v+"|") {
			found = append(found, at+" is "+v+", which is none of its words")
		}
	case float64:
		wrong(s.Type == "number" || s.Type == "integer" && v == float64(int64(v)))
	case bool:
		wrong(s.Type == "boolean")
	}
	return found
}

// Every request body that there is has the fields, the types and the words of
// Google's published document.
func TestRequestsFitTheDiscoveryDocument(t *testing.T) {
	w := start(t)
	p := w.proxy()
	c := p.config()
	c.KeepRows = 20
	b := w.open(c)
	w.append(b, message("1", append(entries(0, 21), story()...)...))
	w.append(b, message("2", entries(21, 20)...))
	if err := b.Status(t.Context(), standing(breaker.Open)); err != nil {
		t.Fatal(err)
	}
	if err := b.Status(t.Context(), standing(breaker.Closed)); err != nil {
		t.Fatal(err)
	}
	d := readDiscovery(t)
	types := map[string]string{":batchUpdate": "BatchUpdateSpreadsheetRequest", "developerMetadata:search": "SearchDeveloperMetadataRequest",
		"values:batchGetByDataFilter": "BatchGetValuesByDataFilterRequest"}
	checked := map[string]bool{}
	for _, sent := range p.bodies {
		for end, name := range types {
			if !strings.HasSuffix(sent.path, end) {
				continue
			}
			var v any
			if err := json.Unmarshal(sent.text, &v); err != nil {
				t.Fatal(err)
			}
			for _, problem := range d.problems(name, schema{Ref: name}, v) {
				t.Error(problem)
			}
			checked[name] = true
		}
	}
	if len(checked) != len(types) {
		t.Errorf("only %v were sent", checked)
	}
	kinds := regexp.MustCompile(`"(addSheet|appendCells|updateCells|deleteDimension|addChart|setBasicFilter|addConditionalFormatRule|createDeveloperMetadata)"`)
	sent := map[string]bool{}
	for _, one := range p.bodies {
		for _, k := range kinds.FindAllString(string(one.text), -1) {
			sent[k] = true
		}
	}
	if len(sent) != 8 {
		t.Errorf("only %v were sent", sent)
	}
	if got := d.problems("cell", schema{Ref: "CellData"}, map[string]any{"value": 1.0, "note": 2.0}); len(got) != 2 {
		t.Errorf("the check is blind: %q", got)
	}
}
