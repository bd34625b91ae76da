package cli

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"callagent/infra/settings"
)

func TestFindScenario(t *testing.T) {
	dir := t.TempDir()
	write := func(name, text string) string {
		t.Helper()
		file := filepath.Join(dir, name)
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return file
	}
	list := write("mine.csv", "contact_id,phone\n")
	builtIn, err := os.ReadFile("../../../examples/forty.csv")
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ name, contacts, wrong string }{
		{"dial-500", string(builtIn), ""},
		{write("copy.toml", "name = 'x'\ncontacts_file = 'forty.csv'"), string(builtIn), ""},
		{write("beside.toml", "name = 'x'\ncontacts_file = 'mine.csv'"), "contact_id,phone\n", ""},
		{write("absolute.toml", "name = 'x'\ncontacts_file = '"+list+"'"), "contact_id,phone\n", ""},
		{write("inline.toml", "name = 'x'\ncontacts = 'contact_id'"), "contact_id", ""},
		{write("lost.toml", "name = 'x'\ncontacts_file = 'nowhere.csv'"), "", "write a path relative to the scenario"},
		{write("bad.toml", "nam = 'x'"), "", "did you mean name?"},
		{"no-such", "", "the scenarios are bad-contacts, "},
		{dir, "", "the scenario cannot be read"},
	} {
		_, contacts, err := findScenario(c.name)
		if c.wrong == "" && err != nil || c.wrong != "" && (err == nil || !strings.Contains(err.Error(), c.wrong)) {
			t.Errorf("%s: error %v, want %q", filepath.Base(c.name), err, c.wrong)
		}
		if err == nil && string(contacts) != c.contacts {
			t.Errorf("%s: the list is %q", filepath.Base(c.name), contacts)
		}
	}
}

func TestJudge(t *testing.T) {
	ended := summary{Contacts: 3, Completed: 2, Parked: 1, Alerts: 4, Results: map[string]int{"answered": 1, "busy": 1}, opened: []string{"twilio"}}
	expect := func(over func(*settings.Expectation)) settings.Expectation {
		e := settings.Expectation{
			Numbers: map[string]settings.Range{"completed": {Least: 2, Most: 2}, "alerts": {Most: 4}, "exit": {Least: 1, Most: 1}},
			Results: map[string]settings.Range{"answered": {Least: 1, Most: 1}, "busy": {Most: 2}},
			Opened:  []string{"twilio"},
		}
		over(&e)
		return e
	}
	for _, c := range []struct {
		name   string
		over   func(*settings.Expectation)
		check  bool
		status int
		wrong  string
	}{
		{"as expected, with work left", func(*settings.Expectation) {}, false, failed, ""},
		{"as expected, checked", func(*settings.Expectation) {}, true, ok, ""},
		{"a number", func(e *settings.Expectation) { e.Numbers["completed"] = settings.Range{Least: 3, Most: 3} }, true, failed, "completed is 2, not 3"},
		{"too many", func(e *settings.Expectation) { e.Numbers["alerts"] = settings.Range{Most: 3} }, true, failed, "alerts is 4, not at most 3"},
		{"too few", func(e *settings.Expectation) { e.Numbers["rings"] = settings.Range{Least: 1, Most: 9} }, true, failed, "rings is 0, not 1 to 9"},
		{"a result that is not named", func(e *settings.Expectation) { delete(e.Results, "busy") }, true, failed, "busy is 1, not 0"},
		{"a circuit", func(e *settings.Expectation) { e.Opened = []string{} }, true, failed, "the circuits that opened are [twilio], not []"},
		{"the exit status", func(e *settings.Expectation) { e.Numbers["exit"] = settings.Range{} }, false, failed, "exit is 1, not 0"},
	} {
		t.Run(c.name, func(t *testing.T) {
			var out, errs bytes.Buffer
			w := World{Out: &out, Err: &errs}
			command := simulateCommand{Check: c.check}
			status := w.complain(command.judge(w, settings.Scenario{Name: "x", Expect: expect(c.over)}, ended))
			if status != c.status {
				t.Errorf("exit status %d, want %d", status, c.status)
			}
			if want := "callagent: scenario x did not end as expected: " + c.wrong + "\n"; c.wrong != "" && errs.String() != want || c.wrong == "" && errs.Len() > 0 {
				t.Errorf("it says %q", errs.String())
			}
			if line := strings.HasPrefix(out.String(), "ok  x "); line != (c.check && c.wrong == "") {
				t.Errorf("it prints %q", out.String())
			}
		})
	}
}
