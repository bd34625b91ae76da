package call_test

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"callagent/core/call"
	"callagent/docs/docstest"
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

func TestThePageShowsTheTable(t *testing.T) {
	docstest.Part(t, "ledger.md", "diagram", diagram())
}

// The page names every state and every time that the rules use, so that a
// changed number cannot leave the page behind.
func TestThePageNamesEveryStateAndTime(t *testing.T) {
	page, err := os.ReadFile("../../docs/ledger.md")
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
