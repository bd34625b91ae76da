package main

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"callagent/core/journal"
)

// floors are the waits that the source documents ask for. Each is at least that
// long, and up to a fifth longer, so that many agents do not come back at once.
var floors = []time.Duration{5 * time.Second, 10 * time.Second, 20 * time.Second}

// outage is what the parts say of the outage: each thing that the page claims,
// measured.
type outage struct {
	Failing        string // the contact whose speech failed
	Retries        []retry
	Opened, Closed time.Time
	Window         []moment // from the last failure to the first release
	While          map[string]int
	Failed, Passed int // health checks
}

// retry is one attempt that came after a wait.
type retry struct {
	Number int
	Floor  time.Duration
	Waited time.Duration // between the two entries of the log
	Seen   time.Duration // between the two requests that ElevenLabs got
}

// moment is one line of the time line: an entry of the log, or a request.
type moment struct {
	at      time.Time
	entry   *journal.Entry
	request *request
}

// ours are the services that calls are made with. The others tell people.
var ours = []string{"llm", "elevenlabs", "twilio", "crm"}

// first finds the first entry of an event from a place on; -1 for none.
func (t trail) first(from int, event string) int {
	i := slices.IndexFunc(t.journal[from:], func(e journal.Entry) bool { return e.Event == event })
	if i < 0 {
		return i
	}
	return from + i
}

// outage measures, and refuses a run that does not show what the page claims.
func (t trail) outage() (outage, error) {
	var o outage
	failed, opened, closed := t.first(0, "request_failed"), t.first(0, "circuit_opened"), t.first(0, "circuit_closed")
	if failed < 0 || opened < failed || closed < opened {
		return o, errors.New("the log shows no outage with a circuit that opened and closed")
	}
	o.Failing, o.Opened, o.Closed = t.journal[failed].Contact, t.journal[opened].Time, t.journal[closed].Time
	o.measureRetries(t)
	o.measureWindow(t)
	return o, errors.Join(o.check(t.Speed), t.checkEnd())
}

// measureRetries compares the log's waits with those that ElevenLabs saw.
func (o *outage) measureRetries(t trail) {
	var logged, seen []time.Time
	for _, e := range t.journal {
		if e.Event == "request_failed" && e.Contact == o.Failing {
			logged = append(logged, e.Time)
		}
	}
	for _, q := range t.requests {
		if q.Service == "elevenlabs" && q.Fault != "" && q.At.Before(o.Opened) {
			seen = append(seen, q.At)
		}
	}
	for i, floor := range floors {
		if i+1 < min(len(logged), len(seen)) {
			o.Retries = append(o.Retries, retry{Number: i + 1, Floor: floor, Waited: logged[i+1].Sub(logged[i]), Seen: seen[i+1].Sub(seen[i])})
		}
	}
}

// measureWindow lays the log and the requests on one time line and counts what
// was sent while the circuit was not closed.
func (o *outage) measureWindow(t trail) {
	o.While = map[string]int{}
	end := o.Closed
	if i := t.first(0, "calls_released"); i >= 0 {
		end = t.journal[i].Time
	}
	from := o.Opened.Add(-time.Second)
	for _, e := range t.journal {
		if e.Time.After(from) && !e.Time.After(end) {
			o.Window = append(o.Window, moment{at: e.Time, entry: &e})
		}
		switch e.Event {
		case "probe_failed":
			o.Failed++
		case "probe_passed":
			o.Passed++
		}
	}
	for _, q := range t.requests {
		if q.At.After(from) && !q.At.After(end) && slices.Contains(ours, q.Service) {
			o.Window = append(o.Window, moment{at: q.At, request: &q})
		}
		if q.At.After(o.Opened) && q.At.Before(o.Closed) {
			o.While[q.Service]++
		}
	}
	slices.SortStableFunc(o.Window, func(a, b moment) int { return a.at.Compare(b.at) })
}

// check refuses what would make the page untrue. The machine's own delays in
// noting a request look longer on a fast clock.
func (o *outage) check(speed float64) error {
	var wrong []error
	slack := time.Duration((speed - 1) * float64(50*time.Millisecond))
	if len(o.Retries) != len(floors) {
		wrong = append(wrong, fmt.Errorf("%d retries instead of %d", len(o.Retries), len(floors)))
	}
	for _, r := range o.Retries {
		if r.Waited < r.Floor || r.Seen+slack < r.Floor {
			wrong = append(wrong, fmt.Errorf("retry %d came after %s, ElevenLabs says %s; %s are due", r.Number, r.Waited, r.Seen, r.Floor))
		}
	}
	for _, service := range ours {
		allowed := 0
		if service == "elevenlabs" {
			allowed = o.Failed + o.Passed + 1 // the one call that tests the service for real
		}
		if got := o.While[service]; got != allowed {
			wrong = append(wrong, fmt.Errorf("%d requests to %s while the circuit was open, %d were health checks", got, service, allowed))
		}
	}
	return errors.Join(wrong...)
}

// checkEnd refuses an end that is not the one of the page.
func (t trail) checkEnd() error {
	told := map[string]bool{}
	for _, n := range t.Alerts {
		id := n.Channel + " " + n.ID
		if told[id] {
			return fmt.Errorf("%s was told twice", id)
		}
		told[id] = true
	}
	switch s := t.Summary; {
	case s.Completed != s.Contacts || t.Phones != s.Contacts || t.MostRings != 1:
		return fmt.Errorf("of %d contacts %d were completed, %d phones rang up to %d times", s.Contacts, s.Completed, t.Phones, t.MostRings)
	case len(t.received("email")) == 0 || len(t.received("telegram")) == 0 || len(t.received("webhook")) == 0:
		return fmt.Errorf("the channels received %+v", t.Alerts)
	case len(t.log) < 2 || len(t.ending) < 2:
		return errors.New("the sheet is empty")
	}
	return nil
}
