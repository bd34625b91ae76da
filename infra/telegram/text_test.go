package telegram

import (
	"strings"
	"testing"
	"unicode/utf16"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"callagent/core/alert"
)

func TestShorten(t *testing.T) {
	x := func(n int) string { return strings.Repeat("x", n) }
	for _, c := range []struct{ name, text, want string }{
		{"short", "a", "a"},
		{"exact", x(4096), x(4096)},
		{"one more", x(4097), x(4095) + "…"},
		{"exact in emoji", strings.Repeat("🔥", 2048), strings.Repeat("🔥", 2048)},
		{"emoji are two units each", strings.Repeat("🔥", 2049), strings.Repeat("🔥", 2047) + "…"},
		{"never half an emoji", "x" + strings.Repeat("🔥", 2048), "x" + strings.Repeat("🔥", 2047) + "…"},
		{"at a space", x(4000) + " " + x(500), x(4000) + "…"},
		{"at the last space", x(4000) + "\n" + x(50) + " \n" + x(500), x(4000) + "\n" + x(50) + "…"},
		{"a space at the limit", x(4095) + " " + x(10), x(4095) + "…"},
		{"not at a far space", x(3800) + " " + x(500), x(3800) + " " + x(294) + "…"},
		{"accent stays with its letter", x(4094) + "e\u0301" + x(10), x(4094) + "…"},
		{"joined emoji stay whole", x(4092) + "👩\u200d🚒" + x(10), x(4092) + "…"},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := shorten(c.text); got != c.want {
				t.Errorf("%d units, %d runes, ends with %q", units(got), utf8.RuneCountInString(got), got[max(0, len(got)-12):])
			}
		})
	}
}

func TestShortenFits(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		piece := rapid.StringN(1, 40, -1).Draw(t, "piece")
		text := strings.Repeat(piece, rapid.IntRange(1, 4200/utf8.RuneCountInString(piece)+2).Draw(t, "times"))
		got := shorten(text)
		if units(got) > maxUnits || !utf8.ValidString(got) {
			t.Fatalf("%d units, valid: %v", units(got), utf8.ValidString(got))
		}
		if got != text && !strings.HasPrefix(text, strings.TrimSuffix(got, ellipsis)) {
			t.Fatal("what is left is not the beginning")
		}
	})
}

// What Telegram shows in bold are the title and the labels, wherever the text
// before them counts two units a character.
func TestLabelsAreBold(t *testing.T) {
	m := alert.Message{Title: "🔥 Down", Text: "🔥 You: no label here.\nYou: nor here.\n\nWho is affected: all 🔥.\n\nThe agent: waits.\n\nYou: rest."}
	out := compose(m)
	var bold []string
	text := utf16.Encode([]rune(out.Text))
	for _, e := range out.Entities {
		bold = append(bold, string(utf16.Decode(text[e.Offset:e.Offset+e.Length])))
	}
	if d := cmp.Diff([]string{"🔥 Down", "Who is affected:", "The agent:", "You:"}, bold); d != "" {
		t.Error(d)
	}
	m.Text += strings.Repeat(" x", 3000)
	m.Text = strings.Repeat("y ", 2030) + "\n\nThe agent: waits.\n\n" + m.Text
	if out := compose(m); len(out.Entities) != 2 || units(out.Text) > maxUnits {
		t.Errorf("of a text that is cut: %+v", out.Entities)
	}
}

func TestCompose(t *testing.T) {
	for _, c := range []struct {
		name  string
		m     alert.Message
		text  string
		bold  int
		quiet bool
	}{
		{"title and text", alert.Message{Severity: alert.Critical, Title: "Down", Text: "One.\n\nTwo."}, "Down\n\nOne.\n\nTwo.", 4, false},
		{"an info is silent", alert.Message{Title: "Up", Text: "Again."}, "Up\n\nAgain.", 2, true},
		{"bold counts UTF-16 units", alert.Message{Severity: alert.Warning, Title: "🔥 é", Text: "x"}, "🔥 é\n\nx", 4, false},
		{"one line of title", alert.Message{Severity: alert.Warning, Title: " a\n b ", Text: "x"}, "a b\n\nx", 3, false},
		{"title only", alert.Message{Severity: alert.Warning, Title: "a"}, "a", 1, false},
		{"text only", alert.Message{Severity: alert.Warning, Text: "a"}, "a", 0, false},
		{"invalid UTF-8", alert.Message{Severity: alert.Warning, Title: "a\xff", Text: "\xffb"}, "a\uFFFD\n\n\uFFFDb", 2, false},
		{"a title too long", alert.Message{Severity: alert.Warning, Title: strings.Repeat("x", 5000)}, strings.Repeat("x", 4095) + "…", 4096, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			want := outgoing{Text: c.text, Silent: c.quiet, Preview: preview{Disabled: true}}
			if c.bold > 0 {
				want.Entities = []entity{{Type: "bold", Length: c.bold}}
			}
			if d := cmp.Diff(want, compose(c.m)); d != "" {
				t.Error(d)
			}
		})
	}
}
