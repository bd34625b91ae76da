package sheets

import (
	"context"
	"slices"
	"strings"
	"time"

	api "google.golang.org/api/sheets/v4"

	"callagent/core/agent"
	"callagent/core/alert"
)

// table is one of our tabs: a header in the first row and columns below it.
// Its id is what it is known by, whatever staff call the tab.
type table struct {
	id      int64
	title   string
	columns []column
}

// column is one column of a table. Its key is pinned to it as developer
// metadata, which moves with it.
type column struct {
	key, title string
	width      int64 // in pixels
}

// The tables. Values are given in the order of their columns.
var (
	logTable = table{id: 1_204_301, title: "Log", columns: []column{
		{"time", "Time", 150}, {"level", "Level", 80}, {"service", "Service", 140}, {"event", "Event", 140},
		{"message", "Message", 520}, {"retries", "Retry count", 90}, {"circuit", "Circuit state", 100},
		{"contact", "Contact", 100}, {"campaign", "Campaign", 100}, {"call", "Call", 140}, {"step", "Step", 80},
		{"fault", "Fault", 140}, {"class", "Fault class", 90}, {"status", "Status", 70}, {"duration", "Duration (ms)", 100},
	}}
	statusTable = table{id: 1_204_302, title: "Status", columns: []column{
		{"name", "Name", 170}, {"state", "State", 110}, {"meaning", "What it means", 520}, {"since", "Since", 150},
		{"failures", "Failures in a row", 120}, {"next", "Next try", 150}, {"parked", "Calls set aside", 110},
		{"running", "In progress", 90}, {"completed", "Completed", 90}, {"failed", "Failed", 80},
		{"unknown", "Unknown", 80}, {"expired", "Expired", 80}, {"updated", "Updated", 150},
	}}
	chartsTable = table{id: 1_204_303, title: "Charts", columns: slices.Concat([]column{
		{"from", "Quarter of an hour", 150}, {"completed", "Completed", 90}, {"failed", "Failed", 90}, {"unknown", "Unknown", 90}, {"expired", "Expired", 90},
	}, failureColumns())}

	tables = []*table{&logTable, &statusTable, &chartsTable}
)

// failureColumns is one column for each service.
func failureColumns() []column {
	var all []column
	for _, name := range agent.Services() {
		all = append(all, column{name, serviceTitle(name), 120})
	}
	return all
}

// serviceTitle names a service at the beginning of a cell.
func serviceTitle(name string) string {
	title := strings.TrimPrefix(alert.Title(name), "the ")
	return strings.ToUpper(title[:min(1, len(title))]) + title[min(1, len(title)):]
}

// pins say where columns are on their tabs.
type pins map[pin]int64

// pin is a column, by its tab's id and its own key.
type pin struct {
	tab int64
	key string
}

// index finds a column by its key.
func (t *table) index(key string) int {
	return slices.IndexFunc(t.columns, func(c column) bool { return c.key == key })
}

// places gives each column's place on the sheet; -1 for one that staff have
// deleted.
func (t *table) places(p pins) []int64 {
	at := make([]int64, len(t.columns))
	for i, c := range t.columns {
		at[i] = -1
		if place, ok := p[pin{t.id, c.key}]; ok {
			at[i] = place
		}
	}
	return at
}

// row lays cells out as they stand on the sheet, from its first column on.
func row(places []int64, cells []*api.CellData) *api.RowData {
	laid := make([]*api.CellData, max(0, slices.Max(places))+1)
	for i := range laid {
		laid[i] = &api.CellData{}
	}
	for i, place := range places {
		if place >= 0 {
			laid[place] = cells[i]
		}
	}
	return &api.RowData{Values: laid}
}

// cellFields are the parts of a cell that we write.
const cellFields = "userEnteredValue,userEnteredFormat.numberFormat"

// update writes rows from a row of the sheet on. Cells that are nil, and the
// columns of staff, stay as they are.
func (t *table) update(places []int64, from int64, rows [][]*api.CellData) []*api.Request {
	var requests []*api.Request
	for i, place := range places {
		if place < 0 || len(rows) == 0 || rows[0][i] == nil {
			continue
		}
		r := &api.UpdateCellsRequest{Fields: cellFields, Start: &api.GridCoordinate{SheetId: t.id, RowIndex: from, ColumnIndex: place}}
		for _, cells := range rows {
			r.Rows = append(r.Rows, &api.RowData{Values: []*api.CellData{cells[i]}})
		}
		requests = append(requests, &api.Request{UpdateCells: r})
	}
	return requests
}

// area is the cells of some columns below the header.
func (t *table) area(from, to int64) *api.GridRange {
	return &api.GridRange{SheetId: t.id, StartRowIndex: 1, StartColumnIndex: from, EndColumnIndex: to}
}

// cells reads an area of the sheet: numbers as numbers, the rest as text.
func (b *Book) cells(ctx context.Context, area *api.GridRange) (rows [][]any, err error) {
	r := &api.BatchGetValuesByDataFilterRequest{
		DataFilters: []*api.DataFilter{{GridRange: area}}, ValueRenderOption: "UNFORMATTED_VALUE", DateTimeRenderOption: "SERIAL_NUMBER",
	}
	err = b.read(ctx, func(ctx context.Context) error {
		answer, err := b.api.Spreadsheets.Values.BatchGetByDataFilter(b.id, r).Context(ctx).Do()
		if err != nil || len(answer.ValueRanges) == 0 {
			return err
		}
		if first := answer.ValueRanges[0]; first != nil && first.ValueRange != nil {
			rows = first.ValueRange.Values
		}
		return nil
	})
	return rows, err
}

// text is a cell with a text, whatever it looks like: "=1+1" stays "=1+1".
func text(s string) *api.CellData {
	const longest = 2000 // characters; Google takes 50,000
	if s == "" {
		return &api.CellData{}
	}
	if r := []rune(s); len(r) > longest {
		s = string(r[:longest-1]) + "…"
	}
	return &api.CellData{UserEnteredValue: &api.ExtendedValue{StringValue: &s}}
}

// number is a cell with a number.
func number(n float64) *api.CellData {
	return &api.CellData{UserEnteredValue: &api.ExtendedValue{NumberValue: &n}}
}

// dayZero is what the number 0 is as a date on a sheet.
var dayZero = time.Date(1899, time.December, 30, 0, 0, 0, 0, time.UTC)

const day = float64(24 * time.Hour)

// The formats of times on the sheet.
const (
	showSeconds = "yyyy-mm-dd hh:mm:ss"
	showMinutes = "yyyy-mm-dd hh:mm"
)

// when is a cell with a time, as the clocks in zone show it; empty for the
// zero time.
func when(t time.Time, zone *time.Location, pattern string) *api.CellData {
	if t.IsZero() {
		return &api.CellData{}
	}
	t = t.In(zone)
	_, offset := t.Zone()
	c := number(float64(t.Add(time.Duration(offset)*time.Second).Sub(dayZero)) / day)
	c.UserEnteredFormat = &api.CellFormat{NumberFormat: &api.NumberFormat{Type: "DATE_TIME", Pattern: pattern}}
	return c
}

// instant is the time that a number on the sheet stands for.
func instant(days float64, zone *time.Location) time.Time {
	w := dayZero.Add(time.Duration(days * day))
	return time.Date(w.Year(), w.Month(), w.Day(), w.Hour(), w.Minute(), w.Second(), w.Nanosecond(), zone)
}
