package dashboard

import (
	"context"
	"slices"
	"time"

	"callagent/core/call"
	"callagent/core/journal"
	"callagent/infra/operator"
)

const (
	eventsShown  = 30
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

// counts gives the counts for a search.
func (d *Dashboard) counts(ctx context.Context) ([]call.Count, error) {
	t := d.tallies.get(ctx)
	if t.At.IsZero() && t.Err != nil {
		return nil, t.Err
	}
	return t.Value.counts, nil
}

// standing is everything that the front page shows.
type standing struct {
	Headline  string
	Progress  string
	Alarming  bool // the headline is bad news
	Cards     []card
	Unknown   []shown
	Untold    int // unknown calls that are not shown
	Campaigns []campaign
	Chart     chart
	Events    []event
	Elsewhere string
	Trouble   string // why what is shown is old; "" when it is not
	AsOf      time.Time
	May       bool
	// Live: the browser works out how long something is still to last, so the
	// same state gives the same text whenever it is written.
	Live bool
}

// standing gathers what is known. may shows what only operators see; span is
// what the chart is about, "" for what fits. It fails only if nothing is known.
func (d *Dashboard) standing(ctx context.Context, may, live bool, span string) (standing, error) {
	circuits, tally := d.circuits.get(ctx), d.tallies.get(ctx)
	ended, events := d.ended.get(ctx), d.events.get(ctx)
	s := standing{May: may, Live: live, AsOf: tally.At.In(d.Zone)}
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
	s.Campaigns = campaigns(tally.Value.counts)
	s.Headline, s.Alarming = headline(s.Cards, unknownOf(tally.Value.counts))
	s.Progress = progress(s.Campaigns)
	s.Chart = draw(ended.Value, span, now, d.Zone)
	s.Events = d.recent(events.Value)
	if len(s.Events) == 0 {
		s.Elsewhere = d.Elsewhere
	}
	return s, nil
}

// event is one line of the journal.
type event struct {
	journal.Stored
	Title string // of the service, "" for none
}

// recent lists events, the newest first.
func (d *Dashboard) recent(stored []journal.Stored) []event {
	events := make([]event, 0, len(stored))
	for _, e := range slices.Backward(stored) {
		e.Time = e.Time.In(d.Zone)
		events = append(events, event{Stored: e, Title: title(e.Service)})
	}
	return events
}
