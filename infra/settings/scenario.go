package settings

import (
	"errors"
	"slices"
	"strconv"
	"time"
)

// Scenario is a rehearsal: whom to call, what fails when, and how it must end.
type Scenario struct {
	Name        string
	Description string
	// One of the two says whom to call.
	ContactsFile string // path of a CSV file
	Contacts     string // the CSV text itself
	Settings     Layer  // lies over callagent.toml
	Faults       []Fault
	Expect       map[string]int // by the names of the summary; a name that is not there may have any value
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

// expectations are the numbers of the summary that a scenario may expect.
var expectations = []string{
	"contacts", "completed", "failed", "unknown", "expired", "parked", "rings", "max_rings_per_contact", "alerts", "exit",
}

// ParseScenario reads a scenario file; name is what errors call it. Its
// settings are checked over the built-in defaults.
func ParseScenario(name string, data []byte) (Scenario, error) {
	l, err := ParseLayer(name, data)
	if err != nil {
		return Scenario{}, err
	}
	s := Scenario{Settings: l.under("settings"), Expect: map[string]int{}}
	_, settingsErr := resolve(s.Settings)

	r := reader{layer: l.without("settings"), known: map[string]bool{"settings": false, "faults": false}}
	r.read(table(nil,
		"name", text{&s.Name, notEmpty},
		"description", text{to: &s.Description},
		"contacts_file", text{&s.ContactsFile, notEmpty},
		"contacts", text{&s.Contacts, notEmpty}))
	s.Faults = r.faults()
	r.expect(s.Expect)
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

func (r *reader) expect(into map[string]int) {
	for _, name := range expectations {
		var n int
		r.read(table([]string{"expect"}, name, integer{to: &n}))
		if _, ok := r.layer.set["expect."+name]; ok {
			into[name] = n
		}
	}
}
