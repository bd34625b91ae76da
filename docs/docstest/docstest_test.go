package docstest

import (
	"strings"
	"testing"
)

func TestReplaceNeedsBothRemarks(t *testing.T) {
	page := "a\n<!-- generated: x -->\nold\n<!-- end: x -->\nb\n"
	got, err := replace(page, "x", "new\n")
	if want := "a\n<!-- generated: x -->\nnew\n<!-- end: x -->\nb\n"; err != nil || got != want {
		t.Errorf("replace = %q, %v; want %q", got, err, want)
	}
	for _, broken := range []string{"", "<!-- generated: x -->\n", "<!-- end: x -->", strings.ReplaceAll(page, ": x", ": y")} {
		if _, err := replace(broken, "x", "new\n"); err == nil {
			t.Errorf("replace finds its remarks in %q", broken)
		}
	}
}

func TestCellsStayCells(t *testing.T) {
	if got := Cell("a|b\nc"); got != `a\|b c` {
		t.Errorf("Cell = %q", got)
	}
}
