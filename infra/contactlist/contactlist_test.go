package contactlist_test

import (
	"errors"
	"fmt"
	"io"
	"os"
	"runtime"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"github.com/google/go-cmp/cmp"

	"callagent/core/call"
	"callagent/infra/contactlist"
)

var now = time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)

// read gathers the contacts and the errors of a list, as texts.
func read(text string, o contactlist.Options) (rows []contactlist.Row, problems []string) {
	for row, err := range contactlist.Read(strings.NewReader(text), o) {
		if err != nil {
			problems = append(problems, err.Error())
			continue
		}
		rows = append(rows, row)
	}
	return rows, problems
}

func TestRowsBecomeContacts(t *testing.T) {
	want := []contactlist.Row{
		{Line: 2, Contact: call.Contact{
			Campaign: "spring", ID: "c-001", Phone: "+12025550143", Name: "Ada, Countess", TimeZone: "Europe/Berlin",
			ExpiresAt: time.Date(2026, 12, 1, 18, 0, 0, 0, time.UTC), Variables: map[string]string{"plan": "gold", "Note": "two\nlines"},
		}},
		{Line: 5, Contact: call.Contact{Campaign: "default", ID: "c-002", Phone: "+15005550006"}},
	}
	text := "Contact_ID,phone, name ,time_zone,expires_at,plan,campaign,Note\n" +
		"c-001,+1 (202) 555-0143,\"Ada, Countess\",Europe/Berlin,2026-12-01T18:00:00Z,gold,spring,\"two\nlines\"\n" +
		",,,,,,,\n" +
		"c-002,+15005550006,,,,,,\n"
	for name, list := range map[string]string{
		"as it is":               text,
		"with a byte order mark": "\xef\xbb\xbf" + text,
		"with CRLF":              strings.ReplaceAll(text, "\n", "\r\n"),
		"without a last newline": strings.TrimSuffix(text, "\n"),
	} {
		got, problems := read(list, contactlist.Options{Campaign: "default", Now: now})
		if d := cmp.Diff(want, got); d != "" || problems != nil {
			t.Errorf("%s: %v (-want +got):\n%s", name, problems, d)
		}
	}
}

func TestPhonesAreNormalised(t *testing.T) {
	for cell, want := range map[string]string{
		"+12025550143":         "+12025550143",
		"+1 202 555 0143":      "+12025550143",
		"+1 (202) 555-0143":    "+12025550143",
		"+1.202.555.0143":      "+12025550143",
		"+44\u00a020 79460123": "+442079460123",
		"+49 (0)30 23125 004":  "+493023125004",
		"+15005550000":         "+15005550000",
		"+15005550009":         "+15005550009",
	} {
		rows, problems := read("contact_id,phone\nc,"+cell+"\n", contactlist.Options{Campaign: "x"})
		if len(rows) != 1 || rows[0].Contact.Phone != want {
			t.Errorf("%q: got %v %v, want %s", cell, rows, problems, want)
		}
	}
}

func TestABadRowIsReportedAndTheNextOneRead(t *testing.T) {
	tests := []struct{ row, want string }{
		{`a,+44 20,,,,`, `line 2, column phone: "+** **" is no number of its country: check its digits`},
		{`a,202 555 0143,,,,`, `line 2, column phone: "*** *** **43" has no country code: write it like +44 20 7946 0123, with a plus sign in front`},
		{`a,0044 20 7946 0123,,,,`, `line 2, column phone: "**** ** **** **23" begins with 00: write + in its place, like +44 20 7946 0123`},
		{`a,+1 202 555 0143 ext 7,,,,`, `line 2, column phone: "+* *** *** ***3 ext 7" is no phone number: write it like +44 20 7946 0123, without letters or extensions`},
		{`a,1.2025550143E+10,,,,`, `line 2, column phone: "*.**********E+10" was made a figure by a spreadsheet: format the column as text and write the number again`},
		{`a,+1 202 555 01433333,,,,`, `line 2, column phone: "+* *** *** ******33" is no number of its country: check its digits`},
		{`a,,,,,`, `line 2, column phone: the phone number is missing: write it like +44 20 7946 0123`},
		{`,+15005550006,,,,`, `line 2, column contact_id: the id is missing: give every contact an id of its own`},
		{`a b,+15005550006,,,,`, `line 2, column contact_id: "a b" has characters that no id may have: use letters, digits and . _ - : @ +, at most 128`},
		{`+1 202 555 0143,a,,,,`, `line 2, column phone: "a" is no phone number: write it like +44 20 7946 0123, without letters or extensions`},
		{`"+1 202 555 0143",+15005550006,,,,`, `line 2, column contact_id: "+* *** *** **43" has characters that no id may have: use letters, digits and . _ - : @ +, at most 128`},
		{`a,+15005550006,Mars/Olympus,,,`, `line 2, column time_zone: "Mars/Olympus" is no time zone: write it like Europe/Berlin, or leave it empty`},
		{`a,+15005550006,Local,,,`, `line 2, column time_zone: "Local" is no time zone: write it like Europe/Berlin, or leave it empty`},
		{`a,+15005550006,,2026-12-01 18:00,,`, `line 2, column expires_at: "2026-12-01 18:00" is no time: write it like 2026-12-01T18:00:00Z or 2026-12-01T18:00:00+01:00`},
		{`a,+15005550006,,2026-11-22T13:00:00+01:00,,`, `line 2, column expires_at: "2026-11-22T13:00:00+01:00" is over: write a later time, or leave it empty to call without a limit`},
		{`a,+15005550006,,+12025550143,,`, `line 2, column expires_at: "+*********43" is no time: write it like 2026-12-01T18:00:00Z or 2026-12-01T18:00:00+01:00`},
		{`a,+15005550006,,,winter,`, `line 2, column campaign: "winter" is no campaign: use one of the campaigns in callagent.toml, or add it there`},
		{`a,+15005550006,,,spring`, `line 2: the row has 5 values and the header 6: give every column a value, empty ones too, and put values with commas in quotes`},
		{`a,+15005550006,,,,x`, `line 2: "x" stands in a column without a name: name the column in the first line, or empty it`},
		{"a,+15005550006,caf\xe9,,,", `line 2, column time_zone: "caf` + "\ufffd" + `" is not UTF-8: save the list again as CSV in UTF-8`},
		{`a,"+1"5005550006,,,,`, `line 2: the row is no CSV: extraneous or missing " in quoted-field: put values with quotes or commas in quotes, and write a quote inside of them twice`},
	}
	known := func(name string) bool { return name == "spring" }
	for _, tt := range tests {
		text := "contact_id,phone,time_zone,expires_at,campaign,\n" + tt.row + "\nnext,+15005550006,,,,\n"
		rows, problems := read(text, contactlist.Options{Campaign: "spring", Known: known, Now: now})
		if d := cmp.Diff([]string{tt.want}, problems); d != "" {
			t.Errorf("%q (-want +got):\n%s", tt.row, d)
		}
		if len(rows) != 1 || rows[0].Contact.ID != "next" || rows[0].Line != 3 {
			t.Errorf("%q: the row after it came as %v", tt.row, rows)
		}
	}
}

func TestAListThatIsWrongAsAWholeEndsWithOneError(t *testing.T) {
	tests := map[string]string{
		"":                                 "the list is empty: its first line has to name the columns, contact_id and phone at least",
		"\n\n":                             "the list has only blank lines: its first line has to name the columns, contact_id and phone at least",
		"c-001,+12025550143\n":             "there is no column contact_id: the first line has to name the columns, contact_id and phone at least",
		"contact_id,name\n":                "there is no column phone: the first line has to name the columns, contact_id and phone at least",
		"contact_id,phone\n":               "there is no column campaign: add it, or name one campaign for the whole list",
		"contact_id,phone,Phone\n":         "columns 2 and 3 are both called phone: rename or remove one",
		"contact_id;phone\n":               "the columns are separated with semicolons: save the list again with commas",
		"contact_id\tphone\n":              "the columns are separated with tabs: save the list again with commas",
		"contact_id,phone,Stra\xdfe\n":     "the name of column 3 is not UTF-8: save the list again as CSV in UTF-8",
		"\xff\xfec\x00o\x00":               "the list is UTF-16: save it again as CSV in UTF-8",
		"contact_id,\"phone\n":             `line 1: the header is no CSV (extraneous or missing " in quoted-field): close every quote, and double quotes inside of quotes`,
		"x" + strings.Repeat("x", 1<<20+9): "the header cannot be read: a row is longer than 1 MiB",
	}
	for text, want := range tests {
		rows, problems := read(text, contactlist.Options{})
		if d := cmp.Diff([]string{want}, problems); d != "" || rows != nil {
			t.Errorf("%.30q: rows %v (-want +got):\n%s", text, rows, d)
		}
	}
}

func TestAQuoteThatIsNeverClosedDoesNotSwallowTheList(t *testing.T) {
	endless := io.MultiReader(strings.NewReader("contact_id,phone\na,+15005550006\nb,\""), &rowsOf{left: 1 << 40})
	var problems []string
	for _, err := range contactlist.Read(endless, contactlist.Options{Campaign: "x"}) {
		if err != nil {
			problems = append(problems, err.Error())
		}
	}
	want := []string{"after line 2: a row is longer than 1 MiB: look for a quote that is opened and never closed"}
	if d := cmp.Diff(want, problems); d != "" {
		t.Errorf("(-want +got):\n%s", d)
	}
}

func TestAReaderThatBreaksEndsTheList(t *testing.T) {
	broken := errors.New("the disk is gone")
	for name, r := range map[string]io.Reader{
		"the list cannot be read: the disk is gone":              iotest.ErrReader(broken),
		"after line 2 the list cannot be read: the disk is gone": io.MultiReader(strings.NewReader("contact_id,phone\na,+15005550006\n"), iotest.ErrReader(broken)),
	} {
		var last error
		for _, err := range contactlist.Read(r, contactlist.Options{Campaign: "x"}) {
			last = err
		}
		if !errors.Is(last, broken) || last.Error() != name {
			t.Errorf("got %v, want %s", last, name)
		}
	}
}

func TestReadingStopsWhenTheCallerDoes(t *testing.T) {
	for row := range contactlist.Read(&rowsOf{left: 1 << 40}, contactlist.Options{Campaign: "x"}) {
		if row.Line == 3 {
			return
		}
	}
	t.Error("the list ended by itself")
}

// rowsOf writes a header and a number of rows of 1 KB without holding them.
type rowsOf struct {
	left    int
	row     int
	pending string
}

func (r *rowsOf) Read(p []byte) (int, error) {
	if r.pending == "" {
		if r.left == 0 {
			return 0, io.EOF
		}
		r.left--
		if r.pending = fmt.Sprintf("c-%d,+1202555%04d,Ada,Europe/Berlin,%s\n", r.row, r.row%10000, strings.Repeat("gold ", 200)); r.row == 0 {
			r.pending = "contact_id,phone,name,time_zone,plan\n"
		}
		r.row++
	}
	n := copy(p, r.pending)
	r.pending = r.pending[n:]
	return n, nil
}

func TestMemoryDoesNotGrowWithTheList(t *testing.T) {
	const rows = 5_000
	var before, during runtime.MemStats
	good := 0
	for row, err := range contactlist.Read(&rowsOf{left: rows + 1}, contactlist.Options{Campaign: "x"}) {
		if err != nil {
			t.Fatal(err)
		}
		good++
		if row.Line == 1000 {
			runtime.GC()
			runtime.ReadMemStats(&before)
		}
	}
	runtime.GC()
	runtime.ReadMemStats(&during)
	if good != rows {
		t.Errorf("%d rows, want %d", good, rows)
	}
	if grown := int64(during.HeapAlloc) - int64(before.HeapAlloc); grown > 1<<20 {
		t.Errorf("the heap grew by %d bytes over %d rows", grown, rows)
	}
}

func TestTheExampleIsGood(t *testing.T) {
	f, err := os.Open("../../examples/contacts.csv")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	phones := map[string]bool{}
	for row, err := range contactlist.Read(f, contactlist.Options{Campaign: "default"}) {
		if err != nil {
			t.Error(err)
			continue
		}
		c := row.Contact
		phones[c.Phone] = true
		if c.Name == "" || c.TimeZone == "" || c.Variables["plan"] == "" || c.Variables["city"] == "" {
			t.Errorf("line %d lacks something", row.Line)
		}
	}
	if len(phones) != 12 {
		t.Errorf("the example has %d different numbers, want 12", len(phones))
	}
}
