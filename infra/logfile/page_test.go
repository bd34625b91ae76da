package logfile

import (
	"os"
	"reflect"
	"strings"
	"testing"

	"callagent/core/journal"
)

func TestThePageExplainsFieldsAndMarks(t *testing.T) {
	data, err := os.ReadFile("../../docs/logs.md")
	if err != nil {
		t.Fatal(err)
	}
	var words []string
	for event, mark := range marks {
		words = append(words, event, mark)
	}
	for f := range reflect.TypeFor[journal.Entry]().Fields() {
		name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
		words = append(words, name)
	}
	for _, w := range words {
		if !strings.Contains(string(data), "`"+w+"`") {
			t.Errorf("docs/logs.md does not explain %q", w)
		}
	}
}
