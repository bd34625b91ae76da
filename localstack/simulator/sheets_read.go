package simulator

import (
	"encoding/json"
	"regexp"
	"slices"
	"strings"

	"google.golang.org/api/sheets/v4"
)

// get reads the spreadsheet without its cells. The field mask decides what of
// it comes, as it does at Google.
func (g *sheetsAPI) get(in inbound) (any, error) {
	b := g.book
	all := &sheets.Spreadsheet{
		SpreadsheetId: g.sim.cfg.Keys.Spreadsheet, Properties: &sheets.SpreadsheetProperties{Title: "Campaigns", TimeZone: b.zone, Locale: "en_GB"},
		DeveloperMetadata: b.metadata,
	}
	for _, t := range b.tabs {
		all.Sheets = append(all.Sheets, &sheets.Sheet{Properties: t.props, BasicFilter: t.filter, ConditionalFormats: t.rules, Charts: t.charts})
	}
	fields := in.URL.Query().Get("fields")
	if fields == "" {
		return all, nil
	}
	mask, err := parseMask(fields)
	if err != nil {
		return nil, err
	}
	var loose any
	if err := json.Unmarshal(jsonAnswer(0, all).body, &loose); err != nil {
		return nil, err
	}
	return mask.of(loose), nil
}

// values reads one range in A1 notation.
func (g *sheetsAPI) values(in inbound) (any, error) {
	area, err := g.book.a1(in.PathValue("range"))
	if err != nil {
		return nil, err
	}
	return g.book.read(area, in.URL.Query().Get("valueRenderOption"))
}

func (g *sheetsAPI) valuesOfRanges(in inbound) (any, error) {
	query := in.URL.Query()
	all := []*sheets.ValueRange{}
	for _, name := range query["ranges"] {
		area, err := g.book.a1(name)
		if err != nil {
			return nil, err
		}
		v, err := g.book.read(area, query.Get("valueRenderOption"))
		if err != nil {
			return nil, err
		}
		all = append(all, v)
	}
	return &sheets.BatchGetValuesResponse{SpreadsheetId: g.sim.cfg.Keys.Spreadsheet, ValueRanges: all}, nil
}

func (g *sheetsAPI) valuesOfFilters(in inbound) (any, error) {
	var r sheets.BatchGetValuesByDataFilterRequest
	if err := strictly(in.body, &r); err != nil {
		return nil, err
	}
	all := []*sheets.MatchedValueRange{}
	for _, f := range r.DataFilters {
		if f.GridRange == nil {
			return nil, refusef("dataFilters: the simulator wants a gridRange")
		}
		v, err := g.book.read(f.GridRange, r.ValueRenderOption)
		if err != nil {
			return nil, err
		}
		all = append(all, &sheets.MatchedValueRange{ValueRange: v, DataFilters: []*sheets.DataFilter{f}})
	}
	return &sheets.BatchGetValuesByDataFilterResponse{SpreadsheetId: g.sim.cfg.Keys.Spreadsheet, ValueRanges: all}, nil
}

// read gives the values of an area.
func (b *book) read(r *sheets.GridRange, render string) (*sheets.ValueRange, error) {
	v := &sheets.ValueRange{MajorDimension: "ROWS"}
	err := b.inArea(r, func(t *tab, rows, columns span) {
		v.Range = "'" + t.props.Title + "'"
		v.Values = t.shown(rows.from, rows.to, columns.from, columns.to, render == "UNFORMATTED_VALUE")
	})
	return v, err
}

var a1Shape = regexp.MustCompile(`^(?:'([^']+)'|([^'!:]+))(?:!([A-Z]+)([0-9]*)(?::([A-Z]+)([0-9]*))?)?$`)

// a1 reads a tab's name with or without cells: Log, 'Log'!A2:M.
func (b *book) a1(name string) (*sheets.GridRange, error) {
	m := a1Shape.FindStringSubmatch(name)
	if m == nil {
		return nil, refusef("Unable to parse range: %s", name)
	}
	i := slices.IndexFunc(b.tabs, func(t *tab) bool { return t.props.Title == m[1]+m[2] })
	if i < 0 {
		return nil, refusef("Unable to parse range: %s", name)
	}
	r := &sheets.GridRange{SheetId: b.tabs[i].props.SheetId}
	if m[3] != "" {
		r.StartColumnIndex, r.StartRowIndex = column(m[3])-1, max(1, number(m[4]))-1
		r.EndColumnIndex, r.EndRowIndex = column(m[3]), number(m[4])
	}
	if m[5] != "" {
		r.EndColumnIndex, r.EndRowIndex = column(m[5]), number(m[6])
	}
	return r, nil
}

// column counts a column's letters from 1.
func column(letters string) (n int64) {
	for _, l := range letters {
		n = n*26 + int64(l-'A') + 1
	}
	return n
}

func number(digits string) (n int64) {
	for _, d := range digits {
		n = n*10 + int64(d-'0')
	}
	return n
}

// search finds developer metadata.
func (g *sheetsAPI) search(in inbound) (any, error) {
	var r sheets.SearchDeveloperMetadataRequest
	if err := strictly(in.body, &r); err != nil {
		return nil, err
	}
	found := &sheets.SearchDeveloperMetadataResponse{}
	for _, m := range g.book.metadata {
		var by []*sheets.DataFilter
		for _, f := range r.DataFilters {
			if fits(m, f) {
				by = append(by, f)
			}
		}
		if len(by) > 0 {
			found.MatchedDeveloperMetadata = append(found.MatchedDeveloperMetadata, &sheets.MatchedDeveloperMetadata{DeveloperMetadata: m, DataFilters: by})
		}
	}
	return found, nil
}

func fits(m *sheets.DeveloperMetadata, f *sheets.DataFilter) bool {
	l := f.DeveloperMetadataLookup
	return l != nil && (l.MetadataId == 0 || l.MetadataId == m.MetadataId) && (l.MetadataKey == "" || l.MetadataKey == m.MetadataKey) &&
		(l.MetadataValue == "" || l.MetadataValue == m.MetadataValue) && (l.LocationType == "" || l.LocationType == m.Location.LocationType) &&
		(l.Visibility == "" || l.Visibility == m.Visibility)
}

// mostMetadata is how many characters of keys and values a spreadsheet holds,
// beside what its tabs hold.
const mostMetadata = 30_000

func (b *book) addMetadata(m *sheets.DeveloperMetadata) (any, error) {
	const name = "createDeveloperMetadata: "
	if m.MetadataKey == "" || m.Visibility != "DOCUMENT" && m.Visibility != "PROJECT" || m.Location == nil || m.MetadataId < 0 {
		return nil, refusef(name + "Developer metadata must have a key, a visibility and a location, and its id must be positive.")
	}
	characters := len(m.MetadataKey) + len(m.MetadataValue)
	for _, o := range b.metadata {
		if m.MetadataId != 0 && o.MetadataId == m.MetadataId {
			return nil, refusef(name+"Developer metadata with the id %d already exists.", m.MetadataId)
		}
		if o.Location.Spreadsheet && m.Location.Spreadsheet {
			characters += len(o.MetadataKey) + len(o.MetadataValue)
		}
	}
	if characters > mostMetadata {
		return nil, refusef(name + "The developer metadata storage limit has been exceeded.")
	}
	made := copyMetadata(m)
	if made.MetadataId == 0 {
		made.MetadataId = b.newID()
	}
	switch at := made.Location; {
	case at.Spreadsheet:
		at.LocationType = "SPREADSHEET"
	case at.DimensionRange != nil:
		if _, s, err := b.dimension(at.DimensionRange); err != nil || s.to-s.from != 1 {
			return nil, refusef(name + "The location must be a single row or column of the grid.")
		}
		at.LocationType = strings.TrimSuffix(at.DimensionRange.Dimension, "S")
	default:
		at.LocationType = "SHEET"
	}
	b.metadata = append(b.metadata, made)
	return map[string]any{"developerMetadata": made}, nil
}

func (b *book) deleteMetadata(f *sheets.DataFilter) any {
	gone := []*sheets.DeveloperMetadata{}
	b.metadata = slices.DeleteFunc(b.metadata, func(m *sheets.DeveloperMetadata) bool {
		hit := fits(m, f)
		if hit {
			gone = append(gone, m)
		}
		return hit
	})
	return map[string]any{"deletedDeveloperMetadata": gone}
}

// tree is a field mask: what stands below each name; nil is everything.
type tree map[string]tree

// parseMask reads "sheets(properties(title),charts.chartId),properties".
func parseMask(fields string) (tree, error) {
	t, rest, ok := readMask(fields)
	if !ok || rest != "" || len(t) == 0 {
		return nil, refusef("Invalid field mask: %q", fields)
	}
	return t, nil
}

var fieldName = regexp.MustCompile(`^(?:\*|[a-zA-Z]+)`)

// readMask reads up to the end or a closing parenthesis.
func readMask(s string) (t tree, rest string, ok bool) {
	t = tree{}
	for {
		name := fieldName.FindString(s)
		if name == "" {
			return nil, s, false
		}
		s = s[len(name):]
		below := t
		for strings.HasPrefix(s, ".") {
			below[name] = tree{}
			below, name = below[name], fieldName.FindString(s[1:])
			s = s[1+len(name):]
		}
		below[name] = nil
		if strings.HasPrefix(s, "(") {
			inner, after, closed := readMask(s[1:])
			if !closed || !strings.HasPrefix(after, ")") {
				return nil, s, false
			}
			below[name], s = inner, after[1:]
		}
		if !strings.HasPrefix(s, ",") {
			return t, s, true
		}
		s = s[1:]
	}
}

// has reports whether a field, or a part of it, is named.
func (t tree) has(name string) bool {
	_, named := t[name]
	_, all := t["*"]
	return named || all
}

// of keeps what the mask names.
func (t tree) of(v any) any {
	if _, all := t["*"]; t == nil || all {
		return v
	}
	switch v := v.(type) {
	case []any:
		for i := range v {
			v[i] = t.of(v[i])
		}
	case map[string]any:
		for name := range v {
			if below, named := t[name]; named {
				v[name] = below.of(v[name])
			} else {
				delete(v, name)
			}
		}
	}
	return v
}
