package cloud

import (
	"context"
	"errors"
	"time"

	"callagent/core/agent"
	"callagent/core/breaker"
	"callagent/core/call"
	"callagent/core/fault"
	"callagent/core/journal"
	"callagent/infra/cloudlog"
	"callagent/infra/settings"
)

// Times of the sheet.
const (
	sheetLease  = "sheet"
	sheetFor    = time.Minute      // the longest that one batch may take
	sheetAgain  = 3 * time.Second  // until a message comes again that another process was in the way of
	sheetRests  = 15 * time.Second // after a failure that says nothing about when to come again
	statusEvery = time.Minute      // the Status counts all calls, so it is not written with every batch
)

// Book is the spreadsheet. Errors hold a *fault.Fault; all of them may be
// answered by asking for the same again. It is not part of this package,
// because Google's client would come into every function with it.
type Book interface {
	// Append writes the events of batches that are not there yet.
	Append(ctx context.Context, batches []cloudlog.Batch) error
	// Status writes how things stand.
	Status(ctx context.Context, now Standing) error
	Close()
}

// Standing is how things stand.
type Standing struct {
	At       time.Time
	Circuits []breaker.Record // one for each service
	Parked   map[string]int   // calls that wait for a service's circuit
	Counts   []call.Count     // of all campaigns
}

// OpenBook makes the client of the spreadsheet that the settings name; nil when
// they name none.
type OpenBook func(settings.Providers) (Book, error)

// Sheet writes the events of the messages into the sheet, one process at a
// time, and says which messages have to come again. Without a spreadsheet they
// are done with. What happens here is in the log only: it would feed itself.
func (p *Process) Sheet(ctx context.Context, messages []agent.Message, open OpenBook) (again []bool) {
	again = make([]bool, len(messages))
	err := p.event(ctx, func(ctx context.Context, s *set) error {
		defer s.journal.Take()
		wait := s.writeSheet(ctx, messages, open)
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
func (s *set) writeSheet(ctx context.Context, messages []agent.Message, open OpenBook) time.Duration {
	book, err := s.openBook(open)
	if err != nil {
		s.setupWrong(err)
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
	err = errors.Join(book.Append(ctx, s.batches(messages)), s.writeStatus(ctx, book))
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
func (s *set) batches(messages []agent.Message) []cloudlog.Batch {
	var read []cloudlog.Batch
	for _, m := range messages {
		b, err := cloudlog.Read(m.Body)
		if err != nil {
			s.write(journal.Error, "message_rejected", "A message of the journal queue is none of callagent's and is dropped.")
			continue
		}
		read = append(read, b)
	}
	return read
}

// openBook opens the spreadsheet, once for a set; nil when there is none.
func (s *set) openBook(open OpenBook) (Book, error) {
	if s.book == nil {
		book, err := open(s.settings.Providers)
		if err != nil || book == nil {
			return nil, err
		}
		s.book = book
		s.closers = append(s.closers, func() error { book.Close(); return nil })
	}
	return s.book, nil
}

// writeStatus brings the Status up to date, if it is time.
func (s *set) writeStatus(ctx context.Context, book Book) error {
	now := time.Now()
	if now.Sub(s.statusAt) < statusEvery {
		return nil
	}
	status := Standing{At: now}
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
