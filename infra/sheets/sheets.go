// Package sheets writes the journal into a Google spreadsheet that staff own:
// a Log of events, the Status of services and campaigns, and Charts.
//
// Every write is one atomic batchUpdate. It carries a mark: a piece of
// developer metadata that names the messages whose rows the write adds. So a
// write whose answer was lost is recognised when it is asked for again, and so
// is a message that a queue delivers twice. The marks are numbered, and a
// spreadsheet holds each number once: of two writers that write on the same
// reading of the sheet, one is refused, reads again and leaves out what is
// there.
//
// Tabs are known by their ids and columns by developer metadata that moves
// with them: staff may rename tabs, sort, filter, and insert, move and delete
// columns.
package sheets

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"google.golang.org/api/option"
	api "google.golang.org/api/sheets/v4"

	"callagent/core/agent"
	"callagent/core/fault"
	"callagent/core/journal"
	"callagent/infra/clock"
	"callagent/infra/httpcall"
)

// service is the name in faults.
const service = "sheets"

// Config says which spreadsheet is written, and as whom.
type Config struct {
	Spreadsheet string // the id in the spreadsheet's address; needed
	// Credentials is a service account's key: the JSON itself or the path of
	// the file that Google's console gave; needed.
	Credentials string
	Endpoint    string        // "" means https://sheets.googleapis.com/
	KeepRows    int           // events that stay in the Log, the newest; 0 means 50,000
	Connect     time.Duration // bounds dialling and the TLS handshake; 0 means 5 s
	Clock       agent.Clock   // nil means the wall clock
}

const (
	// mostAnswer bounds an answer in bytes. The largest is a column of the Log.
	mostAnswer = 32 << 20

	defaultKeep = 50_000
)

// Book is one spreadsheet. It is safe for concurrent use; requests are made
// one after the other. Faults that its methods return are *fault.Fault; all of
// them may be answered by asking for the same again.
type Book struct {
	id      string
	email   string // of the service account
	api     *api.Service
	client  *httpcall.Client
	account *transport
	clock   agent.Clock
	keep    int

	turn chan struct{} // held by whoever uses what follows

	ready       bool // the tabs are there
	zone        *time.Location
	reads       pace
	writes      pace
	throttled   int // 429 in a row
	pausedUntil time.Time
	counts      counts
	countsAt    int64 // the mark that counts is true of; 0: read them first
}

// New checks the configuration and makes no request. Its errors name the
// setting to change and repeat nothing of the key.
func New(c Config) (*Book, error) {
	if c.Spreadsheet == "" || strings.ContainsAny(c.Spreadsheet, "/:? ") {
		return nil, errors.New("sheets: set SHEETS_SPREADSHEET_ID to the long id in the spreadsheet's address, between /d/ and /edit")
	}
	key, err := readKey(c.Credentials)
	if err != nil {
		return nil, err
	}
	if c.Clock == nil {
		c.Clock = &clock.Clock{}
	}
	if c.KeepRows <= 0 {
		c.KeepRows = defaultKeep
	}
	b := &Book{id: c.Spreadsheet, email: key.Email, clock: c.Clock, keep: c.KeepRows, turn: make(chan struct{}, 1), zone: time.UTC}
	b.reads, b.writes = pace{every: 1200 * time.Millisecond, burst: 10}, pace{every: time.Second, burst: 1}
	b.client = httpcall.New(service, c.Connect)
	if b.account, err = newTransport(b.client, key); err != nil {
		return nil, err
	}
	options := []option.ClientOption{option.WithHTTPClient(&http.Client{Transport: b.account})}
	if c.Endpoint != "" {
		options = append(options, option.WithEndpoint(strings.TrimSuffix(c.Endpoint, "/")+"/"))
	}
	if b.api, err = api.NewService(context.Background(), options...); err != nil {
		return nil, errors.New("sheets: SHEETS_ENDPOINT is no address of an API: leave it out")
	}
	return b, nil
}

// Close ends idle connections.
func (b *Book) Close() { b.client.Close() }

// Email is the address of the service account: the one to share the
// spreadsheet with.
func (b *Book) Email() string { return b.email }

// Check reads the spreadsheet's title. It proves the key, the id and that the
// spreadsheet is shared, and writes nothing; whether it is shared as editor,
// only a write shows.
func (b *Book) Check(ctx context.Context) (title string, err error) {
	if err := b.enter(ctx); err != nil {
		return "", err
	}
	defer b.leave()
	err = b.read(ctx, func() error {
		book, err := b.api.Spreadsheets.Get(b.id).Fields("properties.title").Context(ctx).Do()
		if err == nil && book.Properties != nil {
			title = book.Properties.Title
		}
		return err
	})
	return title, err
}

// Message is one journal message: the events of one invocation, and the unit
// of de-duplication.
type Message struct {
	ID      string // the queue's id or another that stays the same when it is delivered again
	Entries []journal.Entry
}

// The bounds of one write. What is longer goes in several writes.
const (
	mostRows     = 1000 // well below the 2 MB that Google recommends
	mostMessages = 100
)

// Append writes the events of messages, in their order, and leaves out the
// messages that are in the sheet already. After an error any of them may have
// been written; ask for the same again.
func (b *Book) Append(ctx context.Context, messages ...Message) error {
	for len(messages) > 0 {
		n, rows := 0, 0
		for n < len(messages) && n < mostMessages && (n == 0 || rows+len(messages[n].Entries) <= mostRows) {
			rows += len(messages[n].Entries)
			n++
		}
		part := messages[:n]
		if err := b.add(ctx, func(s state) addition { return s.withoutKnown(part) }); err != nil {
			return err
		}
		messages = messages[n:]
	}
	return nil
}

// AppendStored writes the events of a store, in the order of their Seq, and
// leaves out those up to the store's place. origin is the store's own short
// name, the same in every process that reads it. The spreadsheet remembers the
// places of the eight stores that wrote last.
func (b *Book) AppendStored(ctx context.Context, origin string, events []journal.Stored) error {
	for len(events) > 0 {
		part := events[:min(mostRows, len(events))]
		if err := b.add(ctx, func(s state) addition { return s.after(origin, part) }); err != nil {
			return err
		}
		events = events[len(part):]
	}
	return nil
}

// Place is the Seq of the last event of a store that is in the sheet; 0 when
// none is.
func (b *Book) Place(ctx context.Context, origin string) (int64, error) {
	if err := b.enter(ctx); err != nil {
		return 0, err
	}
	defer b.leave()
	s, err := b.look(ctx)
	return s.place(origin), err
}

// enter waits for the Book's turn.
func (b *Book) enter(ctx context.Context) error {
	select {
	case b.turn <- struct{}{}:
		return nil
	case <-ctx.Done():
		return b.classify(ctx.Err())
	}
}

func (b *Book) leave() { <-b.turn }

// tries is how often a write that was refused as invalid is made anew from a
// new look at the sheet: another writer was faster, or staff deleted a tab.
const tries = 3

// add makes one write of what fresh leaves of an addition.
func (b *Book) add(ctx context.Context, fresh func(state) addition) error {
	if err := b.enter(ctx); err != nil {
		return err
	}
	defer b.leave()
	var err error
	for range tries {
		if err = b.tryAdd(ctx, fresh); !refused(err) {
			return err
		}
		b.ready = false
	}
	return err
}

func (b *Book) tryAdd(ctx context.Context, fresh func(state) addition) error {
	s, err := b.look(ctx)
	if err != nil {
		return err
	}
	a := fresh(s)
	if a.empty() {
		return nil
	}
	p, err := b.plan(ctx, s, a)
	if err != nil {
		return err
	}
	if err := b.write(ctx, p.requests); err != nil {
		return err
	}
	b.counts, b.countsAt = p.counts, p.countsAt
	return nil
}

// refused reports an answer that calls the request itself invalid.
func refused(err error) bool {
	var f *fault.Fault
	return errors.As(err, &f) && f.Status == http.StatusBadRequest && f.Kind == fault.InvalidRequest
}

// read makes a request that changes nothing.
func (b *Book) read(ctx context.Context, do func() error) error {
	return b.send(ctx, &b.reads, do)
}

// write makes one batchUpdate.
func (b *Book) write(ctx context.Context, requests []*api.Request) error {
	err := b.send(ctx, &b.writes, func() error {
		_, err := b.api.Spreadsheets.BatchUpdate(b.id, &api.BatchUpdateSpreadsheetRequest{Requests: requests}).Context(ctx).Do()
		return err
	})
	if err == nil {
		b.throttled = 0
	}
	return err
}

// send makes a request when its pace allows it. In the pause after a throttled
// one it sends nothing and says so.
func (b *Book) send(ctx context.Context, p *pace, do func() error) error {
	if left := b.pausedUntil.Sub(b.clock.Now()); left > 0 {
		return &fault.Fault{Service: service, Kind: fault.Throttled, RetryAfter: left,
			Message: fmt.Sprintf("Google asked for fewer requests; the next one is sent in %s", left.Round(time.Second))}
	}
	if err := b.clock.Sleep(ctx, p.take(b.clock.Now())); err != nil {
		return b.settle(err)
	}
	return b.settle(do())
}

// pace spaces requests, so that no minute has more of them than Google allows
// an account: 60 reads and 60 writes.
type pace struct {
	every time.Duration
	burst int // how many may follow each other at once after a rest
	next  time.Time
}

// take reserves a moment and says how far off it is.
func (p *pace) take(now time.Time) time.Duration {
	at := now.Add(-time.Duration(p.burst-1) * p.every)
	if p.next.After(at) {
		at = p.next
	}
	p.next = at.Add(p.every)
	return at.Sub(now)
}
