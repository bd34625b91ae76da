package cli

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strings"
	"text/tabwriter"
	"time"
	"unicode"

	"callagent/core/journal"
	"callagent/infra/settings"
	"callagent/infra/wiring"
)

// withStore opens the store that the settings name, lets do use it until the
// first interrupt, and closes it. Nobody needs to have it to themselves. Unless
// create is set the store has to be there.
func withStore(g *grammar, w World, create bool, do func(context.Context, wiring.Store, settings.Settings) error) error {
	ctx, _, release := stopping(w)
	defer release()
	store, s, err := g.open(ctx, w, create)
	if err != nil {
		return err
	}
	return errors.Join(do(ctx, store, s), store.Close())
}

// printJSON writes one document for programs.
func printJSON(w io.Writer, v any) error {
	e := json.NewEncoder(w)
	e.SetIndent("", "  ")
	e.SetEscapeHTML(false)
	return e.Encode(v)
}

// table lines up cells for people. Close writes it.
type table struct{ w *tabwriter.Writer }

func newTable(w io.Writer, head ...any) table {
	t := table{tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)}
	t.row(head...)
	return t
}

// row adds a line; an empty cell shows a dash.
func (t table) row(cells ...any) {
	line := make([]string, len(cells))
	for i, c := range cells {
		if line[i] = oneLine(fmt.Sprint(c)); line[i] == "" {
			line[i] = "-"
		}
	}
	// What goes wrong with the writer underneath, Flush reports.
	_, _ = fmt.Fprintln(t.w, strings.Join(line, "\t"))
}

func (t table) Close() error { return t.w.Flush() }

// oneLine keeps a value from lists and providers from moving the cursor,
// changing colours or breaking a line.
func oneLine(s string) string {
	return strings.TrimSpace(strings.Map(func(r rune) rune {
		if unicode.IsControl(r) || r == '\u2028' || r == '\u2029' {
			return ' '
		}
		return r
	}, s))
}

// instant is a time as tables and CSV show it, "" for none.
func instant(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format(time.RFC3339)
}

// number is a count with its noun: "1 row", "2 rows".
func number(n int, noun string) string {
	if n != 1 {
		noun += "s"
	}
	return fmt.Sprintf("%d %s", n, noun)
}

// oneOf refuses a value that is not among the choices. what begins the
// sentence.
func oneOf[S ~string](what string, value S, choices []S) error {
	if slices.Contains(choices, value) {
		return nil
	}
	words := make([]string, len(choices))
	for i, c := range choices {
		words[i] = string(c)
	}
	return usageError{fmt.Errorf("%s %q is not known: use %s", what, typed(string(value)), or(words))}
}

// numberLike finds what looks like a phone number.
var numberLike = regexp.MustCompile(`\+\d[\d ().-]{5,}\d`)

// typed is what an operator typed as messages repeat it: phone numbers, which
// somebody takes for a contact's id, are masked.
func typed(s string) string { return numberLike.ReplaceAllStringFunc(s, journal.Mask) }

// or lists choices: "a, b or c".
func or(words []string) string {
	last := len(words) - 1
	if last < 1 {
		return strings.Join(words, "")
	}
	return strings.Join(words[:last], ", ") + " or " + words[last]
}
