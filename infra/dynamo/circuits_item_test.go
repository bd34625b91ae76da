package dynamo

import (
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"callagent/core/breaker"
	"callagent/core/fault"
)

// largest is a record in which every field is as long as it gets, but for the
// fault's texts.
func largest() breaker.Record {
	at := time.Date(2026, 12, 31, 23, 59, 59, 123456789, time.UTC)
	return breaker.Record{
		Service: "elevenlabs", State: breaker.HalfOpen, Forced: breaker.ForcedClosed,
		Version: 9_999_999_999, Epoch: 9_999_999, Outage: 9_999_999,
		Streak: 9_999_999, StreakAt: at, StreakFrom: at, OpenedAt: at, OpenUntil: at, ClosedAt: at, Relapses: 999, Reminded: 9999,
		Probe:  breaker.Lease{Holder: strings.Repeat("c", 128) + "/" + strings.Repeat("i", 128), Until: at},
		Pauses: 9999, PausedFrom: at, PausedUntil: at, RampStep: 9_999_999, RampCount: 9_999_999, Released: 9_999_999,
		LastFault: &fault.Fault{
			Class: fault.Permanent, Kind: fault.ServiceUnavailable, Scope: fault.Account, Service: "elevenlabs", Status: 503,
			RetryAfter: time.Hour, Overload: true, Suspect: true,
		},
		Writer: strings.Repeat("w", 36),
	}
}

func TestACircuitIsOneWriteUnitWhateverTheFaultSays(t *testing.T) {
	for _, text := range []string{"", "no credit", strings.Repeat("x", 200), strings.Repeat("é€", 2000)} {
		r := largest()
		r.LastFault.Code, r.LastFault.Message = text, text
		i, err := encodeCircuit(r)
		if err != nil {
			t.Fatal(err)
		}
		if n := sizeOf(i); n > oneUnit {
			t.Errorf("texts of %d bytes make an item of %d", len(text), n)
		}
		got, err := decodeCircuit(r.Service, i)
		if err != nil {
			t.Fatal(err)
		}
		f := got.LastFault
		if !strings.HasPrefix(text, f.Message) || !strings.HasPrefix(text, f.Code) || !utf8.ValidString(f.Message+f.Code) {
			t.Errorf("%q and %q are left of %q", f.Message, f.Code, text)
		}
		f.Code, f.Message = text, text
		if *got.LastFault != *r.LastFault {
			t.Errorf("the fault is now %+v", f)
		}
		if got.LastFault = r.LastFault; got != r {
			t.Errorf("the record is now %+v", got)
		}
	}
}

// What people look at in the console.
func TestACircuitIsReadByPeople(t *testing.T) {
	i, err := encodeCircuit(largest())
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]string{
		"state": "HALF_OPEN", "forced": "closed", "service": "elevenlabs", "closed_at": "2026-12-31T23:59:59.123456789Z",
	} {
		if got := textOf(i[name]); got != want {
			t.Errorf("%s is %q, want %q", name, got, want)
		}
	}
	fault := fieldsOf(i)["last_fault"].(map[string]any)
	if fault["kind"] != "service_unavailable" || fault["class"] != "permanent" {
		t.Errorf("the fault is %v", fault)
	}
}

func TestAStateThatNobodyKnowsIsAnError(t *testing.T) {
	i, err := encodeCircuit(largest())
	if err != nil {
		t.Fatal(err)
	}
	i["state"] = text("AJAR")
	if r, err := decodeCircuit("llm", i); err == nil || !strings.Contains(err.Error(), "AJAR") {
		t.Errorf("%+v, %v", r, err)
	}
}
