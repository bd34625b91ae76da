package dashboard

import (
	"fmt"
	"html/template"
	"math"
	"strings"
	"time"

	"callagent/core/alert"
	"callagent/core/breaker"
	"callagent/infra/operator"
)

// words are what templates say things with.
var words = template.FuncMap{
	"clock":  func(t time.Time) string { return t.Format("15:04:05") },
	"moment": func(t time.Time) string { return t.Format("2 Jan 15:04:05") },
	"stamp":  func(t time.Time) string { return t.UTC().Format(time.RFC3339Nano) },
	"millis": time.Time.UnixMilli,
	"number": number,
	"lower":  strings.ToLower,
}

// number groups the digits: 12,345.
func number(n int) string {
	s := fmt.Sprint(n)
	for i := len(s) - 3; i > 0 && s[i-1] != '-'; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}

// calls is "1 call" or "1,200 calls".
func calls(n int) string {
	if n == 1 {
		return "1 call"
	}
	return number(n) + " calls"
}

// title is a service's name for people.
func title(service string) string {
	switch service {
	case "llm":
		return "Script service"
	case "elevenlabs":
		return "ElevenLabs"
	case "twilio":
		return "Twilio"
	case "crm":
		return "CRM"
	}
	return service
}

// does says what a service does for a call.
func does(service string) string {
	switch service {
	case "llm":
		return "writes what is said"
	case "elevenlabs":
		return "speaks it"
	case "twilio":
		return "rings the phone"
	case "crm":
		return "keeps the outcome"
	}
	return ""
}

// card is one circuit as people see it.
type card struct {
	operator.Circuit
	Title, Does string
	Look        string // ok, warn, bad or held: how it is coloured
	State       string // a word or two
	Meaning     string
	Next        time.Time // when something happens by itself; zero: nothing is awaited
	NextIs      string    // what happens then: "Next try"
	In          string    // how long until then; "" when the browser works it out
	Fault       string
	Actions     []choice
}

// choice is something that an operator can do.
type choice struct {
	Action operator.Action
	Label  string
	Means  string
	Now    bool // it is so already
}

func (d *Dashboard) card(c operator.Circuit, now time.Time, live bool) card {
	c.Since = c.Since.In(d.Zone)
	k := card{Circuit: c, Title: title(c.Service), Does: does(c.Service), Actions: choices(c)}
	k.Look, k.State, k.Meaning = look(c)
	switch {
	case c.Forced != "":
	case c.State == breaker.Open.String():
		k.Next, k.NextIs = c.NextTest.In(d.Zone), "Next try"
	case c.State == breaker.HalfOpen.String():
		k.Next, k.NextIs = c.NextTest.In(d.Zone), "Answer at the latest"
	case !c.PausedUntil.IsZero():
		k.Next, k.NextIs = c.PausedUntil.In(d.Zone), "Goes on"
	}
	if !k.Next.IsZero() && !live {
		k.In = in(k.Next.Sub(now))
	}
	if c.LastFault != nil && c.State != breaker.Closed.String() {
		k.Fault = alert.Words(c.LastFault)
	}
	return k
}

// look says how a circuit stands to people who have never heard of circuits.
func look(c operator.Circuit) (look, state, meaning string) {
	switch {
	case c.Forced == operator.Open:
		return "held", "Switched off", "An operator switched it off: no request is sent, and calls that need it wait until it is switched on again."
	case c.Forced == operator.Close:
		return "held", "Kept on", "An operator keeps it on: every request is sent, however many fail."
	case c.State == breaker.Open.String():
		return "bad", "Not working", "No request is sent. It is tested by itself, and calls that need it wait and go on by themselves."
	case c.State == breaker.HalfOpen.String():
		return "warn", "Being tested", "A single request finds out whether it works again. Calls that need it wait."
	case !c.PausedUntil.IsZero():
		return "warn", "Pausing", "It works, but asked for fewer requests and is left alone for a while."
	case c.Failures > 0:
		return "ok", "Working", "Requests are sent. The last ones failed and are tried again."
	}
	return "ok", "Working", "Requests are sent."
}

func choices(c operator.Circuit) []choice {
	return []choice{
		{operator.Auto, "Automatic", "it closes and opens by its own rules", c.Forced == ""},
		{operator.Open, "Force open", "the emergency stop: no request is sent", c.Forced == operator.Open},
		{operator.Close, "Force closed", "every request is sent, even while they fail", c.Forced == operator.Close},
	}
}

// in is a time to come in words.
func in(d time.Duration) string {
	switch s := int(math.Ceil(d.Seconds())); {
	case s <= 0:
		return "any moment"
	case s < 60:
		return fmt.Sprintf("in %d s", s)
	case s < 3600:
		return fmt.Sprintf("in %d:%02d min", s/60, s%60)
	default:
		return fmt.Sprintf("in %d h %d min", s/3600, s%3600/60)
	}
}

// headline says the most important thing in a sentence or two. It has no
// numbers that change all the time, because screen readers say every change.
// counting: how many are unknown is not known yet.
func headline(cards []card, unknown int, counting bool) (sentence string, alarming bool) {
	by := map[string][]string{}
	for _, c := range cards {
		by[c.State] = append(by[c.State], c.Title)
	}
	var says []string
	for _, state := range []string{"Not working", "Switched off", "Being tested", "Kept on", "Pausing"} {
		if names := by[state]; len(names) > 0 {
			says = append(says, join(names)+" "+are(len(names))+" "+lowerFirst(state)+".")
		}
	}
	alarming = len(by["Not working"])+len(by["Switched off"]) > 0
	switch {
	case len(says) == 0 && counting:
		says = []string{"All services are working; the calls are being counted."}
	case len(says) == 0:
		says = []string{"Everything is working."}
	}
	if unknown == 1 {
		says = append(says, "1 call needs a person.")
	} else if unknown > 1 {
		says = append(says, number(unknown)+" calls need a person.")
	}
	return strings.Join(says, " "), alarming
}

func lowerFirst(s string) string { return strings.ToLower(s[:1]) + s[1:] }

func are(n int) string {
	if n == 1 {
		return "is"
	}
	return "are"
}

// join lists names: "a, b and c".
func join(names []string) string {
	if last := len(names) - 1; last > 0 {
		return strings.Join(names[:last], ", ") + " and " + names[last]
	}
	return names[0]
}
