package httpcall

import (
	"net/url"
	"regexp"
	"strings"
	"unicode"
)

// longest is how many characters of a vendor's text are kept, and searched how
// many are looked through for what looks like a secret.
const (
	longest  = 200
	searched = 2000
)

// redacted stands where a secret stood.
const redacted = "[redacted]"

// secretShapes finds what looks like a credential whoever issued it: vendor
// keys with a known prefix, tokens after an authorization scheme, JSON web
// tokens, bot tokens and the user part of a URL.
var secretShapes = regexp.MustCompile(strings.Join([]string{
	`\b(?:sk|pk|rk)[-_][\w.*…-]{4,}`,
	`\bpat-[\w*…-]{8,}`,
	`\bwhsec_[\w+/=*…-]{4,}`,
	`(?i:\b(?:bearer|basic))\s+[\w.~+/=*…-]{8,}`,
	`\beyJ[\w-]{8,}(?:\.[\w-]*)*`,
	`\d{6,}:[\w-]{20,}`,
	`://[^\s/@]+@`,
}, "|"))

// numbers finds digit runs of a phone number's length, with the separators
// people write. Long identifiers are matched first so that they stay whole.
var numbers = regexp.MustCompile(`[0-9A-Za-z]{24,}|\+?\(?\p{Nd}(?:[ ().\-\x{a0}]{0,3}\p{Nd}){6,}`)

// Clean makes one line for people of a text that a vendor sent: control
// characters become spaces, the secrets and whatever looks like a credential
// become "[redacted]", phone numbers keep their last two digits, and what
// exceeds 200 characters is cut. Empty secrets are ignored. An HTML page gives
// "", because nothing in it is meant for the reader.
func Clean(text string, secrets ...string) string {
	text = strings.ToValidUTF8(text, " ")
	for _, s := range secrets {
		if s == "" {
			continue
		}
		for _, form := range []string{s, url.QueryEscape(s), url.PathEscape(s)} {
			text = strings.ReplaceAll(text, form, redacted)
		}
	}
	text = cut(strings.Join(strings.Fields(strings.Map(printable, text)), " "), searched)
	if strings.HasPrefix(text, "<") {
		return ""
	}
	text = secretShapes.ReplaceAllString(text, redacted)
	text = cut(numbers.ReplaceAllStringFunc(text, mask), longest)
	return numbers.ReplaceAllStringFunc(text, mask) // what is left of a long identifier that was cut
}

// printable turns what could move a cursor, hide or reorder text into spaces.
func printable(r rune) rune {
	if !unicode.IsPrint(r) {
		return ' '
	}
	return r
}

// mask hides a number but for its last two digits and leaves identifiers.
func mask(match string) string {
	if strings.IndexFunc(match, unicode.IsLetter) >= 0 {
		return match
	}
	digits := strings.Map(func(r rune) rune {
		if unicode.IsDigit(r) {
			return r
		}
		return -1
	}, match)
	kept := []rune(digits)
	return "***" + string(kept[len(kept)-2:])
}

// cut shortens a text to so many characters, the ellipsis included.
func cut(s string, characters int) string {
	if len(s) <= characters {
		return s
	}
	runes := []rune(s)
	if len(runes) <= characters {
		return s
	}
	return strings.TrimSpace(string(runes[:characters-1])) + "…"
}
