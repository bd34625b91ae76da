package settings

import (
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"

	"callagent/core/call"
	"callagent/core/journal"
)

// value is a place in the settings that one key fills. set takes what the TOML
// decoder made of the text; its error continues the key to a sentence. get
// gives what the encoders write.
type value interface {
	set(v any) error
	get() any
}

// text is any string. check may be nil.
type text struct {
	to    *string
	check func(string) error
}

func (t text) set(v any) error {
	s, ok := v.(string)
	if !ok {
		return fmt.Errorf("is %s: write a text in quotes", describe(v))
	}
	if t.check != nil {
		if err := t.check(s); err != nil {
			return err
		}
	}
	*t.to = s
	return nil
}

func (t text) get() any { return *t.to }

// word is a string that may also be written as a whole number, as statuses are.
type word struct{ to *string }

func (w word) set(v any) error {
	switch v := v.(type) {
	case string:
		*w.to = v
	case int64:
		*w.to = strconv.FormatInt(v, 10)
	default:
		return fmt.Errorf("is %s: write a text in quotes, or a whole number", describe(v))
	}
	return nil
}

func (w word) get() any { return *w.to }

// integer is a whole number, not below least and, unless most is 0, not above
// most.
type integer struct {
	to          *int
	least, most int
}

func (n integer) set(v any) error {
	i, ok := v.(int64)
	switch {
	case !ok:
		return fmt.Errorf("is %s: write a whole number", describe(v))
	case i < int64(n.least):
		return fmt.Errorf("is %d: use %d or more", i, n.least)
	case n.most != 0 && i > int64(n.most):
		return fmt.Errorf("is %d: use %d or less", i, n.most)
	}
	*n.to = int(i)
	return nil
}

func (n integer) get() any { return int64(*n.to) }

// number is a number that is not negative.
type number struct{ to *float64 }

func (n number) set(v any) error {
	var f float64
	switch v := v.(type) {
	case int64:
		f = float64(v)
	case float64:
		f = v
	default:
		return fmt.Errorf("is %s: write a number", describe(v))
	}
	if !(f >= 0) || math.IsInf(f, 1) {
		return fmt.Errorf("is %v: use 0 or more", f)
	}
	*n.to = f
	return nil
}

func (n number) get() any { return *n.to }

// flag is yes or no.
type flag struct{ to *bool }

func (f flag) set(v any) error {
	b, ok := v.(bool)
	if !ok {
		return fmt.Errorf("is %s: write true or false without quotes", describe(v))
	}
	*f.to = b
	return nil
}

func (f flag) get() any { return *f.to }

// span is a duration, not below least and, unless most is 0, not above most.
type span struct {
	to          *time.Duration
	least, most time.Duration
}

func (s span) set(v any) error {
	if _, ok := v.(int64); ok {
		return fmt.Errorf(`is %v, a number without a unit: write it like "%vs"`, v, v)
	}
	str, ok := v.(string)
	if !ok {
		return fmt.Errorf(`is %s: write a number with a unit in quotes, like "5s"`, describe(v))
	}
	d, err := time.ParseDuration(str)
	switch {
	case err != nil:
		return fmt.Errorf(`is %s, which is no duration: write a number with a unit (ms, s, m or h), like "5s" or "1h30m"`, describe(v))
	case d < 0:
		return fmt.Errorf("is %s: a time cannot be negative, use 0s or more", describe(v))
	case d < s.least:
		return fmt.Errorf("is %s: use %s or more", describe(v), Short(s.least))
	case s.most != 0 && d > s.most:
		return fmt.Errorf("is %s: use %s or less", describe(v), Short(s.most))
	}
	*s.to = d
	return nil
}

func (s span) get() any { return Short(*s.to) }

// seconds is a duration that its key names in whole seconds.
type seconds struct {
	to   *time.Duration
	most int
}

func (s seconds) set(v any) error {
	var n int
	if err := (integer{to: &n, least: 1, most: s.most}).set(v); err != nil {
		return err
	}
	*s.to = time.Duration(n) * time.Second
	return nil
}

func (s seconds) get() any { return int64(*s.to / time.Second) }

// window is a time of day from and to, "09:00-20:00".
type window struct{ to *call.Window }

func (w window) set(v any) error {
	s, _ := v.(string)
	begin, end, found := strings.Cut(s, "-")
	from, ok1 := minutes(begin)
	to, ok2 := minutes(end)
	switch {
	case !found || !ok1 || !ok2:
		return fmt.Errorf(`is %s: write two times of day, like "09:00-20:00"`, describe(v))
	case to <= from:
		return fmt.Errorf(`is %s, which ends before it starts: put the earlier time first, and use "00:00-24:00" for the whole day`, describe(v))
	}
	*w.to = call.Window{From: from, To: to}
	return nil
}

func (w window) get() any {
	clock := func(m int) string { return fmt.Sprintf("%02d:%02d", m/60, m%60) }
	return clock(w.to.From) + "-" + clock(w.to.To)
}

// minutes reads "HH:MM", up to 24:00.
func minutes(s string) (int, bool) {
	s = strings.TrimSpace(s)
	if s == "24:00" {
		return 24 * 60, true
	}
	t, err := time.Parse("15:04", s)
	return t.Hour()*60 + t.Minute(), err == nil
}

// phone is a phone number, never shown whole.
type phone struct{ to *string }

func (p phone) set(v any) error {
	return text{p.to, func(s string) error {
		if s != "" && !call.E164(s) {
			return fmt.Errorf("is %q, which is no phone number: write +, the country code and the number, digits only", journal.Mask(s))
		}
		return nil
	}}.set(v)
}

func (p phone) get() any { return journal.Mask(*p.to) }

// choice is the remedy for a word that is none of the words.
func choice(word string, words []string) string {
	if w := closest(word, words); w != "" {
		return fmt.Sprintf("did you mean %q?", w)
	}
	return "use " + strings.Join(words, ", ")
}

// describe shows what somebody wrote, cut to what fits in a sentence.
func describe(v any) string {
	const longest = 40
	switch v := v.(type) {
	case string:
		if r := []rune(v); len(r) > longest {
			v = string(r[:longest]) + "…"
		}
		return strconv.Quote(v)
	case []any:
		return "a list"
	case map[string]any:
		return "a table"
	default:
		return fmt.Sprint(v)
	}
}

// Short writes a duration without units that are zero: "1m", not "1m0s".
func Short(d time.Duration) string {
	s := d.String()
	if strings.HasSuffix(s, "m0s") {
		s = strings.TrimSuffix(s, "0s")
	}
	if strings.HasSuffix(s, "h0m") {
		s = strings.TrimSuffix(s, "0m")
	}
	return s
}

func notEmpty(s string) error {
	if strings.TrimSpace(s) == "" {
		return errors.New("is empty: write something or leave the key out")
	}
	return nil
}
