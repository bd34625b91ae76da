package cli

import (
	"context"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"callagent/core/call"
	"callagent/infra/operator"
	"callagent/infra/settings"
	"callagent/infra/wiring"
)

// callCommand shows one call.
type callCommand struct {
	ID   string `arg:"" help:"campaign/contact_id, or the contact_id alone if it is in one campaign only."`
	JSON bool   `help:"Print one JSON document." name:"json"`
}

// callDetails is one call with all that is known of it; its JSON form is
// stable.
type callDetails struct {
	listedCall
	Steps   []step       `json:"steps"` // in their order
	Retries int          `json:"retries"`
	Parked  *parked      `json:"parked,omitempty"` // absent when it is not set aside
	Answer  *answer      `json:"answer,omitempty"` // absent until the telephony provider gave one
	History []call.Event `json:"history"`          // the oldest first
}

// step is one stage of the call.
type step struct {
	Step string `json:"step"`
	Done bool   `json:"done"`
}

// parked says what a call that was set aside waits for.
type parked struct {
	Service string    `json:"service,omitempty"` // whose circuit has to close
	Reason  string    `json:"reason"`
	Since   time.Time `json:"since"`
	Until   time.Time `json:"until,omitzero"` // absent when it waits for no time
}

// answer is how the provider says the call ended.
type answer struct {
	SID       string      `json:"sid"`
	Result    call.Result `json:"result,omitempty"` // absent while the call lasts
	DurationS float64     `json:"duration_s"`
	Detail    string      `json:"detail,omitempty"` // the provider's code
	At        time.Time   `json:"at"`
}

// Run is the command.
func (c *callCommand) Run(g *grammar, w World) error {
	return withStore(g, w, false, func(ctx context.Context, store wiring.Store, _ settings.Settings) error {
		found, err := findCall(ctx, store, c.ID)
		if err != nil {
			return err
		}
		d := details(found)
		if c.JSON {
			return printJSON(w.Out, d)
		}
		return d.print(w.Out)
	})
}

// findCall reads the call that an operator means.
func findCall(ctx context.Context, store wiring.Store, id string) (call.Call, error) {
	found, err := operator.Find(ctx, store, store.Counts, id)
	if err != nil {
		return call.Call{}, err
	}
	switch len(found) {
	case 0:
		return call.Call{}, noCall(id)
	case 1:
		return found[0], nil
	}
	var names []string
	for _, c := range found {
		names = append(names, c.Key.String())
	}
	slices.Sort(names)
	return call.Call{}, usageError{fmt.Errorf("contact %s is in several campaigns: write %s", id, or(names))}
}

func noCall(id string) error {
	return fmt.Errorf("there is no call %q: `callagent calls` lists them, and a contact on the queue has none until it is its turn", typed(id))
}

// details gathers what is known of a call.
func details(c call.Call) callDetails {
	d := callDetails{listedCall: listed(c), Retries: c.Retries, History: append([]call.Event{}, c.History...)}
	for _, s := range []struct {
		step call.Step
		done bool
	}{
		{call.ScriptStep, c.Script != ""},
		{call.SpeechStep, c.Speech != ""},
		{call.DialStep, c.SID != ""},
		{call.OutcomeStep, c.Result != ""},
		{call.RecordStep, c.Recorded == call.Yes},
	} {
		d.Steps = append(d.Steps, step{s.step.String(), s.done})
	}
	if p := c.Park; !p.Since.IsZero() {
		d.Parked = &parked{Service: p.Service, Reason: p.Reason, Since: p.Since, Until: p.Until}
	}
	if a := c.Answer; a != nil {
		d.Answer = &answer{SID: a.SID, Result: a.Result, DurationS: a.Duration.Seconds(), Detail: a.Detail, At: a.At}
	}
	return d
}

// print writes the call for people.
func (d callDetails) print(w io.Writer) error {
	t := newTable(w, "CALL", d.CallID)
	for _, line := range [][2]string{
		{"state", string(d.State)},
		{"result", string(d.Result)},
		{"reason", d.Reason},
		{"phone", d.Phone},
		{"name", d.Name},
		{"steps done", d.stepLine()},
		{"retries", fmt.Sprint(d.Retries)},
		{"waits", d.waits()},
		{"answer", d.answerLine()},
		{"sid", d.SID},
		{"in the CRM", string(d.Recorded)},
		{"created", instant(d.CreatedAt)},
		{"finished", instant(d.FinishedAt)},
	} {
		t.row(line[0], line[1])
	}
	if err := t.Close(); err != nil {
		return err
	}
	_, err := fmt.Fprintln(w, "\nHistory:")
	for _, e := range d.History {
		if err == nil {
			_, err = fmt.Fprintf(w, "%s  %s\n", instant(e.At), oneLine(e.What))
		}
	}
	return err
}

// stepLine lists the steps that are done.
func (d callDetails) stepLine() string {
	var done []string
	for _, s := range d.Steps {
		if s.Done {
			done = append(done, s.Step)
		}
	}
	return strings.Join(done, ", ")
}

func (d callDetails) waits() string {
	switch p := d.Parked; {
	case p == nil && d.Due.IsZero():
		return ""
	case p == nil:
		return "until " + instant(d.Due)
	case p.Service != "":
		return "for the circuit of " + p.Service + " since " + instant(p.Since)
	default:
		return "until " + instant(p.Until)
	}
}

func (d callDetails) answerLine() string {
	a := d.Answer
	if a == nil {
		return ""
	}
	if a.Result == "" {
		return "not over yet"
	}
	line := string(a.Result)
	if a.DurationS > 0 {
		line += fmt.Sprintf(" for %g s", a.DurationS)
	}
	if line += " at " + instant(a.At); a.Detail != "" {
		line += " (" + a.Detail + ")"
	}
	return line
}
