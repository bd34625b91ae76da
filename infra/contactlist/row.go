package contactlist

import (
	"encoding/json"
	"fmt"
	"regexp"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/nyaruka/phonenumbers"

	"callagent/core/call"
)

// contact turns the cells of a row into a contact. The line is for the caller
// to add.
func (l *list) contact(cells []string) (call.Contact, *RowError) {
	if len(cells) != len(l.columns) {
		return call.Contact{}, &RowError{
			Problem: fmt.Sprintf("the row has %d values and the header %d", len(cells), len(l.columns)),
			Remedy:  "give every column a value, empty ones too, and put values with commas in quotes",
		}
	}
	c := call.Contact{Campaign: l.options.Campaign}
	for i, column := range l.columns {
		cell := strings.TrimSpace(cells[i])
		problem, remedy := l.fill(&c, column, cell)
		if problem != "" {
			return call.Contact{}, &RowError{Column: shown("", column.name), Value: shown(column.name, cell), Problem: problem, Remedy: remedy}
		}
	}
	return c, l.whole(c)
}

// fill puts one value into the contact, or says what is wrong with it.
func (l *list) fill(c *call.Contact, column column, cell string) (problem, remedy string) {
	switch {
	case !utf8.ValidString(cell):
		return "is not UTF-8", "save the list again as CSV in UTF-8"
	case cell == "":
		return "", ""
	case column.name == "":
		return "stands in a column without a name", "name the column in the first line, or empty it"
	case column.variable:
		if c.Variables == nil {
			c.Variables = map[string]string{}
		}
		c.Variables[column.name] = cell
		return "", ""
	}
	switch column.name {
	case campaignColumn:
		if l.options.Known != nil && !l.options.Known(cell) {
			return "is no campaign", "use one of the campaigns in callagent.toml, or add it there"
		}
		c.Campaign = cell
	case idColumn:
		c.ID = cell
	case phoneColumn:
		c.Phone, problem, remedy = number(cell)
	case nameColumn:
		c.Name = cell
	case zoneColumn:
		c.TimeZone = cell
		if !l.zone(cell) {
			return "is no time zone", "write it like Europe/Berlin, or leave it empty"
		}
	case expiryColumn:
		c.ExpiresAt, problem, remedy = expiry(cell, l.options.Now)
	}
	return problem, remedy
}

// whole judges what the single values do not show.
func (l *list) whole(c call.Contact) *RowError {
	switch {
	case c.Campaign == "":
		return &RowError{Column: campaignColumn, Problem: "the campaign is missing", Remedy: "write its name"}
	case c.ID == "":
		return &RowError{Column: idColumn, Problem: "the id is missing", Remedy: "give every contact an id of its own"}
	case c.Phone == "":
		return &RowError{Column: phoneColumn, Problem: "the phone number is missing", Remedy: "write it like +44 20 7946 0123"}
	}
	if err := c.Validate(); err != nil {
		// What is left to object to is the spelling of the two ids.
		column, value := idColumn, c.ID
		if strings.Contains(err.Error(), `"`+campaignColumn+`"`) {
			column, value = campaignColumn, c.Campaign
		}
		return &RowError{Column: column, Value: shown(column, value), Problem: "has characters that no id may have", Remedy: "use letters, digits and . _ - : @ +, at most 128"}
	}
	if tooLong(c) {
		return &RowError{Problem: "the row is too long", Remedy: fmt.Sprintf("keep a contact and its variables below %d KiB", call.MaxBody>>10)}
	}
	return nil
}

// tooLong reports whether the contact's message would be longer than any that
// is read.
func tooLong(c call.Contact) bool {
	const perByte, around = 6, 1024 // what JSON makes of a byte at most, and the names of the fields
	longest := len(c.Campaign) + len(c.ID) + len(c.Name) + len(c.TimeZone)
	for name, value := range c.Variables {
		longest += len(name) + len(value) + 1
	}
	if longest*perByte+around <= call.MaxBody {
		return false
	}
	body, err := json.Marshal(c)
	return err != nil || len(body) > call.MaxBody
}

func (l *list) zone(name string) bool {
	if _, known := l.zones.Load(name); known {
		return true
	}
	_, err := time.LoadLocation(name)
	if err != nil || name == "Local" {
		return false
	}
	l.zones.Store(strings.Clone(name), nil)
	return true
}

func expiry(cell string, now time.Time) (at time.Time, problem, remedy string) {
	at, err := time.Parse(time.RFC3339, cell)
	switch {
	case err != nil:
		return at, "is no time", "write it like 2026-12-01T18:00:00Z or 2026-12-01T18:00:00+01:00"
	case !now.IsZero() && !at.After(now):
		return at, "is over", "write a later time, or leave it empty to call without a limit"
	}
	return at, "", ""
}

var (
	scientific = regexp.MustCompile(`^[0-9][.,]?[0-9]*[eE]\+?[0-9]+$`)
	punctuated = strings.NewReplacer(" ", "", "\u00a0", "", "\u202f", "", "-", "", "\u2011", "", "\u2013", "", ".", "", "/", "", "(", "", ")", "")
)

// number reads a phone number as people write it and gives its E.164 form.
func number(cell string) (phone, problem, remedy string) {
	const likeThis = "write it like +44 20 7946 0123"
	bare := punctuated.Replace(cell)
	digits, plus := strings.CutPrefix(bare, "+")
	switch {
	case scientific.MatchString(cell):
		return "", "was made a figure by a spreadsheet", "format the column as text and write the number again"
	case digits == "" || strings.Trim(digits, "0123456789") != "":
		return "", "is no phone number", likeThis + ", without letters or extensions"
	case strings.HasPrefix(bare, "00"):
		return "", "begins with 00", "write + in its place, like +44 20 7946 0123"
	case !plus:
		return "", "has no country code", likeThis + ", with a plus sign in front"
	}
	n, err := phonenumbers.Parse(bare, phonenumbers.UNKNOWN_REGION)
	if err != nil || !phonenumbers.IsValidNumber(n) {
		return "", "is no number of its country", "check its digits"
	}
	return phonenumbers.Format(n, phonenumbers.E164), "", ""
}

const longestShown = 40 // characters

var (
	dateTime = regexp.MustCompile(`^\d{4}-\d\d-\d\d([T ]\d\d:\d\d(:\d\d)?(Z|[+-]\d\d:\d\d)?)?$`)
	// dialable is what could be dialled: seven digits or more with whatever
	// people put between them.
	dialable = regexp.MustCompile(`\p{Nd}(?:[^\p{L}\p{Nd}]{0,3}\p{Nd}){6,}`)
)

// shown is a value as an error may repeat it: short, on one line, and with
// the digits of what may be a phone number hidden but for the last two.
func shown(column, value string) string {
	value = strings.Map(func(r rune) rune {
		if !unicode.IsPrint(r) { // quoted, its code could look like a number
			return '\ufffd'
		}
		return r
	}, value)
	switch {
	case column == phoneColumn:
		value = hide(value)
	case !dateTime.MatchString(value):
		value = dialable.ReplaceAllStringFunc(value, hide)
	}
	if runes := []rune(value); len(runes) > longestShown {
		value = string(runes[:longestShown]) + "…"
	}
	return value
}

// hide puts an asterisk in the place of every digit but the last two, and of
// all when there are less than seven.
func hide(s string) string {
	total := 0
	for _, r := range s {
		if unicode.IsDigit(r) {
			total++
		}
	}
	visible := total - 2
	if total < 7 {
		visible = total
	}
	at := 0
	return strings.Map(func(r rune) rune {
		if !unicode.IsDigit(r) {
			return r
		}
		if at++; at > visible {
			return r
		}
		return '*'
	}, s)
}
