package dashboard

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"callagent/core/call"
)

// span is what a chart can be about.
type span struct {
	Name  string // in the address
	Label string
	each  time.Duration // of one column; a whole number of call.EndedSpan
	of    time.Duration
}

var spans = []span{
	{"2h", "2 hours", call.EndedSpan, 2 * time.Hour},
	{"12h", "12 hours", 15 * time.Minute, 12 * time.Hour},
	{weekly, "7 days", 3 * time.Hour, 7 * 24 * time.Hour},
}

// weekly is the span that is read apart from the others, because it is long.
const weekly = "7d"

// The chart's own units: the browser stretches it.
const (
	chartHeight = 1000
	columnWidth = 10
	columnGap   = 2
)

// chart is outcomes over time as stacked columns.
type chart struct {
	Width   int
	Columns []column
	Layers  []layer
	Most    int // the value at the top
	Total   int
	Legend  []tally
	Marks   []string // along the time axis, evenly spread from left to right
	Says    string   // the chart in a sentence
}

// column is one span of time. Groups has the calls of each of the groups.
type column struct {
	Label  string
	Total  int
	Groups []int
	Says   string
	X      int
}

// layer is a group's part of all columns, as an SVG path.
type layer struct{ Class, Path string }

// draw makes the chart of a span.
func draw(ended []call.Ended, s span, now time.Time, zone *time.Location) chart {
	n := int(s.of / s.each)
	// Columns begin at whole multiples of their width in the zone's own hours.
	_, offset := now.In(zone).Zone()
	shift := time.Duration(offset) * time.Second
	first := now.Add(shift).Truncate(s.each).Add(-shift - time.Duration(n-1)*s.each)
	c := chart{Width: n*columnWidth - columnGap, Columns: make([]column, n)}
	for i := range c.Columns {
		from := first.Add(time.Duration(i) * s.each)
		c.Columns[i] = column{Label: interval(from.In(zone), s), Groups: make([]int, len(groups)), X: i * columnWidth}
	}
	totals := make([]int, len(groups))
	for _, e := range ended {
		i := int(e.From.Sub(first) / s.each)
		if e.From.Before(first) || i >= n {
			continue
		}
		g := groupOf(e.State, e.Result)
		c.Columns[i].Groups[g] += e.Calls
		c.Columns[i].Total += e.Calls
		totals[g] += e.Calls
		c.Total += e.Calls
	}
	c.scale()
	for g, n := range totals {
		c.Legend = append(c.Legend, tally{groups[g].Class, groups[g].Label, n})
	}
	for i := range 4 {
		c.Marks = append(c.Marks, mark(first.Add(time.Duration(i)*s.of/4).In(zone), s))
	}
	c.Marks = append(c.Marks, "now")
	c.Says = fmt.Sprintf("%s ended in the last %s", calls(c.Total), s.Label) + c.most()
	return c
}

// chosen finds a span by name; for any other name it is the shortest that shows
// what ended in the last twelve hours.
func chosen(ended []call.Ended, name string, now time.Time) span {
	if i := slices.IndexFunc(spans, func(s span) bool { return s.Name == name }); i >= 0 {
		return spans[i]
	}
	short, usual := spans[0], spans[1]
	recent := false
	for _, e := range ended {
		switch age := now.Sub(e.From); {
		case age < short.of-short.each:
			recent = true
		case age < usual.of:
			return usual
		}
	}
	if recent {
		return short
	}
	return usual
}

// scale draws the columns in layers, one for each group, because a browser and
// a server write five paths faster than hundreds of bars.
func (c *chart) scale() {
	for _, col := range c.Columns {
		c.Most = max(c.Most, col.Total)
	}
	c.Most = roundUp(c.Most)
	paths := make([]strings.Builder, len(groups))
	for i := range c.Columns {
		col := &c.Columns[i]
		y, below := chartHeight, 0
		var parts []string
		for g, n := range col.Groups {
			if n == 0 {
				continue
			}
			below += n
			top := chartHeight - below*chartHeight/c.Most
			fmt.Fprintf(&paths[g], "M%d %dh%dv%dh-%dz", col.X, top, columnWidth-columnGap, y-top, columnWidth-columnGap)
			y = top
			parts = append(parts, number(n)+" "+strings.ToLower(groups[g].Label))
		}
		col.Says = col.Label + ": " + strings.Join(parts, ", ")
	}
	for g := range paths {
		if paths[g].Len() > 0 {
			c.Layers = append(c.Layers, layer{groups[g].Class, paths[g].String()})
		}
	}
}

// most names the highest column.
func (c *chart) most() string {
	best := slices.MaxFunc(c.Columns, func(a, b column) int { return a.Total - b.Total })
	if best.Total == 0 {
		return "."
	}
	return fmt.Sprintf(", most of them %s (%s).", best.Label, number(best.Total))
}

// roundUp gives a round number for the top of the chart, at least 4.
func roundUp(n int) int {
	if n <= 4 {
		return 4
	}
	for unit := 1; ; unit *= 10 {
		for _, top := range []int{5, 6, 8, 10, 12, 15, 20, 25, 30, 40} {
			if top*unit >= n {
				return top * unit
			}
		}
	}
}

// interval names a column's time: "14:15 to 14:30".
func interval(from time.Time, s span) string {
	to := from.Add(s.each)
	if s.of > 24*time.Hour {
		return from.Format("Mon 15:04") + " to " + to.Format("15:04")
	}
	return from.Format("15:04") + " to " + to.Format("15:04")
}

// mark names a moment on the axis.
func mark(t time.Time, s span) string {
	if s.of > 24*time.Hour {
		return t.Format("Mon 2")
	}
	return t.Format("15:04")
}
