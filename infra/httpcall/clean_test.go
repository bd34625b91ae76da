package httpcall

import (
	"strings"
	"testing"
)

func TestClean(t *testing.T) {
	const key = "planted/secret+key"
	for _, tt := range []struct{ name, in, want string }{
		{"plain", "Model is overloaded.", "Model is overloaded."},
		{"empty", "", ""},
		{"lines and tabs", " one\r\n\ttwo\x00three\x1b[31m ", "one two three [31m"},
		{"direction override", "a\u202eb", "a b"},
		{"broken encoding", "a\xff\xfeb", "a b"},
		{"HTML page with a byte order mark", "\ufeff<html>", ""},
		{"HTML page", "\n<!DOCTYPE html><title>502</title>", ""},
		{"configured key", "bad key " + key + "!", "bad key [redacted]!"},
		{"configured key in a query", "at ?token=planted%2Fsecret%2Bkey", "at ?token=[redacted]"},
		{"configured key in a path", "at /planted%2Fsecret+key/", "at /[redacted]/"},
		{"OpenAI key", "Incorrect API key provided: sk-proj-abcDEF123_456.", "Incorrect API key provided: [redacted]"},
		{"half hidden key", "provided: sk-ab****wxyz", "provided: [redacted]"},
		{"ElevenLabs key", "key sk_0123456789abcdef here", "key [redacted] here"},
		{"HubSpot token", "token pat-na1-11111111-2222 expired", "token [redacted] expired"},
		{"bearer", "Authorization: Bearer abcdefgh.ijkl", "Authorization: [redacted]"},
		{"JSON web token", "got eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIx.sig", "got [redacted]"},
		{"bot token", "bot123456789:AAbbCCddEEffGGhhIIjjKKll not found", "bot[redacted] not found"},
		{"user in a URL", "https://user:pass@host/x", "https[redacted]host/x"},
		{"E.164", "The number +15005550006 is not valid", "The number ***06 is not valid"},
		{"written number", "call (500) 555-0006 now", "call ***06 now"},
		{"spaced number", "+44 20 7946 0123", "***23"},
		{"number in a word", "to=%2B15005550006&x", "to=%2B***06&x"},
		{"other digits", "٠١٢٣٤٥٦٧٨", "***٧٨"},
		{"short numbers stay", "quota of 10000, 91 needed, 128000 tokens", "quota of 10000, 91 needed, 128000 tokens"},
		{"identifiers stay", "call CA01234567890123456789012345678901", "call CA01234567890123456789012345678901"},
		{"long digits are no identifier", strings.Repeat("1", 30), "***11"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got := Clean(tt.in, "", key); got != tt.want {
				t.Errorf("Clean(%q) = %q, want %q", tt.in, got, tt.want)
			}
		})
	}
}

func TestCleanCutsAfterRedacting(t *testing.T) {
	const key = "planted-secret"
	got := Clean(strings.Repeat("é", longest-5)+" "+key, key)
	if strings.Contains(got, "plan") {
		t.Errorf("a part of the secret survived the cut: %q", got)
	}
	if n := len([]rune(got)); n != longest {
		t.Errorf("%d characters, want %d", n, longest)
	}
	if whole := strings.Repeat("é", longest); Clean(whole) != whole {
		t.Error("a text of exactly the limit was cut")
	}
	if got := Clean(strings.Repeat(" ", 1<<20)+"sk-abcdef1234 "+key, key); got != "[redacted] [redacted]" {
		t.Errorf("after a lot of nothing: %q", got)
	}
}
