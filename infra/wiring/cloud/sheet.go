package cloud

import (
	"context"
	"errors"
	"time"

	"callagent/core/agent"
	"callagent/core/fault"
	"callagent/core/journal"
	"callagent/infra/cloudlog"
	"callagent/infra/sheets"
)

// Times of the sheet.
const (
	sheetLease  = "sheet"
	sheetFor    = time.Minute      // the longest that one batch may take
	sheetAgain  = 3 * time.Second  // until a message comes again that another process was in the way of
	sheetRests  = 15 * time.Second // after a failure that says nothing about when to come again
	statusEvery = time.Minute      // the Status counts all calls, so it is not written with every batch
)

// Sheet writes the events of the messages into the sheet, one process at a
// time, and says which messages have to come again. Without a spreadsheet they
// are done with. What happens here is in the log only: it would feed itself.
func (p *Process) Sheet(ctx context.Context, messages []agent.Message) (again []bool) {
	again = make([]bool, len(messages))
	err := p.event(ctx, func(ctx context.Context, s *set) error {
		defer s.journal.Take()
		wait := s.writeSheet(ctx, messages)
		for i, m := range messages {
			if again[i] = wait > 0; again[i] {
				s.hide(ctx, s.incoming, m, wait)
			}
		}
		return nil
	})
	for i := range again {
		again[i] = again[i] || err != nil
	}
	return again
}

// writeSheet writes all messages or none, and says how long they have to wait;
// 0 when they are done with.
func (s *set) writeSheet(ctx context.Context, messages []agent.Message) time.Duration {
	book, err := s.openBook()
	if err != nil {
		s.write(journal.Error, "setup_wrong", "The sheet cannot be written before this is mended: "+err.Error())
		return postponed
	}
	if book == nil {
		return 0
	}
	ctx, cancel := context.WithTimeout(ctx, sheetFor)
	defer cancel()
	mine, err := s.leases.Take(ctx, sheetLease, s.holder, time.Now(), sheetFor)
	if err != nil || !mine {
		return sheetAgain
	}
	err = errors.Join(book.Append(ctx, s.batches(messages)...), s.writeStatus(ctx, book))
	_ = s.leases.Release(context.WithoutCancel(ctx), sheetLease, s.holder) // it ends by itself
	if err == nil {
		return 0
	}
	f := fault.From("sheets", err)
	s.write(journal.Warning, "sheet_behind", "Rows reach the sheet later: "+f.Error())
	return max(sheetRests, f.RetryAfter)
}

// batches reads the messages. One that is no journal message is dropped with an
// entry in the log: nobody but us sends any.
func (s *set) batches(messages []agent.Message) []sheets.Message {
	var read []sheets.Message
	for _, m := range messages {
		b, err := cloudlog.Read(m.Body)
		if err != nil {
			s.write(journal.Error, "message_rejected", "A message of the journal queue is none of callagent's and is dropped.")
			continue
		}
		read = append(read, sheets.Message{ID: b.ID, Entries: b.Entries})
	}
	return read
}

// openBook makes the spreadsheet's client, once for a set; nil when there is no
// spreadsheet.
func (s *set) openBook() (*sheets.Book, error) {
	if c := s.settings.Providers.Sheets; s.book == nil && c.Spreadsheet != "" {
		book, err := sheets.New(sheets.Config{Spreadsheet: c.Spreadsheet, Credentials: c.Credentials, Endpoint: c.Endpoint})
		if err != nil {
			return nil, err
		}
		s.book = book
		s.closers = append(s.closers, func() error { book.Close(); return nil })
	}
	return s.book, nil
}

// writeStatus brings the Status up to date, if it is time.
func (s *set) writeStatus(ctx context.Context, book *sheets.Book) error {
	now := time.Now()
	if now.Sub(s.statusAt) < statusEvery {
		return nil
	}
	status := sheets.Status{At: now}
	for _, name := range agent.Services() {
		r, err := s.circuits.Load(ctx, name)
		if err != nil {
			return err
		}
		status.Circuits = append(status.Circuits, r)
	}
	var err error
	if status.Parked, err = s.calls.ParkedFor(ctx); err != nil {
		return err
	}
	if status.Counts, err = s.calls.Counts(ctx); err != nil {
		return err
	}
	if err := book.Status(ctx, status); err != nil {
		return err
	}
	s.statusAt = now
	return nil
}
