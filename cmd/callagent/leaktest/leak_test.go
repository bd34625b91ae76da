// Package leaktest runs the whole product with recognisable credentials and
// phone numbers in every place that has some, lets providers say them back in
// their errors, and searches everything that comes out for them.
package leaktest

import (
	"bytes"
	"database/sql"
	"fmt"
	"maps"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	_ "modernc.org/sqlite"

	"callagent/cmd/callagent/buildtest"
	"callagent/core/journal"
	"callagent/examples"
	"callagent/infra/cloudlog"
	"callagent/infra/contactlist"
	"callagent/localstack/simulator"
)

// list has n contacts whose numbers stand in further columns too.
func list(n int) string {
	var b strings.Builder
	b.WriteString("contact_id,phone,name,mobile\n")
	for i := range n {
		fmt.Fprintf(&b, "c-%03d,%s,Person %c,%s\n", i+1, phone(i+1), 'A'+i, phone(i+1))
	}
	return b.String()
}

// badRows are refused, each for another number.
const badRows = `contact_id,phone,name,time_zone,expires_at
b-001,14155550151,No plus,,
b-002,+1 415 555 0152 ext. 9,Extension,,
b-003,+14155550153,Zone,+14155550154,
b-004,+14155550155,Expiry,,+14155550156
+14155550157,(415) 555-0158,Both wrong,,
b-006,+1415555015999999999,Too long,,
`

// Everything that a person or a program can read has neither a credential nor a
// whole phone number. The ledger, the queue, the CRM and the telephony provider
// have the numbers, because that is what they are for; the ledger's files are
// searched for credentials.
func TestNothingLeaks(t *testing.T) {
	outputs, stores := map[string]string{}, map[string]string{}
	binary, err := buildtest.Build(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	s := newStage(t, "contacts", binary, outputs, map[string]string{phone(2): "invalid", phone(3): "blocked", phone(4): "busy"},
		simulator.Fault{Service: "twilio", Route: "create", Answer: "lost_answer", Rate: 0.2})
	s.refusedContacts()
	maps.Copy(stores, s.stores)
	for service, refuses := range map[string][]int{
		"llm": {500, 400, 401, 401, 401}, "elevenlabs": {500, 500, 401, 401, 401}, "twilio": {400, 401, 401, 401}, "crm": {500, 400, 401, 401, 401},
	} {
		other := newStage(t, service, binary, outputs, nil)
		other.refusedBy(service, refuses)
		maps.Copy(stores, other.stores)
	}
	checkVariety(t, outputs)
	search(t, outputs, secrets(s.google), leaks)
	search(t, stores, secrets(s.google), credentials)
}

// search reports what is found, and how much was searched: an output that is
// empty proves nothing.
func search(t *testing.T, outputs, secrets map[string]string, find func(string, map[string]string) []string) {
	t.Helper()
	total := 0
	for _, name := range slices.Sorted(maps.Keys(outputs)) {
		text := outputs[name]
		if strings.TrimSpace(text) == "" {
			t.Errorf("%s is empty: nothing was searched", name)
		}
		for _, leak := range find(text, secrets) {
			t.Errorf("%s has %s", name, leak)
		}
		t.Logf("%8d bytes  %s", len(text), name)
		total += len(text)
	}
	t.Logf("%8d bytes  in %d outputs, searched for %d credentials", total, len(outputs), len(secrets))
	if len(outputs) == 0 {
		t.Error("there is no output")
	}
}

// refusedContacts plays a campaign in which contacts fail in every way, and then
// every command.
func (s *stage) refusedContacts() {
	s.parrots["twilio"].set(nil, map[string]int{phone(9): 500, phone(10): 400})
	s.file("contacts.csv", list(12))
	s.file("bad.csv", badRows)
	s.file("numbers.txt", phone(20)+"\n1 415 555 0121\n+1415555012\n")
	s.does("doctor")
	s.does("doctor", "--json")
	s.does("block", "add", phone(6), phone(19))
	s.does("block", "add", "1-415-555-0118")
	s.does("block", "import", "numbers.txt")
	s.does("block", "remove", phone(19))
	s.does("preview", "contacts.csv", "-n", "2")
	s.run("--contacts", "contacts.csv")
	s.does("enqueue", "bad.csv")
	s.does("enqueue", "bad.csv", "--strict")
	s.read()
	s.does("resolve", "c-009", "rang")
	s.does("retry", "--state", "failed")
	s.does("retry", "--state", "failed", "--yes")
	s.run("--json")
	s.browse()
	s.blunders()
	s.rehearse()
	s.collect()
	s.tables()
	s.functions()
}

// refusedBy plays a campaign in which a service refuses everything for its key,
// and channels refuse the alert about it.
func (s *stage) refusedBy(service string, refuses []int) {
	s.parrots[service].set(refuses, nil)
	s.parrots["telegram"].set([]int{429, 400, 401, 403}, nil)
	s.parrots["webhook"].set([]int{500, 401, 400}, nil)
	s.parrots["sheets"].set([]int{401, 403, 500}, nil)
	s.file("callagent.toml", "max_in_progress = 1\n[retry]\ninitial_delay = \"1s\"\nmax_retries = 1\n[campaign.default]\ncall_window = \"00:00-24:00\"\n")
	s.file("contacts.csv", list(4))
	s.does("doctor")
	s.parrots[service].set(refuses, nil)
	s.run("--contacts", "contacts.csv", "--wait", "0")
	s.read()
	s.does("circuit", service, "close")
	s.does("circuit", service, "auto")
	s.browse()
	s.collect()
	s.tables()
	if s.parrots[service].left() == len(refuses) {
		s.t.Errorf("%s has said nothing back", service)
	}
}

// read looks at everything in every form.
func (s *stage) read() {
	for _, args := range [][]string{
		{"status"}, {"status", "--json"}, {"calls"}, {"calls", "--json"}, {"calls", "--csv"}, {"calls", "--state", "failed"},
		{"call", "c-001"}, {"call", "c-001", "--json"}, {"call", "c-002"}, {"call", "c-002", "--json"},
		{"circuit"}, {"circuit", "--json"}, {"config"}, {"config", "--json"},
	} {
		s.does(args...)
	}
}

// rehearse plays a scenario of the operator's own.
func (s *stage) rehearse() {
	s.file("own-list.csv", list(2)+"c-003,+1 415 555 012,Short,\n")
	s.file("scenario.toml", fmt.Sprintf("name = 'own'\ncontacts_file = 'own-list.csv'\n[settings.campaign.default]\ncall_window = '00:00-24:00'\n[numbers]\n%q = 'invalid'\n", phone(2)))
	s.does("simulate", "--scenario", "scenario.toml", "--speed", "20")
	s.does("simulate", "--scenario", "scenario.toml", "--speed", "20", "--json")
}

// blunders are commands that end with an error about what was given to them.
func (s *stage) blunders() {
	s.file("broken.db", "no database, but "+phone(1))
	s.file("wrong.toml", "[campaign.default]\nvoise = \""+keys.ElevenLabs+"\"\nfrom = \""+phone(16)+" or so\"\n")
	s.file("own.toml", "[campaign.default]\nfrom = \""+phone(16)+"\"\n")
	s.file("broken.csv", "contact_id,phone\nc-001,\""+phone(17)+"\n")
	for _, args := range [][]string{
		{"config", "--settings", "own.toml"}, {"config", "--settings", "own.toml", "--json"}, {"doctor", "--settings", "own.toml"},
		{"call", phone(1)}, {"call", "+1 (415) 555-0101"}, {"call", phone(1), phone(2)}, {phone(1)}, {"resolve", phone(1), "rang"}, {"circuit", phone(1), "open"}, {"calls", "--campaign", phone(1)},
		{"status", "--store", "sqlite:broken.db"}, {"status", "--store", "sqlite:none.db"}, {"status", "--settings", "wrong.toml"},
		{"run", "--contacts", "nowhere.csv"}, {"run", "--contacts", "broken.csv"}, {"enqueue", "contacts.csv", "--campaign", phone(1)},
		{"run", "--listen", "256.0.0.1:1"},
	} {
		s.tries(args...)
	}
	proper := s.env
	for _, wrong := range []string{
		"TWILIO_FROM=(415) 555-0116", "SMTP_URL=smtp:/" + keys.MailPassword, "ALERT_WEBHOOK_URL=ftp://hooks" + hookPath,
		"GOOGLE_APPLICATION_CREDENTIALS=" + s.google["private_key"], "ALERT_WEBHOOK_SECRET=" + keys.WebhookSecret[6:30] + "!",
		"OPENAI_BASE_URL=" + keys.OpenAI, "TWILIO_AUTH_TOKEN=", "TELEGRAM_BOT_TOKEN=" + keys.TelegramToken[:20],
	} {
		s.env = append(slices.Clone(proper), wrong)
		name, _, _ := strings.Cut(wrong, "=")
		for _, command := range []string{"config", "doctor", "run"} {
			s.keep(command+" with another "+name, s.does(command))
		}
	}
	s.env = proper
}

// tables are the store's events, alerts, circuits and reasons of dead letters;
// of its files, which have everything, only the credentials are looked for.
func (s *stage) tables() {
	files, err := filepath.Glob(filepath.Join(s.dir, "callagent.db*"))
	s.must(err)
	for _, name := range files {
		data, err := os.ReadFile(name)
		s.must(err)
		if len(data) > 0 { // a lock is empty
			s.stores[s.name+": "+filepath.Base(name)] = string(data)
		}
	}
	path := filepath.Join(s.dir, "callagent.db")
	db, err := sql.Open("sqlite", path)
	s.must(err)
	defer db.Close()
	for _, columns := range []string{"body FROM events", "body FROM alerts", "body FROM circuits", "id FROM alerts", "reason || ' ' FROM dead_letters"} {
		rows, err := db.Query("SELECT " + columns)
		s.must(err)
		var all strings.Builder
		for rows.Next() {
			var text string
			s.must(rows.Scan(&text))
			all.WriteString(text + "\n")
		}
		s.must(rows.Close())
		if all.Len() > 0 || !strings.Contains(columns, "dead") {
			s.keep("store: "+columns, all.String())
		}
	}
}

// functions is what the functions would have logged of it, metrics included.
func (s *stage) functions() {
	var out strings.Builder
	log := cloudlog.New(cloudlog.Options{Out: &out, Function: "call"})
	for line := range strings.Lines(s.outputs[s.name+": app_logs.json"]) {
		var e journal.Entry
		s.must(decode(line, &e))
		log.Write(e)
	}
	log.Flush()
	if !strings.Contains(out.String(), "CloudWatchMetrics") {
		s.t.Error("no metric was made")
	}
	s.keep("log and metrics of the functions", out.String())
}

// The page that shows a run has none of its simulator's credentials, and no
// whole number of its contacts.
func TestTheEvidenceLeaksNothing(t *testing.T) {
	sim, err := simulator.Start(simulator.Config{})
	if err != nil {
		t.Fatal(err)
	}
	defer sim.Close()
	planted := map[string]string{}
	for _, pair := range sim.Env() {
		name, value, _ := strings.Cut(pair, "=")
		for _, end := range []string{"_KEY", "_TOKEN", "_SECRET", "_SID"} {
			if strings.HasSuffix(name, end) {
				planted[name] = strings.TrimPrefix(value, "whsec_")
			}
		}
		if u, err := url.Parse(value); err == nil && name == "SMTP_URL" {
			planted[name], _ = u.User.Password()
		}
	}
	contacts, err := examples.Files.ReadFile("contacts.csv")
	if err != nil {
		t.Fatal(err)
	}
	for row, err := range contactlist.Read(bytes.NewReader(contacts), contactlist.Options{Campaign: "default", Known: func(string) bool { return true }}) {
		if err != nil {
			t.Fatal(err)
		}
		planted[row.Contact.ID+"'s number"] = row.Contact.Phone[1:]
	}
	if len(planted) < 8+12 {
		t.Fatalf("only %d things are looked for", len(planted))
	}
	files, err := filepath.Glob("../../../docs/evidence/*")
	if err != nil || len(files) == 0 {
		t.Fatalf("no evidence: %v", err)
	}
	for _, name := range files {
		text, err := os.ReadFile(name)
		if err != nil || len(text) == 0 {
			t.Errorf("%s has %d bytes, %v", filepath.Base(name), len(text), err)
		}
		for _, leak := range leaks(string(text), planted) {
			t.Errorf("%s has %s", filepath.Base(name), leak)
		}
	}
}

// checkVariety sees to it that the campaigns failed in all the ways there are.
func checkVariety(t *testing.T, outputs map[string]string) {
	var all strings.Builder
	for name, text := range outputs {
		if strings.HasSuffix(name, "app_logs.json") {
			all.WriteString(text)
		}
	}
	for _, part := range []string{
		`"class":"transient"`, `"class":"permanent"`, `"class":"ambiguous"`, `"fault":"authentication"`, `"fault":"invalid_request"`,
		`"event":"call_failed"`, `"event":"call_unknown"`, `"event":"call_parked"`, `"event":"circuit_opened"`, `"event":"retries_spent"`,
		`"event":"alert_sent"`, `"event":"alert_failed"`, `"event":"sheet_behind"`,
	} {
		if !strings.Contains(all.String(), part) {
			t.Errorf("no log has %s: too little was tried", part)
		}
	}
}
