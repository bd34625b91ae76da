package logfile

import (
	"fmt"
	"strings"
	"unicode"

	"callagent/core/journal"
)

// marks put two letters before the message of events that change something,
// so that the eye finds them in a column: an arrow where the agent goes on to
// the next contact, "!!" where somebody may have to act.
var marks = map[string]string{
	"call_parked":     "->",
	"call_failed":     "->",
	"call_expired":    "->",
	"media_failed":    "->",
	"retry_scheduled": "..",
	"call_waits":      "..",
	"record_delayed":  "..",
	"service_paused":  "..",
	"call_completed":  "ok",
	"circuit_closed":  "ok",
	"circuit_opened":  "!!",
	"retries_spent":   "!!",
	"call_unknown":    "!!",
	"dial_ambiguous":  "!!",
}

// Text is an entry as one line for people, without the line's end: time (in
// the zone that the entry's time has), level, service, circuit, retry,
// contact, mark, message. The columns have the same width in every line
// unless an id is very long; what an entry does not have is left blank.
func Text(e journal.Entry) string {
	service, retry := e.Service, ""
	if service == "" {
		service = "agent"
	}
	if e.Retry != nil && *e.Retry > 0 {
		retry = fmt.Sprintf("retry %d", *e.Retry)
	}
	line := fmt.Sprintf("%s  %-7s  %-10s  %-9s  %-7s  %-8s  %-2s  %s",
		e.Time.Format("2006-01-02 15:04:05"), e.Level, service, e.Circuit, retry, e.Contact, marks[e.Event], e.Message)
	if e.Duration > 0 {
		line += fmt.Sprintf(" (%d ms)", e.Duration)
	}
	return strings.Map(printable, strings.TrimRight(line, " "))
}

// printable keeps a line one line, whatever a vendor put into its message.
func printable(r rune) rune {
	if unicode.IsControl(r) || r == '\u2028' || r == '\u2029' {
		return ' '
	}
	return r
}

func textLine(e journal.Entry) []byte { return append([]byte(Text(e)), '\n') }
