package journal

import (
	"encoding/json"
	"strings"
	"testing"
	"time"
)

func TestJSONKeepsTheFieldsOfTheSourceDocuments(t *testing.T) {
	e := Entry{
		Time: time.Date(2026, 11, 22, 9, 0, 40, 500_000_000, time.UTC), Level: Error, Service: "elevenlabs",
		Event: "circuit_opened", Message: "<b> & \"quotes\"\nand a line", Circuit: "OPEN",
	}
	want := `{"timestamp":"2026-11-22T09:00:40.5Z","level":"ERROR","service":"elevenlabs","event":"circuit_opened","message":"<b> & \"quotes\"\nand a line","retry_count":null,"circuit_state":"OPEN"}` + "\n"
	if line := string(JSON(e)); line != want {
		t.Errorf("got  %s want %s", line, want)
	}
	e.Time = time.Date(12026, 1, 1, 0, 0, 0, 0, time.UTC)
	if line := JSON(e); !json.Valid(line) || !strings.Contains(string(line), `"event":"entry_not_written"`) {
		t.Errorf("a time that JSON cannot hold gave %s", line)
	}
}
