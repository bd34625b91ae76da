package sheets

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"time"

	api "google.golang.org/api/sheets/v4"

	"callagent/core/alert"
	"callagent/core/breaker"
	"callagent/core/call"
)

// Status is how things stand.
type Status struct {
	At       time.Time
	Circuits []breaker.Record // one for each service
	Parked   map[string]int   // calls that wait for a service's circuit
	Counts   []call.Count     // of all campaigns
}

// line is one row of the Status tab: its name and what stands beside it, in
// the order of the columns.
type line struct {
	name  string
	cells []*api.CellData
}

// Status writes how things stand: one row for each service and campaign,
// changed where it is. Rows of others, and of campaigns that are no more, stay.
func (b *Book) Status(ctx context.Context, now Status) error {
	return b.attempt(ctx, func(ctx context.Context) error { return b.tryStatus(ctx, now) })
}

func (b *Book) tryStatus(ctx context.Context, now Status) error {
	s, err := b.look(ctx)
	if err != nil {
		return err
	}
	places := statusTable.places(s.pins)
	names := places[statusTable.index("name")]
	if names < 0 { // staff have deleted the column that tells rows apart
		return nil
	}
	read, err := b.cells(ctx, statusTable.area(names, names+1))
	if err != nil {
		return err
	}
	at := map[string]int64{}
	for i, row := range read {
		if name := fmt.Sprint(append(row, "")[0]); name != "" && at[name] == 0 {
			at[name] = int64(i) + 1
		}
	}
	return b.write(ctx, statusRequests(now.lines(b.zone), places, at))
}

// statusRequests change the rows that are there and append the others. The
// name of a row that is there is left alone: should staff sort in between, the
// next update puts everything right.
func statusRequests(lines []line, places []int64, at map[string]int64) []*api.Request {
	var requests []*api.Request
	fresh := &api.AppendCellsRequest{SheetId: statusTable.id, Fields: cellFields}
	for _, l := range lines {
		if from, there := at[l.name]; there {
			requests = append(requests, statusTable.update(places, from, [][]*api.CellData{append([]*api.CellData{nil}, l.cells...)})...)
		} else {
			fresh.Rows = append(fresh.Rows, row(places, append([]*api.CellData{text(l.name)}, l.cells...)))
		}
	}
	if len(fresh.Rows) > 0 {
		requests = append(requests, &api.Request{AppendCells: fresh})
	}
	return requests
}

// lines are the services in the order given, then the campaigns by name.
func (n Status) lines(zone *time.Location) []line {
	var all []line
	for _, r := range n.Circuits {
		all = append(all, n.service(r, zone))
	}
	campaigns := map[string][]call.Count{}
	for _, c := range n.Counts {
		campaigns[c.Campaign] = append(campaigns[c.Campaign], c)
	}
	for _, name := range slices.Sorted(maps.Keys(campaigns)) {
		all = append(all, n.campaign(name, campaigns[name], zone))
	}
	return all
}

// service is the row of a circuit.
func (n Status) service(r breaker.Record, zone *time.Location) line {
	state, since, next := r.State.String(), r.ClosedAt, time.Time{}
	if r.State != breaker.Closed {
		since = r.OpenedAt
	}
	if r.Forced != breaker.Automatic {
		state += " (forced)"
	} else if r.State == breaker.Open {
		next = r.OpenUntil
	}
	none := text("")
	return line{serviceTitle(r.Service), []*api.CellData{
		text(state), text(n.meaning(r, zone)), when(since, zone, showSeconds), number(float64(r.Streak)), when(next, zone, showSeconds),
		number(float64(n.Parked[r.Service])), none, none, none, none, none, when(n.At, zone, showSeconds),
	}}
}

// meaning says in a sentence or two what a circuit's state means for people
// who have never heard of circuits.
func (n Status) meaning(r breaker.Record, zone *time.Location) string {
	switch {
	case r.Forced == breaker.ForcedOpen:
		return "Switched off by an operator: no request is sent, and calls that need it wait until it is switched on again."
	case r.Forced == breaker.ForcedClosed:
		return "Kept on by an operator: every request is sent, however many fail."
	case r.State == breaker.HalfOpen:
		return "Being tested with a single request. Calls that need it wait."
	case r.State == breaker.Open:
		return "Not working: no request is sent, and it is tested by itself. Calls that need it wait and go on by themselves." + lastFault(r)
	case r.PausedUntil.After(n.At):
		return "Working, but it asked for fewer requests: left alone until " + r.PausedUntil.In(zone).Format(time.TimeOnly) + "."
	}
	return "Working."
}

func lastFault(r breaker.Record) string {
	if r.LastFault == nil {
		return ""
	}
	return " Last answer: " + alert.Words(r.LastFault) + "."
}

// campaign is the row of a campaign. Contacts that no call has begun for are
// not among its calls.
func (n Status) campaign(name string, counts []call.Count, zone *time.Location) line {
	by := map[call.State]int{}
	all, ended := 0, 0
	for _, c := range counts {
		by[c.State] += c.Calls
		all += c.Calls
		if c.State.Final() {
			ended += c.Calls
		}
	}
	state, running := "RUNNING", all-ended-by[call.Parked]
	if ended == all {
		state = "DONE"
	}
	of := func(s call.State) *api.CellData { return number(float64(by[s])) }
	none := text("")
	return line{"Campaign " + name, []*api.CellData{
		text(state), text(progress(all, ended, by[call.Parked], by[call.Unknown])), none, none, none,
		of(call.Parked), number(float64(running)), of(call.Completed), of(call.Failed), of(call.Unknown), of(call.Expired),
		when(n.At, zone, showSeconds),
	}}
}

// progress says how far a campaign is.
func progress(all, ended, parked, unknown int) string {
	says := fmt.Sprintf("%d of %d calls begun have ended.", ended, all)
	if parked > 0 {
		says += fmt.Sprintf(" %d set aside: they go on by themselves.", parked)
	}
	if unknown > 0 {
		says += fmt.Sprintf(" %d may have rung and nobody can say: a person has to decide.", unknown)
	}
	return says
}
