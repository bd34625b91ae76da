package simulator

import (
	"cmp"
	"slices"
	"strconv"
	"strings"
	"time"

	"google.golang.org/api/sheets/v4"
)

// book is a spreadsheet. A batch of changes is made to a clone, so that it is
// made whole or not at all; rows are never changed in place.
type book struct {
	zone     string
	tabs     []*tab
	metadata []*sheets.DeveloperMetadata
	lastID   int64 // of what nobody gave an id
}

// tab is one grid.
type tab struct {
	props  *sheets.SheetProperties
	rows   [][]gridCell // those that were ever written; shorter ones end in empty cells
	filter *sheets.BasicFilter
	rules  []*sheets.ConditionalFormatRule
	charts []*sheets.EmbeddedChart
}

// gridCell is what a person entered: nil, a string, a float64, a bool or a
// formula.
type gridCell struct {
	value  any
	format *sheets.CellFormat
}

type formula string

// newBook is what Google makes for somebody who starts a spreadsheet.
func newBook() *book {
	b := &book{zone: "Etc/UTC", lastID: 1 << 20}
	b.tabs = []*tab{{props: &sheets.SheetProperties{Title: "Sheet1", GridProperties: &sheets.GridProperties{RowCount: 1000, ColumnCount: 26}}}}
	return b
}

func (b *book) clone() *book {
	c := *b
	c.tabs = make([]*tab, len(b.tabs))
	for i, t := range b.tabs {
		n, props, grid := *t, *t.props, *t.props.GridProperties
		props.GridProperties = &grid
		n.props, n.rows, n.rules, n.charts = &props, slices.Clone(t.rows), slices.Clone(t.rules), slices.Clone(t.charts)
		c.tabs[i] = &n
	}
	c.metadata = make([]*sheets.DeveloperMetadata, len(b.metadata))
	for i, m := range b.metadata {
		c.metadata[i] = copyMetadata(m)
	}
	return &c
}

// copyMetadata copies so deep that a column can move in the copy.
func copyMetadata(m *sheets.DeveloperMetadata) *sheets.DeveloperMetadata {
	n, at := *m, *m.Location
	if at.DimensionRange != nil {
		span := *at.DimensionRange
		at.DimensionRange = &span
	}
	n.Location = &at
	return &n
}

func (b *book) newID() int64 { b.lastID++; return b.lastID }

// tab finds a tab by its id.
func (b *book) tab(id int64) (*tab, error) {
	for _, t := range b.tabs {
		if t.props.SheetId == id {
			return t, nil
		}
	}
	return nil, refusef("No grid with id: %d", id)
}

// span is a part of one dimension.
type span struct{ from, to int }

// within bounds a part of a grid; an end of 0 has no bound of its own.
func within(from, to, size int64) (span, error) {
	if to == 0 {
		to = size
	}
	if from < 0 || from >= to || to > size {
		return span{}, refusef("Range exceeds grid limits. Max size: %d, from %d to %d", size, from, to)
	}
	return span{int(from), int(to)}, nil
}

// area bounds a range of the grid.
func (t *tab) area(r *sheets.GridRange) (rows, columns span, err error) {
	g := t.props.GridProperties
	if rows, err = within(r.StartRowIndex, r.EndRowIndex, g.RowCount); err == nil {
		columns, err = within(r.StartColumnIndex, r.EndColumnIndex, g.ColumnCount)
	}
	return rows, columns, err
}

// set writes the fields of a row's cells that the mask names.
func (t *tab) set(row, column int, cells []*sheets.CellData, mask tree) error {
	if column+len(cells) > int(t.props.GridProperties.ColumnCount) {
		return refusef("Attempting to write column: %d, beyond the last requested column of: %d", column+len(cells)-1, t.props.GridProperties.ColumnCount-1)
	}
	if row >= int(t.props.GridProperties.RowCount) {
		return refusef("Attempting to write row: %d, beyond the last requested row of: %d", row, t.props.GridProperties.RowCount-1)
	}
	for len(t.rows) <= row {
		t.rows = append(t.rows, nil)
	}
	written := slices.Clone(t.rows[row])
	for len(written) < column+len(cells) {
		written = append(written, gridCell{})
	}
	for i, c := range cells {
		if mask.has("userEnteredValue") {
			written[column+i].value = entered(c.UserEnteredValue)
		}
		if mask.has("userEnteredFormat") {
			written[column+i].format = c.UserEnteredFormat
		}
	}
	t.rows[row] = written
	return nil
}

func entered(v *sheets.ExtendedValue) any {
	switch {
	case v == nil:
		return nil
	case v.StringValue != nil:
		return *v.StringValue
	case v.NumberValue != nil:
		return *v.NumberValue
	case v.BoolValue != nil:
		return *v.BoolValue
	case v.FormulaValue != nil:
		return formula(*v.FormulaValue)
	}
	return nil
}

// used is the number of rows up to the last that is not empty.
func (t *tab) used() int {
	for n := len(t.rows); n > 0; n-- {
		if slices.ContainsFunc(t.rows[n-1], func(c gridCell) bool { return c.value != nil }) {
			return n
		}
	}
	return 0
}

// sort puts rows into order. Empty cells come last whatever the order.
func (t *tab) sort(rows, columns span, specs []*sheets.SortSpec) {
	for len(t.rows) < rows.to {
		t.rows = append(t.rows, nil)
	}
	part := make([][]gridCell, 0, rows.to-rows.from)
	for i := rows.from; i < rows.to; i++ {
		part = append(part, pad(t.rows[i], columns.to)[columns.from:columns.to])
	}
	slices.SortStableFunc(part, func(a, b []gridCell) int {
		for _, s := range specs {
			x, y := a[int(s.DimensionIndex)-columns.from].value, b[int(s.DimensionIndex)-columns.from].value
			if c := compareCells(x, y, s.SortOrder == "DESCENDING"); c != 0 {
				return c
			}
		}
		return 0
	})
	for i, cells := range part {
		row := pad(t.rows[rows.from+i], columns.to)
		t.rows[rows.from+i] = slices.Concat(row[:columns.from], cells, row[columns.to:])
	}
}

// pad makes a row at least so long. It changes a copy.
func pad(row []gridCell, length int) []gridCell {
	return append(slices.Clone(row), make([]gridCell, max(0, length-len(row)))...)
}

func compareCells(a, b any, descending bool) int {
	if a == nil || b == nil {
		return cmp.Compare(boolRank(a == nil), boolRank(b == nil))
	}
	c := 0
	x, isNumber := a.(float64)
	y, areNumbers := b.(float64)
	switch {
	case isNumber && areNumbers:
		c = cmp.Compare(x, y)
	case isNumber != areNumbers:
		c = cmp.Compare(boolRank(!isNumber), boolRank(!areNumbers)) // numbers before texts
	default:
		c = strings.Compare(shownValue(gridCell{value: a}), shownValue(gridCell{value: b}))
	}
	if descending {
		return -c
	}
	return c
}

func boolRank(b bool) int {
	if b {
		return 1
	}
	return 0
}

// shown reads cells as the API gives them: as they look or, when raw, as they
// are. Empty cells and rows at the end are left out.
func (t *tab) shown(fromRow, toRow, fromColumn, toColumn int, raw bool) [][]any {
	var all [][]any
	for i := fromRow; i < min(toRow, len(t.rows)); i++ {
		row := []any{}
		for j := fromColumn; j < min(toColumn, len(t.rows[i])); j++ {
			c := t.rows[i][j]
			if _, isNumber := c.value.(float64); raw && isNumber {
				row = append(row, c.value)
			} else {
				row = append(row, shownValue(c))
			}
		}
		for len(row) > 0 && row[len(row)-1] == "" {
			row = row[:len(row)-1]
		}
		all = append(all, row)
	}
	for len(all) > 0 && len(all[len(all)-1]) == 0 {
		all = all[:len(all)-1]
	}
	return all
}

// shownValue is a cell as a person sees it. What a formula would give is not
// worked out.
func shownValue(c gridCell) string {
	switch v := c.value.(type) {
	case string:
		return v
	case formula:
		return "#FORMULA"
	case bool:
		return strings.ToUpper(strconv.FormatBool(v))
	case float64:
		if f := c.format; f != nil && f.NumberFormat != nil && f.NumberFormat.Type == "DATE_TIME" {
			return shownTime(v, f.NumberFormat.Pattern)
		}
		return strconv.FormatFloat(v, 'f', -1, 64)
	}
	return ""
}

// dayZero is what the number 0 is as a date.
var dayZero = time.Date(1899, 12, 30, 0, 0, 0, 0, time.UTC)

// shownTime knows the patterns with a year, a month, a day, hours, minutes and
// seconds.
func shownTime(days float64, pattern string) string {
	layout := strings.NewReplacer("yyyy", "2006", "hh:mm", "15:04", "mm", "01", "dd", "02", "ss", "05").Replace(pattern)
	return dayZero.Add(time.Duration(days * float64(24*time.Hour)).Round(time.Millisecond)).Format(layout)
}
