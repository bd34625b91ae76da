package settings

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"time"

	"callagent/core/call"
	"callagent/core/journal"
)

// Scenario is a rehearsal: whom to call, what fails when, and how it must end.
// docs/scenarios.md explains every key of its file.
type Scenario struct {
	Name        string
	Description string
	Start       time.Time // what the simulated clock shows first; zero is the present
	// One of the two says whom to call.
	ContactsFile string // path of a CSV file
	Contacts     string // the CSV text itself
	// Numbers says what happens to a phone, by its E.164 number; what the words
	// may be is the simulator's to say.
	Numbers   map[string]string
	Callbacks bool // Twilio reports by itself how calls go; true unless a file says false
	// Wait is how long to stay when only calls that are set aside are left,
	// whatever they wait for; negative is what a run does by itself.
	Wait     time.Duration
	Settings Layer // lies over callagent.toml
	Faults   []Fault
	Expect   Expectation
}

// Fault is a stretch of time in which a service misbehaves. What its words may
// be is the simulator's to say.
type Fault struct {
	Service    string
	From, For  time.Duration // since the start; a For of 0 never ends
	Answer     string        // a status, or a word like "timeout"
	Delay      time.Duration // for a slow answer
	Rate       float64       // share of the requests that are hit; 0 and 1 are all
	RetryAfter string        // that header
	Code       string        // the vendor's own code
	Route      string        // one kind of request; "" is all
}

// ParseScenario reads a scenario file; name is what errors call it. Its
// settings are checked over the built-in defaults.
func ParseScenario(name string, data []byte) (Scenario, error) {
	l, err := ParseLayer(name, data)
	if err != nil {
		return Scenario{}, err
	}
	s := Scenario{Settings: l.under("settings"), Callbacks: true, Wait: -1}
	_, settingsErr := resolve(s.Settings)

	r := reader{layer: l.without("settings"), known: map[string]bool{"settings": false, "faults": false}}
	r.read(table(nil,
		"name", text{&s.Name, notEmpty},
		"description", text{to: &s.Description},
		"start", moment{&s.Start},
		"callbacks", flag{&s.Callbacks},
		"wait", span{to: &s.Wait},
		"contacts_file", text{&s.ContactsFile, notEmpty},
		"contacts", text{&s.Contacts, notEmpty},
		"numbers", behaviours{&s.Numbers}))
	s.Faults = r.faults()
	s.Expect = r.expectation()
	r.unknown()
	missing := func(absent bool, problem string) {
		if absent {
			r.problems = append(r.problems, &Error{File: name, Problem: problem})
		}
	}
	set := func(key string) bool { _, ok := l.set[key]; return ok }
	missing(!set("name"), `there is no name: write name = "…" at the top`)
	missing(set("contacts") == set("contacts_file"), "it has to say whom to call in one way: either contacts, with a CSV text, or contacts_file, with a path")
	if err := errors.Join(joined(r.problems), settingsErr); err != nil {
		return Scenario{}, err
	}
	return s, nil
}

func (r *reader) faults() []Fault {
	list, _ := r.layer.set["faults"].value.([]any)
	faults := make([]Fault, len(list))
	for i := range faults {
		f, path := &faults[i], []string{"faults", strconv.Itoa(i + 1)}
		r.read(table(path,
			"service", text{&f.Service, notEmpty},
			"from", span{to: &f.From},
			"for", span{to: &f.For},
			"answer", word{&f.Answer},
			"delay", span{to: &f.Delay},
			"rate", number{&f.Rate},
			"retry_after", word{&f.RetryAfter},
			"code", word{&f.Code},
			"route", text{to: &f.Route}))
		for _, need := range []string{"service", "answer"} {
			if _, ok := r.layer.set[dotted(append(slices.Clone(path), need))]; !ok {
				r.problems = append(r.problems, r.layer.set[dotted(path)].blame("does not say "+need+": every fault needs a service and an answer"))
			}
		}
	}
	return faults
}

// moment is a point in time, bare as TOML has it or in quotes.
type moment struct{ to *time.Time }

func (m moment) set(v any) error {
	t, ok := v.(time.Time)
	if s, isText := v.(string); isText {
		var err error
		t, err = time.Parse(time.RFC3339, s)
		ok = err == nil
	}
	if !ok {
		return fmt.Errorf("is %s: write date, time and zone, like 2026-11-23T07:55:00Z", describe(v))
	}
	*m.to = t.UTC()
	return nil
}

func (m moment) get() any { return m.to.Format(time.RFC3339) }

// behaviours is a table of phones and what happens to them.
type behaviours struct{ to *map[string]string }

func (b behaviours) set(v any) error {
	t, ok := v.(map[string]any)
	if !ok {
		return fmt.Errorf(`is %s: write [numbers] and below it lines like "+14155550100" = "busy"`, describe(v))
	}
	got := map[string]string{}
	for phone, word := range t {
		s, isText := word.(string)
		switch {
		case !call.E164(phone):
			return fmt.Errorf("has %q, which is no phone number: write +, the country code and the number, digits only", journal.Mask(phone))
		case !isText:
			return fmt.Errorf("has %s for %s: write a word in quotes", describe(word), journal.Mask(phone))
		}
		got[phone] = s
	}
	*b.to = got
	return nil
}

func (b behaviours) get() any { return *b.to }
