package settings

import (
	"cmp"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"callagent/core/journal"
)

// Error is one mistake in the settings.
type Error struct {
	File    string // what the text is called; "" for the environment
	Line    int    // from 1; 0 when no single line is to blame
	Key     string // dotted name of the key, or the environment variable; "" when it is about several
	Problem string // continues the key to a sentence, with the remedy
}

// Error gives the sentence.
func (e *Error) Error() string {
	switch {
	case e.File == "" && e.Key == "":
		return e.Problem
	case e.File == "":
		return "environment variable " + e.sentence()
	case e.Line == 0:
		return fmt.Sprintf("%s: %s", e.File, e.sentence())
	default:
		return fmt.Sprintf("%s, line %d: %s", e.File, e.Line, e.sentence())
	}
}

// numbers finds what may be a phone number, wherever somebody wrote it.
var numbers = regexp.MustCompile(`\+\d{7,}|\d{10,}`)

func (e *Error) sentence() string {
	return numbers.ReplaceAllStringFunc(strings.TrimSpace(e.Key+" "+e.Problem), journal.Mask)
}

// joined sorts mistakes by line and makes them one error; nil when there are
// none.
func joined(problems []error) error {
	slices.SortStableFunc(problems, func(a, b error) int { return cmp.Compare(lineOf(a), lineOf(b)) })
	return errors.Join(problems...)
}

func lineOf(err error) int {
	if e, ok := errors.AsType[*Error](err); ok {
		return e.Line
	}
	return 0
}

// closest gives the word that was probably meant, or "" when none is near. Of
// two that are equally near it is the one with the same length.
func closest(word string, words []string) string {
	best, least := "", 1+max(1, len(word)/3)
	for _, w := range words {
		d := distance(strings.ToLower(word), w)
		if d < least || best != "" && d == least && len(w) == len(word) && len(best) != len(word) {
			best, least = w, d
		}
	}
	return best
}

// distance counts the letters to insert, delete, replace or swap with their
// neighbour until a is b.
func distance(a, b string) int {
	before, last, row := make([]int, len(b)+1), make([]int, len(b)+1), make([]int, len(b)+1)
	for j := range last {
		last[j] = j
	}
	for i := range len(a) {
		row[0] = i + 1
		for j := range len(b) {
			change := last[j]
			if a[i] != b[j] {
				change++
			}
			row[j+1] = min(change, last[j+1]+1, row[j]+1)
			if i > 0 && j > 0 && a[i] == b[j-1] && a[i-1] == b[j] {
				row[j+1] = min(row[j+1], before[j-1]+1)
			}
		}
		before, last, row = last, row, before
	}
	return last[len(b)]
}
