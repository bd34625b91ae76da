package journal_test

import (
	"encoding/json"
	"testing"
	"time"

	"pgregory.net/rapid"

	"callagent/core/journal"
)

func TestMask(t *testing.T) {
	for phone, want := range map[string]string{
		"+15005550006":  "+1********06",
		"+442079460102": "+4*********02",
		"+123456":       "+1***56",
		"123456":        "******", // too short to show any of it
		"+1":            "**",
		"":              "",
	} {
		if got := journal.Mask(phone); got != want {
			t.Errorf("Mask(%q) = %q, want %q", phone, got, want)
		}
	}
}

// masked hides a number character by character.
func masked(phone string) string {
	shown := ""
	for i := range len(phone) {
		if outer := i < 2 || i >= len(phone)-2; outer && len(phone) >= 7 {
			shown += phone[i : i+1]
		} else {
			shown += "*"
		}
	}
	return shown
}

// A mask shows two characters at each end and none of what is shorter than any
// number, whatever the text is.
func TestMaskIsItsDefinition(t *testing.T) {
	texts := rapid.OneOf(rapid.StringMatching(`\+[1-9][0-9]{5,15}`), rapid.StringMatching(`[+0-9 .()-]{0,9}`), rapid.String())
	rapid.Check(t, func(t *rapid.T) {
		phone := texts.Draw(t, "phone")
		if got, want := journal.Mask(phone), masked(phone); got != want {
			t.Fatalf("Mask(%q) = %q, want %q", phone, got, want)
		}
	})
}

func TestLevelsAreWords(t *testing.T) {
	for level, word := range map[journal.Level]string{
		journal.Debug: "DEBUG", journal.Info: "INFO", journal.Warning: "WARNING", journal.Error: "ERROR",
	} {
		text, err := level.MarshalText()
		if err != nil || string(text) != word {
			t.Errorf("level %d is written %q, %v", level, text, err)
		}
		back := journal.Error
		if err := back.UnmarshalText([]byte(word)); err != nil || back != level {
			t.Errorf("%q is read as %v, %v", word, back, err)
		}
	}
	read := journal.Error
	if err := read.UnmarshalText([]byte("LOUD")); err != nil || read != journal.Info {
		t.Errorf("an unknown level is read as %v, %v", read, err)
	}
}

// The zero Level is Info, so an entry that says nothing of its weight is one.
func TestTheZeroLevelIsInfo(t *testing.T) {
	if got := (journal.Entry{}).Level.String(); got != "INFO" {
		t.Errorf("the zero level is %s", got)
	}
}

// The fields that the source documents name are always there; the others only
// when the event has them.
func TestTheJSONOfAnEntry(t *testing.T) {
	at := time.Date(2026, time.November, 22, 9, 0, 0, 0, time.UTC)
	retry := 3
	for _, c := range []struct {
		entry journal.Entry
		want  string
	}{
		{
			journal.Entry{Time: at, Level: journal.Error, Service: "elevenlabs", Event: "request_failed", Message: "503", Retry: &retry, Circuit: "CLOSED",
				CallID: "spring/c-001", Contact: "c-001", Campaign: "spring", Step: "speech", Kind: "service_unavailable", Class: "transient", Status: 503, Duration: 12},
			`{"timestamp":"2026-11-22T09:00:00Z","level":"ERROR","service":"elevenlabs","event":"request_failed","message":"503","retry_count":3,"circuit_state":"CLOSED","call_id":"spring/c-001","contact_id":"c-001","campaign":"spring","step":"speech","fault":"service_unavailable","class":"transient","status":503,"duration_ms":12}`,
		},
		{
			journal.Entry{Time: at, Level: journal.Warning, Event: "ledger_silent", Message: "it does not answer"},
			`{"timestamp":"2026-11-22T09:00:00Z","level":"WARNING","service":"","event":"ledger_silent","message":"it does not answer","retry_count":null,"circuit_state":""}`,
		},
	} {
		got, err := json.Marshal(c.entry)
		if err != nil || string(got) != c.want {
			t.Errorf("%s, %v\nwant %s", got, err, c.want)
		}
		var back journal.Entry
		if err := json.Unmarshal(got, &back); err != nil || back.Event != c.entry.Event || back.Level != c.entry.Level || !back.Time.Equal(at) {
			t.Errorf("read back as %+v, %v", back, err)
		}
	}
}

func TestRoutine(t *testing.T) {
	for _, c := range []struct {
		entry journal.Entry
		want  bool
	}{
		{journal.Entry{Event: "step_done"}, true},
		{journal.Entry{Event: "call_parked", Level: journal.Debug}, true},
		{journal.Entry{Event: "call_completed"}, false},
		{journal.Entry{Event: "circuit_opened", Level: journal.Error}, false},
	} {
		if got := c.entry.Routine(); got != c.want {
			t.Errorf("%+v is routine: %v, want %v", c.entry, got, c.want)
		}
	}
}
