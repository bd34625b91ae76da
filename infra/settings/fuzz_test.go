package settings

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"unicode"

	"github.com/google/go-cmp/cmp"
)

// plantedNumber stands where a fuzzed text has $.
const plantedNumber = "+15005550006"

// FuzzSettings: a file that is taken has the same effect when what is in force
// is printed and read again, and every mistake is told with its line or key and
// a remedy, and without a number.
func FuzzSettings(f *testing.F) {
	own, err := os.ReadFile("../../callagent.toml")
	if err != nil {
		f.Fatal(err)
	}
	for _, text := range []string{
		"", string(own), "workers = 0", "workers = 1\nworkers = 2", "[retry]\nmax_retries = -1\njitter = 2.0\n", "[services.twilio]\nrate = 1e300\ntimeout = \"1ns\"",
		"[campaign.x]\nprompt = '''Hi {{.name}}\n'''\ncall_window = \"20:00-09:00\"\nfrom = \"$\"", "[campaign.\"$\"]\nvoice = 1", "[log]\nfile = {a=1}",
		"\"$\" = \"$\"", "[alerts]\nemail = [\"$\"]", "store = \"$\"", "[campaign.default]\nlanguage = \"$\"\nmax_seconds = 99999999999", "[[workers]]\na=1",
		"[services.twilio.retry]\ninitial_delay = \"9999h\"\n", "max_in_progress = 0x7fffffffffffffff", "a.b.c = 1979-05-27", "[health_check]\ninterval = '0s'", "workers = $",
	} {
		f.Add(text)
	}
	file := filepath.Join(f.TempDir(), "callagent.toml")
	f.Fuzz(func(t *testing.T, text string) {
		first, err := loadText(t, file, strings.ReplaceAll(text, "$", plantedNumber))
		if err != nil {
			explained(t, err)
			return
		}
		var printed bytes.Buffer
		if err := Write(&printed, first); err != nil {
			t.Fatal(err)
		}
		second, err := loadText(t, file, printed.String())
		if err != nil {
			t.Fatalf("what was printed is refused: %v\n%s", err, printed.String())
		}
		if diff := cmp.Diff(first, second); diff != "" {
			t.Errorf("what was printed has another effect (-file +printed):\n%s", diff)
		}
	})
}

func loadText(t *testing.T, file, text string) (Settings, error) {
	t.Helper()
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return Load(Source{File: file})
}

// explained checks every mistake by itself.
func explained(t *testing.T, err error) {
	t.Helper()
	several, ok := err.(interface{ Unwrap() []error })
	if _, one := errors.AsType[*Error](err); ok && !isError(err) {
		for _, err := range several.Unwrap() {
			explained(t, err)
		}
		return
	} else if !one {
		t.Fatalf("%T, not an *Error: %v", err, err)
	}
	e, _ := errors.AsType[*Error](err)
	if e.Problem == "" || e.Line == 0 && e.Key == "" && !strings.Contains(e.Problem, ":") {
		t.Errorf("the mistake has no place or no remedy: %+v", *e)
	}
	if strings.ContainsFunc(err.Error(), func(r rune) bool { return r != '\n' && !unicode.IsPrint(r) }) {
		t.Errorf("the mistake does not fit on a screen: %q", err)
	}
	if strings.Contains(err.Error(), plantedNumber[1:]) {
		t.Errorf("the mistake shows a number: %v", err)
	}
}

func isError(err error) bool { _, ok := err.(*Error); return ok }

// FuzzScenario: a scenario that is taken says whom to call and what fails in
// terms that make sense, and every mistake is told as those of settings are.
func FuzzScenario(f *testing.F) {
	files, err := filepath.Glob("../../examples/scenarios/*.toml")
	if err != nil || len(files) == 0 {
		f.Fatalf("no scenarios: %v", err)
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(string(text))
	}
	for _, text := range []string{
		outage, "name = \"x\"\ncontacts = \"a\"\n[numbers]\n\"$\" = 1", "[numbers]\n\"$0000\" = \"busy\"", "[[faults]]\nservice = \"\"\nrate = -1\nfrom = \"-1s\"",
		"faults = 1", "faults = [1, {service = \"x\"}]", "[expect]\nrings = {at_least = 3, at_most = 2}\nresults = 1\nopened = [\"$\"]", "start = \"$\"\n[settings]\nworkers = \"$\"",
		"[[settings]]\nworkers=1", "[expect.results]\n\"$\" = 1.5",
	} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		s, err := ParseScenario("x.toml", []byte(strings.ReplaceAll(text, "$", plantedNumber)))
		if err != nil {
			explained(t, err)
			return
		}
		if s.Name == "" || (s.Contacts == "") == (s.ContactsFile == "") {
			t.Errorf("it does not say whom to call: %+v", s)
		}
		for _, f := range s.Faults {
			if f.Service == "" || f.Answer == "" || f.From < 0 || f.For < 0 || f.Delay < 0 || !(f.Rate >= 0) {
				t.Errorf("a fault that cannot be: %+v", f)
			}
		}
		for _, n := range s.Expect.Numbers {
			if n.Least < 0 || n.Most < n.Least {
				t.Errorf("nothing can meet %+v", n)
			}
		}
		if _, err := Load(Source{Over: []Layer{s.Settings}}); err != nil {
			t.Errorf("its settings were checked, and yet: %v", err)
		}
	})
}

// FuzzEnvironment: no mistake in a variable repeats what the variable holds, and
// no printing shows a secret.
func FuzzEnvironment(f *testing.F) {
	for _, value := range []string{"$", "https://user:$@host/path", "smtp://a:$@h:25", "+1$", "$@b, c@d", "\x7f%zz$", "http://[::1$", " $ "} {
		for i := range new(Providers).variables() {
			f.Add(uint8(i), value)
		}
	}
	const planted = "q7Kplanted4711"
	f.Fuzz(func(t *testing.T, which uint8, value string) {
		all := new(Providers).variables()
		v := all[int(which)%len(all)]
		p, err := readEnvironment(environment(map[string]string{v.name: strings.ReplaceAll(value, "$", planted)}))
		if err != nil && strings.Contains(err.Error(), planted) {
			t.Errorf("%s: the mistake repeats the value: %v", v.name, err)
		}
		var printed bytes.Buffer
		if err := Write(&printed, Settings{Providers: p}); err != nil {
			t.Fatal(err)
		}
		if v.hide != nil && strings.Contains(printed.String(), planted) {
			t.Errorf("%s is printed", v.name)
		}
	})
}
