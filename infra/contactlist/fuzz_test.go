package contactlist_test

import (
	"errors"
	"regexp"
	"strings"
	"testing"

	"callagent/infra/contactlist"
)

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
				if problem := row.Contact.Validate(); problem != nil {
					t.Errorf("line %d was accepted although %v", row.Line, problem)
				}
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
