package docs_test

import (
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"callagent/core/call"
	"callagent/infra/contactlist"
	"callagent/infra/settings"
	"callagent/localstack/simulator"
)

// example is what stands in a page's only fence of a kind.
func example(t *testing.T, page, kind string) string {
	t.Helper()
	_, rest, found := strings.Cut(pages(t)[page], "```"+kind+"\n")
	text, _, closed := strings.Cut(rest, "```")
	if !found || !closed {
		t.Fatalf("%s has no example in %s", page, kind)
	}
	return text
}

// explains reports whether a page has a word in code.
func explains(page, word string) bool {
	return regexp.MustCompile("`\\[*" + regexp.QuoteMeta(word) + "\\]*`").MatchString(page)
}

func TestThePageHasTheMessage(t *testing.T) {
	page := pages(t)["docs/contacts.md"]
	for field := range reflect.TypeFor[call.Contact]().Fields() {
		name, _, _ := strings.Cut(field.Tag.Get("json"), ",")
		if !explains(page, name) {
			t.Errorf("docs/contacts.md does not explain %s", name)
		}
	}
	if call.MaxBody != 64<<10 {
		t.Errorf("docs/contacts.md says 64 KiB, a message may have %d bytes", call.MaxBody)
	}
	if _, err := call.Decode([]byte(example(t, "docs/contacts.md", "json"))); err != nil {
		t.Errorf("the example is refused: %v", err)
	}
}

func TestThePageHasTheList(t *testing.T) {
	list := example(t, "docs/contacts.md", "csv")
	rows := 0
	for row, err := range contactlist.Read(strings.NewReader(list), contactlist.Options{Campaign: "default", Now: time.Now()}) {
		if err != nil {
			t.Errorf("the example is refused: %v", err)
		}
		if row.Contact.Variables["plan"] == "" {
			t.Errorf("%s has no variable plan", row.Contact.ID)
		}
		rows++
	}
	if want := strings.Count(list, "\n") - 1; rows != want {
		t.Errorf("%d of %d rows were read", rows, want)
	}
}

// The simulator answers a word that it does not know with those that it does.
func TestThePageHasTheWordsOfTheSimulator(t *testing.T) {
	page := pages(t)["docs/scenarios.md"]
	for _, c := range []simulator.Config{
		{Numbers: map[string]string{"+12025550101": "zzzz"}},
		{Faults: []simulator.Fault{{Service: "zzzz", Answer: "503"}}},
		{Faults: []simulator.Fault{{Service: "twilio", Answer: "zzzz"}}},
	} {
		sim, err := simulator.Start(c)
		if err == nil {
			sim.Close()
			t.Fatalf("%+v is accepted", c)
		}
		words := regexp.MustCompile(`([a-z_-]+, )+[a-z_-]+$`).FindString(err.Error())
		if words == "" {
			t.Errorf("the error lists no words: %v", err)
		}
		for word := range strings.SplitSeq(words, ", ") {
			if !explains(page, word) {
				t.Errorf("docs/scenarios.md does not explain %s", word)
			}
		}
	}
}

// A key that is not known is answered with the list of those that are.
func TestThePageHasTheKeysOfAScenario(t *testing.T) {
	page := pages(t)["docs/scenarios.md"]
	const head = "name = 'x'\ncontacts = 'y'\n"
	for _, table := range []struct{ text, known string }{
		{"zzzzzzzz = 1\n" + head, "the names at the top are "},
		{head + "[[faults]]\nservice = 'llm'\nanswer = 503\nzzzzzzzz = 1\n", "may have is "},
		{head + "[expect]\nzzzzzzzz = 1\n", "may have is "},
	} {
		_, err := settings.ParseScenario("test", []byte(table.text))
		if err == nil {
			t.Fatal("an unknown key is accepted")
		}
		_, list, found := strings.Cut(err.Error(), table.known)
		if !found {
			t.Fatalf("the error names no keys: %v", err)
		}
		line, _, _ := strings.Cut(list, "\n")
		keys := strings.Split(line, ", ")
		if len(keys) < 5 || !slices.IsSorted(keys) {
			t.Errorf("these are no keys: %q", keys)
		}
		for _, key := range keys {
			if !explains(page, key) {
				t.Errorf("docs/scenarios.md does not explain %s", key)
			}
		}
	}
}
