package agent

import (
	"context"
	"fmt"
	"strings"
	"time"

	"callagent/core/alert"
	"callagent/core/breaker"
	"callagent/core/call"
	"callagent/core/fault"
	"callagent/core/journal"
)

// circuitChanged tells the journal of a change, and people of a transition
// that our own write made.
func (a *Agent) circuitChanged(ctx context.Context, s *service, r breaker.Record, change breaker.Change) {
	now := a.Clock.Now()
	e := journal.Entry{Service: s.name, Circuit: r.State.String()}
	switch change {
	case breaker.Tripped:
		e.Level, e.Event = journal.Error, "circuit_opened"
		e.Message = fmt.Sprintf("Circuit OPEN: nothing is sent to %s for %s, then one health check tests it.", alertName(s), span(r.OpenUntil.Sub(now)))
	case breaker.Reopened:
		e.Level, e.Event = journal.Warning, "circuit_reopened"
		e.Message = fmt.Sprintf("Circuit stays OPEN, next health check in %s.", span(r.OpenUntil.Sub(now)))
	case breaker.Released:
		e.Level, e.Event, e.Message = journal.Info, "circuit_reopened", "The test proved nothing: circuit stays OPEN until the next one."
	case breaker.Proved:
		e.Level, e.Event, e.Message = journal.Info, "circuit_closed", "Circuit CLOSED: "+alertName(s)+" works again, calls that were set aside go on."
	case breaker.Throttled:
		if !s.lengthens(r.PausedUntil) {
			return
		}
		e.Level, e.Event = journal.Warning, "service_paused"
		e.Message = fmt.Sprintf("Everybody leaves %s alone for %s.", alertName(s), span(r.PausedUntil.Sub(now)))
	default:
		return
	}
	if change == breaker.Tripped {
		a.sendTicks(ctx)
		a.announce(ctx, r)
		a.journalAlerts(s, r)
	}
	e.Time = a.Clock.Now()
	a.Journal.Write(e)
}

// lengthens reports whether a pause goes on for so much longer than the log
// says that people should read it: requests that were under way together are
// all refused, and each one moves the end by a moment.
func (s *service) lengthens(until time.Time) bool {
	said := s.pauseSaid.Load()
	return until.UnixNano()-said >= int64(time.Second) && s.pauseSaid.CompareAndSwap(said, until.UnixNano())
}

// journalAlerts writes who is told of a trip, and how. A relapse belongs to an
// outage that people know of: they are told once that the service is unstable.
func (a *Agent) journalAlerts(s *service, r breaker.Record) {
	now, news := a.Clock.Now(), alert.CircuitOpened
	switch {
	case r.Outage == r.Epoch:
	case r.Relapses == 1:
		news = alert.CircuitUnstable
	default:
		return
	}
	for _, al := range alert.ForCircuit(r, now) {
		if channels := a.Channels(al); len(channels) > 0 && al.Kind == news {
			a.Journal.Write(journal.Entry{Time: now, Level: journal.Error, Service: s.name, Circuit: r.State.String(), Event: "alert_raised",
				Message: "Alert by " + strings.Join(titles(channels), ", ") + ": " + al.What})
		}
	}
}

// titles are the names of channels for people.
func titles(channels []string) []string {
	names := make([]string, len(channels))
	for i, c := range channels {
		names[i] = alert.Title(c)
	}
	return names
}

// journalRequest writes the end of one request.
func (a *Agent) journalRequest(w *work, s *service, took time.Duration, f *fault.Fault) {
	retry := w.call.Retries
	e := journal.Entry{
		Time: a.Clock.Now(), Service: s.name, Circuit: a.circuitState(s.name), Retry: &retry,
		CallID: w.call.Key.String(), Contact: w.call.Key.Contact, Campaign: w.call.Key.Campaign,
		Step: w.step.String(), Duration: max(1, took.Milliseconds()), // 0 is left out
	}
	if f == nil {
		e.Event, e.Message = "step_done", did[w.step]
	} else {
		e.Level, e.Event = journal.Error, "request_failed"
		e.Kind, e.Class, e.Status = f.Kind.String(), f.Class.String(), f.Status
		e.Message = alert.Sentence(f) + " " + helps[f.Class]
		if f.Kind == fault.Throttled {
			e.Level = journal.Warning // nothing is wrong, and no retry is used up
		}
	}
	a.Journal.Write(e)
}

// journalSpent writes that a step has no retry left.
func (a *Agent) journalSpent(w *work, s *service, f *fault.Fault) {
	a.journalCall(journal.Error, s, "retries_spent",
		fmt.Sprintf("Retries spent (%d of %d): %s.", w.call.Retries, s.Retry.MaxRetries, alert.Words(f)), w.call)
}

// helps says whether trying again helps, by the class of a fault.
var helps = map[fault.Class]string{
	fault.Transient: "This is transient: trying again may help.",
	fault.Permanent: "This is permanent: trying again does not help.",
	fault.Ambiguous: "This is ambiguous: it may have been carried out all the same, so it is not simply repeated.",
}

// did says what was achieved, by the step.
var did = map[call.Step]string{
	call.ScriptStep: "The script is written.", call.SpeechStep: "The script is recorded as speech.",
	call.DialStep: "The call is placed: the phone rings soon.", call.OutcomeStep: "The outcome was asked for.", call.RecordStep: "The outcome is in the CRM.",
}

// journalNext writes what the rules made of a call after a fault or refusal.
func (a *Agent) journalNext(c call.Call, s *service, step call.Step, now time.Time) {
	switch {
	case c.State.Final() && step != call.RecordStep:
		a.journalEnd(c)
	case c.State.Final() && c.Recorded == call.Refused:
		a.journalCall(journal.Error, s, "record_refused", "The CRM will never take this outcome; it stays in the ledger.", c)
	case c.State.Final() && c.Park.Reason != "":
		a.journalCall(journal.Warning, s, "record_delayed", "Nothing is lost, the CRM is told later: "+c.Park.Reason, c)
	case c.State == call.Parked:
		a.journalCall(journal.Warning, s, "call_parked", "Skipped, next contact. Set aside: "+c.Park.Reason+".", c)
	case c.State == call.Reconciling:
		a.journalCall(journal.Warning, s, "dial_ambiguous", "It may have rung: the provider is asked, it is not dialled again.", c)
	case c.Retries > 0:
		a.journalCall(journal.Warning, s, "retry_scheduled",
			fmt.Sprintf("Retry %d of %d in %s.", c.Retries, s.Retry.MaxRetries, span(c.Due.Sub(now))), c)
	default:
		why := c.History[len(c.History)-1].What
		a.journalCall(journal.Info, s, "call_waits", "Waits "+span(c.Due.Sub(now))+": "+why, c)
	}
}

// journalEnd writes how a call ended.
func (a *Agent) journalEnd(c call.Call) {
	switch c.State {
	case call.Completed:
		a.write(journal.Info, "", "call_completed", "Completed: "+string(c.Result), c)
	case call.Expired:
		a.write(journal.Warning, "", "call_expired", "Expired: "+c.Reason, c)
	case call.Unknown:
		a.write(journal.Error, "", "call_unknown", "Unknown: "+c.Reason, c)
	default:
		a.write(journal.Error, "", "call_failed", "Failed, next contact: "+c.Reason, c)
	}
}

func (a *Agent) journalCall(l journal.Level, s *service, event, message string, c call.Call) {
	retry := c.Retries
	a.Journal.Write(journal.Entry{
		Time: a.Clock.Now(), Level: l, Service: s.name, Event: event, Message: message, Retry: &retry,
		Circuit: a.circuitState(s.name), CallID: c.Key.String(), Contact: c.Key.Contact, Campaign: c.Key.Campaign,
		Step: c.Next().String(),
	})
}

func (a *Agent) journalFault(l journal.Level, s *service, event, message string, f *fault.Fault) {
	a.Journal.Write(journal.Entry{
		Time: a.Clock.Now(), Level: l, Service: s.name, Event: event, Message: message,
		Circuit: a.circuitState(s.name), Kind: f.Kind.String(), Class: f.Class.String(), Status: f.Status,
	})
}

func (a *Agent) journalCount(s *service, event string, released, left int) {
	calls := "calls"
	if released == 1 {
		calls = "call"
	}
	a.Journal.Write(journal.Entry{
		Time: a.Clock.Now(), Service: s.name, Event: event, Circuit: a.circuitState(s.name), Count: released,
		Message: fmt.Sprintf("%d %s released, %d still set aside.", released, calls, left),
	})
}

// callAlert is the alert that a call's state asks for.
func callAlert(c call.Call, now time.Time) alert.Alert {
	reason := c.Reason
	if c.State == call.Parked {
		reason = c.Park.Reason
	}
	return alert.ForCall(c.Notice, alert.Subject{
		CallID: c.Key.String(), Campaign: c.Key.Campaign, Reason: strings.TrimSuffix(reason, "."), At: now, Park: c.Park.Number, Round: c.Round,
	})
}

func alertName(s *service) string { return alert.Title(s.name) }

// span is a delay as people read it.
func span(d time.Duration) string {
	if d < 0 {
		d = 0
	}
	return d.Round(100 * time.Millisecond).String()
}
