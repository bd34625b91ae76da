package hubspot

import (
	"html"
	"strconv"
	"strings"
	"time"

	"callagent/core/call"
)

// contactProperties are few, because people keep contacts by hand: the number
// that was called, and the name if there is one, its first word as first name.
func contactProperties(c call.Contact) map[string]string {
	p := map[string]string{contacts.key: c.ID, "phone": c.Phone}
	first, last, _ := strings.Cut(strings.TrimSpace(c.Name), " ")
	if first != "" {
		p["firstname"] = first
	}
	if last = strings.TrimSpace(last); last != "" {
		p["lastname"] = last
	}
	return p
}

// callProperties always names every property, because one that is left out
// keeps what an earlier record of the same call wrote; "" clears it.
func callProperties(e call.Entry, now func() time.Time) map[string]string {
	started := e.Started
	if started.IsZero() {
		started = now() // HubSpot requires a time
	}
	end := endings[e.Result]
	return map[string]string{
		calls.key:             e.Key.String(),
		"hs_timestamp":        started.UTC().Format("2006-01-02T15:04:05.000Z"),
		"hs_call_title":       "Call for " + e.Key.Campaign + ": " + string(e.Result),
		"hs_call_body":        notes(e),
		"hs_call_duration":    strconv.FormatInt(e.Duration.Milliseconds(), 10),
		"hs_call_direction":   "OUTBOUND",
		"hs_call_status":      end.status,
		"hs_call_disposition": end.disposition,
		"hs_call_from_number": e.From,
		"hs_call_to_number":   e.Contact.Phone,
	}
}

// notes is the script and the provider's id of the call, as the rich text that
// HubSpot shows.
func notes(e call.Entry) string {
	var parts []string
	if e.Script != "" {
		parts = append(parts, e.Script)
	}
	if e.SID != "" {
		parts = append(parts, "Call id at the provider: "+e.SID)
	}
	text := html.EscapeString(strings.Join(parts, "\n\n"))
	return strings.ReplaceAll(text, "\n", "<br>")
}

// ending is how HubSpot says that a call ended: a status and the id of an
// outcome, "" where none of its outcomes fits.
type ending struct{ status, disposition string }

var endings = map[call.Result]ending{
	call.Answered:     {"COMPLETED", "f240bbac-87c9-4f6e-bf70-924b57d47db7"}, // connected
	call.Voicemail:    {"COMPLETED", "b2cf5968-551e-4856-9783-52b3da59a7d0"}, // left voicemail
	call.Fax:          {"COMPLETED", ""},
	call.Busy:         {"BUSY", "9d9162e7-6cf3-4944-bf63-4dff82258764"},      // busy
	call.NoAnswer:     {"NO_ANSWER", "73a0d17f-1163-4015-bdd5-ec830791da20"}, // no answer
	call.NotConnected: {"FAILED", ""},
	call.Canceled:     {"CANCELED", ""},
	call.Rang:         {"COMPLETED", ""},
}
