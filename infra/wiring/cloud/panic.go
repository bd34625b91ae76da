package cloud

import (
	"fmt"
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

// place finds the first line of our own code below the panic in a stack, with
// its path cut to the module.
func place(stack []byte) string {
	_, below, _ := strings.Cut(string(stack), "\npanic(")
	for line := range strings.Lines(below) {
		i := strings.LastIndex(line, "callagent/")
		if i < 0 || !strings.Contains(line, ".go:") {
			continue
		}
		at, _, _ := strings.Cut(strings.TrimSpace(line[i:]), " ")
		return at
	}
	return "an unknown place"
}
