package telegram

import (
	"strings"
	"unicode"
	"unicode/utf16"

	"callagent/core/alert"
)

const (
	// maxUnits is the length of a message in UTF-16 units.
	maxUnits = 4096
	// lookBack is how many units are given up to end at a space.
	lookBack = 200
	ellipsis = "…"
	// joiner makes one character of the two around it.
	joiner = '\u200d'
)

// outgoing is the body of sendMessage.
type outgoing struct {
	Chat     any      `json:"chat_id"`
	Text     string   `json:"text"`
	Entities []entity `json:"entities,omitempty"`
	Silent   bool     `json:"disable_notification,omitempty"`
	Preview  preview  `json:"link_preview_options"`
}

// entity formats a part of the text; offset and length are UTF-16 units.
type entity struct {
	Type   string `json:"type"`
	Offset int    `json:"offset"`
	Length int    `json:"length"`
}

type preview struct {
	Disabled bool `json:"is_disabled"`
}

// compose writes the message: the title in bold, a blank line, the text with
// its labels in bold.
func compose(m alert.Message) outgoing {
	title := strings.Join(strings.Fields(strings.ToValidUTF8(m.Title, "\uFFFD")), " ")
	text := strings.TrimSpace(title + "\n\n" + strings.ToValidUTF8(m.Text, "\uFFFD"))
	out := outgoing{Text: shorten(text), Silent: m.Severity == alert.Info, Preview: preview{Disabled: true}}
	if n := min(units(title), units(out.Text)); n > 0 {
		out.Entities = []entity{{Type: "bold", Length: n}}
	}
	out.Entities = append(out.Entities, labels(m, out.Text)...)
	return out
}

// labels finds the labels of the message's paragraphs where they begin a line
// of the text.
func labels(m alert.Message, text string) []entity {
	var all []entity
	from := 0
	for _, p := range m.Paragraphs() {
		if p.Label == "" {
			continue
		}
		at := strings.Index(text[from:], "\n\n"+p.Label+" ")
		if at < 0 {
			break // cut off
		}
		from += at + len("\n\n")
		all = append(all, entity{Type: "bold", Offset: units(text[:from]), Length: units(p.Label)})
	}
	return all
}

// shorten cuts text to maxUnits, at a space when one is near and never inside
// a character, and ends what it cut with an ellipsis.
func shorten(text string) string {
	if units(text) <= maxUnits {
		return text
	}
	room := maxUnits - units(ellipsis)
	end, space, spaceAt, n := 0, 0, 0, 0
	var before rune
	for i, r := range text {
		if unicode.IsSpace(r) {
			space, spaceAt = i, n
		}
		if !joins(r) && before != joiner {
			end = i
		}
		before = r
		if n += utf16.RuneLen(r); n > room {
			break
		}
	}
	if space > 0 && room-spaceAt <= lookBack {
		end = space
	}
	return strings.TrimRightFunc(text[:end], unicode.IsSpace) + ellipsis
}

// joins reports a rune that belongs to the character before it: an accent, a
// variation selector, a skin tone or the joiner.
func joins(r rune) bool {
	return unicode.Is(unicode.M, r) || r == joiner || r >= 0x1F3FB && r <= 0x1F3FF
}

// units counts as Telegram does.
func units(s string) int {
	n := 0
	for _, r := range s {
		n += utf16.RuneLen(r)
	}
	return n
}
