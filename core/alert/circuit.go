package alert

import (
	"fmt"
	"strings"
	"time"

	"callagent/core/breaker"
	"callagent/core/fault"
	"callagent/core/health"
)

// ForCircuit lists everything that people should have been told by now about
// the present outage of a circuit, or the last one. The ids are derived from
// the outage, so the list may be raised again at every tick: what was told
// before is dropped.
//
// A relapse belongs to the outage before it: it is told once, as "unstable",
// and reminders say the rest. A close is told when it has held for a minute.
func ForCircuit(r breaker.Record, now time.Time) []Alert {
	var as []Alert
	if health.PauseTooLong(r, now) {
		as = append(as, paused(r))
	}
	if r.Outage == 0 {
		return as
	}
	as = append(as, opened(r))
	if r.State != breaker.Closed && r.ClosedAt.After(r.OpenedAt) {
		as = append(as, unstable(r))
	}
	if r.Reminded > 0 && r.State != breaker.Closed {
		as = append(as, stillOpen(r))
	}
	if r.State == breaker.Closed && now.Sub(r.ClosedAt) >= health.HoldsAfter {
		as = append(as, closed(r))
	}
	return as
}

func outageID(r breaker.Record, k Kind) string {
	return fmt.Sprintf("circuit/%s/%d/%s", r.Service, r.Outage, k)
}

func opened(r breaker.Record) Alert {
	a := Alert{
		ID: outageID(r, CircuitOpened), Kind: CircuitOpened, Severity: Critical,
		Service: r.Service, At: r.OpenedAt,
		What:   fmt.Sprintf("The circuit of %s is OPEN: %s.", Title(r.Service), because(r)),
		Effect: effect(r.Service),
		Agent:  "It sends no more requests there, sets calls aside without losing them, tests the service every few seconds, and goes on by itself when it works again.",
	}
	switch {
	case r.Forced == breaker.ForcedOpen:
		a.What = fmt.Sprintf("An operator opened the circuit of %s.", Title(r.Service))
		a.Agent = "It sends nothing there and does not test the service until an operator gives the circuit back."
		a.You = fmt.Sprintf("When it may go on: callagent circuit %s auto", r.Service)
	case r.LastFault != nil && r.LastFault.Treatment().Trips:
		a.You = accountRemedy(r.LastFault)
	}
	return a
}

func unstable(r breaker.Record) Alert {
	return Alert{
		ID: outageID(r, CircuitUnstable), Kind: CircuitUnstable, Severity: Warning,
		Service: r.Service, At: r.OpenedAt,
		What:   fmt.Sprintf("%s is unstable: it came back and failed again soon after.", begin(Title(r.Service))),
		Effect: effect(r.Service),
		Agent:  "It waits longer after every relapse, up to 5 minutes. There will be no message for each of them, only reminders.",
	}
}

// stillOpen is the latest reminder. It tells of the moment when it was due, so
// that it stays the same however often it is raised.
func stillOpen(r breaker.Record) Alert {
	after := health.RemindAfter(r.Reminded)
	a := opened(r)
	a.ID = fmt.Sprintf("%s/%d", outageID(r, CircuitStillOpen), r.Reminded)
	a.Kind, a.At = CircuitStillOpen, r.OpenedAt.Add(after)
	a.What = fmt.Sprintf("The circuit of %s has not been closed for %s: %s.", Title(r.Service), span(after), because(r))
	return a
}

func closed(r breaker.Record) Alert {
	return Alert{
		ID: outageID(r, CircuitClosed), Kind: CircuitClosed, Severity: Info,
		Service: r.Service, At: r.ClosedAt,
		What:   fmt.Sprintf("The circuit of %s is CLOSED again after %s.", Title(r.Service), span(r.ClosedAt.Sub(r.OpenedAt))),
		Effect: "Calls that were set aside go on, a few at first.",
	}
}

func paused(r breaker.Record) Alert {
	return Alert{
		ID:   fmt.Sprintf("pause/%s/%d", r.Service, r.PausedFrom.Unix()),
		Kind: ServicePaused, Severity: Warning, Service: r.Service, At: r.PausedFrom,
		What:   fmt.Sprintf("%s has been asking us to slow down for %s without taking a request.", begin(Title(r.Service)), span(health.PausedTooLong)),
		Effect: effect(r.Service),
		Agent:  "It waits as long as it is asked to and tries again. No call fails for it.",
		You:    "If it goes on: lower rate or at_once for this service, or ask the provider for a higher limit.",
	}
}

func because(r breaker.Record) string {
	if r.Forced == breaker.ForcedOpen {
		return "an operator opened it"
	}
	if r.LastFault == nil {
		return "its requests fail"
	}
	return strings.TrimSuffix(r.LastFault.Error(), ".")
}

func accountRemedy(f *fault.Fault) string {
	switch f.Kind {
	case fault.Authentication:
		return "Check the key that callagent uses for this service: it is refused. Nothing goes on until it is mended."
	case fault.Permission:
		return "Give the key the permission that is named above."
	case fault.QuotaExceeded:
		return "Top up or raise the quota of the account."
	}
	return "Correct the setting that is named above."
}

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
	}
	return service
}

func effect(service string) string {
	if service == "crm" {
		return "Calls go on; their outcomes reach the CRM later."
	}
	return "No new call is dialled while it lasts."
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
