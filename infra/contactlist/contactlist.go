// Package contactlist reads lists of contacts from CSV, row by row, so that a
// million of them need no more memory than one.
//
// The first line names the columns: contact_id and phone, and where wanted
// campaign, name, time_zone and expires_at, in any order and any case. Every
// further column becomes a variable of the contact. The format is RFC 4180 in
// UTF-8, with or without a byte order mark. Lines without any value are
// skipped. Whether an id comes twice is for the ledger to find out.
//
// Judging a phone number costs many times what reading a row does, so rows are
// judged on all cores, a few chunks ahead of whoever takes them.
package contactlist

import (
	"bufio"
	"bytes"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"iter"
	"slices"
	"strings"
	"sync"
	"time"

	"callagent/core/call"
)

// longestRow bounds one row in bytes, because a quote that is never closed
// would otherwise swallow the rest of the list.
const longestRow = 1 << 20

// Options says how rows are judged. The zero value takes any campaign and any
// expiry, and every row has to name its campaign.
type Options struct {
	Campaign string            // for rows that name none; "" makes the column required
	Known    func(string) bool // whether a campaign exists; nil takes every name
	Now      time.Time         // a contact that expired by then is refused; zero judges none
}

// Row is one contact and the line that its row begins in, counted from 1.
type Row struct {
	Line    int
	Contact call.Contact
}

// RowError is what is wrong with one row. Reading goes on after it.
type RowError struct {
	Line    int
	Column  string // "" when the row as a whole is wrong
	Value   string // cut short, and with the digits of what may be a phone number hidden
	Problem string
	Remedy  string
}

// Error gives one sentence.
func (e *RowError) Error() string {
	where := fmt.Sprintf("line %d", e.Line)
	if e.Column != "" {
		where += ", column " + e.Column
	}
	if e.Value != "" {
		return fmt.Sprintf("%s: %q %s: %s", where, e.Value, e.Problem, e.Remedy)
	}
	return fmt.Sprintf("%s: %s: %s", where, e.Problem, e.Remedy)
}

// Read yields the rows of a list in their order. A row that cannot be used
// comes as a *[RowError]; any other error is about the list as a whole, or
// about reading it, and is the last thing yielded.
func Read(r io.Reader, o Options) iter.Seq2[Row, error] {
	return func(yield func(Row, error) bool) {
		l, err := open(r, o)
		if err != nil {
			yield(Row{}, err)
			return
		}
		l.each(func(one judged) bool {
			if one.err == io.EOF {
				return false
			}
			_, goesOn := errors.AsType[*RowError](one.err)
			return yield(one.row, one.err) && (one.err == nil || goesOn)
		})
	}
}

// list is a list whose header has been read.
type list struct {
	csv     *csv.Reader
	input   *bounded
	columns []column
	options Options
	zones   sync.Map // names of zones that exist
	line    int      // of the last row
}

func open(r io.Reader, o Options) (*list, error) {
	l, err := begin(r, "its first line has to name the columns, contact_id and phone at least")
	if err != nil {
		return nil, err
	}
	names, err := l.csv.Read()
	if err != nil {
		return nil, headerError(err)
	}
	columns, err := header(names, o.Campaign != "")
	if err != nil {
		return nil, err
	}
	l.columns, l.options, l.line = columns, o, 1
	return l, nil
}

// begin finds out whether the input is text and goes to its first row. remedy
// is what to do about an empty list.
func begin(r io.Reader, remedy string) (*list, error) {
	buffered := bufio.NewReader(r)
	start, err := buffered.Peek(3)
	switch {
	case len(start) == 0 && err != io.EOF:
		return nil, fmt.Errorf("the list cannot be read: %w", err)
	case len(start) == 0:
		return nil, errors.New("the list is empty: " + remedy)
	case bytes.HasPrefix(start, []byte("\xef\xbb\xbf")):
		_, _ = buffered.Discard(3) // they were peeked at
	case bytes.HasPrefix(start, []byte("\xff\xfe")), bytes.HasPrefix(start, []byte("\xfe\xff")):
		return nil, errors.New("the list is UTF-16: save it again as CSV in UTF-8")
	}
	input := &bounded{r: buffered, left: longestRow}
	c := csv.NewReader(input)
	c.FieldsPerRecord = -1
	c.ReuseRecord = true
	return &list{csv: c, input: input}, nil
}

func headerError(err error) error {
	if err == io.EOF {
		return errors.New("the list has only blank lines: its first line has to name the columns, contact_id and phone at least")
	}
	if p, ok := errors.AsType[*csv.ParseError](err); ok && p.Err != errTooLong {
		return fmt.Errorf("line %d: the header is no CSV (%w): close every quote, and double quotes inside of quotes", p.Line, p.Err)
	}
	return fmt.Errorf("the header cannot be read: %w", err)
}

// next gives the cells of the next row that is not blank, or io.EOF.
func (l *list) next() ([]string, error) {
	for {
		l.input.left = longestRow
		cells, err := l.csv.Read()
		if err != nil {
			return nil, l.explain(err)
		}
		if !blank(cells) {
			l.line, _ = l.csv.FieldPos(0)
			return slices.Clone(cells), nil
		}
	}
}

// judge turns the cells of a row into its contact.
func (l *list) judge(line int, cells []string) (Row, error) {
	c, problem := l.contact(cells)
	if problem != nil {
		problem.Line = line
		return Row{Line: line}, problem
	}
	return Row{Line: line, Contact: c}, nil
}

// explain tells a row that is no CSV, after which reading goes on, from an
// input that ends.
func (l *list) explain(err error) error {
	p, isCSV := errors.AsType[*csv.ParseError](err)
	switch {
	case err == io.EOF:
		return err
	case errors.Is(err, errTooLong):
		return fmt.Errorf("after line %d: %w: look for a quote that is opened and never closed", l.line, errTooLong)
	case isCSV:
		l.line = p.StartLine
		return &RowError{Line: p.StartLine, Problem: "the row is no CSV: " + p.Err.Error(), Remedy: `put values with quotes or commas in quotes, and write a quote inside of them twice`}
	default:
		return fmt.Errorf("after line %d the list cannot be read: %w", l.line, err)
	}
}

var errTooLong = errors.New("a row is longer than 1 MiB")

// bounded reads until left is used up and fails then.
type bounded struct {
	r    io.Reader
	left int
}

func (b *bounded) Read(p []byte) (int, error) {
	if b.left <= 0 {
		return 0, errTooLong
	}
	n, err := b.r.Read(p[:min(len(p), b.left)])
	b.left -= n
	return n, err
}

func blank(cells []string) bool {
	for _, c := range cells {
		if strings.TrimSpace(c) != "" {
			return false
		}
	}
	return true
}
