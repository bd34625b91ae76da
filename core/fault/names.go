package fault

import "fmt"

var classNames = [...]string{Transient: "transient", Permanent: "permanent", Ambiguous: "ambiguous"}

var kindNames = [...]string{
	Unknown:            "unknown",
	ServiceUnavailable: "service_unavailable",
	Timeout:            "timeout",
	Network:            "network",
	Throttled:          "throttled",
	BadResponse:        "bad_response",
	Authentication:     "authentication",
	Permission:         "permission",
	QuotaExceeded:      "quota_exceeded",
	InvalidRequest:     "invalid_request",
	NotFound:           "not_found",
	Conflict:           "conflict",
}

var scopeNames = [...]string{Service: "service", Account: "account", Contact: "contact"}

// String gives the stable name used in journals.
func (c Class) String() string { return name(classNames[:], int(c)) }

// String gives the stable name used in journals and metrics.
func (k Kind) String() string { return name(kindNames[:], int(k)) }

// String gives the stable name used in journals.
func (s Scope) String() string { return name(scopeNames[:], int(s)) }

// Kinds lists every kind, for tables and tests.
func Kinds() []Kind {
	ks := make([]Kind, len(kindNames))
	for i := range ks {
		ks[i] = Kind(i)
	}
	return ks
}

// MarshalText writes the stable name.
func (k Kind) MarshalText() ([]byte, error) { return []byte(k.String()), nil }

// UnmarshalText reads a stable name; an unknown one is an error.
func (k *Kind) UnmarshalText(b []byte) error { return parse(kindNames[:], b, "kind", (*uint8)(k)) }

// MarshalText writes the stable name.
func (c Class) MarshalText() ([]byte, error) { return []byte(c.String()), nil }

// UnmarshalText reads a stable name; an unknown one is an error.
func (c *Class) UnmarshalText(b []byte) error { return parse(classNames[:], b, "class", (*uint8)(c)) }

// MarshalText writes the stable name.
func (s Scope) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// UnmarshalText reads a stable name; an unknown one is an error.
func (s *Scope) UnmarshalText(b []byte) error { return parse(scopeNames[:], b, "scope", (*uint8)(s)) }

func name(names []string, i int) string {
	if i < len(names) {
		return names[i]
	}
	return fmt.Sprintf("invalid(%d)", i)
}

func parse(names []string, b []byte, what string, to *uint8) error {
	for i, n := range names {
		if n == string(b) {
			*to = uint8(i)
			return nil
		}
	}
	return fmt.Errorf("fault: no %s is called %q", what, b)
}
