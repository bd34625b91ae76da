package simulator

import (
	"slices"

	"google.golang.org/api/sheets/v4"
)

// apply carries out one request of a batch.
func (b *book) apply(r *sheets.Request) (map[string]any, error) {
	reply := map[string]any{}
	var err error
	switch {
	case r.AddSheet != nil:
		reply["addSheet"], err = b.addTab(r.AddSheet.Properties)
	case r.DeleteSheet != nil:
		err = b.deleteTab(r.DeleteSheet.SheetId)
	case r.UpdateSheetProperties != nil:
		err = b.updateTab(r.UpdateSheetProperties)
	case r.UpdateSpreadsheetProperties != nil:
		b.zone = r.UpdateSpreadsheetProperties.Properties.TimeZone
	case r.AppendCells != nil:
		err = b.appendCells(r.AppendCells)
	case r.UpdateCells != nil:
		err = b.updateCells(r.UpdateCells)
	case r.CreateDeveloperMetadata != nil:
		reply["createDeveloperMetadata"], err = b.addMetadata(r.CreateDeveloperMetadata.DeveloperMetadata)
	case r.DeleteDeveloperMetadata != nil:
		reply["deleteDeveloperMetadata"] = b.deleteMetadata(r.DeleteDeveloperMetadata.DataFilter)
	default:
		err = b.applyToTab(r)
	}
	return reply, err
}

// applyToTab carries out the requests that change the looks or the shape of
// one tab.
func (b *book) applyToTab(r *sheets.Request) error {
	switch {
	case r.SetBasicFilter != nil:
		return b.inArea(r.SetBasicFilter.Filter.Range, func(t *tab, _, _ span) { t.filter = r.SetBasicFilter.Filter })
	case r.AddConditionalFormatRule != nil:
		return b.addRule(r.AddConditionalFormatRule)
	case r.AddChart != nil:
		return b.addChart(r.AddChart.Chart)
	case r.UpdateDimensionProperties != nil:
		_, _, err := b.dimension(r.UpdateDimensionProperties.Range)
		return err
	case r.InsertDimension != nil:
		return b.insert(r.InsertDimension.Range)
	case r.DeleteDimension != nil:
		return b.delete(r.DeleteDimension.Range)
	case r.SortRange != nil:
		return b.inArea(r.SortRange.Range, func(t *tab, rows, columns span) { t.sort(rows, columns, r.SortRange.SortSpecs) })
	}
	return refusef(" The simulator does not know this request.")
}

func (b *book) inArea(r *sheets.GridRange, do func(t *tab, rows, columns span)) error {
	t, err := b.tab(r.SheetId)
	if err != nil {
		return err
	}
	rows, columns, err := t.area(r)
	if err == nil {
		do(t, rows, columns)
	}
	return err
}

func (b *book) addTab(p *sheets.SheetProperties) (any, error) {
	for _, t := range b.tabs {
		if t.props.Title == p.Title {
			return nil, refusef("addSheet: A sheet with the name \"%s\" already exists. Please enter another name.", p.Title)
		}
		if p.SheetId != 0 && t.props.SheetId == p.SheetId {
			return nil, refusef("addSheet: A sheet with the id %d already exists.", p.SheetId)
		}
	}
	made := *p
	if made.SheetId == 0 {
		made.SheetId = b.newID()
	}
	grid := sheets.GridProperties{RowCount: 1000, ColumnCount: 26}
	if p.GridProperties != nil {
		grid = *p.GridProperties
	}
	made.GridProperties, made.Index = &grid, int64(len(b.tabs))
	b.tabs = append(b.tabs, &tab{props: &made})
	return map[string]any{"properties": made}, nil
}

func (b *book) deleteTab(id int64) error {
	if _, err := b.tab(id); err != nil {
		return err
	}
	b.tabs = slices.DeleteFunc(b.tabs, func(t *tab) bool { return t.props.SheetId == id })
	b.metadata = slices.DeleteFunc(b.metadata, func(m *sheets.DeveloperMetadata) bool {
		at := m.Location
		return at.SheetId == id || at.DimensionRange != nil && at.DimensionRange.SheetId == id
	})
	return nil
}

func (b *book) updateTab(r *sheets.UpdateSheetPropertiesRequest) error {
	t, err := b.tab(r.Properties.SheetId)
	if err != nil {
		return err
	}
	mask, err := parseMask(r.Fields)
	if err != nil {
		return err
	}
	if mask.has("title") {
		t.props.Title = r.Properties.Title
	}
	if grid, named := mask["gridProperties"]; named && grid.has("frozenRowCount") {
		t.props.GridProperties.FrozenRowCount = r.Properties.GridProperties.FrozenRowCount
	}
	return nil
}

// appendCells writes below the last row that is not empty, and makes rows when
// the grid has none left.
func (b *book) appendCells(r *sheets.AppendCellsRequest) error {
	t, err := b.tab(r.SheetId)
	if err != nil {
		return err
	}
	mask, err := cellMask(r.Fields)
	if err != nil {
		return err
	}
	first := t.used()
	grid := t.props.GridProperties
	grid.RowCount = max(grid.RowCount, int64(first+len(r.Rows)))
	for i, row := range r.Rows {
		if err := t.set(first+i, 0, row.Values, mask); err != nil {
			return err
		}
	}
	return nil
}

func (b *book) updateCells(r *sheets.UpdateCellsRequest) error {
	mask, err := cellMask(r.Fields)
	if err != nil {
		return err
	}
	if r.Start == nil {
		return refusef("updateCells: the simulator wants a start")
	}
	t, err := b.tab(r.Start.SheetId)
	if err != nil {
		return err
	}
	for i, row := range r.Rows {
		if err := t.set(int(r.Start.RowIndex)+i, int(r.Start.ColumnIndex), row.Values, mask); err != nil {
			return err
		}
	}
	return nil
}

// cellMask reads the fields of a cell that a request writes.
func cellMask(fields string) (tree, error) {
	mask, err := parseMask(fields)
	if err != nil {
		return nil, err
	}
	for name := range mask {
		if !slices.Contains([]string{"*", "userEnteredValue", "userEnteredFormat"}, name) {
			return nil, refusef("fields: Invalid field: %s", name)
		}
	}
	return mask, nil
}

// addRule puts a rule at its index; the first ones win where they overlap.
func (b *book) addRule(r *sheets.AddConditionalFormatRuleRequest) error {
	if r.Rule == nil || len(r.Rule.Ranges) == 0 || r.Rule.BooleanRule == nil || r.Rule.BooleanRule.Condition == nil {
		return refusef("addConditionalFormatRule: the simulator wants a range and a boolean rule")
	}
	for _, area := range r.Rule.Ranges[1:] {
		if err := b.inArea(area, func(*tab, span, span) {}); err != nil {
			return err
		}
	}
	return b.inArea(r.Rule.Ranges[0], func(t *tab, _, _ span) {
		t.rules = slices.Insert(t.rules, min(int(r.Index), len(t.rules)), r.Rule)
	})
}

func (b *book) addChart(c *sheets.EmbeddedChart) error {
	if c.Position == nil || c.Position.OverlayPosition == nil || c.Position.OverlayPosition.AnchorCell == nil {
		return refusef("addChart: the simulator wants an anchor cell")
	}
	if c.Spec == nil || c.Spec.BasicChart == nil || len(c.Spec.BasicChart.Series) == 0 {
		return refusef("addChart: chart.spec must have a type and a series")
	}
	for _, t := range b.tabs {
		if slices.ContainsFunc(t.charts, func(o *sheets.EmbeddedChart) bool { return c.ChartId != 0 && o.ChartId == c.ChartId }) {
			return refusef("addChart: An embedded object with the id %d already exists.", c.ChartId)
		}
	}
	sources := c.Spec.BasicChart.Domains[0].Domain.SourceRange.Sources
	for _, s := range c.Spec.BasicChart.Series {
		sources = append(sources, s.Series.SourceRange.Sources...)
	}
	for _, s := range sources {
		if err := b.inArea(s, func(*tab, span, span) {}); err != nil {
			return err
		}
	}
	return b.inArea(&sheets.GridRange{SheetId: c.Position.OverlayPosition.AnchorCell.SheetId}, func(t *tab, _, _ span) {
		t.charts = append(t.charts, c)
	})
}

// dimension bounds a part of a tab's rows or columns.
func (b *book) dimension(r *sheets.DimensionRange) (*tab, span, error) {
	t, err := b.tab(r.SheetId)
	if err != nil {
		return nil, span{}, err
	}
	size := t.props.GridProperties.RowCount
	switch r.Dimension {
	case "ROWS":
	case "COLUMNS":
		size = t.props.GridProperties.ColumnCount
	default:
		return nil, span{}, refusef("dimension %q is neither ROWS nor COLUMNS", r.Dimension)
	}
	s, err := within(r.StartIndex, r.EndIndex, size)
	return t, s, err
}

func (b *book) insert(r *sheets.DimensionRange) error {
	t, err := b.tab(r.SheetId)
	if err != nil {
		return err
	}
	from, count := int(r.StartIndex), int(r.EndIndex-r.StartIndex)
	if r.Dimension == "ROWS" {
		t.props.GridProperties.RowCount += int64(count)
		if from < len(t.rows) {
			t.rows = slices.Insert(t.rows, from, make([][]gridCell, count)...)
		}
		return nil
	}
	t.props.GridProperties.ColumnCount += int64(count)
	for i, row := range t.rows {
		if from < len(row) {
			t.rows[i] = slices.Insert(slices.Clone(row), from, make([]gridCell, count)...)
		}
	}
	b.moveColumns(r.SheetId, from, count)
	return nil
}

func (b *book) delete(r *sheets.DimensionRange) error {
	t, s, err := b.dimension(r)
	if err != nil {
		return err
	}
	if r.Dimension == "ROWS" {
		t.props.GridProperties.RowCount -= int64(s.to - s.from)
		if s.from < len(t.rows) {
			t.rows = slices.Delete(t.rows, s.from, min(s.to, len(t.rows)))
		}
		return nil
	}
	t.props.GridProperties.ColumnCount -= int64(s.to - s.from)
	for i, row := range t.rows {
		if s.from < len(row) {
			t.rows[i] = slices.Delete(slices.Clone(row), s.from, min(s.to, len(row)))
		}
	}
	b.metadata = slices.DeleteFunc(b.metadata, func(m *sheets.DeveloperMetadata) bool {
		at := m.Location.DimensionRange
		return at != nil && at.SheetId == r.SheetId && at.Dimension == "COLUMNS" && int(at.StartIndex) >= s.from && int(at.StartIndex) < s.to
	})
	b.moveColumns(r.SheetId, s.to, s.from-s.to)
	return nil
}

// moveColumns moves what is attached to the columns from one on.
func (b *book) moveColumns(sheet int64, from, by int) {
	for _, m := range b.metadata {
		at := m.Location.DimensionRange
		if at != nil && at.SheetId == sheet && at.Dimension == "COLUMNS" && int(at.StartIndex) >= from {
			at.StartIndex += int64(by)
			at.EndIndex += int64(by)
		}
	}
}
