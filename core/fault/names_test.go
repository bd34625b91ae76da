package fault_test

import (
	"encoding"
	"slices"
	"testing"

	"callagent/core/fault"
)

// The names stand in journals, metrics, sheets and stored records: changing
// one breaks what was written before.
func TestNamesAreStable(t *testing.T) {
	kinds := make([]string, 0, len(fault.Kinds()))
	for _, k := range fault.Kinds() {
		kinds = append(kinds, k.String())
	}
	want := []string{"unknown", "service_unavailable", "timeout", "network", "throttled", "bad_response",
		"authentication", "permission", "quota_exceeded", "invalid_request", "not_found", "conflict"}
	if !slices.Equal(kinds, want) {
		t.Errorf("Kinds() are called\n%q, want\n%q", kinds, want)
	}
	for c, want := range map[fault.Class]string{fault.Transient: "transient", fault.Permanent: "permanent", fault.Ambiguous: "ambiguous"} {
		if got := c.String(); got != want {
			t.Errorf("class %d is called %q, want %q", c, got, want)
		}
	}
	for s, want := range map[fault.Scope]string{fault.Service: "service", fault.Account: "account", fault.Contact: "contact"} {
		if got := s.String(); got != want {
			t.Errorf("scope %d is called %q, want %q", s, got, want)
		}
	}
}

func TestNamesOfInvalidValues(t *testing.T) {
	for got, want := range map[string]string{
		fault.Class(3).String():   "invalid(3)",
		fault.Kind(12).String():   "invalid(12)",
		fault.Scope(255).String(): "invalid(255)",
	} {
		if got != want {
			t.Errorf("an invalid value is called %q, want %q", got, want)
		}
	}
}

// word is a value with a stable name.
type word interface {
	comparable
	encoding.TextMarshaler
	String() string
}

func roundTrip[T word, P interface {
	*T
	encoding.TextUnmarshaler
}](t *testing.T, values ...T) {
	t.Helper()
	for _, v := range values {
		text, err := v.MarshalText()
		if err != nil || string(text) != v.String() {
			t.Errorf("MarshalText of %v = %q, %v", v, text, err)
		}
		var back T
		if err := P(&back).UnmarshalText(text); err != nil || back != v {
			t.Errorf("UnmarshalText(%q) = %v, %v; want %v", text, back, err, v)
		}
		if err := P(&back).UnmarshalText([]byte("nonsense")); err == nil || back != v {
			t.Errorf("UnmarshalText(nonsense) = %v, %v; want an error and the old value", back, err)
		}
	}
}

func TestNamesRoundTrip(t *testing.T) {
	roundTrip(t, fault.Transient, fault.Permanent, fault.Ambiguous)
	roundTrip(t, fault.Service, fault.Account, fault.Contact)
	roundTrip(t, fault.Kinds()...)
}
