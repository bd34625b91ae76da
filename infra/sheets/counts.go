package sheets

import (
	"context"
	"maps"
	"slices"
	"time"

	api "google.golang.org/api/sheets/v4"

	"callagent/core/journal"
)

const (
	quarter = 15 * time.Minute
	// mostQuarters is how many quarters of an hour the charts show: a day.
	mostQuarters = 96
)

// counts are the numbers of the Charts by the Unix time that a quarter of an
// hour begins at. Each row has one number for every column of the table but
// the first.
type counts map[int64][]float64

// countedAs says which column an event counts in.
var countedAs = map[string]string{
	"call_completed": "completed", "call_failed": "failed", "call_unknown": "unknown", "call_expired": "expired",
}

// columnOf is the column of the Charts that an entry counts in; 0 for none.
func columnOf(e journal.Entry) int {
	if key, ok := countedAs[e.Event]; ok {
		return chartsTable.index(key)
	}
	failure := e.Event == "probe_failed" || e.Event == "request_failed" && e.Level == journal.Error
	if !failure {
		return 0
	}
	return max(0, chartsTable.index(e.Service))
}

func countable(e journal.Entry) bool { return columnOf(e) > 0 }

// counted adds entries to the counts that the sheet shows. It reads them when
// somebody else has written since, and gives nil when that can wait because
// there is nothing to count.
func (b *Book) counted(ctx context.Context, s state, entries []journal.Entry) (counts, error) {
	there := b.counts
	if b.countsAt != s.last().number || there == nil {
		if !slices.ContainsFunc(entries, countable) {
			return nil, nil
		}
		var err error
		if there, err = b.readCounts(ctx, s); err != nil {
			return nil, err
		}
	}
	c := maps.Clone(there)
	for _, e := range entries {
		if column := columnOf(e); column > 0 {
			c.add(e.Time.Truncate(quarter).Unix(), column-1, 1)
		}
	}
	return c, nil
}

// add counts in a copy of the row, because rows are shared with older counts.
func (c counts) add(from int64, i int, n float64) {
	row := slices.Clone(c[from])
	if row == nil {
		row = make([]float64, len(chartsTable.columns)-1)
	}
	row[i] += n
	c[from] = row
}

// readCounts reads the numbers of the Charts.
func (b *Book) readCounts(ctx context.Context, s state) (counts, error) {
	places := chartsTable.places(s.pins)
	area := chartsTable.area(0, max(0, slices.Max(places))+1)
	read, err := b.cells(ctx, area)
	if err != nil {
		return nil, err
	}
	c := counts{}
	for _, row := range read {
		days := numberIn(row, int(places[0]))
		if days == 0 {
			continue
		}
		from := instant(days, b.zone).Round(time.Minute).Unix()
		for i := range len(chartsTable.columns) - 1 {
			if n := numberIn(row, int(places[i+1])); n != 0 {
				c.add(from, i, n)
			}
		}
	}
	return c, nil
}

// requests write the day that ends with the newest quarter, and forget what
// was before it.
func (c counts) requests(s state, zone *time.Location) []*api.Request {
	newest := slices.Max(slices.Collect(maps.Keys(c)))
	const step = int64(quarter / time.Second)
	first := newest - (mostQuarters-1)*step
	maps.DeleteFunc(c, func(from int64, _ []float64) bool { return from < first })
	rows := make([][]*api.CellData, 0, mostQuarters)
	for from := first; from <= newest; from += step {
		cells := []*api.CellData{when(time.Unix(from, 0), zone, showMinutes)}
		for i := range len(chartsTable.columns) - 1 {
			n := 0.0
			if row := c[from]; row != nil {
				n = row[i]
			}
			cells = append(cells, number(n))
		}
		rows = append(rows, cells)
	}
	return chartsTable.update(chartsTable.places(s.pins), 1, rows)
}
