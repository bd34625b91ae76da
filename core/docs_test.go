package core_test

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"callagent/core/breaker"
	"callagent/core/fault"
)

var update = flag.Bool("update", false, "write the parts of docs that are made from the code")

// TestDocsSayWhatTheCodeDoes compares the parts of the pages that are made from
// the code. Each stands between two remarks, "generated: NAME" and "end: NAME".
func TestDocsSayWhatTheCodeDoes(t *testing.T) {
	for _, part := range []struct{ page, name, want string }{
		{"faults.md", "treatments", treatments()},
		{"circuit.md", "diagram", diagram()},
		{"circuit.md", "transitions", transitions()},
		{"circuit.md", "times", times()},
	} {
		path := filepath.Join("..", "docs", part.page)
		page, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		fresh, err := replace(string(page), part.name, part.want)
		if err != nil {
			t.Fatalf("%s: %v", part.page, err)
		}
		if fresh == string(page) {
			continue
		}
		if !*update {
			t.Errorf("%s: the part %q no longer says what the code does; run go test ./core -update", part.page, part.name)
			continue
		}
		if err := os.WriteFile(path, []byte(fresh), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

// replace puts text between the two remarks that name a part of a page.
func replace(page, name, text string) (string, error) {
	begin, end := "<!-- generated: "+name+" -->\n", "<!-- end: "+name+" -->"
	before, rest, begins := strings.Cut(page, begin)
	_, after, ends := strings.Cut(rest, end)
	if !begins || !ends {
		return "", fmt.Errorf("the remarks around %q are missing", name)
	}
	return before + begin + text + end + after, nil
}

func TestReplaceNeedsBothRemarks(t *testing.T) {
	page := "a\n<!-- generated: x -->\nold\n<!-- end: x -->\nb\n"
	got, err := replace(page, "x", "new\n")
	if want := "a\n<!-- generated: x -->\nnew\n<!-- end: x -->\nb\n"; err != nil || got != want {
		t.Errorf("replace = %q, %v; want %q", got, err, want)
	}
	for _, broken := range []string{"", "<!-- generated: x -->\n", "<!-- end: x -->", strings.ReplaceAll(page, ": x", ": y")} {
		if _, err := replace(broken, "x", "new\n"); err == nil {
			t.Errorf("replace finds its remarks in %q", broken)
		}
	}
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
