package sheets_test

import (
	"encoding/base64"
	"os"
	"strings"
	"testing"

	"callagent/core/fault"
	"callagent/infra/sheets"
	"callagent/localstack/simulator"
)

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
		"a key in base64": {func(c *sheets.Config) { c.Credentials = base64.StdEncoding.EncodeToString(whole) }, "GOOGLE_APPLICATION_CREDENTIALS"},
		"no key":          {func(c *sheets.Config) { c.Credentials = `{"type":"authorized_user"}` }, "what it names is none"},
		"a damaged key": {func(c *sheets.Config) {
			c.Credentials = strings.ReplaceAll(string(whole), "BEGIN PRIVATE KEY", "BEGIN")
		}, "damaged"},
	} {
		t.Run(name, func(t *testing.T) {
			config := w.config()
			c.change(&config)
			if _, err := sheets.New(config); err == nil || !strings.Contains(err.Error(), c.want) || len(err.Error()) > 300 {
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
