package cloudlog

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"callagent/core/journal"
)

// read reads messages back and fails when an id comes twice.
func read(t *testing.T, messages [][]byte) (entries []journal.Entry) {
	t.Helper()
	ids := map[string]bool{}
	for _, body := range messages {
		b, err := Read(body)
		if err != nil {
			t.Fatal(err)
		}
		if ids[b.ID] || len(b.Entries) == 0 {
			t.Errorf("a message has %d entries and the id %q", len(b.Entries), b.ID)
		}
		ids[b.ID] = true
		entries = append(entries, b.Entries...)
	}
	return entries
}

func TestOneMessageCarriesAnInvocation(t *testing.T) {
	messages := Messages(outage())
	if len(messages) != 1 {
		t.Errorf("%d messages", len(messages))
	}
	if d := cmp.Diff(outage(), read(t, messages)); d != "" {
		t.Errorf("entries (-want +got):\n%s", d)
	}
	if again := Messages(outage()); string(again[0]) == string(messages[0]) {
		t.Error("the same entries have the same id twice")
	}
	if got := Messages(nil); len(got) != 0 {
		t.Errorf("no entries give %d messages", len(got))
	}
}

func TestManyEntriesAreSplit(t *testing.T) {
	var entries []journal.Entry
	for i := range 3000 {
		e := outage()[i%len(outage())]
		e.Message += strings.Repeat("<&>", i%97)
		entries = append(entries, e)
	}
	messages := Messages(entries)
	for i, body := range messages {
		if len(body) > MaxMessage || i < len(messages)-1 && len(body) < MaxMessage*9/10 {
			t.Errorf("message %d has %d bytes", i, len(body))
		}
	}
	if d := cmp.Diff(entries, read(t, messages)); d != "" || len(messages) < 3 {
		t.Errorf("%d messages, entries (-want +got):\n%s", len(messages), d)
	}
}

func TestAnEntryTooLargeForItsShareIsAlone(t *testing.T) {
	large := journal.Entry{Time: noon, Message: strings.Repeat("x", MaxMessage)}
	messages := Messages([]journal.Entry{outage()[0], large, outage()[1]})
	if len(messages) != 3 || len(read(t, messages)) != 3 {
		t.Errorf("%d messages", len(messages))
	}
}

func TestWhatIsNoMessageOfTheJournal(t *testing.T) {
	for _, body := range []string{"", "{}", "[]", "null", `{"entries":[]}`, `{"id":"a","entries":[{"timestamp":"soon"}]}`, `{"id":"a"`} {
		if b, err := Read([]byte(body)); err == nil || len(b.Entries) != 0 {
			t.Errorf("%s is read as %+v", body, b)
		}
	}
}
