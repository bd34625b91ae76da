package alert

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"
)

// Single is the message for one alert.
func Single(a Alert) Message {
	return Message{
		ID: a.ID, Kind: a.Kind, Severity: a.Severity, At: a.At, Alerts: []Alert{a},
		Title: cmp.Or(a.Title, string(a.Kind)), Text: a.letter(a.What, moment(a.At)),
	}
}

// The parts of a digest.
const (
	mostReasons = 5 // why calls ended so, the most frequent reasons
	mostNames   = 8 // the contacts that are named with each
)

// Digest is the message for several alerts of one group. Its id names the
// group, its first alert and how many they are: a digest that is sent again
// after a crash is recognised, unless more alerts have joined it. Then it must
// not be, because a receiver that drops what it knows would miss those.
func Digest(key string, as []Alert) Message {
	if len(as) == 1 {
		return Single(as[0])
	}
	first, last := as[0], as[len(as)-1]
	m := Message{
		ID: fmt.Sprintf("digest/%s/%d/%s", key, len(as), first.ID), Kind: first.Kind, Severity: first.Severity, At: first.At, Alerts: as,
		Title: fmt.Sprintf("%d %s (campaign %s)", len(as), plurals[first.Kind], first.Campaign),
	}
	when := moment(first.At)
	if until := moment(last.At); until != when {
		when += " to " + until
	}
	about := first.advised("CALL", len(as))
	m.Text = about.letter(strings.Join(reasons(as), "\n"), when)
	return m
}

// plurals are what the calls of a digest did.
var plurals = map[Kind]string{
	CallFailed:       "calls failed",
	CallUnknown:      "phones may have rung, nobody can say",
	RetriesExhausted: "calls are late",
}

// reasons is one line for each reason, the most frequent first, with contacts.
func reasons(as []Alert) []string {
	names := map[string][]string{}
	var order []string
	for _, a := range as {
		if names[a.Reason] == nil {
			order = append(order, a.Reason)
		}
		names[a.Reason] = append(names[a.Reason], a.contact())
	}
	slices.SortStableFunc(order, func(a, b string) int { return len(names[b]) - len(names[a]) })
	var lines []string
	for _, why := range order[:min(len(order), mostReasons)] {
		who := names[why]
		line := fmt.Sprintf("%d × %s (%s", len(who), why, strings.Join(who[:min(len(who), mostNames)], ", "))
		if more := len(who) - mostNames; more > 0 {
			line += fmt.Sprintf(" and %d more", more)
		}
		lines = append(lines, line+")")
	}
	others := 0
	for _, why := range order[min(len(order), mostReasons):] {
		others += len(names[why])
	}
	if others > 0 {
		lines = append(lines, fmt.Sprintf("%d for other reasons. All of them: callagent calls --campaign %s", others, as[0].Campaign))
	}
	return lines
}

// The labels that paragraphs of a message begin with.
const (
	labelEffect = "Who is affected:"
	labelAgent  = "The agent:"
	labelYou    = "You:"
)

// nothing begins what is left for a reader of whom an alert asks nothing.
const nothing = "Nothing"

// letter is the text of a message: what happened, to whom it matters, what the
// agent does about it, what the reader has to do, and when it was.
func (a Alert) letter(what, when string) string {
	paragraphs := []string{what, labelled(labelEffect, a.Effect), labelled(labelAgent, a.Agent), labelled(labelYou, cmp.Or(a.You, nothing+" to do.")), when}
	return strings.Join(slices.DeleteFunc(paragraphs, func(p string) bool { return p == "" }), "\n\n")
}

func labelled(label, text string) string {
	if text == "" {
		return ""
	}
	return label + " " + text
}

// moment is a time for people, in UTC because nobody knows where they are.
func moment(t time.Time) string { return t.UTC().Format("2 Jan 2006 at 15:04:05 UTC") }

// Paragraph is a part of a message's text.
type Paragraph struct {
	Label string   // what it begins with, "You:"; "" for one without a label
	Lines []string // of the rest
	You   bool     // it says what the reader has to do
}

// Paragraphs takes the text of a message apart, for channels that can show
// more than plain text.
func (m Message) Paragraphs() []Paragraph {
	var all []Paragraph
	for text := range strings.SplitSeq(strings.ReplaceAll(m.Text, "\r\n", "\n"), "\n\n") {
		if text = strings.TrimSpace(text); text == "" {
			continue
		}
		p := Paragraph{}
		for _, label := range []string{labelEffect, labelAgent, labelYou} {
			if rest, ok := strings.CutPrefix(text, label+" "); ok {
				p.Label, text, p.You = label, rest, label == labelYou && !strings.HasPrefix(rest, nothing)
			}
		}
		p.Lines = strings.Split(text, "\n")
		all = append(all, p)
	}
	return all
}
