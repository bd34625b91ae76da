package contactlist_test

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"testing/iotest"

	"callagent/infra/contactlist"
)

// phones reads a list; a line that cannot be used comes as its error.
func phones(list string) (lines []string) {
	for phone, err := range contactlist.Phones(strings.NewReader(list)) {
		if err != nil {
			phone = "error: " + err.Error()
		}
		lines = append(lines, phone)
	}
	return lines
}

func TestPhones(t *testing.T) {
	for name, tc := range map[string]struct {
		list string
		want []string
	}{
		"one a line":         {"+12025550101\n\n+1 (202) 555-0102\r\n", []string{"+12025550101", "+12025550102"}},
		"no line end":        {"+12025550101", []string{"+12025550101"}},
		"a column":           {"name,Phone ,why\nAda,+12025550101,asked\n\"Eve, Mrs\",+44 20 7946 0123,\n", []string{"+12025550101", "+442079460123"}},
		"a header alone":     {"phone\n", nil},
		"byte order mark":    {"\xef\xbb\xbfphone\n+12025550101\n", []string{"+12025550101"}},
		"good ones still go": {"+12025550101\n555\n+12025550102\n", []string{"+12025550101", `error: line 2: "***" has no country code: write it like +44 20 7946 0123, with a plus sign in front`, "+12025550102"}},
		"hidden digits":      {"12025550101\n", []string{`error: line 1: "*********01" has no country code: write it like +44 20 7946 0123, with a plus sign in front`}},
		"a value is missing": {"id,phone\n1,\n", []string{"error: line 2, column phone: the phone number is missing: write it like +44 20 7946 0123"}},
		"a value too many":   {"+12025550101\n+12025550102,x\n", []string{"+12025550101", "error: line 2: the row has 2 values and should have 1: give every column a value, empty ones too, and put values with commas in quotes"}},
		"a row that is no CSV": {"phone\n+1\"2\n+12025550101\n", []string{
			`error: line 2: the row is no CSV: bare " in non-quoted-field: put values with quotes or commas in quotes, and write a quote inside of them twice`, "+12025550101",
		}},
		"no such column": {"id,number\n1,+12025550101\n", []string{"error: line 1: no column is called phone: name the columns in the first line, or write one phone number a line"}},
		"empty":          {"", []string{"error: the list is empty: write one phone number a line, or a CSV with a column phone"}},
		"UTF-16":         {"\xff\xfe+\x001\x00", []string{"error: the list is UTF-16: save it again as CSV in UTF-8"}},
	} {
		t.Run(name, func(t *testing.T) {
			if got := phones(tc.list); !slices.Equal(got, tc.want) {
				t.Errorf("got  %q\nwant %q", got, tc.want)
			}
		})
	}
}

func TestPhonesOfAListThatBreaksOff(t *testing.T) {
	broken := errors.New("the disk is gone")
	var last error
	for _, err := range contactlist.Phones(iotest.ErrReader(broken)) {
		last = err
	}
	if !errors.Is(last, broken) {
		t.Errorf("the list ends with %v", last)
	}
}

func TestPhone(t *testing.T) {
	if got, err := contactlist.Phone(" +1 (202) 555-0101 "); got != "+12025550101" || err != nil {
		t.Errorf("got %q, %v", got, err)
	}
	want := `"*********01" has no country code: write it like +44 20 7946 0123, with a plus sign in front`
	if got, err := contactlist.Phone("12025550101"); got != "" || err == nil || err.Error() != want {
		t.Errorf("got %q, %v", got, err)
	}
}
