package cli

import (
	"fmt"
	"io"
	"strings"
	"testing"

	"github.com/alecthomas/kong"

	"callagent/docs/docstest"
)

// docs/commands.md has every command with its arguments and flags.
func TestThePageHasTheCommands(t *testing.T) {
	parser, err := kong.New(new(grammar), kong.Name("callagent"), kong.Writers(io.Discard, io.Discard))
	if err != nil {
		t.Fatal(err)
	}
	docstest.Part(t, "commands.md", "common", flagTable(parser.Model.Flags))
	var b strings.Builder
	for _, c := range parser.Model.Leaves(true) {
		fmt.Fprintf(&b, "### callagent %s\n\n%s\n\n", strings.TrimSpace(c.Path()), c.Help)
		b.WriteString(argumentTable(c.Positional))
		b.WriteString(flagTable(c.Flags))
	}
	docstest.Part(t, "commands.md", "commands", b.String())
}

func argumentTable(arguments []*kong.Positional) string {
	if len(arguments) == 0 {
		return ""
	}
	var b strings.Builder
	b.WriteString("| argument | meaning |\n|---|---|\n")
	for _, a := range arguments {
		fmt.Fprintf(&b, "| `%s` | %s |\n", a.Summary(), docstest.Cell(a.Help))
	}
	return b.String() + "\n"
}

// flagTable lists the flags that are shown.
func flagTable(flags []*kong.Flag) string {
	var b strings.Builder
	for _, f := range flags {
		if f.Hidden {
			continue
		}
		name := "--" + f.Name
		if f.Short != 0 {
			name = fmt.Sprintf("-%c, %s", f.Short, name)
		}
		if !f.IsBool() {
			name += "=" + f.FormatPlaceHolder()
		}
		fmt.Fprintf(&b, "| `%s` | %s | %s |\n", docstest.Cell(name), standard(f), docstest.Cell(f.Help))
	}
	if b.Len() == 0 {
		return ""
	}
	return "| flag | default | meaning |\n|---|---|---|\n" + b.String() + "\n"
}

// standard is the default of a flag that has one which says something.
func standard(f *kong.Flag) string {
	if !f.HasDefault || strings.HasPrefix(f.Default, "-") { // a negative one stands for "not given"
		return ""
	}
	return "`" + f.Default + "`"
}
