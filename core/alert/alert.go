// Package alert decides what people are told, how often and in which words.
//
// An alert's id is derived from what it is about, so that telling it again is
// recognised and dropped: at least once, and a second copy only after a crash,
// with the same id. The stages are group, deduplicate, send, record.
package alert

import (
	"slices"
	"time"
)

// Kind names what an alert is about.
type Kind string

// The kinds.
const (
	CircuitOpened    Kind = "circuit_opened"
	CircuitUnstable  Kind = "circuit_unstable"
	CircuitStillOpen Kind = "circuit_still_open"
	CircuitClosed    Kind = "circuit_closed"
	ServicePaused    Kind = "service_paused"
	CallFailed       Kind = "call_failed"
	RetriesExhausted Kind = "retries_exhausted"
	CallUnknown      Kind = "call_unknown"
	CampaignFinished Kind = "campaign_finished"
)

var (
	aboutServices = []Kind{CircuitOpened, CircuitUnstable, CircuitStillOpen, CircuitClosed, ServicePaused}
	aboutCalls    = []Kind{CallFailed, RetriesExhausted, CallUnknown, CampaignFinished}
)

// Kinds lists them, those about a service first.
func Kinds() []Kind { return slices.Concat(aboutServices, aboutCalls) }

// AboutService reports whether alerts of the kind are about a service, and not
// about a call or a campaign.
func (k Kind) AboutService() bool { return slices.Contains(aboutServices, k) }

// Severity orders alerts by how much they need a person.
type Severity uint8

// The severities. The zero Severity is Info.
const (
	Info Severity = iota
	Warning
	Critical
)

// String gives the stable name.
func (s Severity) String() string {
	return [...]string{"info", "warning", "critical"}[min(s, Critical)]
}

// MarshalText writes the stable name.
func (s Severity) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// UnmarshalText reads a stable name; anything else is read as info.
func (s *Severity) UnmarshalText(b []byte) error {
	*s = Info
	for _, k := range []Severity{Warning, Critical} {
		if k.String() == string(b) {
			*s = k
		}
	}
	return nil
}

// Alert is one thing worth telling people. Its texts name contacts by id and
// carry no phone number. Effect and Agent continue a label: "Who is affected:",
// "The agent:".
type Alert struct {
	ID       string    `json:"id"` // derived; equal ids are the same alert
	Kind     Kind      `json:"kind"`
	Severity Severity  `json:"severity"`
	Service  string    `json:"service,omitempty"`
	Campaign string    `json:"campaign,omitempty"`
	CallID   string    `json:"call_id,omitempty"`
	At       time.Time `json:"at"`
	Title    string    `json:"title"`            // the one line that a phone shows
	What     string    `json:"what"`             // what happened, a sentence or two
	Reason   string    `json:"reason,omitempty"` // of an alert about a call: why, a clause
	Effect   string    `json:"effect,omitempty"` // to whom it matters
	Agent    string    `json:"agent,omitempty"`  // what the agent does about it by itself
	You      string    `json:"you,omitempty"`    // what the reader has to do, "" for nothing
}

// Message is one thing to send on one channel: a single alert, or a digest of
// several. Channels send Title and Text as they are and escape what their
// markup needs.
type Message struct {
	ID       string    `json:"id"` // the same over all attempts and channels
	Kind     Kind      `json:"kind"`
	Severity Severity  `json:"severity"`
	At       time.Time `json:"at"`
	Title    string    `json:"title"` // one line
	Text     string    `json:"text"`  // paragraphs separated by blank lines
	Alerts   []Alert   `json:"alerts"`
}
