package main

import (
	"bytes"
	_ "embed"
	"encoding/json"
	"fmt"
	"net/mail"
	"slices"
	"strings"
	"text/template"
	"time"

	"callagent/core/alert"
	"callagent/core/journal"
)

//go:embed page.md
var pageText string

var pageTemplate = template.Must(template.New(pageFile).Funcs(template.FuncMap{"seconds": seconds, "table": table}).Parse(pageText))

// page writes the page from the other parts. It refuses parts that do not bear
// out what it claims.
func page(p parts) ([]byte, error) {
	t, err := p.read()
	if err != nil {
		return nil, err
	}
	o, err := t.outage()
	if err != nil {
		return nil, err
	}
	var b bytes.Buffer
	err = pageTemplate.Execute(&b, view{trail: t, outage: o, parts: p})
	return b.Bytes(), err
}

// view is what the page's text asks for.
type view struct {
	trail
	outage
	parts parts
}

// Pace says how fast the run went.
func (v view) Pace() string {
	if v.Speed == 1 {
		return "real time"
	}
	return fmt.Sprintf("a clock %g times as fast as real time", v.Speed)
}

// Elsewhere counts the requests to the other services while the circuit was open.
func (v view) Elsewhere() int {
	n := 0
	for _, service := range ours {
		if service != "elevenlabs" {
			n += v.While[service]
		}
	}
	return n
}

// SetAside counts the calls that were set aside during the outage.
func (v view) SetAside() int {
	n := 0
	for _, e := range v.journal {
		if e.Event == "call_parked" {
			n++
		}
	}
	return n
}

// channel is what one channel received.
type channel struct {
	Name    string
	Notices []notice
}

// Channels are those that received something.
func (v view) Channels() []channel {
	var all []channel
	for _, name := range []string{"email", "telegram", "webhook"} {
		if got := v.received(name); len(got) > 0 {
			all = append(all, channel{strings.ToUpper(name[:1]) + name[1:], got})
		}
	}
	return all
}

// received are the messages on a channel in the order of their arrival.
func (t trail) received(channel string) []notice {
	return slices.DeleteFunc(slices.Clone(t.Alerts), func(n notice) bool { return n.Channel != channel })
}

// Told counts the messages on a channel.
func (v view) Told(channel string) int { return len(v.received(channel)) }

// After is a time in seconds since the start.
func (v view) After(at time.Time) string { return seconds(at.Sub(v.Began)) }

func seconds(d time.Duration) string { return fmt.Sprintf("%.1f", d.Seconds()) }

// LogLines are those of app.log from the first failure to the last call that
// was set aside.
func (v view) LogLines() []string {
	from, to := v.first(0, "request_failed"), v.first(0, "probe_failed")
	var lines []string
	for i, line := range slices.Collect(strings.Lines(string(v.parts[logFile]))) {
		if i >= from && i < to {
			at := v.journal[i].Time
			lines = append(lines, fmt.Sprintf("%6s%s", v.After(at), strings.TrimRight(line[len(time.DateTime):], "\n")))
		}
	}
	return lines
}

// row is a line of the time line.
type row struct{ At, Ours, Theirs string }

// TimeLine is the log and the requests while the circuit was open.
func (v view) TimeLine() []row {
	var rows []row
	for _, m := range v.Window {
		r := row{At: fmt.Sprintf("%.2f", m.at.Sub(v.Began).Seconds())}
		if m.entry != nil {
			r.Ours = cell(says(*m.entry))
		} else {
			r.Theirs = fmt.Sprintf("**%s**: %s → %d", alert.Title(m.request.Service), m.request.Route, m.request.Status)
		}
		rows = append(rows, r)
	}
	return rows
}

// says is an entry in a sentence.
func says(e journal.Entry) string {
	if e.Contact != "" {
		return e.Contact + ": " + e.Message
	}
	return e.Message
}

// Letter is what came on a channel, made readable: of an email the headers that
// people see and its text, of a request its headers and its body in lines.
func (v view) Letter(n notice) (string, error) {
	came := v.parts[n.File]
	if n.Channel == "email" {
		m, err := mail.ReadMessage(bytes.NewReader(came))
		if err != nil {
			return "", fmt.Errorf("%s: %w", n.File, err)
		}
		h := m.Header
		return fmt.Sprintf("From: %s\nTo: %s\nSubject: %s\nMessage-ID: %s\n\n%s",
			h.Get("From"), h.Get("To"), n.Title, h.Get("Message-Id"), strings.TrimSpace(n.Text)), nil
	}
	head, body, _ := bytes.Cut(came, []byte("\n\n"))
	var lines bytes.Buffer
	if err := json.Indent(&lines, body, "", "  "); err != nil {
		return "", fmt.Errorf("%s: %w", n.File, err)
	}
	return fmt.Sprintf("%s\n\n%s", head, &lines), nil
}

// LogRows counts the rows of the sheet's Log without its header.
func (v view) LogRows() int { return len(v.log) - 1 }

// OpenStatus is the sheet's Status while the circuit was open.
func (v view) OpenStatus() [][]string { return v.opening }

// EndStatus is the sheet's Status at the end.
func (v view) EndStatus() [][]string { return v.ending }

// shownColumns are the columns of the sheet's Log that fit on the page.
var shownColumns = []string{"Time", "Level", "Service", "Message", "Retry count", "Circuit state", "Contact"}

// SheetRows is the Log from the first failure to the close.
func (v view) SheetRows() [][]string {
	var columns []int
	for _, name := range shownColumns {
		columns = append(columns, slices.Index(v.log[0], name))
	}
	event := slices.Index(v.log[0], "Event")
	rows, during := [][]string{shownColumns}, false
	for _, full := range v.log[1:] {
		during = during || full[event] == "request_failed"
		if during {
			rows = append(rows, pick(full, columns))
		}
		if full[event] == "circuit_closed" {
			break
		}
	}
	return rows
}

// pick takes columns of a row; trailing empty cells are not in an answer of the
// Sheets API.
func pick(full []string, columns []int) []string {
	picked := make([]string, len(columns))
	for i, c := range columns {
		if c >= 0 && c < len(full) {
			picked[i] = full[c]
		}
	}
	return picked
}

// table is Markdown; the first row is its head.
func table(rows [][]string) string {
	var b strings.Builder
	for i, r := range rows {
		for _, text := range pick(r, upTo(len(rows[0]))) {
			fmt.Fprintf(&b, "| %s ", cell(text))
		}
		b.WriteString("|\n")
		if i == 0 {
			b.WriteString(strings.Repeat("|---", len(r)) + "|\n")
		}
	}
	return b.String()
}

func upTo(n int) []int {
	list := make([]int, n)
	for i := range list {
		list[i] = i
	}
	return list
}

// cell is a text that ends no cell of a table.
func cell(text string) string {
	return strings.NewReplacer("|", `\|`, "\n", " ", "<", "&lt;").Replace(text)
}
