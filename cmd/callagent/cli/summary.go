package cli

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	"callagent/core/agent"
	"callagent/core/call"
	"callagent/infra/settings"
	"callagent/infra/wiring/machine"
)

// summary is how a run ended; its JSON form is stable.
type summary struct {
	Contacts  int `json:"contacts"`  // on the queue or in the ledger, whatever run they came with
	Completed int `json:"completed"` // the provider gave a final answer, busy and no-answer included
	Failed    int `json:"failed"`    // never rung
	Unknown   int `json:"unknown"`   // nobody can say whether they rang
	Expired   int `json:"expired"`   // their time was over before they were dialled
	Parked    int `json:"parked"`    // set aside, calls that wait to be recorded included
	Refused   int `json:"refused"`   // rows of the list that could not be used
	Rings     int `json:"rings"`     // in simulate as the simulator counts them
	MaxRings  int `json:"max_rings_per_contact"`
	Alerts    int `json:"alerts"` // different ones that were raised, on however many channels

	Results     map[string]int    `json:"results"`               // completed calls by how they ended
	Circuits    map[string]string `json:"circuits"`              // state by service
	Duration    float64           `json:"duration_s"`            // in real time
	Waiting     []string          `json:"waiting_for,omitempty"` // what is left, and what a person has to do about it
	unended     int               // calls without an outcome that are not parked
	interrupted bool              // a person ended it
	opened      []string          // services whose circuit opened at some time, sorted
}

// sumUp counts what the store holds when a run has ended.
func sumUp(ctx context.Context, app *machine.App, list enqueued, left machine.Left) (summary, error) {
	s := summary{
		Refused: list.Refused, Parked: left.Parked, Waiting: left.Waiting, Alerts: app.Raised.Count(),
		Results: map[string]int{}, Circuits: map[string]string{},
	}
	rung := map[string]int{}
	for c, err := range app.Store.Calls(ctx, call.Filter{}) {
		if err != nil {
			return s, err
		}
		if !c.Key.Kept() {
			s.add(c)
		}
		if c.Ring() != "" {
			s.Rings++
			rung[c.Number]++
			s.MaxRings = max(s.MaxRings, rung[c.Number])
		}
	}
	unclaimed, err := app.Store.Unclaimed(ctx)
	if err != nil {
		return s, err
	}
	s.Contacts += unclaimed
	s.unended += unclaimed
	for _, name := range agent.Services() {
		r, err := app.Store.Load(ctx, name)
		if err != nil {
			return s, err
		}
		s.Circuits[name] = r.State.String()
		if !r.OpenedAt.IsZero() {
			s.opened = append(s.opened, name)
		}
	}
	slices.Sort(s.opened)
	return s, nil
}

// add counts one call.
func (s *summary) add(c call.Call) {
	s.Contacts++
	switch c.State {
	case call.Completed:
		s.Completed++
		s.Results[string(c.Result)]++
	case call.Failed:
		s.Failed++
	case call.Unknown:
		s.Unknown++
	case call.Expired:
		s.Expired++
	case call.Parked:
	default:
		s.unended++
	}
}

// numbers gives what scenarios may expect, by its JSON name.
func (s summary) numbers() map[string]int {
	code := ok
	if s.status() != nil {
		code = failed
	}
	return map[string]int{
		"contacts": s.Contacts, "completed": s.Completed, "failed": s.Failed, "unknown": s.Unknown, "expired": s.Expired,
		"parked": s.Parked, "refused": s.Refused, "rings": s.Rings, "max_rings_per_contact": s.MaxRings, "alerts": s.Alerts, "exit": code,
	}
}

// status is the exit status: success if every contact has an outcome.
func (s summary) status() error {
	if s.Parked > 0 || s.unended > 0 {
		return exit(failed)
	}
	return nil
}

// print writes the summary for people, or as one JSON document.
func (s summary) print(w World, asJSON bool) error {
	if asJSON {
		e := json.NewEncoder(w.Out)
		e.SetIndent("", "  ")
		return e.Encode(s)
	}
	var b strings.Builder
	fmt.Fprintf(&b, "\n%s in %.1f s: %s", number(s.Contacts, "contact"), s.Duration, s.counts())
	if s.Refused > 0 {
		fmt.Fprintf(&b, "; %d rows refused", s.Refused)
	}
	fmt.Fprintf(&b, "\nrings: %d, at most %d per contact; alerts: %d\n", s.Rings, s.MaxRings, s.Alerts)
	if len(s.Results) > 0 {
		fmt.Fprintf(&b, "results: %s\n", pairs(s.Results))
	}
	fmt.Fprintf(&b, "circuits: %s\n", pairs(s.Circuits))
	for _, line := range s.Waiting {
		fmt.Fprintf(&b, "left: %s\n", line)
	}
	_, err := fmt.Fprint(w.Out, b.String())
	return err
}

// counts says what became of the contacts.
func (s summary) counts() string {
	text := fmt.Sprintf("%d completed, %d failed, %d unknown, %d expired, %d set aside", s.Completed, s.Failed, s.Unknown, s.Expired, s.Parked)
	if s.unended > 0 {
		text += fmt.Sprintf(", %d to go on with: run it again", s.unended)
	}
	return text
}

// differs lists what is not as a scenario expects it.
func (s summary) differs(e settings.Expectation) []string {
	wrong := outside(s.numbers(), e.Numbers)
	if e.Results != nil {
		expected := maps.Clone(e.Results)
		for result := range s.Results {
			if _, named := expected[result]; !named {
				expected[result] = settings.Range{}
			}
		}
		wrong = append(wrong, outside(s.Results, expected)...)
	}
	if e.Opened != nil && !slices.Equal(e.Opened, s.opened) {
		wrong = append(wrong, fmt.Sprintf("the circuits that opened are [%s], not [%s]", strings.Join(s.opened, " "), strings.Join(e.Opened, " ")))
	}
	return wrong
}

// outside lists the numbers that are not in their range.
func outside(have map[string]int, expected map[string]settings.Range) []string {
	var wrong []string
	for _, name := range slices.Sorted(maps.Keys(expected)) {
		if n := have[name]; !expected[name].Has(n) {
			wrong = append(wrong, fmt.Sprintf("%s is %d, not %s", name, n, expected[name]))
		}
	}
	return wrong
}

// pairs lists a map as "a 1, b 2".
func pairs[V any](m map[string]V) string {
	var parts []string
	for _, k := range slices.Sorted(maps.Keys(m)) {
		parts = append(parts, fmt.Sprintf("%s %v", k, m[k]))
	}
	return strings.Join(parts, ", ")
}
