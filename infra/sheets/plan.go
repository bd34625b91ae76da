package sheets

import (
	"context"
	"slices"
	"time"

	api "google.golang.org/api/sheets/v4"

	"callagent/core/journal"
)

// plan is one write and what is true after it.
type plan struct {
	requests []*api.Request
	counts   counts
	countsAt int64
}

// plan makes the write that adds rows to the Log, counts them in the Charts
// and deletes what is too old.
func (b *Book) plan(ctx context.Context, s state, a addition) (plan, error) {
	old, rows, err := b.oldest(ctx, s, len(a.entries))
	if err != nil {
		return plan{}, err
	}
	m := s.next(a, rows)
	p := plan{requests: append(old, m.requests(s.marks)...), countsAt: m.number}
	p.requests = append(p.requests, b.append(s, a.entries))
	p.counts, err = b.counted(ctx, s, a.entries)
	switch {
	case err != nil:
	case p.counts == nil:
		p.countsAt = 0
	case !slices.ContainsFunc(a.entries, countable): // the numbers stay as they are
	default:
		p.requests = append(p.requests, p.counts.requests(s, b.zone)...)
	}
	return p, err
}

// append writes rows below the last one.
func (b *Book) append(s state, entries []journal.Entry) *api.Request {
	places := logTable.places(s.pins)
	r := &api.AppendCellsRequest{SheetId: logTable.id, Fields: cellFields}
	for _, e := range entries {
		r.Rows = append(r.Rows, row(places, logCells(e, b.zone)))
	}
	return &api.Request{AppendCells: r}
}

// logCells is an entry in the order of the Log's columns.
func logCells(e journal.Entry, zone *time.Location) []*api.CellData {
	retries, status, duration := text(""), text(""), text("")
	if e.Retry != nil {
		retries = number(float64(*e.Retry))
	}
	if e.Status != 0 {
		status = number(float64(e.Status))
	}
	if e.Duration != 0 {
		duration = number(float64(e.Duration))
	}
	return []*api.CellData{
		when(e.Time, zone, showSeconds), text(e.Level.String()), text(serviceTitle(e.Service)), text(e.Event),
		text(e.Message), retries, text(e.Circuit), text(e.Contact), text(e.Campaign), text(e.CallID), text(e.Step),
		text(e.Kind), text(e.Class), status, duration,
	}
}

// slack is how many rows more than it keeps the Log may have, so that they are
// deleted in batches: a fiftieth.
func (b *Book) slack() int { return max(1, b.keep/50) }

// oldest deletes the oldest rows when adding makes too many, and says how many
// the Log has afterwards. Which are the oldest their times say, because staff
// may have sorted them.
func (b *Book) oldest(ctx context.Context, s state, adding int) ([]*api.Request, int, error) {
	rows := s.last().Rows + adding
	column := logTable.places(s.pins)[logTable.index("time")]
	if rows <= b.keep+b.slack() || column < 0 {
		return nil, rows, nil
	}
	read, err := b.cells(ctx, logTable.area(column, column+1))
	if err != nil {
		return nil, 0, err
	}
	there := len(read)
	over := min(there+adding-b.keep, there)
	if over <= 0 {
		return nil, there + adding, nil
	}
	byAge := make([]int, there)
	for i := range byAge {
		byAge[i] = i
	}
	slices.SortStableFunc(byAge, func(i, j int) int { return compareAge(read[i], read[j]) })
	return deleteRows(byAge[:over]), there + adding - over, nil
}

// compareAge puts earlier times first. What is no time was not written by us
// and comes last.
func compareAge(a, b []any) int {
	x, y := numberIn(a, 0), numberIn(b, 0)
	switch {
	case x == y:
		return 0
	case y == 0 || x != 0 && x < y:
		return -1
	}
	return 1
}

// numberIn reads a number from a row that was read; 0 when there is none.
func numberIn(row []any, i int) float64 {
	if i < 0 || i >= len(row) {
		return 0
	}
	n, _ := row[i].(float64)
	return n
}

// deleteRows deletes rows of the Log, counted from below its header, the last
// first, so that those before them stay where they are.
func deleteRows(rows []int) []*api.Request {
	slices.Sort(rows)
	var requests []*api.Request
	for end := len(rows); end > 0; {
		start := end - 1
		for start > 0 && rows[start-1] == rows[start]-1 {
			start--
		}
		requests = append(requests, &api.Request{DeleteDimension: &api.DeleteDimensionRequest{Range: &api.DimensionRange{
			SheetId: logTable.id, Dimension: "ROWS", StartIndex: int64(rows[start]) + 1, EndIndex: int64(rows[end-1]) + 2,
		}}})
		end = start
	}
	return requests
}
