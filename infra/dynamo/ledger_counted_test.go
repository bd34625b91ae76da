//go:build integration

package dynamo_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"callagent/core/agent"
	"callagent/core/call"
	"callagent/docs/docstest"
	"callagent/infra/dynamo/metertest"
)

// reasons say why each write of a call is there, and what it costs.
var reasons = map[string]string{
	"first claim": "the record, with the lease; it comes into the index of what is due",
	"script":      "a script that is paid for is stored before the next step",
	"speech":      "so is a recording",
	"pace":        "the moment to dial, for the whole fleet",
	"intent":      "the promise to dial, in one transaction with the number",
	"placed":      "the provider's id, in one transaction with its ownership",
	"claim":       "the lease to look at the outcome",
	"end":         "the outcome, in one transaction with the number that it frees",
	"recorded":    "the CRM's id; the call leaves the index",
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
	total := sum(t, &table, st.meter.Take())
	if total.Write > most {
		t.Errorf("a whole call costs %g write units, want at most %d", total.Write, most)
	}
	fmt.Fprintf(&table, "| **together** | | **%g** | **%g** | and %g read units |\n", total.Write, total.Index, total.Read)
	t.Logf("\n%s", &table)
	docstest.Part(t, "dynamodb.md", "call", "| for what | operation | write units | in indexes | why |\n|---|---|---|---|---|\n"+table.String())
}

// sum adds up the operations, and writes a line for each that writes.
func sum(t *testing.T, table *strings.Builder, ops []metertest.Operation) (total metertest.Operation) {
	for _, o := range ops {
		total.Read, total.Write, total.Index = total.Read+o.Read, total.Write+o.Write, total.Index+o.Index
		if o.Write == 0 {
			continue
		}
		if o.Purpose == "" && !ofCalls(o) {
			o.Purpose = "pace"
		}
		if reasons[o.Purpose] == "" {
			t.Errorf("a write for %q, and no reason for it", o.Purpose)
		}
		fmt.Fprintf(table, "| %s | %s | %g | %g | %s |\n", o.Purpose, o.Name, o.Write, o.Index, reasons[o.Purpose])
	}
	return total
}

// ofCalls reports whether an operation was one of the calls table.
func ofCalls(o metertest.Operation) bool { return strings.HasPrefix(o.Table, "calls-") }

// ledgerWrites adds up the write units in the calls table.
func ledgerWrites(ops []metertest.Operation) (units float64) {
	for _, o := range ops {
		if ofCalls(o) {
			units += o.Write
		}
	}
	return units
}

// more is what can happen to a call besides, in write units of the calls table.
var more = []struct {
	what  string
	units float64
	why   string
	count func(st *stage) float64
}{
	{"a further look at the outcome", 2, "the lease, and the next due time", func(st *stage) float64 {
		const looks = 10
		st.providers.ringing = looks
		return st.beyondAPlainCall() / looks
	}},
	{"a retry of a step", 2, "the due time, and the lease; the failure is the circuit's", func(st *stage) float64 {
		const retries = 2
		st.providers.unspoken = retries
		return st.beyondAPlainCall() / retries
	}},
	{"a callback of the provider", 1, "the answer alone", func(st *stage) float64 {
		st.deliver()
		st.meter.Take()
		st.callback()
		return ledgerWrites(st.meter.Take())
	}},
	{"a callback that brings the SID", 4, "the answer, in one transaction with the ownership of its SID", func(st *stage) float64 {
		w := dialled("ada")
		w.Own, w.Call.SID = "", ""
		st.put(w)
		st.meter.Take()
		if _, err := st.calls.Answer(st.Context(), w.Call.Key, w.Call.Intent.Attempt, call.Answer{SID: "CA1", At: st.clock.Now()}); err != nil {
			st.Fatal(err)
		}
		return ledgerWrites(st.meter.Take())
	}},
	{"set aside for a circuit, and released", 7, "two writes, a stamp, and four index entries: from what is due to what is parked, and back", func(st *stage) float64 {
		c := st.put(bare("ada"))
		st.meter.Take()
		c = st.put(call.Write{Call: c.ForCircuit(agent.LLM, st.clock.Now(), "its circuit is open")})
		if err := st.calls.Stamp(st.Context(), c, st.clock.Now()); err != nil {
			st.Fatal(err)
		}
		st.put(call.Write{Call: call.Claims(c, call.Asker{Now: st.clock.Now(), Admits: true, Lease: time.Minute}).Call})
		return ledgerWrites(st.meter.Take())
	}},
}

func TestCountedOperationsBesides(t *testing.T) {
	var table strings.Builder
	table.WriteString("| what | write units | why |\n|---|---|---|\n")
	for _, m := range more {
		t.Run(m.what, func(t *testing.T) {
			if units := m.count(newStage(t)); units != m.units {
				t.Errorf("it costs %g write units, want %g", units, m.units)
			}
		})
		fmt.Fprintf(&table, "| %s | %g | %s |\n", m.what, m.units, m.why)
	}
	docstest.Part(t, "dynamodb.md", "besides", table.String())
}

// beyondAPlainCall is what the call costs more than one without trouble.
func (st *stage) beyondAPlainCall() float64 {
	st.Helper()
	plain := newStage(st.T)
	plain.walk()
	st.walk()
	return ledgerWrites(st.meter.Take()) - ledgerWrites(plain.meter.Take())
}

// put makes a write that must succeed and gives the record afterwards.
func (st *stage) put(w call.Write) call.Call {
	st.Helper()
	if err := st.calls.Put(st.Context(), w); err != nil {
		st.Fatal(err)
	}
	w.Call.Version++
	return w.Call
}
