package sheets_test

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"cloud.google.com/go/auth/credentials"
	"cloud.google.com/go/auth/httptransport"
	"go.uber.org/goleak"
	"google.golang.org/api/option"
	api "google.golang.org/api/sheets/v4"

	"callagent/core/journal"
	"callagent/infra/sheets"
	"callagent/localstack/simulator"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var noon = time.Date(2026, time.March, 1, 12, 0, 0, 0, time.UTC)

// clock is time that passes only when somebody sleeps.
type clock struct {
	hasty bool // time limits are a thousandth

	mu  sync.Mutex
	now time.Time
}

func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *clock) Sleep(ctx context.Context, d time.Duration) error {
	if ctx.Err() != nil {
		return ctx.Err()
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(max(0, d))
	return nil
}

// WithTimeout is in real time: what waits for the network does not sleep.
func (c *clock) WithTimeout(ctx context.Context, d time.Duration) (context.Context, context.CancelFunc) {
	if c.hasty {
		d /= 1000
	}
	return context.WithTimeout(ctx, d)
}

// world is a spreadsheet and those who use it.
type world struct {
	*simulator.Simulator
	t     *testing.T
	clock *clock
	env   map[string]string
	staff *api.Service
}

func start(t *testing.T) *world {
	t.Helper()
	c := &clock{now: noon}
	s, err := simulator.Start(simulator.Config{Clock: c})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	w := &world{Simulator: s, t: t, clock: c, env: map[string]string{}}
	for _, setting := range s.Env() {
		name, value, _ := strings.Cut(setting, "=")
		w.env[name] = value
	}
	w.staff = w.service()
	return w
}

// service is Google's own client with Google's own way of signing in.
func (w *world) service() *api.Service {
	w.t.Helper()
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	key, err := os.ReadFile(w.env["GOOGLE_APPLICATION_CREDENTIALS"])
	if err != nil {
		w.t.Fatal(err)
	}
	account, err := credentials.NewCredentialsFromJSON(credentials.ServiceAccount, key,
		&credentials.DetectOptions{Scopes: []string{api.SpreadsheetsScope}, Client: &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}})
	if err == nil {
		err = httptransport.AddAuthorizationMiddleware(client, account)
	}
	if err != nil {
		w.t.Fatal(err)
	}
	s, err := api.NewService(w.t.Context(), option.WithHTTPClient(client), option.WithEndpoint(w.env["SHEETS_ENDPOINT"]))
	if err != nil {
		w.t.Fatal(err)
	}
	return s
}

// config is the configuration that works.
func (w *world) config() sheets.Config {
	return sheets.Config{Spreadsheet: w.env["SHEETS_SPREADSHEET_ID"], Credentials: w.env["GOOGLE_APPLICATION_CREDENTIALS"],
		Endpoint: w.env["SHEETS_ENDPOINT"], Clock: w.clock}
}

func (w *world) open(c sheets.Config) *sheets.Book {
	w.t.Helper()
	b, err := sheets.New(c)
	if err != nil {
		w.t.Fatal(err)
	}
	w.t.Cleanup(b.Close)
	return b
}

func (w *world) book() *sheets.Book { return w.open(w.config()) }

// do makes staff change the spreadsheet by hand.
func (w *world) do(requests ...*api.Request) {
	w.t.Helper()
	_, err := w.staff.Spreadsheets.BatchUpdate(w.env["SHEETS_SPREADSHEET_ID"], &api.BatchUpdateSpreadsheetRequest{Requests: requests}).Do()
	if err != nil {
		w.t.Fatal(err)
	}
	w.later(time.Minute) // people are slow, and the quota is theirs too
}

func (w *world) later(d time.Duration) { _ = w.clock.Sleep(context.Background(), d) }

// look reads the spreadsheet's make-up, in a minute of its own.
func (w *world) look() *api.Spreadsheet {
	w.t.Helper()
	w.later(time.Minute)
	s, err := w.staff.Spreadsheets.Get(w.env["SHEETS_SPREADSHEET_ID"]).Do()
	if err != nil {
		w.t.Fatal(err)
	}
	return s
}

// id finds a tab's id by its title.
func (w *world) id(title string) int64 {
	w.t.Helper()
	for _, s := range w.look().Sheets {
		if s.Properties.Title == title {
			return s.Properties.SheetId
		}
	}
	w.t.Fatalf("there is no tab %q", title)
	return 0
}

// rows gives the cells of a tab as people see them, the header first.
func (w *world) rows(title string) [][]string {
	w.t.Helper()
	for _, tab := range w.Tabs() {
		if tab.Title == title {
			return tab.Rows
		}
	}
	w.t.Fatalf("there is no tab %q", title)
	return nil
}

// column gives the cells below a header.
func (w *world) column(tab, header string) []string {
	w.t.Helper()
	rows := w.rows(tab)
	for i, h := range rows[0] {
		if h != header {
			continue
		}
		var cells []string
		for _, row := range rows[1:] {
			cells = append(cells, append(row, make([]string, i+1)...)[i])
		}
		return cells
	}
	w.t.Fatalf("%s has no column %q, only %q", tab, header, rows[0])
	return nil
}

// writes counts the requests that changed the spreadsheet or tried to.
func (w *world) writes() int { return w.requests("batchUpdate") }

// requests counts the requests of one kind.
func (w *world) requests(route string) (n int) {
	for _, r := range w.Requests() {
		if r.Route == route {
			n++
		}
	}
	return n
}

// entry is an event whose message tells it from all others.
func entry(at time.Time, n int) journal.Entry {
	return journal.Entry{Time: at, Service: "elevenlabs", Event: "step_done", Message: fmt.Sprintf("event %d", n), Circuit: "CLOSED"}
}

// entries are n events, a second apart, numbered from first.
func entries(first, n int) []journal.Entry {
	var all []journal.Entry
	for i := range n {
		all = append(all, entry(noon.Add(time.Duration(first+i)*time.Second), first+i))
	}
	return all
}

func message(id string, e ...journal.Entry) sheets.Message { return sheets.Message{ID: id, Entries: e} }

// append writes and must succeed.
func (w *world) append(b *sheets.Book, messages ...sheets.Message) {
	w.t.Helper()
	if err := b.Append(w.t.Context(), messages...); err != nil {
		w.t.Fatal(err)
	}
}

// once reports what is not in the Log exactly once among events 0 to n-1.
func (w *world) once(n int) {
	w.t.Helper()
	seen := map[string]int{}
	for _, m := range w.column("Log", "Message") {
		seen[m]++
	}
	for i := range n {
		if m := fmt.Sprintf("event %d", i); seen[m] != 1 {
			w.t.Errorf("%q is in the Log %d times", m, seen[m])
		}
		delete(seen, fmt.Sprintf("event %d", i))
	}
	if len(seen) > 0 {
		w.t.Errorf("the Log has other rows: %v", seen)
	}
}
