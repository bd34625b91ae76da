package httpcalltest

import (
	"bufio"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/textproto"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"
	"unicode"
	"unicode/utf8"

	"callagent/core/fault"
)

// Answer is what a server may answer. In its texts $PHONE stands for a phone
// number and $KEY for the adapter's credentials.
type Answer struct {
	Status int    // 200 to 599; others are brought into that range
	Header string // lines of "Name: value"
	Body   string
}

// longestRetry is what no server can ask to be left alone for.
const longestRetry = 366 * 24 * time.Hour

// Fuzz lets the adapter meet whatever answers the fuzzer thinks of. It succeeds
// or returns a fault that has a row in the table of treatments, repeats no
// credential and no phone number, and is one line. An adapter with further
// promises about what it accepts checks them in c.Call and returns an error
// that is no fault. c.Want is not used.
func Fuzz(f *testing.F, c Config, seeds ...Answer) {
	f.Helper()
	var next atomic.Pointer[Answer]
	s := serve(func(w http.ResponseWriter, _ *http.Request) { next.Load().write(w) })
	f.Cleanup(s.Close)
	for _, status := range []int{200, 201, 204, 301, 400, 401, 402, 403, 404, 408, 409, 422, 429, 500, 502, 503, 504} {
		seeds = append(seeds, Answer{Status: status, Header: "Retry-After: 7", Body: `{"message":"no access for $PHONE with $KEY"}`})
	}
	for _, seed := range seeds {
		f.Add(uint16(seed.Status), seed.Header, seed.Body)
	}
	planted := strings.NewReplacer("$PHONE", phone, "$KEY", strings.Join(c.Secrets, " "))
	f.Fuzz(func(t *testing.T, status uint16, header, body string) {
		a := Answer{200 + (int(status)+200)%400, planted.Replace(header), planted.Replace(body)}
		next.Store(&a)
		ctx, cancel := context.WithTimeout(t.Context(), patience)
		defer cancel()
		err := c.Call(ctx, s.URL)
		if problem := c.sound(err); problem != nil {
			t.Error(problem)
		} else if problem := c.clear(err, a); problem != nil {
			t.Error(problem)
		}
		if ctx.Err() != nil {
			t.Error("it does not come to an end")
		}
	})
}

// framing are the headers that say where an answer ends: what goes wrong there
// breaks the connection, which is another test's matter.
var framing = []string{"Content-Length", "Transfer-Encoding", "Content-Encoding", "Connection", "Trailer", "Upgrade"}

// write answers.
func (a Answer) write(w http.ResponseWriter) {
	header, _ := textproto.NewReader(bufio.NewReader(strings.NewReader(a.Header + "\r\n\r\n"))).ReadMIMEHeader()
	for name, values := range header {
		if !slices.Contains(framing, name) {
			w.Header()[name] = values
		}
	}
	w.WriteHeader(a.Status)
	_, _ = io.WriteString(w, a.Body)
}

// Sound reports what is wrong with an error that is to be nil or a fault: a
// fault has a row in the table of treatments, is one line, and repeats neither
// the secrets nor a phone number.
func Sound(err error, secrets ...string) error { return Config{Secrets: secrets}.sound(err) }

func (c Config) sound(err error) error {
	if err == nil {
		return nil
	}
	var f *fault.Fault
	if !errors.As(err, &f) {
		return fmt.Errorf("no fault in the error: %w", err)
	}
	return cmp.Or(inTable(f), shows(f), silent(err, c.Secrets))
}

// clear reports a fault that leaves the wrong thing open: whether a request that
// must not happen twice was executed, and nothing else.
func (c Config) clear(err error, a Answer) error {
	f := fault.From("", err)
	if f == nil {
		return nil
	}
	unclear := a.Status < 300 || a.Status == http.StatusRequestTimeout || a.Status >= 500
	switch said := f.Class == fault.Ambiguous; {
	case said && !c.Once:
		return fmt.Errorf("ambiguous, although the request may be repeated: %w", err)
	case c.Once && said != unclear && a.Status != http.StatusServiceUnavailable: // which some vendors give before they do anything
		return fmt.Errorf("%v after status %d to a request that must not happen twice: %w", f.Class, a.Status, err)
	}
	return nil
}

// inTable checks that a fault belongs to exactly one row of the table of
// treatments as it stands, without anything that no row speaks of.
func inTable(f *fault.Fault) error {
	throttled := f.Kind == fault.Throttled
	ours := f.Scope == fault.Contact || f.Scope == fault.Account
	switch {
	case f.Service == "":
		return fmt.Errorf("the fault names no service: %w", f)
	case f.Class == fault.Permanent && (!ours || throttled), f.Class != fault.Permanent && f.Scope != fault.Service, f.Class == fault.Ambiguous && throttled:
		return fmt.Errorf("%v, %v, %v has no row in the table: %w", f.Class, f.Scope, f.Kind, f)
	case f.Overload && !throttled:
		return fmt.Errorf("overload without a throttle: %w", f)
	case f.Suspect && (f.Class != fault.Permanent || f.Scope != fault.Contact):
		return fmt.Errorf("%v, %v is suspect: %w", f.Class, f.Scope, f)
	case f.RetryAfter < 0 || f.RetryAfter > longestRetry:
		return fmt.Errorf("retry after %v: %w", f.RetryAfter, f)
	case f.Status != 0 && (f.Status < 100 || f.Status > 999):
		return fmt.Errorf("status %d: %w", f.Status, f)
	}
	settled := f.Settle()
	if settled.RetryAfter > fault.MaxRetryAfter || !slices.Contains(fault.Treatments(), settled.Treatment()) {
		return fmt.Errorf("settled as %+v", settled)
	}
	return nil
}

// longestLine is how long a fault's text may be, in bytes.
const longestLine = 2000

// shows reports a fault that is not one short line, or has a number in it.
func shows(f *fault.Fault) error {
	text := f.Error()
	for _, r := range text {
		if !unicode.IsPrint(r) {
			return fmt.Errorf("the error holds the character %U", r)
		}
	}
	if !utf8.ValidString(text) || len(text) > longestLine {
		return fmt.Errorf("the error is no text, or %d bytes long", len(text))
	}
	if NumberIn(f.Code) != "" || NumberIn(f.Message) != "" {
		return errors.New("the error shows a phone number")
	}
	return nil
}

// NumberIn finds seven digits between which stand at most three of the
// characters that people write there; "" when there are none. It uses no regular
// expressions, because what it checks does. Words of 24 ASCII letters and digits
// or more with a letter among them are identifiers.
func NumberIn(text string) string {
	runes := []rune(text)
	for from := 0; from < len(runes); from++ {
		if end := wordEnd(runes, from); end-from >= 24 && strings.ContainsFunc(string(runes[from:end]), unicode.IsLetter) {
			from = end - 1
			continue
		}
		digits, gap := 0, 0
		for at := from; at < len(runes) && gap <= 3; at++ {
			switch r := runes[at]; {
			case unicode.Is(unicode.Nd, r):
				digits, gap = digits+1, 0
			case digits > 0 && strings.ContainsRune(" ().-\u00a0", r):
				gap++
			default:
				gap = 4
			}
			if digits == 7 {
				return string(runes[from : at+1])
			}
		}
	}
	return ""
}

// wordEnd is where the run of ASCII letters and digits that begins here ends.
func wordEnd(runes []rune, at int) int {
	for at < len(runes) && runes[at] < utf8.RuneSelf && (unicode.IsLetter(runes[at]) || unicode.IsDigit(runes[at])) {
		at++
	}
	return at
}
