package cli

import (
	"context"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	"strconv"
	"strings"
	"time"

	"callagent/core/call"
	"callagent/core/journal"
	"callagent/infra/settings"
	"callagent/infra/wiring"
)

// callsCommand lists calls, the newest first.
type callsCommand struct {
	State    string `help:"Only calls in this state." placeholder:"STATE"`
	Campaign string `help:"Only calls of this campaign." placeholder:"NAME"`
	Result   string `help:"Only calls that ended so: answered, busy, no-answer …" placeholder:"RESULT"`
	Limit    *int   `help:"How many at most; 0 lists all. Without it a table has 50, and JSON and CSV all." placeholder:"N"`
	JSON     bool   `help:"Print one JSON document." name:"json" xor:"format"`
	CSV      bool   `help:"Print CSV for a spreadsheet." name:"csv" xor:"format"`
}

// listedCall is a call as it is printed; its JSON form is stable.
type listedCall struct {
	CallID     string        `json:"call_id"` // campaign/contact_id
	Campaign   string        `json:"campaign"`
	Contact    string        `json:"contact_id"`
	Phone      string        `json:"phone"` // masked
	Name       string        `json:"name,omitempty"`
	State      call.State    `json:"state"`
	Result     call.Result   `json:"result,omitempty"`    // how it ended, if a phone rang
	Recorded   call.Recorded `json:"recorded,omitempty"`  // in the CRM: yes, pending, refused or off
	WaitsFor   string        `json:"waits_for,omitempty"` // the service whose circuit has to close first
	Reason     string        `json:"reason,omitempty"`    // why it failed or waits
	SID        string        `json:"sid,omitempty"`       // the telephony provider's id
	TalkS      float64       `json:"talk_s,omitempty"`    // length of the conversation in seconds
	Due        time.Time     `json:"due,omitzero"`        // when it is looked at again
	CreatedAt  time.Time     `json:"created_at,omitzero"`
	FinishedAt time.Time     `json:"finished_at,omitzero"`
}

func listed(c call.Call) listedCall {
	l := listedCall{
		CallID: c.Key.String(), Campaign: c.Key.Campaign, Contact: c.Key.Contact,
		Phone: journal.Mask(c.Contact.Phone), Name: c.Contact.Name,
		State: c.State, Result: c.Result, Recorded: c.Recorded, WaitsFor: c.Park.Service, Reason: c.Reason,
		SID: c.SID, TalkS: c.Talk.Seconds(), Due: c.Due, CreatedAt: c.CreatedAt, FinishedAt: c.FinishedAt,
	}
	if l.Reason == "" {
		l.Reason = c.Park.Reason
	}
	return l
}

const tableRows = 50

// Run is the command.
func (c *callsCommand) Run(g *grammar, w World) error {
	f, err := c.filter()
	if err != nil {
		return err
	}
	return withStore(g, w, false, func(ctx context.Context, store wiring.Store, _ settings.Settings) error {
		calls := store.Calls(ctx, f)
		switch {
		case c.JSON:
			return jsonCalls(w.Out, calls)
		case c.CSV:
			return csvCalls(w.Out, calls)
		}
		n, err := tableCalls(w.Out, calls)
		if err == nil && f.Limit > 0 && n == f.Limit {
			_, err = fmt.Fprintf(w.Err, "These are the newest %d: --limit 0 lists all.\n", n)
		}
		return err
	})
}

// filter checks the flags.
func (c *callsCommand) filter() (call.Filter, error) {
	f := call.Filter{State: call.State(c.State), Campaign: c.Campaign, Result: call.Result(c.Result)}
	if c.State != "" {
		if err := oneOf("--state", f.State, call.States()); err != nil {
			return f, err
		}
	}
	if c.Result != "" {
		if err := oneOf("--result", f.Result, call.Results()); err != nil {
			return f, err
		}
	}
	switch {
	case c.Limit != nil && *c.Limit < 0:
		return f, usageError{fmt.Errorf("--limit %d makes no sense: use 1 or more, or 0 for all", *c.Limit)}
	case c.Limit != nil:
		f.Limit = *c.Limit
	case !c.JSON && !c.CSV:
		f.Limit = tableRows
	}
	return f, nil
}

// tableCalls writes a table and counts its rows.
func tableCalls(w io.Writer, calls iter.Seq2[call.Call, error]) (n int, err error) {
	t := newTable(w, "CALL", "STATE", "RESULT", "PHONE", "NAME", "CREATED", "REASON")
	for c, err := range calls {
		if err != nil {
			return n, errors.Join(t.Close(), err)
		}
		l := listed(c)
		t.row(l.CallID, l.State, l.Result, l.Phone, l.Name, instant(l.CreatedAt), l.Reason)
		n++
	}
	return n, t.Close()
}

// jsonCalls writes {"calls": [...]}, call by call because there may be many.
func jsonCalls(w io.Writer, calls iter.Seq2[call.Call, error]) error {
	between := `{"calls": [` + "\n  "
	for c, err := range calls {
		if err != nil {
			return err
		}
		one, err := json.Marshal(listed(c))
		if err != nil {
			return err
		}
		if _, err := fmt.Fprintf(w, "%s%s", between, one); err != nil {
			return err
		}
		between = ",\n  "
	}
	end := "\n]}\n"
	if strings.HasPrefix(between, "{") {
		end = `{"calls": []}` + "\n"
	}
	_, err := io.WriteString(w, end)
	return err
}

// csvCalls writes a header and a row for each call.
func csvCalls(w io.Writer, calls iter.Seq2[call.Call, error]) error {
	out := csv.NewWriter(w)
	// What goes wrong with the writer underneath is kept for Error.
	_ = out.Write([]string{"campaign", "contact_id", "phone", "name", "state", "result", "recorded", "waits_for", "reason", "sid", "talk_s", "created_at", "finished_at"})
	for c, err := range calls {
		if err != nil {
			out.Flush()
			return errors.Join(err, out.Error())
		}
		l := listed(c)
		row := []string{
			l.Campaign, l.Contact, l.Phone, l.Name, string(l.State), string(l.Result), string(l.Recorded), l.WaitsFor, l.Reason, l.SID,
			strconv.FormatFloat(l.TalkS, 'f', -1, 64), instant(l.CreatedAt), instant(l.FinishedAt),
		}
		for i, cell := range row {
			row[i] = harmless(oneLine(cell))
		}
		if err := out.Write(row); err != nil {
			return err
		}
	}
	out.Flush()
	return out.Error()
}

// harmless keeps a spreadsheet from running a value as a formula: one that
// begins like a formula gets an apostrophe in front, which spreadsheets read
// as "text follows".
func harmless(cell string) string {
	if strings.IndexAny(cell, "=+-@＝＋－＠") == 0 {
		return "'" + cell
	}
	return cell
}
