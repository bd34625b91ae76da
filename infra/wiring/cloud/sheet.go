package cloud

import (
	"context"
	"time"

	"callagent/core/agent"
	"callagent/core/fault"
	"callagent/core/journal"
	"callagent/infra/cloudlog"
	"callagent/infra/settings"
	"callagent/infra/wiring"
)

// Times of the sheet.
const (
	sheetLease  = "sheet"
	sheetFor    = 45 * time.Second // the longest that one batch may take
	sheetAgain  = 5 * time.Second  // until a message comes again that another process was in the way of
	sheetRests  = 15 * time.Second // after a failure, times the deliveries so far
	sheetWaits  = 6 * time.Minute  // the longest of these: a thousand of them are four days
	statusEvery = time.Minute      // the Status counts all calls, so it is not written with every batch
	statusRare  = 30               // how much longer than writing it takes nobody writes it again
)

// Book is the spreadsheet. Errors hold a *fault.Fault; all of them may be
// answered by asking for the same again. It is not part of this package,
// because Google's client would come into every function with it.
type Book interface {
	// Append writes the events of batches that are not there yet.
	Append(ctx context.Context, batches []cloudlog.Batch) error
	// Status writes how things stand.
	Status(ctx context.Context, now wiring.Standing) error
	Close()
}

// OpenBook makes the client of the spreadsheet that the settings name; nil when
// they name none.
type OpenBook func(settings.Settings) (Book, error)

// Sheet writes the events of the messages into the sheet, one process at a
// time, and says which messages have to come again. Without a spreadsheet they
// are done with. What happens here is in the log only: it would feed itself.
func (p *Process) Sheet(ctx context.Context, messages []agent.Message, open OpenBook) []bool {
	return comeAgain(len(messages), func(again []bool) error {
		return p.event(ctx, func(ctx context.Context, s *set) error {
			defer s.journal.Take()
			wait := s.writeSheet(ctx, messages, open)
			for i, m := range messages {
				if again[i] = wait != nil; again[i] {
					s.hide(ctx, s.events, m, wait(m))
				}
			}
			return nil
		})
	})
}

// waits says how long a message stays away.
type waits func(agent.Message) time.Duration

// always is the same for all messages.
func always(d time.Duration) waits { return func(agent.Message) time.Duration { return d } }

// writeSheet writes all messages or none, and says how long they have to wait;
// nil when they are done with.
func (s *set) writeSheet(ctx context.Context, messages []agent.Message, open OpenBook) waits {
	book, err := s.openBook(open)
	if err != nil {
		s.setupWrong(err)
		return always(sheetWaits)
	}
	if book == nil {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, sheetFor)
	defer cancel()
	mine, err := s.leases.Take(ctx, sheetLease, s.holder, time.Now(), sheetFor)
	switch {
	case err != nil:
		return s.sheetBehind(err)
	case !mine:
		return always(sheetAgain)
	}
	err = book.Append(ctx, s.batches(messages))
	if err == nil {
		s.writeStatus(ctx, book)
	}
	_ = s.leases.Release(context.WithoutCancel(ctx), sheetLease, s.holder) // it ends by itself
	if err != nil {
		return s.sheetBehind(err)
	}
	return nil
}

// sheetBehind journals that rows come later. The oftener a message came in
// vain, the longer it stays away.
func (s *set) sheetBehind(err error) waits {
	f := fault.From("sheets", err)
	s.write(journal.Warning, "sheet_behind", "Rows reach the sheet later: "+f.Error())
	return func(m agent.Message) time.Duration {
		return max(f.RetryAfter, min(sheetWaits, sheetRests*time.Duration(max(1, m.Receives))))
	}
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
		book, err := open(s.settings)
		if err != nil || book == nil {
			return nil, err
		}
		s.book = book
		s.closers = append(s.closers, func() error { book.Close(); return nil })
	}
	return s.book, nil
}

// writeStatus brings the Status up to date, if it is time. When that fails the
// rows are written all the same, and a later batch tries again.
func (s *set) writeStatus(ctx context.Context, book Book) {
	began := time.Now()
	if began.Before(s.statusAt) {
		return
	}
	now, err := wiring.ReadStanding(ctx, s.circuits, s.calls, began)
	if err == nil {
		err = book.Status(ctx, now)
	}
	s.statusAt = began.Add(max(statusEvery, statusRare*time.Since(began)))
	if err != nil {
		s.write(journal.Warning, "sheet_behind", "The sheet's Status is not up to date: "+err.Error())
	}
}
