package simulator

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"time"

	"google.golang.org/api/sheets/v4"
)

// Tab is one tab of the spreadsheet with its cells as a person sees them.
type Tab struct {
	Title string     `json:"title"`
	Rows  [][]string `json:"rows"` // up to the last row and cell that is not empty
}

// sheetsAPI is Google Sheets with one spreadsheet, and the endpoint that gives
// its access tokens. Requests are read into the types that Google generates
// from its discovery document: a field that is not in there is refused, as
// Google does.
type sheetsAPI struct {
	sim *Simulator

	mu     sync.Mutex
	book   *book
	tokens map[string]bool // the access tokens that were given
	reads  quota
	writes quota

	file credentialsFile
}

func newSheetsAPI(s *Simulator) *sheetsAPI {
	return &sheetsAPI{sim: s, tokens: map[string]bool{}, book: newBook(), reads: quota{kind: "Read"}, writes: quota{kind: "Write"},
		file: credentialsFile{account: s.cfg.Keys.SheetsAccount}}
}

// perMinute is how many reads, and how many writes, one account may make in a
// minute.
const perMinute = 60

// quota counts the requests of the minute.
type quota struct {
	kind   string // Read or Write
	minute time.Time
	used   int
}

// take reports whether the minute has room for one request more.
func (q *quota) take(now time.Time) bool {
	if m := now.Truncate(time.Minute); !m.Equal(q.minute) {
		q.minute, q.used = m, 0
	}
	q.used++
	return q.used <= perMinute
}

func (*sheetsAPI) name() string { return sheetsName }

func (g *sheetsAPI) routes() []route {
	const one = "/v4/spreadsheets/{id}"
	return []route{
		{name: "token", pattern: "POST /token", serve: g.token},
		{name: "get", pattern: "GET " + one, serve: g.authorized(&g.reads, g.get)},
		{name: "batchUpdate", pattern: "POST " + one, serve: g.authorized(&g.writes, g.batchUpdate)},
		{name: "search", pattern: "POST " + one + "/developerMetadata:search", serve: g.authorized(&g.reads, g.search)},
		{name: "values", pattern: "GET " + one + "/values/{range}", serve: g.authorized(&g.reads, g.values)},
		{name: "values", pattern: "GET " + one + "/values:batchGet", serve: g.authorized(&g.reads, g.valuesOfRanges)},
		{name: "values", pattern: "POST " + one + "/values:batchGetByDataFilter", serve: g.authorized(&g.reads, g.valuesOfFilters)},
	}
}

func (*sheetsAPI) stamp(h http.Header) {
	setAbsent(h, "Server", "ESF")
	setAbsent(h, "Vary", "Origin")
}

// usualTexts are what Google says with a status: its canonical code and the
// sentence.
var usualTexts = map[int][2]string{
	400: {"INVALID_ARGUMENT", "Request contains an invalid argument."},
	401: {"UNAUTHENTICATED", "Request had invalid authentication credentials. Expected OAuth 2 access token, login cookie or other valid authentication credential."},
	403: {"PERMISSION_DENIED", "The caller does not have permission"},
	404: {"NOT_FOUND", "Requested entity was not found."},
	429: {"RESOURCE_EXHAUSTED", "Quota exceeded for quota metric 'Write requests' and limit 'Write requests per minute per user' of service 'sheets.googleapis.com' for consumer 'project_number:1'."},
	500: {"INTERNAL", "Internal error encountered."},
	503: {"UNAVAILABLE", "The service is currently unavailable."},
}

const rateLimit = "RATE_LIMIT_EXCEEDED"

// fail takes a code as Google's reason: SERVICE_DISABLED, rateLimitExceeded.
func (g *sheetsAPI) fail(f Fault) answer {
	status, reason := f.status(), f.Code
	if status == http.StatusTooManyRequests && reason == "" {
		reason = rateLimit
	}
	return refuseSheets(status, usualTexts[status][1], reason)
}

// refuseSheets is Google's way to say no. reason may be "".
func refuseSheets(status int, message, reason string) answer {
	e := map[string]any{"code": status, "message": message, "status": usualTexts[status][0]}
	if reason != "" {
		e["errors"] = []any{map[string]any{"message": message, "domain": "global", "reason": reason}}
		e["details"] = []any{map[string]any{"@type": "type.googleapis.com/google.rpc.ErrorInfo", "reason": reason, "domain": "googleapis.com"}}
	}
	return jsonAnswer(status, map[string]any{"error": e})
}

// refusal is a request that Google calls invalid.
type refusal string

func (r refusal) Error() string { return string(r) }

func refusef(format string, args ...any) error { return refusal(fmt.Sprintf(format, args...)) }

func answerSheets(v any, err error) answer {
	if err != nil {
		return refuseSheets(http.StatusBadRequest, err.Error(), "")
	}
	return jsonAnswer(http.StatusOK, v)
}

// authorized lets requests through that carry a token we gave, name the
// spreadsheet and stay within the quota.
func (g *sheetsAPI) authorized(q *quota, serve func(inbound) (any, error)) func(inbound) answer {
	return func(in inbound) answer {
		token, _ := strings.CutPrefix(in.Header.Get("Authorization"), "Bearer ")
		id, verb, _ := strings.Cut(in.PathValue("id"), ":")
		g.mu.Lock()
		defer g.mu.Unlock()
		switch {
		case !g.tokens[token]:
			return g.fail(Fault{Answer: "401"})
		case id != g.sim.cfg.Keys.Spreadsheet, in.Method == http.MethodPost && in.PathValue("id") != id && verb != "batchUpdate":
			return g.fail(Fault{Answer: "404"})
		case !q.take(g.sim.clock.Now()):
			return refuseSheets(http.StatusTooManyRequests, strings.ReplaceAll(usualTexts[429][1], "Write", q.kind), rateLimit)
		}
		return answerSheets(serve(in))
	}
}

// strictly reads a body into one of Google's types.
func strictly(body []byte, to any) error {
	d := json.NewDecoder(bytes.NewReader(body))
	d.DisallowUnknownFields()
	if err := d.Decode(to); err != nil {
		return refusef("Invalid JSON payload received. %v", err)
	}
	return nil
}

// batchUpdate carries out all requests or, when one is invalid, none.
func (g *sheetsAPI) batchUpdate(in inbound) (any, error) {
	var batch sheets.BatchUpdateSpreadsheetRequest
	if err := strictly(in.body, &batch); err != nil {
		return nil, err
	}
	if len(batch.Requests) == 0 {
		return nil, refusef("Must specify at least one request.")
	}
	changed := g.book.clone()
	replies := make([]map[string]any, len(batch.Requests))
	for i, r := range batch.Requests {
		reply, err := changed.apply(r)
		if err != nil {
			return nil, refusef("Invalid requests[%d].%v", i, err)
		}
		replies[i] = reply
	}
	g.book = changed
	return map[string]any{"spreadsheetId": g.sim.cfg.Keys.Spreadsheet, "replies": replies}, nil
}

// Tabs gives the spreadsheet as it is now, the tabs in their order.
func (s *Simulator) Tabs() []Tab {
	s.sheet.mu.Lock()
	defer s.sheet.mu.Unlock()
	tabs := make([]Tab, len(s.sheet.book.tabs))
	for i, t := range s.sheet.book.tabs {
		tabs[i] = Tab{Title: t.props.Title, Rows: [][]string{}}
		for _, row := range t.shown(0, len(t.rows), 0, int(t.props.GridProperties.ColumnCount), false) {
			texts := []string{}
			for _, v := range row {
				texts = append(texts, fmt.Sprint(v))
			}
			tabs[i].Rows = append(tabs[i].Rows, texts)
		}
	}
	return tabs
}
