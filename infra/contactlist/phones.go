package contactlist

import (
	"errors"
	"fmt"
	"io"
	"iter"
	"slices"
	"strings"
)

// Phone reads a phone number as people write it and gives its E.164 form. The
// error names the remedy and hides the digits.
func Phone(text string) (string, error) {
	text = strings.TrimSpace(text)
	phone, problem, remedy := number(text)
	if problem != "" {
		return "", fmt.Errorf("%q %s: %s", shown(phoneColumn, text), problem, remedy)
	}
	return phone, nil
}

// Phones yields the phone numbers of a list in their order, as E.164: one
// number a line, or the column phone of a CSV whose first line names the
// columns. Errors are as those of [Read].
func Phones(r io.Reader) iter.Seq2[string, error] {
	return func(yield func(string, error) bool) {
		l, err := begin(r, "write one phone number a line, or a CSV with a column phone")
		if err != nil {
			yield("", err)
			return
		}
		p := phones{list: l}
		for {
			phone, err := p.next()
			if err == io.EOF {
				return
			}
			_, goesOn := errors.AsType[*RowError](err)
			if !yield(phone, err) || err != nil && !goesOn {
				return
			}
		}
	}
}

// phones is a list of which one column counts.
type phones struct {
	*list
	begun  bool
	column int
	width  int // 0 when there is no header
}

// next gives the next number, or io.EOF.
func (p *phones) next() (string, error) {
	for {
		p.input.left = longestRow
		cells, err := p.csv.Read()
		if err != nil {
			return "", p.explain(err)
		}
		if blank(cells) {
			continue
		}
		p.line, _ = p.csv.FieldPos(0)
		if !p.begun {
			p.begun = true
			if isHeader, err := p.header(cells); isHeader || err != nil {
				if err != nil {
					return "", err
				}
				continue
			}
		}
		return p.phone(cells)
	}
}

// header reads the first line: the names of the columns, or a number already.
func (p *phones) header(cells []string) (bool, error) {
	at := slices.IndexFunc(cells, func(name string) bool { return strings.EqualFold(strings.TrimSpace(name), phoneColumn) })
	switch {
	case at >= 0:
		p.column, p.width = at, len(cells)
		return true, nil
	case len(cells) > 1:
		return false, fmt.Errorf("line %d: no column is called phone: name the columns in the first line, or write one phone number a line", p.line)
	}
	return false, nil
}

func (p *phones) phone(cells []string) (string, error) {
	if width := max(p.width, 1); len(cells) != width {
		return "", &RowError{
			Line: p.line, Problem: fmt.Sprintf("the row has %d values and should have %d", len(cells), width),
			Remedy: "give every column a value, empty ones too, and put values with commas in quotes",
		}
	}
	cell := strings.TrimSpace(cells[p.column])
	phone, problem, remedy := number(cell)
	if cell == "" {
		problem, remedy = "the phone number is missing", "write it like +44 20 7946 0123"
	}
	if problem != "" {
		return "", &RowError{Line: p.line, Column: p.named(), Value: shown(phoneColumn, cell), Problem: problem, Remedy: remedy}
	}
	return phone, nil
}

// named is the column as an error names it.
func (p *phones) named() string {
	if p.width == 0 {
		return ""
	}
	return phoneColumn
}
