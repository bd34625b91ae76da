package alert

import (
	"cmp"
	"fmt"
	"strings"
	"time"

	"callagent/core/fault"
)

// clauses continue the name of a service: what it did, for people.
var clauses = map[fault.Kind]string{
	fault.Unknown:            "fails",
	fault.ServiceUnavailable: "is not available",
	fault.Timeout:            "does not answer in time",
	fault.Network:            "cannot be reached",
	fault.Throttled:          "asks us to slow down",
	fault.BadResponse:        "answers with something that cannot be used",
	fault.Authentication:     "refuses our key",
	fault.Permission:         "says that our key may not do this",
	fault.QuotaExceeded:      "says that our quota is used up",
	fault.InvalidRequest:     "refuses the request",
	fault.NotFound:           "does not find what the request names",
	fault.Conflict:           "says that this conflicts with what it has",
}

// Words is a fault for people: a clause that begins with the service's name
// and has no full stop, "ElevenLabs is not available (503)". The provider's own
// code and message are in it, for those whom people ask.
func Words(f *fault.Fault) string {
	if f == nil {
		return "the request failed"
	}
	words := cmp.Or(Title(f.Service), "the service") + " " + clauses[f.Kind]
	var numbers []string
	if f.Status != 0 {
		numbers = append(numbers, fmt.Sprint(f.Status))
	}
	if f.Code != "" && f.Code != f.Kind.String() {
		numbers = append(numbers, f.Code)
	}
	if len(numbers) > 0 {
		words += " (" + strings.Join(numbers, ", ") + ")"
	}
	if said := strings.TrimRight(f.Message, ". "); said != "" {
		words += ": " + said
	}
	return words
}

// Sentence is [Words] as a sentence.
func Sentence(f *fault.Fault) string { return begin(Words(f)) + "." }

// Title is a service's name as people know it.
func Title(service string) string {
	switch service {
	case "llm":
		return "the script service (LLM)"
	case "elevenlabs":
		return "ElevenLabs"
	case "twilio":
		return "Twilio"
	case "crm":
		return "the CRM"
	case "media":
		return "the store of recordings"
	case "telegram":
		return "Telegram"
	}
	return service
}

// begin is a text as it begins a sentence.
func begin(text string) string {
	if text == "" {
		return text
	}
	return strings.ToUpper(text[:1]) + text[1:]
}

// span is a duration as people say it.
func span(d time.Duration) string {
	switch {
	case d < 2*time.Minute:
		return fmt.Sprintf("%d s", int(d.Round(time.Second)/time.Second))
	case d < 2*time.Hour:
		return fmt.Sprintf("%d min", int(d.Round(time.Minute)/time.Minute))
	}
	return fmt.Sprintf("%d h", int(d.Round(time.Hour)/time.Hour))
}

// count is a number of things, "no calls", "1 call" or "9 calls".
func count(n int, thing string) string {
	switch n {
	case 0:
		return "no " + thing + "s"
	case 1:
		return "1 " + thing
	}
	return fmt.Sprintf("%d %ss", n, thing)
}
