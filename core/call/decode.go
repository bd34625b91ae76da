package call

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"time"
)

// MaxBody is the longest message that is read.
const MaxBody = 64 << 10

// Decode reads a queue message. Unknown fields and bad values are errors whose
// text names the field and the remedy and repeats no phone number.
func Decode(body []byte) (Contact, error) {
	var c Contact
	if len(body) > MaxBody {
		return c, fmt.Errorf("the message has %d bytes: at most %d are read", len(body), MaxBody)
	}
	d := json.NewDecoder(bytes.NewReader(body))
	d.DisallowUnknownFields()
	if err := d.Decode(&c); err != nil {
		return Contact{}, explain(err)
	}
	if _, err := d.Token(); err != io.EOF {
		return Contact{}, errors.New("the message goes on after its JSON object: send one contact a message")
	}
	return c, c.Validate()
}

// KeyOf is the key of the call that a message stands for as Key.String writes
// it, "" when it is no contact. It does not judge the contact otherwise.
func KeyOf(body []byte) string {
	var c Contact
	if json.Unmarshal(body, &c) != nil || c.Campaign == "" || c.ID == "" {
		return ""
	}
	return c.Key().String()
}

// explain turns a JSON error into a sentence without the message's content.
func explain(err error) error {
	var wrong *json.UnmarshalTypeError
	var when *time.ParseError
	switch {
	case errors.As(err, &wrong) && wrong.Field == "variables":
		return errors.New(`field "variables" is not as it should be: write an object whose values are strings`)
	case errors.As(err, &wrong) && wrong.Field != "":
		return fmt.Errorf("field %q is a JSON %s: it has to be a string", wrong.Field, wrong.Value)
	case errors.As(err, &when), strings.Contains(err.Error(), "Time.UnmarshalJSON"):
		return errors.New(`field "expires_at" is no time: write it like 2026-12-01T18:00:00Z`)
	case strings.Contains(err.Error(), "unknown field"):
		name, _ := strconv.Unquote(strings.TrimPrefix(err.Error(), "json: unknown field "))
		if !plain(name) || strings.ContainsAny(name, "0123456789") {
			return errors.New(`a field is not known: put data of your own under "variables"`) // its name may be a phone number
		}
		return fmt.Errorf("field %q is not known: put data of your own under \"variables\"", name)
	}
	return errors.New("the message is no JSON object with a contact in it")
}

// Validate reports the first value that cannot be worked with, and the remedy.
func (c Contact) Validate() error {
	switch {
	case c.Campaign == "":
		return errors.New(`field "campaign" is missing: name the campaign that the contact belongs to`)
	case c.ID == "":
		return errors.New(`field "contact_id" is missing: give every contact an id of its own`)
	case !plain(c.Campaign):
		return errors.New(`field "campaign" has characters that no id may have: use letters, digits and . _ - : @ +, at most 128`)
	case !plain(c.ID):
		return errors.New(`field "contact_id" has characters that no id may have: use letters, digits and . _ - : @ +, at most 128`)
	case digits(c.ID) == digits(c.Phone) && c.Phone != "":
		return errors.New(`field "contact_id" is the phone number: ids are shown in logs, sheets and alerts, so give the contact another one`)
	case c.Phone == "":
		return errors.New(`field "phone" is missing: write it like +14155550100`)
	case !E164(c.Phone):
		return errors.New(`field "phone" is no E.164 number: write a plus sign, the country code and the number, digits only, like +14155550100`)
	}
	return nil
}

// E164 reports whether a number has the international form: a plus sign and 7
// to 15 digits, the first not 0.
func E164(phone string) bool {
	digits, plus := strings.CutPrefix(phone, "+")
	if !plus || len(digits) < 7 || len(digits) > 15 || digits[0] == '0' {
		return false
	}
	return strings.Trim(digits, "0123456789") == ""
}

// digits keeps the digits of s.
func digits(s string) string {
	return strings.Map(func(r rune) rune {
		if r < '0' || r > '9' {
			return -1
		}
		return r
	}, s)
}

// plain reports whether s can be part of a key everywhere: in a URL, a file
// name, a database key.
func plain(s string) bool {
	if len(s) > 128 {
		return false
	}
	for _, r := range s {
		switch {
		case r >= '0' && r <= '9', r >= 'a' && r <= 'z', r >= 'A' && r <= 'Z', strings.ContainsRune("._-:@+", r):
		default:
			return false
		}
	}
	return true
}

func sortedKeys(m map[string]string) []string {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}
