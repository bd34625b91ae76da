// Package book opens the spreadsheet for the process that writes it. It stands
// apart from the rest of the wiring so that Google's client is linked into no
// other.
package book

import (
	"context"

	"callagent/infra/cloudlog"
	"callagent/infra/settings"
	"callagent/infra/sheets"
	"callagent/infra/wiring"
	"callagent/infra/wiring/cloud"
)

// Open makes the client of the spreadsheet that the settings name; nil when
// they name none. It does no I/O but reading the key.
func Open(s settings.Settings) (cloud.Book, error) {
	p := s.Providers.Sheets
	if p.Spreadsheet == "" {
		return nil, nil
	}
	b, err := sheets.New(sheets.Config{
		Spreadsheet: p.Spreadsheet, Credentials: string(p.Credentials), Endpoint: p.Endpoint, KeepRows: s.Sheet.KeepRows,
	})
	if err != nil {
		return nil, err
	}
	return book{b}, nil
}

// book speaks of batches where the sheet speaks of messages.
type book struct{ *sheets.Book }

// Append writes the events of batches that are not there yet.
func (b book) Append(ctx context.Context, batches []cloudlog.Batch) error {
	messages := make([]sheets.Message, len(batches))
	for i, m := range batches {
		messages[i] = sheets.Message{ID: m.ID, Entries: m.Entries}
	}
	return b.Book.Append(ctx, messages...)
}

// Status writes how things stand.
func (b book) Status(ctx context.Context, now wiring.Standing) error {
	return b.Book.Status(ctx, sheets.Status(now))
}
