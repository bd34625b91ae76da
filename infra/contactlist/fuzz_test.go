package contactlist_test

import (
	"encoding/json"
	"errors"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"callagent/core/call"
	"callagent/infra/contactlist"
)

// FuzzRead: a row that is taken is a message that the queue's reader takes, and
// means the same there; every mistake names the line and a remedy.
func FuzzRead(f *testing.F) {
	head := "contact_id,phone,name,expires_at,plan\n"
	for _, seed := range []string{
		"", head, head + "c-001,+12025550143,Ada,2026-12-01T18:00:00Z,gold\n", "\xef\xbb\xbf" + head + "a,+1 (202) 555-0143,,,\r\n",
		head + "a,\"+12025550143\n", head + "a,+12025550143\n", head + "12025550143,Ada,+12025550143,12025550143,12025550143\n",
		"contact_id,phone,+12025550143\na,b,\xff\n", "phone,contact_id\n\"+1\n202\",x\n",
	} {
		f.Add(seed)
	}
	digits := regexp.MustCompile(`[0-9]{7,}`)
	f.Fuzz(func(t *testing.T, text string) {
		line, ended := 0, false
		for row, err := range contactlist.Read(strings.NewReader(text), contactlist.Options{Campaign: "x", Now: now}) {
			if ended {
				t.Fatal("something came after the last error")
			}
			if err == nil {
				sendable(t, row)
				if row.Line <= line {
					t.Errorf("line %d came after line %d", row.Line, line)
				}
				line = row.Line
				continue
			}
			bad, isRow := errors.AsType[*contactlist.RowError](err)
			ended = !isRow
			if isRow && (bad.Line <= line || bad.Problem == "" || bad.Remedy == "") {
				t.Errorf("after line %d came %+v", line, bad)
			}
			if isRow {
				line = bad.Line
			}
			if digits.MatchString(err.Error()) {
				t.Error("an error shows seven digits in a row")
			}
		}
	})
}

// sendable checks a row that was taken against the reader of messages.
func sendable(t *testing.T, row contactlist.Row) {
	t.Helper()
	body, err := json.Marshal(row.Contact)
	if err != nil {
		t.Fatalf("line %d cannot be sent: %v", row.Line, err)
	}
	got, err := call.Decode(body)
	if diff := cmp.Diff(row.Contact, got); diff != "" || err != nil {
		t.Errorf("line %d arrives otherwise: %v\n%s", row.Line, err, diff)
	}
}

// FuzzPhones: a number that is taken can be dialled and is read alike when it
// is written again, and every mistake names the line and a remedy.
func FuzzPhones(f *testing.F) {
	for _, seed := range []string{
		"", "+12025550143\n", "phone\n+1 (202) 555-0143\r\n", "name,phone\nAda,+12025550143\nBob\n", "12025550143\n\n0012025550143", "\"+1202\n5550143\"",
		"a,b\n", "1.2025550143E+10", "\xff\xfe+", "phone,phone\n+12025550143,",
	} {
		f.Add(seed)
	}
	digits := regexp.MustCompile(`[0-9]{7,}`)
	f.Fuzz(func(t *testing.T, text string) {
		for phone, err := range contactlist.Phones(strings.NewReader(text)) {
			if err == nil {
				if again, err := contactlist.Phone(phone); !call.E164(phone) || again != phone || err != nil {
					t.Errorf("a number that was taken comes back otherwise: %v", err)
				}
				continue
			}
			if bad, isRow := errors.AsType[*contactlist.RowError](err); isRow && (bad.Line < 1 || bad.Problem == "" || bad.Remedy == "") {
				t.Errorf("line %d: %+v", bad.Line, bad)
			}
			if digits.MatchString(err.Error()) {
				t.Error("an error shows seven digits in a row")
			}
		}
	})
}
