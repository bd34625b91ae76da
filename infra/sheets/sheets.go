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
	"net/http"
	"strings"
	"time"

	"google.golang.org/api/option"
	api "google.golang.org/api/sheets/v4"

	"callagent/core/agent"
	"callagent/core/fault"
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
	err = b.read(ctx, func(ctx context.Context) error {
		book, err := b.api.Spreadsheets.Get(b.id).Fields("properties.title").Context(ctx).Do()
		if err == nil && book.Properties != nil {
			title = book.Properties.Title
		}
		return err
	})
	return title, err
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

// attempt does what takes a look at the sheet and a write, when it is the
// caller's turn. A write that is refused as invalid was made from an old look:
// another writer was faster, or staff deleted a tab. It is tried again.
func (b *Book) attempt(ctx context.Context, try func(context.Context) error) error {
	if err := b.enter(ctx); err != nil {
		return err
	}
	defer b.leave()
	const tries = 3
	var err error
	for range tries {
		if err = try(ctx); !refused(err) {
			return err
		}
		b.ready = false
	}
	return err
}

// refused reports an answer that calls the request itself invalid.
func refused(err error) bool {
	var f *fault.Fault
	return errors.As(err, &f) && f.Status == http.StatusBadRequest && f.Kind == fault.InvalidRequest
}
