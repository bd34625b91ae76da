package alert

import (
	"fmt"
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
// and reminders say the rest. A close is told when it has held for two minutes.
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
	service, kept := Title(r.Service), "call"
	if r.Service == "crm" {
		kept = "outcome"
	}
	a := Alert{
		ID: outageID(r, CircuitOpened), Kind: CircuitOpened, Severity: Critical,
		Service: r.Service, At: r.OpenedAt, Title: begin(trouble(r)) + ": " + meanwhile(r.Service),
		What:   begin(reason(r)) + ". The circuit of " + service + " is OPEN.",
		Effect: effect(r.Service),
		Agent:  fmt.Sprintf("sends nothing more to %s, keeps every %s for later, tests it every few seconds with a small request, and goes on by itself as soon as it works again.", service, kept),
	}
	switch {
	case r.Forced == breaker.ForcedOpen:
		a.Agent = fmt.Sprintf("sends nothing to %s, keeps every %s for later, and does not test it until the operator gives it back.", service, kept)
		a.You = "When it may go on: callagent circuit " + r.Service + " auto (or the button on the dashboard)."
	case r.LastFault != nil && r.LastFault.Treatment().Trips:
		a.Agent = fmt.Sprintf("sends nothing more to %s, keeps every %s for later, tests it once a minute, and goes on by itself as soon as this is put right.", service, kept)
		a.You = accountRemedy(r.LastFault)
	}
	return a
}

func unstable(r breaker.Record) Alert {
	return Alert{
		ID: outageID(r, CircuitUnstable), Kind: CircuitUnstable, Severity: Warning,
		Service: r.Service, At: r.OpenedAt, Title: begin(Title(r.Service)) + " comes and goes: " + meanwhile(r.Service),
		What:   begin(Title(r.Service)) + " is unstable: it came back, and failed again within two minutes.",
		Effect: effect(r.Service),
		Agent:  "waits longer after every relapse, up to 5 minutes, before it lets calls through again. You get no message for each relapse, only reminders while it lasts.",
	}
}

// stillOpen is the latest reminder. It tells of the moment when it was due, so
// that it stays the same however often it is raised.
func stillOpen(r breaker.Record) Alert {
	after, a := health.RemindAfter(r.Reminded), opened(r)
	a.ID = fmt.Sprintf("%s/%d", outageID(r, CircuitStillOpen), r.Reminded)
	a.Kind, a.At = CircuitStillOpen, r.OpenedAt.Add(after)
	a.Title = fmt.Sprintf("%s has not worked for %s: %s", begin(Title(r.Service)), span(after), meanwhile(r.Service))
	if r.Forced == breaker.ForcedOpen {
		a.Title = fmt.Sprintf("%s is still stopped: %s", begin(Title(r.Service)), meanwhile(r.Service))
	}
	a.What = fmt.Sprintf("%s. The circuit of %s has not been CLOSED for %s.", begin(reason(r)), Title(r.Service), span(after))
	a.Agent += fmt.Sprintf(" The next reminder comes in %s.", span(health.RemindAfter(r.Reminded+1)-after))
	if a.You == "" {
		a.You = "Nothing has to be done. The status page of the provider may say when it expects to be back."
	}
	return a
}

func closed(r breaker.Record) Alert {
	a := Alert{
		ID: outageID(r, CircuitClosed), Kind: CircuitClosed, Severity: Info,
		Service: r.Service, At: r.ClosedAt, Title: begin(Title(r.Service)) + " works again",
		What: fmt.Sprintf("%s works again: its circuit closed again after %s, %s released.",
			begin(Title(r.Service)), span(r.ClosedAt.Sub(r.OpenedAt)), count(r.Released, "call")),
		Effect: "the contacts who had to wait. They are called now, a few at first, then more and more.",
		Agent:  "goes on as before.",
	}
	if r.Service == "crm" {
		a.Effect = "those who work with the CRM. The outcomes of the calls made meanwhile get there now."
	}
	if r.Forced == breaker.ForcedClosed {
		a.Title = "An operator lets calls through to " + Title(r.Service)
		a.What = fmt.Sprintf("An operator closed the circuit of %s after %s, %s released. Nobody has proved that it works.",
			Title(r.Service), span(r.ClosedAt.Sub(r.OpenedAt)), count(r.Released, "call"))
		a.Agent = "sends every request, however many fail, until the operator gives it back."
		a.You = "When it works: callagent circuit " + r.Service + " auto (or the button on the dashboard)."
	}
	return a
}

func paused(r breaker.Record) Alert {
	return Alert{
		ID:   fmt.Sprintf("pause/%s/%d", r.Service, r.PausedFrom.Unix()),
		Kind: ServicePaused, Severity: Warning, Service: r.Service, At: r.PausedFrom,
		Title:  begin(Title(r.Service)) + " asks us to slow down: " + meanwhile(r.Service),
		What:   fmt.Sprintf("%s has been asking us to slow down for %s and has taken no request in that time.", begin(Title(r.Service)), span(health.PausedTooLong)),
		Effect: effect(r.Service),
		Agent:  "waits as long as it is asked to, and tries again. No call fails for it.",
		You:    fmt.Sprintf("If it goes on for an hour: lower rate or at_once under [services.%s] in callagent.toml, or ask the provider for a higher limit.", r.Service),
	}
}

// trouble is the reason of an outage in as few words as a title has.
func trouble(r breaker.Record) string {
	switch {
	case r.Forced == breaker.ForcedOpen:
		return "an operator stopped " + Title(r.Service)
	case r.LastFault == nil:
		return Title(r.Service) + " does not work"
	}
	return Title(r.Service) + " " + clauses[r.LastFault.Kind]
}

// reason is the reason of an outage in full, as a clause.
func reason(r breaker.Record) string {
	if r.Forced == breaker.ForcedOpen || r.LastFault == nil {
		return trouble(r)
	}
	f := *r.LastFault
	f.Service = r.Service
	return Words(&f)
}

func accountRemedy(f *fault.Fault) string {
	switch f.Kind {
	case fault.Authentication:
		return "Ask whoever set callagent up to check the key for this service. Waiting does not help."
	case fault.Permission:
		return "Ask whoever set callagent up to give its key the right that is named above."
	case fault.QuotaExceeded:
		return "Top up the account or raise its limit. Nothing else has to be done: calls go on by themselves then."
	}
	return "Ask whoever set callagent up to correct the setting that is named above."
}

// meanwhile says in a title what becomes of the calls.
func meanwhile(service string) string {
	if service == "crm" {
		return "calls go on"
	}
	return "calls wait"
}

// effect says to whom an outage matters.
func effect(service string) string {
	if service == "crm" {
		return "nobody who is called. Those who work with the CRM see outcomes there later."
	}
	return "every contact who has not been called yet. No new call is dialled while it lasts; calls under way go on."
}
