package alert

import "time"

// Group is what one channel remembers about one group of alerts. The zero
// value is a group of which nothing was sent.
type Group struct {
	LastSent time.Time `json:"last_sent,omitzero"`
	Sent     int       `json:"sent,omitempty"` // messages in the present run
}

// spacing is how long a group stays silent after so many messages of a run.
var spacing = [...]time.Duration{0, time.Minute, 5 * time.Minute, 15 * time.Minute, time.Hour}

// runOver is the silence after which a group starts anew.
const runOver = 2 * time.Hour

// Key names the group that an alert is told with; "" for alerts that are told
// one by one, at once. Alerts about calls are grouped by kind and campaign.
func (a Alert) Key() string {
	if a.CallID == "" {
		return ""
	}
	return string(a.Kind) + "/" + a.Campaign
}

// next is when the group may send again.
func (g Group) next() time.Time {
	return g.LastSent.Add(spacing[min(g.Sent, len(spacing)-1)])
}

// after is the group when a message was sent at now.
func (g Group) after(now time.Time) Group {
	if now.Sub(g.LastSent) >= runOver {
		g.Sent = 0
	}
	return Group{LastSent: now, Sent: g.Sent + 1}
}

// Sending is one message, with what to record when it was delivered.
type Sending struct {
	Message Message
	IDs     []string
	Key     string
	Group   Group
}

// Plan decides what one channel sends now: alerts of their own at once, and of
// each group one digest of all that is waiting, the first at once and the
// next after 1, 5, 15 and every 60 min. all sends everything that is waiting.
func Plan(waiting []Alert, groups map[string]Group, all bool, now time.Time) []Sending {
	var sendings []Sending
	grouped := map[string][]Alert{}
	var keys []string
	for _, a := range waiting {
		key := a.Key()
		if key == "" {
			sendings = append(sendings, Sending{Message: Single(a), IDs: []string{a.ID}})
			continue
		}
		if grouped[key] == nil {
			keys = append(keys, key)
		}
		grouped[key] = append(grouped[key], a)
	}
	for _, key := range keys {
		g := groups[key]
		if !all && now.Before(g.next()) {
			continue
		}
		as := grouped[key]
		s := Sending{Message: Digest(key, as), Key: key, Group: g.after(now)}
		for _, a := range as {
			s.IDs = append(s.IDs, a.ID)
		}
		sendings = append(sendings, s)
	}
	return sendings
}
