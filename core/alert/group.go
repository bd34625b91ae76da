package alert

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

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

// Single is the message for one alert.
func Single(a Alert) Message {
	paragraphs := []string{a.What, a.Effect, prefixed("The agent: ", a.Agent), prefixed("You: ", a.You)}
	paragraphs = slices.DeleteFunc(paragraphs, func(p string) bool { return p == "" })
	return Message{
		ID: a.ID, Kind: a.Kind, Severity: a.Severity, At: a.At,
		Title: headline(a), Text: strings.Join(paragraphs, "\n\n"), Alerts: []Alert{a},
	}
}

// mostLines is how many alerts a digest spells out.
const mostLines = 10

// Digest is the message for several alerts of one group. Its id names the
// group, its first alert and how many they are: a digest that is sent again
// after a crash is recognised, unless more alerts have joined it. Then it must
// not be, because a receiver that drops what it knows would miss those.
func Digest(key string, as []Alert) Message {
	if len(as) == 1 {
		return Single(as[0])
	}
	m := Message{
		ID: fmt.Sprintf("digest/%s/%d/%s", key, len(as), as[0].ID), Kind: as[0].Kind, Severity: as[0].Severity, At: as[0].At,
		Title: fmt.Sprintf("%d × %s", len(as), headline(as[0])), Alerts: as,
	}
	lines := make([]string, 0, mostLines+1)
	for _, a := range as[:min(len(as), mostLines)] {
		lines = append(lines, a.What)
	}
	if more := len(as) - mostLines; more > 0 {
		lines = append(lines, fmt.Sprintf("… and %d more: callagent calls --campaign %s", more, as[0].Campaign))
	}
	you := strings.ReplaceAll(as[0].You, as[0].CallID, "CALL")
	m.Text = strings.TrimSpace(strings.Join(lines, "\n") + "\n\n" + prefixed("You: ", you))
	return m
}

// headline is the one line that a phone shows.
func headline(a Alert) string {
	switch a.Kind {
	case CircuitOpened:
		return begin(Title(a.Service)) + ": circuit OPEN"
	case CircuitUnstable:
		return begin(Title(a.Service)) + ": unstable"
	case CircuitStillOpen:
		return begin(Title(a.Service)) + ": circuit still not closed"
	case CircuitClosed:
		return begin(Title(a.Service)) + ": circuit CLOSED again"
	case ServicePaused:
		return begin(Title(a.Service)) + ": paused"
	case CallFailed:
		return "Call failed in campaign " + a.Campaign
	case CallUnknown:
		return "Call unknown in campaign " + a.Campaign
	case RetriesExhausted:
		return "Retries exhausted in campaign " + a.Campaign
	case CampaignFinished:
		return "Campaign " + a.Campaign + " finished"
	}
	return string(a.Kind)
}

func prefixed(with, text string) string {
	if text == "" {
		return ""
	}
	return with + text
}
