package httpcalltest

import (
	"errors"
	"testing"
	"time"

	"callagent/core/fault"
)

func TestNumberIn(t *testing.T) {
	for text, want := range map[string]string{
		"":                                   "",
		"503 123456":                         "503 1234",
		"call +1 (500) 555-0006 now":         "1 (500) 555",
		"a1234567b":                          "1234567",
		"１５００５５５０００６":                        "１５００５５５",
		"12345 6":                            "",
		"12345: 67890":                       "",
		"123456     7":                       "",
		"CA0a44e75af9f3a1e1cf1b1ad4f0b4c0d2": "",
		"123456789012345678901234":           "1234567",
	} {
		if got := NumberIn(text); got != want {
			t.Errorf("in %q there is %q, want %q", text, got, want)
		}
	}
}

// Each of these faults has one weakness.
func TestSoundFindsWeaknesses(t *testing.T) {
	good := fault.Fault{Service: "sample", Kind: fault.Timeout}
	if err := Sound(&good, key); err != nil {
		t.Fatal(err)
	}
	for name, change := range map[string]func(f *fault.Fault){
		"no service":             func(f *fault.Fault) { f.Service = "" },
		"permanent, service":     func(f *fault.Fault) { f.Class = fault.Permanent },
		"transient, contact":     func(f *fault.Fault) { f.Scope = fault.Contact },
		"permanent, throttled":   func(f *fault.Fault) { f.Class, f.Scope, f.Kind = fault.Permanent, fault.Account, fault.Throttled },
		"suspect, transient":     func(f *fault.Fault) { f.Suspect = true },
		"overload, no throttle":  func(f *fault.Fault) { f.Overload = true },
		"a wait before its time": func(f *fault.Fault) { f.RetryAfter = -1 },
		"a wait of years":        func(f *fault.Fault) { f.RetryAfter = 367 * 24 * time.Hour },
		"no status":              func(f *fault.Fault) { f.Status = 15005550006 },
		"two lines":              func(f *fault.Fault) { f.Message = "a\nb" },
		"a number":               func(f *fault.Fault) { f.Code = phone },
		"a key":                  func(f *fault.Fault) { f.Message = "for " + key },
		"a key below":            func(f *fault.Fault) { f.Cause = errors.New(key) },
	} {
		f := good
		change(&f)
		if err := Sound(&f, key); err == nil {
			t.Errorf("%s: the weakness was not found", name)
		}
	}
	if Sound(errors.New("no fault")) == nil {
		t.Error("an error that is no fault was taken for one")
	}
}

func TestClearTellsWhatMayHaveHappened(t *testing.T) {
	for _, c := range []struct {
		once   bool
		status int
		class  fault.Class
		clear  bool
	}{
		{true, 500, fault.Ambiguous, true}, {true, 500, fault.Transient, false}, {true, 201, fault.Permanent, false}, {true, 400, fault.Ambiguous, false},
		{true, 503, fault.Transient, true}, {false, 500, fault.Ambiguous, false}, {false, 500, fault.Transient, true},
	} {
		err := (Config{Once: c.once}).clear(&fault.Fault{Service: "sample", Class: c.class}, Answer{Status: c.status})
		if (err == nil) != c.clear {
			t.Errorf("%+v: %v", c, err)
		}
	}
}
