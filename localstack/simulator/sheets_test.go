package simulator_test

import (
	"context"
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"net/url"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"callagent/localstack/simulator"
)

// claims are those of an assertion that is in order.
func (w *world) claims() map[string]any {
	now := time.Now().Unix()
	return map[string]any{"iss": "callagent@simulated.iam.gserviceaccount.com", "aud": w.env["SHEETS_ENDPOINT"] + "/token", "iat": now, "exp": now + 3600,
		"scope": "https://www.googleapis.com/auth/spreadsheets"}
}

// sign makes an assertion with the key of the file that Env names, or another.
func (w *world) sign(claims map[string]any, key *rsa.PrivateKey) string {
	w.t.Helper()
	if key == nil {
		key = w.key()
	}
	part := func(v any) string {
		data, err := json.Marshal(v)
		if err != nil {
			w.t.Fatal(err)
		}
		return base64.RawURLEncoding.EncodeToString(data)
	}
	signed := part(map[string]string{"alg": "RS256", "typ": "JWT"}) + "." + part(claims)
	sum := sha256.Sum256([]byte(signed))
	signature, err := rsa.SignPKCS1v15(rand.Reader, key, crypto.SHA256, sum[:])
	if err != nil {
		w.t.Fatal(err)
	}
	return signed + "." + base64.RawURLEncoding.EncodeToString(signature)
}

func (w *world) key() *rsa.PrivateKey {
	w.t.Helper()
	data, err := os.ReadFile(w.env["GOOGLE_APPLICATION_CREDENTIALS"])
	if err != nil {
		w.t.Fatal(err)
	}
	var file map[string]string
	if err := json.Unmarshal(data, &file); err != nil {
		w.t.Fatal(err)
	}
	block, _ := pem.Decode([]byte(file["private_key"]))
	key, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	if err != nil {
		w.t.Fatal(err)
	}
	return key.(*rsa.PrivateKey)
}

func (w *world) token(ctx context.Context, assertion string) result {
	form := url.Values{"grant_type": {"urn:ietf:params:oauth:grant-type:jwt-bearer"}, "assertion": {assertion}}
	return w.send(ctx, "POST", w.env["SHEETS_ENDPOINT"]+"/token", map[string]string{"Content-Type": "application/x-www-form-urlencoded"}, form.Encode())
}

// sheet sends a request about the spreadsheet with a token that works.
func (w *world) sheet(method, path, body string) result {
	w.t.Helper()
	token, _ := w.token(w.t.Context(), w.sign(w.claims(), nil)).at("access_token").(string)
	return w.do(method, w.env["SHEETS_ENDPOINT"]+"/v4/spreadsheets/"+w.env["SHEETS_SPREADSHEET_ID"]+path, bearer(token), body)
}

// batch changes the spreadsheet.
func (w *world) batch(requests ...string) result {
	w.t.Helper()
	return w.sheet("POST", ":batchUpdate", `{"requests":[`+strings.Join(requests, ",")+`]}`)
}

func TestSheetsTokens(t *testing.T) {
	w := start(t, simulator.Config{})
	stranger, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	with := func(name string, v any) map[string]any {
		c := w.claims()
		c[name] = v
		return c
	}
	for name, assertion := range map[string]string{
		"a stranger's key": w.sign(w.claims(), stranger), "another account": w.sign(with("iss", "x@example.com"), nil),
		"another service": w.sign(with("aud", "https://oauth2.googleapis.com/token"), nil), "a clock that is off": w.sign(with("exp", time.Now().Unix()-60), nil),
		"another scope": w.sign(with("scope", "https://www.googleapis.com/auth/drive.file"), nil), "nonsense": "a.b.c",
	} {
		if r := w.token(t.Context(), assertion); r.status != 400 || r.at("error") != "invalid_grant" {
			t.Errorf("%s gets %d %s", name, r.status, r.body)
		}
	}
	if r := w.token(t.Context(), w.sign(w.claims(), nil)); r.status != 200 || r.at("token_type") != "Bearer" {
		t.Errorf("a good assertion gets %d %s", r.status, r.body)
	}
	if r := w.do("GET", w.env["SHEETS_ENDPOINT"]+"/v4/spreadsheets/"+w.env["SHEETS_SPREADSHEET_ID"], bearer("ya29.other"), ""); r.status != 401 {
		t.Errorf("a token of somebody else gets %d", r.status)
	}
	if r := w.sheet("GET", "x", ""); r.status != 404 || r.at("error", "status") != "NOT_FOUND" {
		t.Errorf("another spreadsheet gets %d %s", r.status, r.body)
	}
}

func TestSheetsCredentialsFileIsRemoved(t *testing.T) {
	s, err := simulator.Start(simulator.Config{})
	if err != nil {
		t.Fatal(err)
	}
	_, path, _ := strings.Cut(s.Env()[len(s.Env())-1], "=")
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("the file is %v, %v", info, err)
	}
	s.Close()
	if _, err := os.Stat(path); !os.IsNotExist(err) {
		t.Errorf("the file is still there: %v", err)
	}
}

const (
	addLog    = `{"addSheet":{"properties":{"sheetId":7,"title":"Log","gridProperties":{"rowCount":3,"columnCount":3,"frozenRowCount":1}}}}`
	appendOne = `{"appendCells":{"sheetId":7,"fields":"userEnteredValue","rows":[{"values":[{"userEnteredValue":{"stringValue":"=1+1"}},{"userEnteredValue":{"numberValue":2.5}},{"userEnteredValue":{"formulaValue":"=1+1"}}]}]}}`
	mark      = `{"createDeveloperMetadata":{"developerMetadata":{"metadataId":5,"metadataKey":"k","metadataValue":"v","visibility":"DOCUMENT","location":{"spreadsheet":true}}}}`
	pinned    = `{"createDeveloperMetadata":{"developerMetadata":{"metadataKey":"c","metadataValue":"b","visibility":"PROJECT","location":{"dimensionRange":{"sheetId":7,"dimension":"COLUMNS","startIndex":1,"endIndex":2}}}}}`
)

func (w *world) tab(title string) [][]string {
	for _, tab := range w.Tabs() {
		if tab.Title == title {
			return tab.Rows
		}
	}
	return nil
}

// Rows go below the last one that is not empty, the grid grows, and a text
// stays a text.
func TestSheetsAppend(t *testing.T) {
	w := start(t, simulator.Config{})
	for range 4 {
		if r := w.batch(appendOne); r.status != 400 { // there is no tab yet
			t.Fatal(r.body)
		}
	}
	if r := w.batch(addLog, appendOne, appendOne, appendOne, appendOne); r.status != 200 {
		t.Fatal(r.body)
	}
	line := []string{"=1+1", "2.5", "#FORMULA"}
	if got := w.tab("Log"); !slices.EqualFunc(got, [][]string{line, line, line, line}, slices.Equal) {
		t.Errorf("the tab has %q", got)
	}
	if r := w.sheet("GET", "?fields=sheets.properties(title,gridProperties.rowCount)", ""); r.at("sheets", 1, "properties", "gridProperties", "rowCount") != 4.0 {
		t.Errorf("the grid is %s", r.body)
	}
	if r := w.sheet("GET", "/values/Log!B2:C3?valueRenderOption=UNFORMATTED_VALUE", ""); r.at("values", 1, 0) != 2.5 || r.at("values", 2) != nil {
		t.Errorf("the values are %s", r.body)
	}
	if r := w.sheet("GET", "/values:batchGet?ranges=Log!A1:A1&ranges='Log'!B:B", ""); r.at("valueRanges", 1, "values", 3, 0) != "2.5" {
		t.Errorf("the values are %s", r.body)
	}
}

// A batch is carried out whole or not at all.
func TestSheetsBatchIsAtomic(t *testing.T) {
	w := start(t, simulator.Config{})
	for name, last := range map[string]string{
		"a second tab of the name": strings.Replace(addLog, `"sheetId":7`, `"sheetId":8`, 1), "a second one of the id": strings.Replace(addLog, "Log", "Log2", 1),
		"metadata twice": mark + "," + mark, "a column too far": strings.Replace(pinned, `"endIndex":2`, `"endIndex":9`, 1),
		"an unknown field": `{"appendCells":{"sheet":7}}`, "no fields": `{"appendCells":{"sheetId":7,"rows":[{}]}}`,
		"a row too far":     `{"updateCells":{"fields":"*","start":{"sheetId":7,"rowIndex":9},"rows":[{"values":[{}]}]}}`,
		"no visibility":     `{"createDeveloperMetadata":{"developerMetadata":{"metadataKey":"k","location":{"spreadsheet":true}}}}`,
		"too much metadata": strings.Replace(mark, `"v"`, `"`+strings.Repeat("v", 30_000)+`"`, 1),
	} {
		if r := w.batch(addLog, appendOne, last); r.status != 400 || r.at("error", "status") != "INVALID_ARGUMENT" {
			t.Errorf("%s: %d %s", name, r.status, r.body)
		}
		if len(w.Tabs()) != 1 {
			t.Fatalf("%s: a part was carried out", name)
		}
	}
}

// Metadata moves with its column and goes with it.
func TestSheetsMetadata(t *testing.T) {
	w := start(t, simulator.Config{})
	insert := `{"insertDimension":{"range":{"sheetId":7,"dimension":"COLUMNS","startIndex":0,"endIndex":2}}}`
	if r := w.batch(addLog, appendOne, mark, pinned, insert); r.status != 200 {
		t.Fatal(r.body)
	}
	const lookup = `{"dataFilters":[{"developerMetadataLookup":{"metadataKey":"c"}},{"developerMetadataLookup":{"metadataId":5}}]}`
	r := w.sheet("POST", "/developerMetadata:search", lookup)
	at := []any{"matchedDeveloperMetadata", 1, "developerMetadata", "location", "dimensionRange", "startIndex"}
	if r.at(at[:2]...) == nil || r.at(at...) != 3.0 {
		t.Errorf("found %s", r.body)
	}
	if got := w.tab("Log"); !slices.Equal(got[0], []string{"", "", "=1+1", "2.5", "#FORMULA"}) {
		t.Errorf("the tab has %q", got)
	}
	w.batch(strings.Replace(strings.Replace(insert, "insert", "delete", 1), `"startIndex":0,"endIndex":2`, `"startIndex":3,"endIndex":4`, 1),
		`{"deleteDeveloperMetadata":{"dataFilter":{"developerMetadataLookup":{"metadataId":5}}}}`)
	if r := w.sheet("POST", "/developerMetadata:search", lookup); strings.TrimSpace(r.body) != "{}" {
		t.Errorf("found %s", r.body)
	}
}

// The field mask decides what comes; one that cannot be read is refused.
func TestSheetsFieldMask(t *testing.T) {
	w := start(t, simulator.Config{})
	w.batch(addLog)
	for mask, want := range map[string]string{
		"properties.timeZone":                                    `{"properties":{"timeZone":"Etc/UTC"}}`,
		"sheets(properties(title)),spreadsheetId":                `{"sheets":[{"properties":{"title":"Sheet1"}},{"properties":{"title":"Log"}}],"spreadsheetId":"` + w.env["SHEETS_SPREADSHEET_ID"] + `"}`,
		"sheets.properties(title,gridProperties.frozenRowCount)": `{"sheets":[{"properties":{"gridProperties":{},"title":"Sheet1"}},{"properties":{"gridProperties":{"frozenRowCount":1},"title":"Log"}}]}`,
	} {
		if r := w.sheet("GET", "?fields="+url.QueryEscape(mask), ""); r.body != want {
			t.Errorf("%s gives %s, want %s", mask, r.body, want)
		}
	}
	if r := w.sheet("GET", "?fields=sheets(", ""); r.status != 400 {
		t.Errorf("half a mask gets %d", r.status)
	}
}

// An account has 60 reads and 60 writes in a minute.
func TestSheetsQuota(t *testing.T) {
	clock := &manual{now: noon}
	w := start(t, simulator.Config{Clock: clock})
	for i := range 62 {
		want := 200
		if i >= 60 {
			want = 429
		}
		r := w.sheet("GET", "?fields=spreadsheetId", "")
		if r.status != want {
			t.Fatalf("read %d gets %d", i, r.status)
		}
		if want == 429 && (r.at("error", "status") != "RESOURCE_EXHAUSTED" || r.at("error", "details", 0, "reason") != "RATE_LIMIT_EXCEEDED" ||
			!strings.Contains(r.body, "Read requests per minute per user")) {
			t.Errorf("the answer is %s", r.body)
		}
	}
	if r := w.batch(addLog); r.status != 200 {
		t.Errorf("a write gets %d: it has a quota of its own", r.status)
	}
	clock.set(time.Minute)
	if r := w.sheet("GET", "?fields=spreadsheetId", ""); r.status != 200 {
		t.Errorf("a minute later a read gets %d", r.status)
	}
}

// Faults hit it like any other service; a lost answer has its effect.
func TestSheetsFaults(t *testing.T) {
	w := start(t, simulator.Config{Faults: []simulator.Fault{{Service: "sheets", Route: "batchUpdate", Answer: "lost_answer"}}})
	if r := w.batch(addLog); r.err == nil {
		t.Errorf("an answer arrived: %s", r.body)
	}
	if len(w.Tabs()) != 2 {
		t.Error("the batch was not carried out")
	}
	w.ClearFaults()
	for code, reason := range map[string]string{"SERVICE_DISABLED": "PERMISSION_DENIED", "rateLimitExceeded": "PERMISSION_DENIED"} {
		if err := w.AddFaults(simulator.Fault{Service: "sheets", Route: "get", Answer: "403", Code: code}); err != nil {
			t.Fatal(err)
		}
		if r := w.sheet("GET", "", ""); r.status != 403 || r.at("error", "status") != reason || r.at("error", "details", 0, "reason") != code {
			t.Errorf("%s: %d %s", code, r.status, r.body)
		}
		w.ClearFaults()
	}
	requests := w.Requests()
	if last := requests[len(requests)-1]; last.Service != "sheets" || last.Route != "get" || last.Fault != "403" {
		t.Errorf("the log has %+v", last)
	}
}
