package httpcall_test

import (
	"net/http"
	"strings"
	"testing"
	"time"
	"unicode"
	"unicode/utf8"

	"callagent/core/fault"
	"callagent/infra/httpcall"
	"callagent/infra/httpcall/httpcalltest"
)

// FuzzRetryAfter: no header asks for less than nothing or for more than 366
// days, a date asks for what is left until then, and after the fault is settled
// nobody waits longer than the agent believes.
func FuzzRetryAfter(f *testing.F) {
	for _, seed := range [][2]string{
		{"7", ""}, {"-5", ""}, {"1e300", ""}, {"NaN", "-Inf"}, {"0x1p-1074", ""}, {"99999999999999999999", "1e308"}, {"", "1500"},
		{"Sun, 01 Mar 2026 12:01:30 GMT", "soon"}, {"Fri, 31 Dec 9999 23:59:59 GMT", ""}, {"Sun Mar  1 12:01:30 2026", "0"},
	} {
		f.Add(seed[0], seed[1])
	}
	now := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	f.Fuzz(func(t *testing.T, after, ms string) {
		h := http.Header{"Retry-After": {after}, "Retry-After-Ms": {ms}}
		wait := httpcall.RetryAfter(h, now)
		if wait < 0 || wait > 366*24*time.Hour {
			t.Fatalf("%v is asked for", wait)
		}
		if at, err := http.ParseTime(strings.TrimSpace(after)); err == nil && ms == "" && at.Sub(now) > wait && wait < 366*24*time.Hour {
			t.Errorf("%v is asked for, although there are %v until then", wait, at.Sub(now))
		}
		for _, kind := range []fault.Kind{fault.Throttled, fault.ServiceUnavailable} {
			settled := (&fault.Fault{Kind: kind, RetryAfter: wait}).Settle()
			if settled.RetryAfter != min(wait, fault.MaxRetryAfter) || settled.Treatment().Trips != (kind == fault.Throttled && wait > fault.MaxRetryAfter) {
				t.Errorf("%v of %v is settled as %+v", wait, kind, settled)
			}
		}
	})
}

// FuzzClean: what is shown of a vendor's text is one short line without the
// secret and without anybody's number, and nothing of an HTML page.
func FuzzClean(f *testing.F) {
	for _, text := range []string{
		"", "Model is overloaded.", " one\r\n\ttwo\x00 \xff\u202e", "$", "at ?token=$&x", "+1 (500) 555-0006", "a+15005550006b", "<html>",
		"CA0a44e75af9f3a1e1cf1b1ad4f0b4c0d2", "1.5.0.0.5.5.5.0.0.0.6", "Bearer abcdefgh$", "https://user:$@host", strings.Repeat("x", 1990) + "$+15005550006",
		"+１５００５５５０００６", "sk-$", "15005550006:AAAAAAAAAAAAAAAAAAAAAA",
	} {
		f.Add(text)
	}
	const secret = "planted/secret+key"
	f.Fuzz(func(t *testing.T, text string) {
		text = strings.ReplaceAll(text, "$", secret)
		got := httpcall.Clean(text, secret)
		if strings.Contains(got, secret) {
			t.Error("the secret shows")
		}
		if !utf8.ValidString(got) || utf8.RuneCountInString(got) > 200 || strings.ContainsFunc(got, func(r rune) bool { return !unicode.IsPrint(r) }) {
			t.Errorf("%q is no short line", got)
		}
		if number := httpcalltest.NumberIn(got); number != "" {
			t.Errorf("%q shows %s", got, number)
		}
		if strings.HasPrefix(got, "<") {
			t.Errorf("%q is of a page", got)
		}
	})
}
