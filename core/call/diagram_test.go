package call_test

import (
	"flag"
	"fmt"
	"os"
	"strings"
	"testing"

	"callagent/core/call"
)

var update = flag.Bool("update", false, "draw the diagram in docs/ledger.md again")

const (
	ledgerPage   = "../../docs/ledger.md"
	diagramBegin = "<!-- drawn from call.Transitions by go test ./core/call -update -->\n"
	diagramEnd   = "<!-- end of the drawing -->\n"
)

// diagram draws the table of transitions.
func diagram() string {
	var b strings.Builder
	b.WriteString("```mermaid\nstateDiagram-v2\n")
	for _, row := range call.Transitions {
		from := string(row.From)
		if row.From == call.Queued {
			from = "[*]"
		}
		fmt.Fprintf(&b, "    %s --> %s: %s (%s)\n", from, row.To, row.Move, row.Why)
	}
	for _, s := range call.States() {
		if s.Final() {
			fmt.Fprintf(&b, "    %s --> [*]\n", s)
		}
	}
	b.WriteString("```\n")
	return b.String()
}

func TestTheDiagramShowsTheTable(t *testing.T) {
	page, err := os.ReadFile(ledgerPage)
	if err != nil {
		t.Fatal(err)
	}
	before, rest, ok := strings.Cut(string(page), diagramBegin)
	drawn, after, ended := strings.Cut(rest, diagramEnd)
	if !ok || !ended {
		t.Fatalf("%s has lost the marks of its drawing", ledgerPage)
	}
	want := diagram()
	if drawn == want {
		return
	}
	if !*update {
		t.Fatalf("%s shows another life of a call than the code. Draw it again: go test ./core/call -update", ledgerPage)
	}
	if err := os.WriteFile(ledgerPage, []byte(before+diagramBegin+want+diagramEnd+after), 0o644); err != nil {
		t.Fatal(err)
	}
}

// The page names every state and every time that the rules use, so that a
// changed number cannot leave the page behind.
func TestThePageNamesEveryStateAndTime(t *testing.T) {
	page, err := os.ReadFile(ledgerPage)
	if err != nil {
		t.Fatal(err)
	}
	text := string(page)
	for _, s := range call.States() {
		if !strings.Contains(text, "`"+string(s)+"`") {
			t.Errorf("the page does not name %q", s)
		}
	}
	for _, sentence := range []string{
		fmt.Sprintf("%d takeovers", call.MaxTakeovers),
		fmt.Sprintf("%d s before the lease ends", call.LeaseMargin/1e9),
		fmt.Sprintf("every %d s", call.LookEvery/1e9),
		fmt.Sprintf("%d s after the deadline", call.ListAfter/1e9),
		fmt.Sprintf("%d s before the intent", call.CreatedSlack/1e9),
		fmt.Sprintf("%d h after the intent", call.LookFor/3600e9),
		fmt.Sprintf("up to %d min the queue hides the message", call.MaxHidden/60e9),
		fmt.Sprintf("queued there for %d min", call.QueuedFor/60e9),
	} {
		if !strings.Contains(text, sentence) {
			t.Errorf("the page does not say %q", sentence)
		}
	}
}
