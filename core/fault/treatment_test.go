package fault_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"callagent/core/fault"
)

// The rows of the table of faults, as everybody who reacts to them relies on
// them.
func TestTreatments(t *testing.T) {
	want := []fault.Treatment{
		{Name: "transient, service", Retry: true, Counts: true},
		{Name: "throttled", Pauses: true},
		{Name: "throttled by overload", Pauses: true, Counts: true},
		{Name: "permanent, contact", FailsCall: true},
		{Name: "permanent, account", Counts: true, Trips: true},
		{Name: "ambiguous", Counts: true, Reconciles: true},
	}
	if diff := cmp.Diff(want, fault.Treatments()); diff != "" {
		t.Errorf("Treatments() (-want +got):\n%s", diff)
	}
}

func TestTreatment(t *testing.T) {
	permanent := func(k fault.Kind, s fault.Scope) fault.Fault {
		return fault.Fault{Class: fault.Permanent, Kind: k, Scope: s}
	}
	for _, c := range []struct {
		name  string
		fault fault.Fault
		want  string
	}{
		{"a fault nobody classified", fault.Fault{}, "transient, service"},
		{"503", fault.Fault{Kind: fault.ServiceUnavailable, Status: 503}, "transient, service"},
		{"408", fault.Fault{Kind: fault.Timeout, Status: 408}, "transient, service"},
		{"no connection", fault.Fault{Kind: fault.Network}, "transient, service"},
		{"an empty 200", fault.Fault{Kind: fault.BadResponse, Status: 200}, "transient, service"},
		{"503 that asks for a day", fault.Fault{Kind: fault.ServiceUnavailable, RetryAfter: 24 * time.Hour}, "transient, service"},

		{"429", fault.Fault{Kind: fault.Throttled, Status: 429}, "throttled"},
		{"429 for an hour", fault.Fault{Kind: fault.Throttled, RetryAfter: time.Hour}, "throttled"},
		{"429 for longer", fault.Fault{Kind: fault.Throttled, RetryAfter: time.Hour + 1}, "permanent, account"},
		{"429 because the provider is full", fault.Fault{Kind: fault.Throttled, Overload: true}, "throttled by overload"},
		{"429 of the provider for longer", fault.Fault{Kind: fault.Throttled, Overload: true, RetryAfter: 2 * time.Hour}, "permanent, account"},
		{"a throttle even if called permanent", permanent(fault.Throttled, fault.Account), "throttled"},

		{"a phone number that is none", permanent(fault.InvalidRequest, fault.Contact), "permanent, contact"},
		{"a record that is gone", permanent(fault.NotFound, fault.Contact), "permanent, contact"},
		{"a suspect country", fault.Fault{Class: fault.Permanent, Kind: fault.Permission, Scope: fault.Contact, Suspect: true}, "permanent, contact"},

		{"a wrong key", permanent(fault.Authentication, fault.Account), "permanent, account"},
		{"an empty account", permanent(fault.QuotaExceeded, fault.Account), "permanent, account"},
		{"a wrong voice", permanent(fault.NotFound, fault.Account), "permanent, account"},
		{"permanent for everybody", permanent(fault.Permission, fault.Service), "permanent, account"},

		{"a dial that timed out", fault.Fault{Class: fault.Ambiguous, Kind: fault.Timeout}, "ambiguous"},
		{"a dial answered with 500", fault.Fault{Class: fault.Ambiguous, Kind: fault.ServiceUnavailable, Status: 500}, "ambiguous"},
		{"ambiguous outranks scope", fault.Fault{Class: fault.Ambiguous, Scope: fault.Contact}, "ambiguous"},
	} {
		if got := c.fault.Treatment().Name; got != c.want {
			t.Errorf("%s is treated as %q, want %q", c.name, got, c.want)
		}
	}
}

// Every fault there can be has one of the rows, and no row contradicts itself.
func TestEveryFaultHasARow(t *testing.T) {
	rows := map[fault.Treatment]bool{}
	for _, row := range fault.Treatments() {
		rows[row] = false
	}
	for _, class := range []fault.Class{fault.Transient, fault.Permanent, fault.Ambiguous} {
		for _, scope := range []fault.Scope{fault.Service, fault.Account, fault.Contact} {
			for _, kind := range fault.Kinds() {
				for _, overload := range []bool{false, true} {
					f := fault.Fault{Class: class, Kind: kind, Scope: scope, Overload: overload}
					row := f.Treatment()
					if _, listed := rows[row]; !listed {
						t.Errorf("%+v has a row that the table does not list: %+v", f, row)
					}
					rows[row] = true
				}
			}
		}
	}
	for row, reached := range rows {
		if !reached {
			t.Errorf("no fault is treated as %q", row.Name)
		}
		if row.Trips && !row.Counts || row.Retry && (row.FailsCall || row.Reconciles) || row.Pauses && row.Retry {
			t.Errorf("the row contradicts itself: %+v", row)
		}
	}
}

// faults draws any fault that an adapter can report.
func faults() *rapid.Generator[*fault.Fault] {
	return rapid.Custom(func(t *rapid.T) *fault.Fault {
		return &fault.Fault{
			Class:      rapid.SampledFrom([]fault.Class{fault.Transient, fault.Permanent, fault.Ambiguous}).Draw(t, "class"),
			Kind:       rapid.SampledFrom(fault.Kinds()).Draw(t, "kind"),
			Scope:      rapid.SampledFrom([]fault.Scope{fault.Service, fault.Account, fault.Contact}).Draw(t, "scope"),
			RetryAfter: time.Duration(rapid.Int64Range(0, int64(48*time.Hour)).Draw(t, "retry after")),
			Overload:   rapid.Bool().Draw(t, "overload"),
			Suspect:    rapid.Bool().Draw(t, "suspect"),
		}
	})
}

// Whether a rule settles a fault before it looks at it or not, it reacts alike.
func TestSettlingChangesNoTreatment(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		f := faults().Draw(t, "fault")
		settled := f.Settle()
		if f.Treatment() != settled.Treatment() {
			t.Fatalf("%+v is treated as %q, settled as %q", f, f.Treatment().Name, settled.Treatment().Name)
		}
		if settled.RetryAfter > fault.MaxRetryAfter {
			t.Fatalf("settled, it still asks for %s", settled.RetryAfter)
		}
	})
}

// A contact is only failed for what is its own.
func TestOnlyPermanentContactFaultsFailACall(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		f := faults().Draw(t, "fault")
		own := f.Class == fault.Permanent && f.Scope == fault.Contact && f.Kind != fault.Throttled
		if got := f.Treatment().FailsCall; got != own {
			t.Fatalf("%+v fails its call: %t", f, got)
		}
	})
}
