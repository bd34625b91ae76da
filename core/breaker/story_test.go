package breaker_test

import (
	"testing"

	"callagent/core/breaker"
	"callagent/core/storytest"
)

// TestStories plays the chapters in testdata. They are the specification: when
// one of them fails, either the rules or the story is wrong, and a person
// decides which. -rewrite writes what really happens.
func TestStories(t *testing.T) {
	told := map[breaker.Transition]bool{}
	if !storytest.Play(t, func() storytest.World { return newWorld(told) }) {
		return
	}
	for _, row := range breaker.Transitions {
		if !told[row] {
			t.Errorf("no story tells of %s → %s (%s)", row.From, row.To, row.Change)
		}
	}
}

// A command that makes no sense must not pass as one that has no answer.
func TestCommandsThatMakeNoSense(t *testing.T) {
	for command, want := range map[string]string{
		"sing":                "no such verb",
		"at noon":             `time: invalid duration "noon"`,
		"at -1s":              "time runs forward",
		"fail b 503 first":    `nobody is called "b"`,
		"fail a 999 first":    `no fault is called "999"`,
		"fail a 503 sometime": `an attempt is first, retry or last, not "sometime"`,
		"fail a 503":          "say whether it is the first attempt, a retry or the last",
		"hand over t1 call-1": "say: hand over TICK to CALL",
		"force shut":          "say: force open or force closed",
		"config colour=red":   `no setting is called "colour"`,
		"admit a":             "too few words",
	} {
		w := newWorld(map[breaker.Transition]bool{})
		if _, err := w.Do("process a"); err != nil {
			t.Fatal(err)
		}
		if _, err := w.Do(command); err == nil || err.Error() != want {
			t.Errorf("%q is answered with %v, want %q", command, err, want)
		}
	}
}
