package cloud

import (
	"fmt"
	"path"
	"runtime"
	"strings"
)

// panicked tells of a panic without what may be a secret or a number: what the
// runtime says, or else only the type, and the place.
func panicked(value any, stack []byte) string {
	said := fmt.Sprintf("%T", value)
	if err, ok := value.(runtime.Error); ok {
		said = err.Error()
	}
	return said + " at " + place(stack)
}

// place finds the first function of our own below the panic in a stack: its
// package with the file and the line.
func place(stack []byte) string {
	_, below, _ := strings.Cut(string(stack), "\npanic(")
	pkg := ""
	for line := range strings.Lines(below) {
		line = strings.TrimSpace(line)
		if strings.HasPrefix(line, "callagent/") {
			dir, name := path.Split(line)
			name, _, _ = strings.Cut(name, ".")
			pkg = dir + name
			continue
		}
		if pkg != "" {
			at, _, _ := strings.Cut(path.Base(line), " ")
			return pkg + "/" + at
		}
	}
	return "an unknown place"
}
