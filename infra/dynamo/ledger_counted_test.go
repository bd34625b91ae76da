//go:build integration

package dynamo_test

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"callagent/core/call"
)

var update = flag.Bool("update", false, "write the table of a call's operations into docs/dynamodb.md")

// reasons say why each write of a call is there, and what it costs.
var reasons = map[string]string{
	"first claim": "the record, with the lease; it comes into the index of what is due",
	"script":      "a script that is paid for is stored before the next step",
	"speech":      "so is a recording",
	"pace":        "the moment to dial, for the whole fleet",
	"intent":      "the promise to dial, in one transaction with the number",
	"placed":      "the provider's id, in one transaction with its ownership",
	"claim":       "the lease to look at the outcome",
	"wait":        "the next look is due later; its place in the index stays",
	"end":         "the outcome, in one transaction with the number that it frees",
	"recorded":    "the CRM's id; the call leaves the index",
	"answer":      "the provider's callback, beside the record",
}

// TestCountedOperationsOfACall lets the real agent take one call from its
// first message to its record in the CRM and counts what that consumes in both
// tables.
func TestCountedOperationsOfACall(t *testing.T) {
	const most = 22 // write units
	st := newStage(t)
	st.walk()
	if c := st.call(); c.State != call.Completed || c.Recorded != call.Yes || st.providers.done.Key != c.Key {
		t.Fatalf("the call is %s, recorded %q", c.State, c.Recorded)
	}
	var table strings.Builder
	total := sum(&table, st.meter.take())
	if total.write > most {
		t.Errorf("a whole call costs %g write units, want at most %d", total.write, most)
	}
	fmt.Fprintf(&table, "| **together** | | **%g** | **%g** | and %g read units |\n", total.write, total.index, total.read)
	t.Logf("\n%s", &table)
	samePart(t, "call", "| for what | operation | write units | in indexes | why |\n|---|---|---|---|---|\n"+table.String())
}

// sum adds up the operations, and writes a line for each that writes.
func sum(table *strings.Builder, ops []operation) (total operation) {
	for _, o := range ops {
		total.read, total.write, total.index = total.read+o.read, total.write+o.write, total.index+o.index
		if o.write == 0 {
			continue
		}
		if o.what == "" && !o.ledger {
			o.what = "pace"
		}
		fmt.Fprintf(table, "| %s | %s | %g | %g | %s |\n", o.what, o.name, o.write, o.index, reasons[o.what])
	}
	return total
}

// ledgerWrites adds up the write units in the calls table.
func ledgerWrites(ops []operation) (units float64) {
	for _, o := range ops {
		if o.ledger {
			units += o.write
		}
	}
	return units
}

func TestAFurtherLookCostsTwoWriteUnits(t *testing.T) {
	plain, looked := newStage(t), newStage(t)
	looked.providers.ringing = 10
	plain.walk()
	looked.walk()
	more := ledgerWrites(looked.meter.take()) - ledgerWrites(plain.meter.take())
	if more != 20 {
		t.Errorf("ten further looks cost %g write units, want 20", more)
	}
}

func TestARetryCostsTwoWriteUnits(t *testing.T) {
	plain, retried := newStage(t), newStage(t)
	retried.providers.unspoken = 2
	plain.walk()
	retried.walk()
	more := ledgerWrites(retried.meter.take()) - ledgerWrites(plain.meter.take())
	if more != 4 {
		t.Errorf("two retries cost %g write units in the calls table, want 4", more)
	}
}

// TestACallbackSavesALook: the provider's report costs one unit, for its SID is
// owned already.
func TestACallbackCostsOneWriteUnit(t *testing.T) {
	st := newStage(t)
	v := st.deliver()
	st.meter.take()
	st.callback()
	if got := ledgerWrites(st.meter.take()); got != 1 {
		t.Errorf("a callback costs %g write units, want 1", got)
	}
	st.clock.to(v.At.Add(-5 * time.Second))
	st.walk()
	if c := st.call(); c.State != call.Completed || c.Recorded != call.Yes || c.Answer == nil {
		t.Errorf("the call is %s, recorded %q, with answer %v", c.State, c.Recorded, c.Answer)
	}
}

// samePart compares the generated part of docs/dynamodb.md.
func samePart(t *testing.T, name, want string) {
	t.Helper()
	path := filepath.Join("..", "..", "docs", "dynamodb.md")
	page, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	begin, end := "<!-- generated: "+name+" -->\n", "<!-- end: "+name+" -->"
	before, rest, ok := strings.Cut(string(page), begin)
	got, after, closed := strings.Cut(rest, end)
	if !ok || !closed {
		t.Fatalf("docs/dynamodb.md has no part %q", name)
	}
	switch {
	case got == want:
	case *update:
		if err := os.WriteFile(path, []byte(before+begin+want+end+after), 0o644); err != nil {
			t.Fatal(err)
		}
	default:
		t.Errorf("docs/dynamodb.md: the part %q no longer says what is counted; run this test with -update", name)
	}
}
