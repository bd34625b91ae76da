package sheets

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	api "google.golang.org/api/sheets/v4"
)

// prepare makes the tabs that are not there, in one write, and pins the
// columns of those that lost their pins, as in a copy of the spreadsheet. It
// does so once, and again after a sign that something is gone.
func (b *Book) prepare(ctx context.Context) error {
	if b.ready {
		return nil
	}
	titles, there, err := b.head(ctx)
	if err != nil {
		return err
	}
	s, err := b.search(ctx)
	if err != nil {
		return err
	}
	var requests []*api.Request
	for _, t := range tables {
		switch {
		case !there[t.id]:
			requests = append(requests, t.create(titles)...)
		case !t.pinned(s.pins):
			found, err := b.pinByHeader(ctx, t)
			if err != nil {
				return err
			}
			requests = append(requests, found...)
		}
	}
	if len(requests) > 0 {
		if err := b.write(ctx, requests); err != nil {
			return err
		}
		b.countsAt = 0
	}
	b.ready = true
	return nil
}

// head reads the time zone and the tabs: their titles and whether they exist.
func (b *Book) head(ctx context.Context) (titles map[string]bool, there map[int64]bool, err error) {
	titles, there = map[string]bool{}, map[int64]bool{}
	err = b.read(ctx, func(ctx context.Context) error {
		book, err := b.api.Spreadsheets.Get(b.id).Fields("properties.timeZone", "sheets.properties(sheetId,title)").Context(ctx).Do()
		if err != nil {
			return err
		}
		if book.Properties != nil {
			if zone, err := time.LoadLocation(book.Properties.TimeZone); err == nil {
				b.zone = zone
			}
		}
		for _, t := range book.Sheets {
			if t != nil && t.Properties != nil {
				there[t.Properties.SheetId], titles[t.Properties.Title] = true, true
			}
		}
		return nil
	})
	return titles, there, err
}

// pinned reports whether any column is pinned.
func (t *table) pinned(p pins) bool {
	return slices.ContainsFunc(t.places(p), func(place int64) bool { return place >= 0 })
}

// pinByHeader pins a table's columns to where their titles stand.
func (b *Book) pinByHeader(ctx context.Context, t *table) ([]*api.Request, error) {
	read, err := b.cells(ctx, &api.GridRange{SheetId: t.id, EndRowIndex: 1})
	if err != nil || len(read) == 0 {
		return nil, err
	}
	var requests []*api.Request
	for _, c := range t.columns {
		at := slices.IndexFunc(read[0], func(v any) bool { return strings.EqualFold(fmt.Sprint(v), c.title) })
		if at >= 0 {
			requests = append(requests, t.pinAt(c, int64(at)))
		}
	}
	return requests, nil
}

// pinAt attaches a column's key to a place.
func (t *table) pinAt(c column, at int64) *api.Request {
	return &api.Request{CreateDeveloperMetadata: &api.CreateDeveloperMetadataRequest{DeveloperMetadata: &api.DeveloperMetadata{
		MetadataKey: pinKey, MetadataValue: c.key, Visibility: documentVisible,
		Location: &api.DeveloperMetadataLocation{DimensionRange: t.columnAt(at)},
	}}}
}

func (t *table) columnAt(at int64) *api.DimensionRange {
	return &api.DimensionRange{SheetId: t.id, Dimension: "COLUMNS", StartIndex: at, EndIndex: at + 1}
}

// create makes the tab with its header, filter, colours and charts. A title
// that staff use already gets a number.
func (t *table) create(taken map[string]bool) []*api.Request {
	title := t.title
	for n := 2; taken[title]; n++ {
		title = fmt.Sprintf("%s %d", t.title, n)
	}
	requests := []*api.Request{{AddSheet: &api.AddSheetRequest{Properties: &api.SheetProperties{
		SheetId: t.id, Title: title,
		GridProperties: &api.GridProperties{RowCount: 1000, ColumnCount: int64(len(t.columns)) + spareColumns, FrozenRowCount: 1},
	}}}}
	header := &api.RowData{}
	for i, c := range t.columns {
		cell := text(c.title)
		cell.UserEnteredFormat = &api.CellFormat{TextFormat: &api.TextFormat{Bold: true}, BackgroundColorStyle: paint(0.91, 0.92, 0.93)}
		header.Values = append(header.Values, cell)
		requests = append(requests, t.pinAt(c, int64(i)), &api.Request{UpdateDimensionProperties: &api.UpdateDimensionPropertiesRequest{
			Range: t.columnAt(int64(i)), Properties: &api.DimensionProperties{PixelSize: c.width}, Fields: "pixelSize",
		}})
	}
	requests = append(requests, &api.Request{UpdateCells: &api.UpdateCellsRequest{
		Start: &api.GridCoordinate{SheetId: t.id}, Rows: []*api.RowData{header}, Fields: "userEnteredValue,userEnteredFormat",
	}})
	switch t {
	case &logTable:
		requests = append(requests, t.filter(), t.colour("level", "ERROR", red), t.colour("level", "WARNING", amber))
		requests = append(requests, t.colourStates("circuit")...)
	case &statusTable:
		requests = append(requests, t.colourStates("state")...)
	case &chartsTable:
		requests = append(requests, chartRequests()...)
	}
	return requests
}

// spareColumns are left at the right for staff.
const spareColumns = 11

func (t *table) filter() *api.Request {
	return &api.Request{SetBasicFilter: &api.SetBasicFilterRequest{Filter: &api.BasicFilter{
		Range: &api.GridRange{SheetId: t.id, EndColumnIndex: int64(len(t.columns))},
	}}}
}

func paint(r, g, b float64) *api.ColorStyle {
	return &api.ColorStyle{RgbColor: &api.Color{Red: r, Green: g, Blue: b}}
}

// The colours of cells, light enough to read black on.
var (
	red   = paint(0.96, 0.78, 0.76)
	amber = paint(1, 0.90, 0.70)
	green = paint(0.80, 0.92, 0.81)
)

// colourStates colours a column by the state of a circuit. A state that an
// operator holds ends in "(forced)".
func (t *table) colourStates(key string) []*api.Request {
	return []*api.Request{t.colour(key, "OPEN", red), t.colour(key, "HALF_OPEN", amber), t.colour(key, "CLOSED", green)}
}

// colour colours the cells of a column that begin with a word.
func (t *table) colour(key, word string, c *api.ColorStyle) *api.Request {
	at := int64(t.index(key))
	return &api.Request{AddConditionalFormatRule: &api.AddConditionalFormatRuleRequest{Rule: &api.ConditionalFormatRule{
		Ranges: []*api.GridRange{t.area(at, at+1)},
		BooleanRule: &api.BooleanRule{
			Condition: &api.BooleanCondition{Type: "TEXT_STARTS_WITH", Values: []*api.ConditionValue{{UserEnteredValue: word}}},
			Format:    &api.CellFormat{BackgroundColorStyle: c},
		},
	}}}
}

// chartRequests draw the two charts beside their numbers.
func chartRequests() []*api.Request {
	const outcomes = 4
	last := int64(len(chartsTable.columns))
	return []*api.Request{
		chart("Outcomes of calls per quarter of an hour", "Calls", 1, 1+outcomes, 0),
		chart("Failures per service and quarter of an hour", "Failed requests", 1+outcomes, last, 20),
	}
}

// chart draws columns of the table, stacked, with its upper left corner in a
// row.
func chart(title, axis string, from, to, row int64) *api.Request {
	source := func(column int64) *api.ChartData {
		return &api.ChartData{SourceRange: &api.ChartSourceRange{Sources: []*api.GridRange{{
			SheetId: chartsTable.id, EndRowIndex: 1 + mostQuarters, StartColumnIndex: column, EndColumnIndex: column + 1,
		}}}}
	}
	c := &api.BasicChartSpec{
		ChartType: "COLUMN", StackedType: "STACKED", LegendPosition: "BOTTOM_LEGEND", HeaderCount: 1,
		Axis:    []*api.BasicChartAxis{{Position: "BOTTOM_AXIS"}, {Position: "LEFT_AXIS", Title: axis}},
		Domains: []*api.BasicChartDomain{{Domain: source(0)}},
	}
	for i := from; i < to; i++ {
		c.Series = append(c.Series, &api.BasicChartSeries{Series: source(i), TargetAxis: "LEFT_AXIS"})
	}
	return &api.Request{AddChart: &api.AddChartRequest{Chart: &api.EmbeddedChart{
		Spec: &api.ChartSpec{Title: title, BasicChart: c},
		Position: &api.EmbeddedObjectPosition{OverlayPosition: &api.OverlayPosition{
			AnchorCell:  &api.GridCoordinate{SheetId: chartsTable.id, RowIndex: row, ColumnIndex: int64(len(chartsTable.columns)) + 1},
			WidthPixels: 900, HeightPixels: 380,
		}},
	}}}
}
