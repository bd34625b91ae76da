package call

import (
	"errors"
	"fmt"
	"strings"
)

// Prompt is a parsed prompt template. The zero Prompt is empty.
//
// {{.plan}} stands for the contact's value of that name, which may have blanks
// in it: {{.first visit}}. {{if .plan}} … {{else}} … {{end}} takes the first
// part for a contact that has the value, and the second, which may be left out,
// for one that does not or whose value is empty.
type Prompt struct{ parts []part }

// part is a text, a placeholder, or a choice between two templates.
type part struct {
	text      string
	name      string // of a value; "" for a text
	choice    bool
	yes, none []part
}

// ParsePrompt reads a prompt template. The error names the place.
func ParsePrompt(text string) (Prompt, error) {
	p := parser{rest: text}
	parts, ended := p.parts()
	if p.err == nil && ended != "" {
		p.err = fmt.Errorf("{{%s}} has no {{if}} before it", ended)
	}
	if p.err != nil {
		line := 1 + strings.Count(text[:len(text)-len(p.rest)], "\n")
		return Prompt{}, fmt.Errorf("the prompt cannot be read, in its line %d: %w", line, p.err)
	}
	return Prompt{parts}, nil
}

// parser reads a template from its beginning.
type parser struct {
	rest string
	err  error
}

// parts reads up to an {{else}}, an {{end}} or the end of the text, and says
// which of them it was; "" is the end.
func (p *parser) parts() (parts []part, ended string) {
	for p.err == nil && p.rest != "" {
		text, rest, found := strings.Cut(p.rest, "{{")
		if text != "" {
			parts = append(parts, part{text: text})
		}
		if !found {
			p.rest = ""
			break
		}
		action, after, closed := strings.Cut(rest, "}}")
		if !closed {
			p.rest, p.err = rest, errors.New("a placeholder has no }} at its end")
			break
		}
		p.rest = after
		action = strings.TrimSpace(action)
		if action == "else" || action == "end" {
			return parts, action
		}
		parts = append(parts, p.action(action))
	}
	return parts, ""
}

// action reads what one pair of braces stands for.
func (p *parser) action(words string) part {
	condition, choice := strings.CutPrefix(words, "if ")
	name, named := strings.CutPrefix(strings.TrimSpace(condition), ".")
	if !named || name == "" || strings.ContainsAny(name, "|\"'`(){}$=<>") || choice && compares(name) {
		p.err = fmt.Errorf("{{%s}} is not known: write {{.name}}, or {{if .name}} with {{else}} and {{end}}", words)
		return part{}
	}
	made := part{name: name, choice: choice}
	if !choice {
		return made
	}
	ended := ""
	if made.yes, ended = p.parts(); ended == "else" {
		made.none, ended = p.parts()
	}
	if p.err == nil && ended != "end" {
		p.err = fmt.Errorf("{{if .%s}} has no {{end}}", name)
	}
	return made
}

// compares reports whether a condition is more than a name.
func compares(condition string) bool {
	for word := range strings.FieldsSeq(condition) {
		switch word {
		case "eq", "ne", "lt", "gt", "le", "ge", "and", "or", "not":
			return true
		}
	}
	return false
}

// Render puts the values in. A placeholder without a value is an error that
// names it.
func (p Prompt) Render(values map[string]string) (string, error) {
	var b strings.Builder
	if err := render(&b, p.parts, values); err != nil {
		return "", err
	}
	return b.String(), nil
}

func render(b *strings.Builder, parts []part, values map[string]string) error {
	for _, p := range parts {
		value, known := values[p.name]
		switch {
		case p.name == "":
			b.WriteString(p.text)
		case p.choice:
			then := p.none
			if value != "" {
				then = p.yes
			}
			if err := render(b, then, values); err != nil {
				return err
			}
		case !known:
			return fmt.Errorf("{{.%s}}", p.name)
		default:
			b.WriteString(value)
		}
	}
	return nil
}
