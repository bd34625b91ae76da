package dashboard

import (
	"net/http"
	"strings"
	"time"

	"callagent/core/call"
	"callagent/core/journal"
	"callagent/infra/operator"
)

// shown is a call as people see it.
type shown struct {
	ID     string // campaign/contact
	Name   string // only for those who may act
	Phone  string // masked
	State  string
	Class  string // of the group that it ended in, "" while it goes on
	Reason string
	Waits  string // what it waits for, "" for nothing
	SID    string
	CRM    string
	Talk   time.Duration
	Steps  []stage
	// Retries are those of the present step.
	Retries    int
	CreatedAt  time.Time
	FinishedAt time.Time // zero while it goes on
	Due        time.Time // when it is looked at again; zero: never
	Parked     time.Time // since when it is set aside; zero: it is not
	History    []call.Event
	Open       bool // it ended unknown, and a person may settle it
	Answers    []settling
}

// stage is one step of a call.
type stage struct {
	Label string
	Done  bool
}

// settling is something that a person can say of an unknown call.
type settling struct {
	Answer operator.Answer
	Label  string
	Means  string
}

var settlings = []settling{
	{operator.Rang, "It rang", "counts as completed, and the CRM is told"},
	{operator.Redial, "Call once more", "the phone rings again"},
	{operator.Drop, "Give up", "counts as failed, nobody is called"},
}

// shown describes a call. named shows the contact's name.
func (d *Dashboard) shown(c call.Call, named bool) shown {
	s := shown{
		ID: c.Key.String(), Phone: journal.Mask(c.Contact.Phone), State: label(call.Count{State: c.State, Result: c.Result}),
		Reason: c.Reason, SID: c.SID, CRM: crm(c.Recorded), Talk: c.Talk, Retries: c.Retries,
		CreatedAt: d.local(c.CreatedAt), FinishedAt: d.local(c.FinishedAt), Due: d.local(c.Due), Parked: d.local(c.Park.Since),
		Open: c.State == call.Unknown && !c.Key.Kept(), Answers: settlings,
	}
	if named {
		s.Name = c.Contact.Name
	}
	if c.State.Final() {
		s.Class = groups[groupOf(c.State, c.Result)].Class
	}
	switch p := c.Park; {
	case p.Service != "":
		s.Waits = "until " + title(p.Service) + " works again: " + p.Reason
	case !p.Since.IsZero() && !p.Until.IsZero():
		s.Waits = "until " + d.local(p.Until).Format("2 Jan 15:04:05") + ": " + p.Reason
	}
	s.Steps = []stage{
		{"Script", c.Script != ""}, {"Speech", c.Speech != ""}, {"Dialled", c.SID != ""},
		{"Outcome", c.Result != ""}, {"Recorded", c.Recorded == call.Yes},
	}
	for _, e := range c.History {
		e.At = d.local(e.At)
		s.History = append(s.History, e)
	}
	return s
}

// local is a time in the zone that is shown; zero stays zero.
func (d *Dashboard) local(t time.Time) time.Time {
	if t.IsZero() {
		return t
	}
	return t.In(d.Zone)
}

// crm says whether the CRM knows the outcome.
func crm(r call.Recorded) string {
	return map[call.Recorded]string{
		call.Pending: "not yet", call.Yes: "yes", call.Refused: "no, and it will not take it", call.Off: "no CRM is configured",
	}[r]
}

// callPage shows the calls that a search found.
type callPage struct {
	frame
	Calls []shown
}

// call answers a search: the history of a call, or of all calls of a contact.
func (d *Dashboard) call(w http.ResponseWriter, r *http.Request) {
	id := strings.TrimSpace(r.URL.Query().Get("id"))
	if id == "" {
		http.Redirect(w, r, "/", http.StatusSeeOther)
		return
	}
	found, err := operator.Find(r.Context(), d.Store, d.counts, id)
	switch {
	case err != nil:
		d.silent(w, r, err)
	case len(found) == 0:
		d.problem(w, r, http.StatusNotFound, "No call of this contact",
			"Write the contact's id as it is in the list, or campaign/contact_id. A contact that is still on the queue has no call until it is its turn.")
	default:
		p := callPage{frame: d.frame(w, r, found[0].Key.Contact)}
		for _, c := range found {
			p.Calls = append(p.Calls, d.shown(c, p.May))
		}
		d.render(w, http.StatusOK, "call.html", p)
	}
}

// parkedPage lists calls that wait for a service.
type parkedPage struct {
	frame
	Service string
	Calls   []shown
	More    bool
}

func (d *Dashboard) parked(w http.ResponseWriter, r *http.Request) {
	service := r.PathValue("service")
	if _, known := d.rules(service); !known {
		d.problem(w, r, http.StatusNotFound, "There is no such service", "Go back and choose one of the services there.")
		return
	}
	found, err := d.Store.Parked(r.Context(), service, time.Time{}, parkedShown)
	if err != nil {
		d.silent(w, r, err)
		return
	}
	p := parkedPage{frame: d.frame(w, r, "Waiting for "+title(service)), Service: title(service), More: len(found) == parkedShown}
	for _, c := range found {
		p.Calls = append(p.Calls, d.shown(c, p.May))
	}
	d.render(w, http.StatusOK, "parked.html", p)
}
