// Package eventtest reads the events that lie beside a function.
package eventtest

import (
	"encoding/json"
	"os"
	"path/filepath"
	"testing"
)

// Read gives the event of that name from the folder events.
func Read[E any](t *testing.T, name string) E {
	t.Helper()
	data, err := os.ReadFile(filepath.Join("events", name+".json"))
	if err != nil {
		t.Fatal(err)
	}
	var e E
	if err := json.Unmarshal(data, &e); err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	return e
}
