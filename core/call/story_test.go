package call_test

import (
	"slices"
	"testing"

	"callagent/core/call"
	"callagent/core/storytest"
)

// TestStories plays the chapters in testdata. They are the specification: when
// one of them fails, either the rules or the story is wrong, and a person
// decides which. -rewrite writes what really happens.
func TestStories(t *testing.T) {
	told := map[call.Transition]bool{}
	if !storytest.Play(t, func() storytest.World { return newWorld(told) }) {
		return
	}
	for _, row := range call.Transitions {
		if !told[row] {
			t.Errorf("no story tells of %q → %q (%s)", row.From, row.To, row.Move)
		}
	}
}

// A command that makes no sense must not pass as one that has no answer.
func TestCommandsThatMakeNoSense(t *testing.T) {
	w := newWorld(map[call.Transition]bool{})
	if _, err := w.Do("script stored"); err == nil || err.Error() != "nobody holds the call" {
		t.Errorf("a step without a holder: %v", err)
	}
	want := []string{"claimed", "running, held by a until 1m0s, due 0s, next script"}
	if got, err := w.Do("claim a"); err != nil || !slices.Equal(got, want) {
		t.Fatalf("the claim is answered with %q, %v", got, err)
	}
	for command, want := range map[string]string{
		"sing":                     "no such verb",
		"at noon":                  `time: invalid duration "noon"`,
		"at -1s":                   "time runs forward",
		"fails 999":                `no fault is called "999"`,
		"fails 503 soon":           "say: fails FAULT retry-after=20s",
		"b: fails 503":             `nobody is called "b"`,
		"config colour=red":        `no setting is called "colour"`,
		"contact +15005550006 a=b": `a contact has no "a"`,
		"circuit ajar":             "a circuit is closed, open, forced or paused until a time",
		"claim":                    "too few words",
		"listing CA1":              `time: invalid duration ""`,
	} {
		if _, err := w.Do(command); err == nil || err.Error() != want {
			t.Errorf("%q is answered with %v, want %q", command, err, want)
		}
	}
}
