package dashboard

import (
	"context"
	"errors"
	"html/template"
	"slices"
	"time"

	"callagent/core/call"
	"callagent/core/journal"
	"callagent/infra/operator"
)

const (
	eventsShown  = 30
	eventsRead   = 300 // most are routine
	unknownShown = 20
	parkedShown  = 100
)

// tallies are the counts of calls.
type tallies struct {
	counts  []call.Count
	parked  map[string]int
	unknown []call.Call // the newest of those that wait for a person
}

func (d *Dashboard) readTallies(ctx context.Context) (t tallies, err error) {
	if t.counts, err = d.Store.Counts(ctx); err != nil {
		return t, err
	}
	if t.parked, err = d.Store.ParkedFor(ctx); err != nil || unknownOf(t.counts) == 0 {
		return t, err
	}
	for c, err := range d.Store.Calls(ctx, call.Filter{State: call.Unknown, Limit: unknownShown}) {
		if err != nil {
			return t, err
		}
		if !c.Key.Kept() {
			t.unknown = append(t.unknown, c)
		}
	}
	return t, nil
}

func unknownOf(counts []call.Count) (n int) {
	for _, c := range counts {
		if c.State == call.Unknown {
			n += c.Calls
		}
	}
	return n
}

// readCircuits leaves out how many calls wait: that is counted less often.
func (d *Dashboard) readCircuits(ctx context.Context) ([]operator.Circuit, error) {
	names := make([]string, len(d.Services))
	for i, s := range d.Services {
		names[i] = s.Name
	}
	return operator.Circuits(ctx, d.Store, names, nil, d.Clock.Now())
}

// outcomes are what the chart of a span by name is drawn from.
func (d *Dashboard) outcomes(span string) *reading[[]call.Ended] {
	if span == weekly {
		return &d.week
	}
	return &d.day
}

func (d *Dashboard) readEnded(ago time.Duration) func(context.Context) ([]call.Ended, error) {
	return func(ctx context.Context) ([]call.Ended, error) { return d.Store.Ended(ctx, d.Clock.Now().Add(-ago)) }
}

// counts gives the counts for a search.
func (d *Dashboard) counts(ctx context.Context) ([]call.Count, error) {
	now := time.Now()
	t := d.tallies.get(ctx, now.Add(moment), now.Add(readLimit))
	if t.At.IsZero() && t.Err != nil {
		return nil, t.Err
	}
	return t.Value.counts, nil
}

// standing is everything that the front page shows.
type standing struct {
	Headline  string
	Alarming  bool // the headline is bad news
	Cards     []card
	Unknown   []shown
	Untold    int // unknown calls that are not shown
	Campaigns template.HTML
	Spans     []span
	Span      span // that the chart is about
	Outcomes  template.HTML
	Events    template.HTML
	Trouble   string // why what is shown is old; "" when it is not
	AsOf      time.Time
	Counting  bool // no counts are known yet
	May       bool
	// Live: the browser works out how long something is still to last, so the
	// same state gives the same text whenever it is written.
	Live bool
}

// standing gathers what is known. may shows what only operators see; span is
// what the chart is about, "" for what fits. It fails only if nothing is known.
func (d *Dashboard) standing(ctx context.Context, may, live bool, span string) (standing, error) {
	outcomes := d.outcomes(span)
	d.circuits.begin() // all of them at once
	d.tallies.begin()
	d.events.begin()
	outcomes.begin()
	began := time.Now()
	soon, counted, late := began.Add(moment), began.Add(d.Patience), began.Add(readLimit)
	circuits, events := d.circuits.get(ctx, soon, late), d.events.get(ctx, soon, late)
	tally, ended := d.tallies.get(ctx, soon, counted), outcomes.get(ctx, soon, counted)
	s := standing{May: may, Live: live, AsOf: tally.At.In(d.Zone), Counting: tally.At.IsZero() || ended.At.IsZero()}
	for _, one := range []struct {
		at  time.Time
		err error
	}{{circuits.At, circuits.Err}, {tally.At, tally.Err}, {ended.At, ended.Err}, {events.At, events.Err}} {
		switch {
		case one.err != nil && one.at.IsZero():
			return s, one.err
		case one.err != nil:
			s.Trouble = "The store does not answer (" + one.err.Error() + "). Parts of this page are of " + one.at.In(d.Zone).Format(time.TimeOnly) + "."
		}
	}
	now := d.Clock.Now()
	for _, c := range circuits.Value {
		c.Parked = tally.Value.parked[c.Service]
		s.Cards = append(s.Cards, d.card(c, now, live))
	}
	for _, c := range tally.Value.unknown {
		s.Unknown = append(s.Unknown, d.shown(c, may))
	}
	s.Untold = max(0, unknownOf(tally.Value.counts)-len(s.Unknown))
	s.Headline, s.Alarming = headline(s.Cards, unknownOf(tally.Value.counts), s.Counting)
	s.Spans, s.Span = spans, chosen(ended.Value, span, now)
	var errs [3]error
	s.Campaigns, errs[0] = d.written.part("campaigns", "", tally.At, func() any { return campaigns(tally.Value.counts) })
	s.Outcomes, errs[1] = d.written.part("outcomes", s.Span.Name, ended.At, func() any { return draw(ended.Value, s.Span, now, d.Zone) })
	s.Events, errs[2] = d.written.part("events", "", events.At, func() any { return d.recent(events.Value) })
	return s, errors.Join(errs[:]...)
}

// eventList is the last events, and where to look when there are none here.
type eventList struct {
	Events    []event
	Elsewhere string
}

// event is one line of the journal.
type event struct {
	journal.Stored
	Title string // of the service, "" for none
}

// recent lists events that are worth a look, the newest first.
func (d *Dashboard) recent(stored []journal.Stored) eventList {
	list := eventList{Elsewhere: d.Elsewhere}
	for _, e := range slices.Backward(stored) {
		if e.Routine() || len(list.Events) == eventsShown {
			continue
		}
		e.Time = e.Time.In(d.Zone)
		list.Events = append(list.Events, event{Stored: e, Title: title(e.Service)})
	}
	return list
}
