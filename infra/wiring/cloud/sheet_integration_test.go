//go:build integration

package cloud

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"callagent/core/agent"
	"callagent/core/journal"
	"callagent/infra/cloudlog"
	"callagent/infra/settings"
	"callagent/infra/sheets"
	"callagent/infra/wiring"
)

// opened is the real client of the simulated spreadsheet, as package book
// makes it.
type opened struct{ *sheets.Book }

func openSheets(s settings.Settings) (Book, error) {
	p := s.Providers
	b, err := sheets.New(sheets.Config{Spreadsheet: p.Sheets.Spreadsheet, Credentials: string(p.Sheets.Credentials), Endpoint: p.Sheets.Endpoint})
	return opened{b}, err
}

func (o opened) Append(ctx context.Context, batches []cloudlog.Batch) error {
	var messages []sheets.Message
	for _, b := range batches {
		messages = append(messages, sheets.Message{ID: b.ID, Entries: b.Entries})
	}
	return o.Book.Append(ctx, messages...)
}

func (o opened) Status(ctx context.Context, now wiring.Standing) error {
	return o.Book.Status(ctx, sheets.Status(now))
}

// rows are those of a tab.
func (s *stack) rows(title string) [][]string {
	for _, tab := range s.sim.Tabs() {
		if tab.Title == title {
			return tab.Rows
		}
	}
	return nil
}

func TestTheSheetHasEachEventOnceWhateverComesTwice(t *testing.T) {
	t.Parallel()
	s := newStack(t)
	p := s.process("sheet")
	write := func(ctx context.Context, messages []agent.Message) []bool { return p.Sheet(ctx, messages, openSheets) }
	parts, err := p.current(t.Context())
	s.must(parts, err)
	for n := range 3 {
		e := journal.Entry{Time: time.Now(), Level: journal.Info, Event: "call_completed", Message: fmt.Sprintf("Completed: number %d", n)}
		for _, body := range cloudlog.Messages([]journal.Entry{e}) {
			s.must(nil, parts.events.Send(t.Context(), 0, body, body)) // each comes twice
		}
	}
	s.must(nil, parts.events.Send(t.Context(), 0, []byte("no journal"), cloudlog.Refresh()))
	if n := s.pump("JOURNAL_QUEUE_URL", write); n < 8 {
		t.Errorf("%d messages, want 8", n)
	}
	log := s.rows("Log")
	if len(log) != 4 { // the header too
		t.Errorf("%d rows: %v\n%s", len(log), log, s.log.text())
	}
	if status := s.rows("Status"); len(status) < 5 || !strings.Contains(fmt.Sprint(status), "CLOSED") {
		t.Errorf("status %v", status)
	}
	if n := s.count("message_rejected"); n != 1 {
		t.Errorf("%d messages were rejected, want 1", n)
	}
	if messages, _ := s.messages("JOURNAL_QUEUE_URL"); len(messages) != 0 {
		t.Error("the sheet's own events are on its queue")
	}
}

func TestASheetThatIsDownDelaysRowsOnly(t *testing.T) {
	t.Parallel()
	s := newStack(t)
	s.env["SHEETS_ENDPOINT"] = "http://127.0.0.1:1/"
	p := s.process("sheet")
	parts, err := p.current(t.Context())
	s.must(parts, err)
	body := cloudlog.Messages([]journal.Entry{{Time: time.Now(), Event: "call_completed", Message: "Completed."}})
	s.must(nil, parts.events.Send(t.Context(), 0, body...))
	messages, _ := s.messages("JOURNAL_QUEUE_URL")
	if again := p.Sheet(t.Context(), messages, openSheets); len(again) != 1 || !again[0] {
		t.Errorf("again %v", again)
	}
	s.only("sheet_behind")
}
