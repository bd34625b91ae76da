package sheets_test

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"

	"callagent/core/breaker"
	"callagent/core/call"
	"callagent/core/fault"
	"callagent/infra/sheets"
	"callagent/localstack/simulator"
)

// proxy stands between a Book and Google.
type proxy struct {
	w      *world
	server *httptest.Server

	mu     sync.Mutex
	meet   func(http.ResponseWriter, *http.Request, []byte) bool // of the next batchUpdate; true: answered
	bodies []body
}

// body is what a request said.
type body struct {
	path string
	text []byte
}

func (w *world) proxy() *proxy {
	target, err := url.Parse(w.env["SHEETS_ENDPOINT"])
	if err != nil {
		w.t.Fatal(err)
	}
	p := &proxy{w: w}
	onward := httputil.NewSingleHostReverseProxy(target)
	transport := &http.Transport{DisableKeepAlives: true}
	onward.Transport = transport
	p.server = httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		text, _ := io.ReadAll(r.Body)
		r.Body = io.NopCloser(bytes.NewReader(text))
		p.mu.Lock()
		p.bodies = append(p.bodies, body{r.URL.Path, text})
		var meet func(http.ResponseWriter, *http.Request, []byte) bool
		if strings.HasSuffix(r.URL.Path, ":batchUpdate") {
			meet, p.meet = p.meet, nil
		}
		p.mu.Unlock()
		if meet == nil || !meet(rw, r, text) {
			onward.ServeHTTP(rw, r)
		}
	}))
	w.t.Cleanup(p.server.Close)
	return p
}

func (p *proxy) config() sheets.Config {
	c := p.w.config()
	c.Endpoint = p.server.URL
	return c
}

func (p *proxy) next(meet func(http.ResponseWriter, *http.Request, []byte) bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.meet = meet
}

// before does something before the next batchUpdate is passed on.
func (p *proxy) before(do func()) {
	p.next(func(http.ResponseWriter, *http.Request, []byte) bool { do(); return false })
}

// holdOne keeps the next batchUpdate and breaks its connection. late passes it
// on and gives the status of the answer.
func (p *proxy) holdOne() (late func() int) {
	var held *http.Request
	p.next(func(_ http.ResponseWriter, r *http.Request, text []byte) bool {
		held, _ = http.NewRequest(r.Method, p.w.env["SHEETS_ENDPOINT"]+r.URL.RequestURI(), bytes.NewReader(text))
		held.Header = r.Header.Clone()
		panic(http.ErrAbortHandler)
	})
	return func() int {
		client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
		res, err := client.Do(held)
		if err != nil {
			p.w.t.Fatal(err)
		}
		_ = res.Body.Close()
		return res.StatusCode
	}
}

// schema is a type of the discovery document.
type schema struct {
	Ref        string            `json:"$ref"`
	Type       string            `json:"type"`
	Enum       []string          `json:"enum"`
	Pattern    string            `json:"pattern"`
	Properties map[string]schema `json:"properties"`
	Items      *schema           `json:"items"`
}

// discovery is the document that Google publishes about the API.
type discovery struct {
	Schemas map[string]schema `json:"schemas"`
}

func readDiscovery(t *testing.T) discovery {
	t.Helper()
	dir, err := exec.CommandContext(t.Context(), "go", "list", "-m", "-f", "{{.Dir}}", "google.golang.org/api").Output()
	if err != nil {
		t.Fatal(err)
	}
	data, err := os.ReadFile(filepath.Join(strings.TrimSpace(string(dir)), "sheets/v4/sheets-api.json"))
	if err != nil {
		t.Fatal(err)
	}
	var d discovery
	if err := json.Unmarshal(data, &d); err != nil {
		t.Fatal(err)
	}
	return d
}

// problems says what in a value is not as a type of the document wants it.
func (d discovery) problems(at string, s schema, v any) []string {
	if s.Ref != "" {
		s = d.Schemas[s.Ref]
	}
	var found []string
	wrong := func(is bool) {
		if !is {
			found = append(found, at+" is no "+s.Type)
		}
	}
	switch v := v.(type) {
	case map[string]any:
		wrong(s.Type == "object")
		for name, inner := range v {
			below, known := s.Properties[name]
			if !known {
				found = append(found, at+" has no field "+name)
				continue
			}
			found = append(found, d.problems(at+"."+name, below, inner)...)
		}
	case []any:
		wrong(s.Type == "array" && s.Items != nil)
		for _, inner := range v {
			found = append(found, d.problems(at+"[]", *s.Items, inner)...)
		}
	case string:
		wrong(s.Type == "string")
		if s.Enum != nil && !strings.Contains("|"+strings.Join(s.Enum, "|")+"|", "|"+v+"|") {
			found = append(found, at+" is "+v+", which is none of its words")
		}
	case float64:
		wrong(s.Type == "number" || s.Type == "integer" && v == float64(int64(v)))
	case bool:
		wrong(s.Type == "boolean")
	}
	return found
}

// Every request body that there is has the fields, the types and the words of
// Google's published document.
func TestRequestsFitTheDiscoveryDocument(t *testing.T) {
	w := start(t)
	p := w.proxy()
	c := p.config()
	c.KeepRows = 20
	b := w.open(c)
	w.append(b, message("1", append(entries(0, 21), story()...)...))
	w.append(b, message("2", entries(21, 20)...))
	if err := b.Status(t.Context(), standing(breaker.Open)); err != nil {
		t.Fatal(err)
	}
	if err := b.Status(t.Context(), standing(breaker.Closed)); err != nil {
		t.Fatal(err)
	}
	d := readDiscovery(t)
	types := map[string]string{":batchUpdate": "BatchUpdateSpreadsheetRequest", "developerMetadata:search": "SearchDeveloperMetadataRequest",
		"values:batchGetByDataFilter": "BatchGetValuesByDataFilterRequest"}
	checked := map[string]bool{}
	for _, sent := range p.bodies {
		for end, name := range types {
			if !strings.HasSuffix(sent.path, end) {
				continue
			}
			var v any
			if err := json.Unmarshal(sent.text, &v); err != nil {
				t.Fatal(err)
			}
			for _, problem := range d.problems(name, schema{Ref: name}, v) {
				t.Error(problem)
			}
			checked[name] = true
		}
	}
	if len(checked) != len(types) {
		t.Errorf("only %v were sent", checked)
	}
	kinds := regexp.MustCompile(`"(addSheet|appendCells|updateCells|deleteDimension|addChart|setBasicFilter|addConditionalFormatRule|createDeveloperMetadata)"`)
	sent := map[string]bool{}
	for _, one := range p.bodies {
		for _, k := range kinds.FindAllString(string(one.text), -1) {
			sent[k] = true
		}
	}
	if len(sent) != 8 {
		t.Errorf("only %v were sent", sent)
	}
	if got := d.problems("cell", schema{Ref: "CellData"}, map[string]any{"value": 1.0, "note": 2.0}); len(got) != 2 {
		t.Errorf("the check is blind: %q", got)
	}
}

// Nothing that leaves the package says a secret, whatever Google answers.
func TestFaults(t *testing.T) {
	for _, c := range []struct {
		fault   simulator.Fault
		kind    fault.Kind
		class   fault.Class
		scope   fault.Scope
		message string
	}{
		{simulator.Fault{Answer: "400"}, fault.InvalidRequest, fault.Permanent, fault.Account, "invalid argument"},
		{simulator.Fault{Answer: "401"}, fault.Authentication, fault.Permanent, fault.Account, "GOOGLE_APPLICATION_CREDENTIALS"},
		{simulator.Fault{Answer: "403"}, fault.Permission, fault.Permanent, fault.Account, "share it with callagent@simulated.iam.gserviceaccount.com as editor"},
		{simulator.Fault{Answer: "403", Code: "SERVICE_DISABLED"}, fault.Permission, fault.Permanent, fault.Account, "enable it in the Google Cloud console"},
		{simulator.Fault{Answer: "403", Code: "userRateLimitExceeded"}, fault.Throttled, fault.Transient, fault.Service, ""},
		{simulator.Fault{Answer: "404"}, fault.NotFound, fault.Permanent, fault.Account, "SHEETS_SPREADSHEET_ID"},
		{simulator.Fault{Answer: "429"}, fault.Throttled, fault.Transient, fault.Service, "Quota exceeded"},
		{simulator.Fault{Answer: "500"}, fault.ServiceUnavailable, fault.Transient, fault.Service, "Internal error"},
		{simulator.Fault{Answer: "502"}, fault.ServiceUnavailable, fault.Transient, fault.Service, ""},
		{simulator.Fault{Answer: "503"}, fault.ServiceUnavailable, fault.Transient, fault.Service, "unavailable"},
		{simulator.Fault{Answer: "reset_after"}, fault.Network, fault.Transient, fault.Service, "the connection broke"},
		{simulator.Fault{Answer: "malformed"}, fault.BadResponse, fault.Transient, fault.Service, "not one of the Sheets API"},
		{simulator.Fault{Answer: "302"}, fault.InvalidRequest, fault.Permanent, fault.Account, "SHEETS_ENDPOINT"},
		{simulator.Fault{Answer: "400", Route: "token"}, fault.Authentication, fault.Permanent, fault.Account, "this machine's clock"},
		{simulator.Fault{Answer: "503", Route: "token"}, fault.ServiceUnavailable, fault.Transient, fault.Service, "token service"},
	} {
		t.Run(c.fault.Route+c.fault.Answer+c.fault.Code, func(t *testing.T) {
			w := start(t)
			b := w.book()
			if c.fault.Route == "" {
				c.fault.Route = "batchUpdate"
			}
			w.fail(c.fault)
			err := b.Append(t.Context(), message("1", entry(noon, 0)))
			f := faultOf(t, err)
			if f.Kind != c.kind || f.Class != c.class || f.Scope != c.scope || !strings.Contains(f.Message, c.message) {
				t.Errorf("the fault is %s %s of the %s: %q", f.Class, f.Kind, f.Scope, f.Message)
			}
			for _, secret := range []string{"ya29", "PRIVATE", w.env["SHEETS_SPREADSHEET_ID"], "127.0.0.1"} {
				if strings.Contains(err.Error(), secret) {
					t.Errorf("%q tells %q", err, secret)
				}
			}
		})
	}
}

// A token that Google no longer accepts is replaced.
func TestARevokedToken(t *testing.T) {
	w := start(t)
	b := w.book()
	w.append(b, message("0", entry(noon, 0)))
	w.fail(simulator.Fault{Answer: "401"})
	faultOf(t, b.Append(t.Context(), message("1", entry(noon, 1))))
	w.ClearFaults()
	before := 0
	for _, r := range w.Requests() {
		if r.Route == "token" && r.Executed {
			before++
		}
	}
	w.append(b, message("1", entry(noon, 1)))
	after := 0
	for _, r := range w.Requests() {
		if r.Route == "token" && r.Executed {
			after++
		}
	}
	if after != before+1 {
		t.Errorf("%d tokens before and %d after", before, after)
	}
}

// The settings are checked before anything is sent, and no message repeats the
// key.
func TestConfiguration(t *testing.T) {
	w := start(t)
	whole, err := os.ReadFile(w.env["GOOGLE_APPLICATION_CREDENTIALS"])
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		change func(*sheets.Config)
		want   string
	}{
		"a whole address": {func(c *sheets.Config) { c.Spreadsheet = "https://docs.google.com/spreadsheets/d/1x/edit" }, "SHEETS_SPREADSHEET_ID"},
		"no spreadsheet":  {func(c *sheets.Config) { c.Spreadsheet = "" }, "SHEETS_SPREADSHEET_ID"},
		"no file":         {func(c *sheets.Config) { c.Credentials = "no/such/file.json" }, "GOOGLE_APPLICATION_CREDENTIALS"},
		"no key":          {func(c *sheets.Config) { c.Credentials = `{"type":"authorized_user"}` }, "what it names is none"},
		"a damaged key": {func(c *sheets.Config) {
			c.Credentials = strings.ReplaceAll(string(whole), "BEGIN PRIVATE KEY", "BEGIN")
		}, "damaged"},
	} {
		t.Run(name, func(t *testing.T) {
			config := w.config()
			c.change(&config)
			if _, err := sheets.New(config); err == nil || !strings.Contains(err.Error(), c.want) || strings.Contains(err.Error(), "MII") {
				t.Errorf("%v, want %q", err, c.want)
			}
		})
	}
	config := w.config()
	config.Credentials = string(whole) // as a secret store gives it
	b := w.open(config)
	if title, err := b.Check(t.Context()); err != nil || title != "Campaigns" {
		t.Errorf("the title is %q, %v", title, err)
	}
	if b.Email() != "callagent@simulated.iam.gserviceaccount.com" {
		t.Errorf("the address is %q", b.Email())
	}
}

// standing is how things stand around an outage of ElevenLabs.
func standing(s breaker.State) sheets.Status {
	r := breaker.Record{Service: "elevenlabs", State: s, ClosedAt: noon}
	if s != breaker.Closed {
		r.OpenedAt, r.OpenUntil, r.Streak = noon, noon.Add(10e9), 3
		r.LastFault = &fault.Fault{Service: "elevenlabs", Kind: fault.ServiceUnavailable, Status: 503, Message: "It is down."}
	}
	return sheets.Status{
		At: noon.Add(2e9), Circuits: []breaker.Record{{Service: "llm"}, r}, Parked: map[string]int{"elevenlabs": 9},
		Counts: []call.Count{{Campaign: "spring", State: call.Parked, Calls: 9}, {Campaign: "spring", State: call.Completed, Result: "answered", Calls: 2},
			{Campaign: "spring", State: call.Completed, Result: "busy", Calls: 1}, {Campaign: "winter", State: call.Failed, Calls: 4}, {Campaign: "winter", State: call.Unknown, Calls: 1}},
	}
}
