package alert

import "time"

// Group is what one channel remembers about one group of alerts: a kind in a
// campaign, or a kind of a service.
type Group struct {
	LastSent time.Time `json:"last_sent,omitzero"`
	Sent     int       `json:"sent,omitempty"` // messages in the present run
}
