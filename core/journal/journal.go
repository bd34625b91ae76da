// Package journal is the stream of structured events: what the log files, the
// CloudWatch lines and the Google Sheet are made of.
//
// An [Entry] never carries a secret or a whole phone number; [Mask] makes a
// number safe to show.
package journal

import (
	"strings"
	"time"
)

// Level is the weight of an entry. The zero Level is Info.
type Level int8

// The levels.
const (
	Debug Level = iota - 1
	Info
	Warning
	Error
)

// String gives the word that stands in logs and sheets.
func (l Level) String() string {
	switch l {
	case Debug:
		return "DEBUG"
	case Warning:
		return "WARNING"
	case Error:
		return "ERROR"
	default:
		return "INFO"
	}
}

// MarshalText writes the word.
func (l Level) MarshalText() ([]byte, error) { return []byte(l.String()), nil }

// UnmarshalText reads the word; an unknown one is read as INFO.
func (l *Level) UnmarshalText(b []byte) error {
	*l = Info
	for _, k := range []Level{Debug, Warning, Error} {
		if k.String() == string(b) {
			*l = k
		}
	}
	return nil
}

// Entry is one event. Its JSON form is one line of app_logs.json; the fields
// that an event does not have are left out, except those that the source
// documents name.
type Entry struct {
	Time     time.Time `json:"timestamp"` // RFC 3339
	Level    Level     `json:"level"`
	Service  string    `json:"service"`
	Event    string    `json:"event"` // stable name: "request_failed", "circuit_opened"
	Message  string    `json:"message"`
	Retry    *int      `json:"retry_count"`   // retries already made; null where it has no meaning
	Circuit  string    `json:"circuit_state"` // CLOSED, OPEN, HALF_OPEN, or ""
	CallID   string    `json:"call_id,omitempty"`
	Contact  string    `json:"contact_id,omitempty"`
	Campaign string    `json:"campaign,omitempty"`
	Step     string    `json:"step,omitempty"`
	Kind     string    `json:"fault,omitempty"` // fault kind
	Class    string    `json:"class,omitempty"` // fault class
	Status   int       `json:"status,omitempty"`
	Duration int64     `json:"duration_ms,omitempty"`
	Count    int       `json:"count,omitempty"` // of the calls that the event is about, if it is about several
}

// Routine reports what happens for every contact that goes well, or is for
// finding mistakes: people who watch a campaign need not see it.
func (e Entry) Routine() bool {
	switch e.Event {
	case "step_done", "call_waits", "answer_received":
		return true
	}
	return e.Level < Info
}

// Stored is an entry with its place in a store.
type Stored struct {
	Seq int64 `json:"seq"` // goes up with every entry
	Entry
}

// Mask shows a phone number's country prefix and last two digits and hides the
// rest: "+1********06". A string too short to be a number is hidden whole.
func Mask(phone string) string {
	const head, tail = 2, 2
	if len(phone) < head+tail+3 {
		return strings.Repeat("*", len(phone))
	}
	return phone[:head] + strings.Repeat("*", len(phone)-head-tail) + phone[len(phone)-tail:]
}
