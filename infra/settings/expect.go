package settings

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
)

// Expectation is how a scenario must end. What it does not name may be
// anything.
type Expectation struct {
	Numbers map[string]Range // by the names of the summary
	// Results is how many calls ended with each result; a result that is not
	// named has to be absent. nil expects nothing.
	Results map[string]Range
	// Opened lists the services whose circuit opens at some time, sorted; all
	// others stay closed throughout. nil expects nothing, empty that none opens.
	Opened []string
}

// Range is what a number may be, both ends included.
type Range struct{ Least, Most int }

// Has reports whether n is in the range.
func (r Range) Has(n int) bool { return r.Least <= n && n <= r.Most }

// String continues a sentence: "12", "at most 3", "2 to 5".
func (r Range) String() string {
	switch {
	case r.Least == r.Most:
		return fmt.Sprint(r.Least)
	case r.Most == math.MaxInt:
		return fmt.Sprintf("at least %d", r.Least)
	case r.Least == 0:
		return fmt.Sprintf("at most %d", r.Most)
	}
	return fmt.Sprintf("%d to %d", r.Least, r.Most)
}

// expectations are the numbers of the summary that a scenario may expect.
var expectations = []string{
	"contacts", "completed", "failed", "unknown", "expired", "parked", "refused", "rings", "max_rings_per_contact", "alerts", "exit",
}

func (r *reader) expectation() Expectation {
	e := Expectation{Numbers: map[string]Range{}}
	r.read(table([]string{"expect"},
		"results", ranges{&e.Results},
		"opened", serviceList{&e.Opened}))
	for _, name := range expectations {
		var n Range
		r.read(table([]string{"expect"}, name, bounds{&n}))
		if _, ok := r.layer.set["expect."+name]; ok {
			e.Numbers[name] = n
		}
	}
	return e
}

// bounds is a number that must be met, or a table with at_least, at_most or
// both.
type bounds struct{ to *Range }

func noBounds(v any) error {
	return fmt.Errorf("is %s: write a whole number, or { at_most = 3 }, { at_least = 1 } or both", describe(v))
}

func (b bounds) set(v any) error {
	got := Range{Most: math.MaxInt}
	switch v := v.(type) {
	case int64:
		got = Range{Least: int(v), Most: int(v)}
	case map[string]any:
		for name, bound := range v {
			n, isWhole := bound.(int64)
			switch {
			case isWhole && name == "at_least":
				got.Least = int(n)
			case isWhole && name == "at_most":
				got.Most = int(n)
			default:
				return noBounds(v)
			}
		}
		if len(v) == 0 {
			return noBounds(v)
		}
	default:
		return noBounds(v)
	}
	if got.Least < 0 || got.Most < got.Least {
		return errors.New("can never be met: counts begin at 0, and at_least is not above at_most")
	}
	*b.to = got
	return nil
}

func (b bounds) get() any { return b.to.String() }

// ranges is a table of bounds.
type ranges struct{ to *map[string]Range }

func (r ranges) set(v any) error {
	t, ok := v.(map[string]any)
	if !ok {
		return fmt.Errorf("is %s: write it like { answered = 10, busy = 2 }", describe(v))
	}
	got := map[string]Range{}
	for name, bound := range t {
		var n Range
		if err := (bounds{&n}).set(bound); err != nil {
			return fmt.Errorf("has %s, which %w", name, err)
		}
		got[name] = n
	}
	*r.to = got
	return nil
}

func (r ranges) get() any { return *r.to }

// serviceList is a list of services.
type serviceList struct{ to *[]string }

func (s serviceList) set(v any) error {
	list, ok := v.([]any)
	if !ok {
		return fmt.Errorf(`is %s: write a list, like ["twilio"], or [] for none`, describe(v))
	}
	names := make([]string, 0, len(list))
	for _, v := range list {
		name, _ := v.(string)
		if !slices.Contains(ServiceNames(), name) {
			return fmt.Errorf("has %s, which is no service: use %s", describe(v), strings.Join(ServiceNames(), ", "))
		}
		names = append(names, name)
	}
	slices.Sort(names)
	*s.to = slices.Compact(names)
	return nil
}

func (s serviceList) get() any { return *s.to }
