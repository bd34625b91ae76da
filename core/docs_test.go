package core_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"callagent/core/breaker"
	"callagent/core/fault"
	"callagent/docs/docstest"
)

// TestThePagesSayWhatTheCodeDoes compares the parts of the pages that are made from
// the code.
func TestThePagesSayWhatTheCodeDoes(t *testing.T) {
	docstest.Part(t, "faults.md", "treatments", treatments())
	docstest.Part(t, "circuit.md", "diagram", diagram())
	docstest.Part(t, "circuit.md", "transitions", transitions())
	docstest.Part(t, "circuit.md", "times", times())
}

func treatments() string {
	var b strings.Builder
	b.WriteString("| fault | retried | counts toward the circuit | opens it at once | pauses the service | the call |\n|---|---|---|---|---|---|\n")
	for _, row := range fault.Treatments() {
		call := "waits, or is parked"
		switch {
		case row.FailsCall:
			call = "ends failed"
		case row.Reconciles:
			call = "is reconciled with the provider"
		}
		fmt.Fprintf(&b, "| %s | %s | %s | %s | %s | %s |\n",
			row.Name, yes(row.Retry), yes(row.Counts), yes(row.Trips), yes(row.Pauses), call)
	}
	return b.String()
}

func yes(b bool) string {
	if b {
		return "yes"
	}
	return "no"
}

func diagram() string {
	var b strings.Builder
	b.WriteString("```mermaid\nstateDiagram-v2\n    [*] --> CLOSED\n")
	for _, row := range breaker.Transitions {
		fmt.Fprintf(&b, "    %s --> %s: %s\n", row.From, row.To, row.Change)
	}
	b.WriteString("```\n")
	return b.String()
}

func transitions() string {
	var b strings.Builder
	b.WriteString("| from | change | to | why |\n|---|---|---|---|\n")
	for _, row := range breaker.Transitions {
		fmt.Fprintf(&b, "| %s | %s | %s | %s |\n", row.From, row.Change, row.To, row.Why)
	}
	return b.String()
}

func times() string {
	c := breaker.DefaultConfig()
	var b strings.Builder
	b.WriteString("| what | value | setting |\n|---|---|---|\n")
	for _, row := range []struct {
		what    string
		value   time.Duration
		setting string
	}{
		{"first opening", c.Recovery, "`recovery_timeout`"},
		{"distance of cheap probes", c.Interval, "`interval`"},
		{"distance of cheap probes after an account fault", breaker.AccountInterval, ""},
		{"a probe may begin this much earlier, because ticks are late", breaker.TickLag, ""},
		{"longest doubled opening", breaker.MaxOpen, ""},
		{"opened again this soon after a close is a relapse", breaker.RelapseWithin, ""},
		{"a lease outlasts its request's time limit by", breaker.Margin, ""},
		{"added before a lease is taken over, because clocks differ", breaker.Skew, ""},
		{"a released call has this long to reach its request", breaker.HandOverGrace, ""},
		{"longest Retry-After that is believed", fault.MaxRetryAfter, ""},
	} {
		fmt.Fprintf(&b, "| %s | %s | %s |\n", row.what, short(row.value), row.setting)
	}
	return b.String()
}

// short writes a duration as people do: 10 s, 5 min, 1 h.
func short(d time.Duration) string {
	switch {
	case d%time.Hour == 0:
		return fmt.Sprintf("%d h", d/time.Hour)
	case d%time.Minute == 0:
		return fmt.Sprintf("%d min", d/time.Minute)
	default:
		return fmt.Sprintf("%g s", d.Seconds())
	}
}

// Whoever reads a journal looks its words up here.
func TestFaultsPageExplainsEveryName(t *testing.T) {
	page, err := os.ReadFile(filepath.Join("..", "docs", "faults.md"))
	if err != nil {
		t.Fatal(err)
	}
	names := []string{
		fault.Transient.String(), fault.Permanent.String(), fault.Ambiguous.String(),
		fault.Service.String(), fault.Account.String(), fault.Contact.String(),
	}
	for _, k := range fault.Kinds() {
		names = append(names, k.String())
	}
	for _, n := range names {
		if !strings.Contains(string(page), "`"+n+"`") {
			t.Errorf("docs/faults.md does not explain %q", n)
		}
	}
}
