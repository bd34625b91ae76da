package machine

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"time"

	"callagent/core/fault"
	"callagent/core/journal"
	"callagent/infra/sheets"
	"callagent/infra/wiring"
)

// lastRows is how long the last rows may take to reach the sheet when a run
// ends. What does not get there goes with the next run.
const lastRows = 20 * time.Second

// openSheet makes the writer that brings the store's events into the sheet, if
// there is one. The real Google is not as fast as a clock that is.
func (app *App) openSheet() error {
	c := app.settings.Providers.Sheets
	if c.Spreadsheet == "" {
		return nil
	}
	book, err := sheets.New(sheets.Config{
		Spreadsheet: c.Spreadsheet, Credentials: string(c.Credentials), Endpoint: c.Endpoint, KeepRows: app.settings.Sheet.KeepRows,
	})
	if err != nil {
		return err
	}
	app.onClose(func() error { book.Close(); return nil })
	origin := sha256.Sum256(app.Store.Secret())
	app.sheet = sheets.NewWriter(sheets.WriterConfig{
		Book: book, Events: app.Store, Origin: hex.EncodeToString(origin[:4]), Status: app.standing, Trouble: app.sheetTrouble,
	})
	return nil
}

// standing is what the sheet's Status shows.
func (app *App) standing(ctx context.Context) (sheets.Status, error) {
	now, err := wiring.ReadStanding(ctx, app.Store, app.Store, app.Clock.Now())
	return sheets.Status(now), err
}

// sheetTrouble journals that rows come later, and that they come again.
func (app *App) sheetTrouble(err error) {
	e := journal.Entry{Time: app.Clock.Now(), Level: journal.Info, Service: "sheets", Event: "sheet_written", Message: "The sheet is written again."}
	if err != nil {
		e.Level, e.Event, e.Message = journal.Warning, "sheet_behind", "Rows reach the sheet later: "+fault.From("sheets", err).Error()
	}
	app.journal.Write(e)
}
