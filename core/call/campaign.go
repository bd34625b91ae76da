package call

import (
	"fmt"
	"strings"
	"time"
)

// Campaign is what to say and when.
type Campaign struct {
	Name             string
	Prompt           string // a [Prompt] over the contact; see Request
	Voice            string // "" takes the service's default
	From             string // E.164; "" takes the account's default
	Language         string // ISO 639-1; "" lets the voice model decide
	MaxLength        time.Duration
	RingTimeout      time.Duration
	MachineDetection bool
	Window           Window
	ExpiresAfter     time.Duration // after the first claim; 0: never
}

// Request renders the campaign's prompt for a contact. The template knows
// {{.name}}, {{.campaign}}, {{.contact_id}} and every variable of the contact
// by its own name; a name that the contact does not have is an error that
// names it.
func (p Campaign) Request(c Contact) (ScriptRequest, error) {
	t, err := ParsePrompt(p.Prompt)
	if err != nil {
		return ScriptRequest{}, err
	}
	data := map[string]string{"name": c.Name, "campaign": c.Campaign, "contact_id": c.ID}
	facts := make([]string, 0, len(c.Variables)+1)
	if c.Name != "" {
		facts = append(facts, "name: "+c.Name)
	}
	for _, k := range sortedKeys(c.Variables) {
		data[k] = c.Variables[k]
		facts = append(facts, k+": "+c.Variables[k])
	}
	system, err := t.Render(data)
	if err != nil {
		return ScriptRequest{}, fmt.Errorf("the prompt of campaign %s asks for something that contact %s does not have: %w", p.Name, c.ID, err)
	}
	return ScriptRequest{
		System:    system,
		User:      "Write the script for this contact.\n" + strings.Join(facts, "\n"),
		MaxTokens: 400,
	}, nil
}

// Window is the time of day in which contacts may be called, in minutes since
// midnight of the contact's own zone. The zero Window is always open.
type Window struct {
	From, To int
}

// Always reports whether the window never closes.
func (w Window) Always() bool { return w.From == w.To || w.From == 0 && w.To >= 24*60 }

// Opens reports when a contact may next be called: now itself when the window
// is open in every zone that the contact may be in, otherwise the first
// opening after now. Without zones the window is judged in UTC.
func (w Window) Opens(now time.Time, zones []*time.Location) time.Time {
	if w.Always() {
		return now
	}
	if len(zones) == 0 {
		zones = []*time.Location{time.UTC}
	}
	at := now
	for range 8 * len(zones) { // a week of openings; zones that never agree end in the last one tried
		next := at
		for _, z := range zones {
			next = later(next, w.opensIn(next, z))
		}
		if next.Equal(at) {
			return at
		}
		at = next
	}
	return at
}

// opensIn is Opens for one zone. It goes by what the clocks on the wall show:
// it waits as long as they need to show the opening, but looks again whenever
// they are changed on the way. An hour that is skipped or comes twice is judged
// like any other.
func (w Window) opensIn(now time.Time, z *time.Location) time.Time {
	at := now
	for range 8 { // two are enough unless the clocks are changed
		local := at.In(z)
		h, m, s := local.Clock()
		shown := time.Duration(h)*time.Hour + time.Duration(m)*time.Minute +
			time.Duration(s)*time.Second + time.Duration(local.Nanosecond())
		wait := time.Duration(w.From)*time.Minute - shown
		switch {
		case wait > 0:
		case shown < time.Duration(w.To)*time.Minute:
			return at
		default:
			wait += 24 * time.Hour
		}
		at = at.Add(wait)
		if _, change := local.ZoneBounds(); !change.IsZero() && change.Before(at) {
			at = change.In(now.Location())
		}
	}
	return at
}
