package alert_test

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"callagent/core/alert"
	"callagent/core/breaker"
	"callagent/core/fault"
	"callagent/core/health"
)

var update = flag.Bool("update", false, "write the texts as they are now; read the difference before keeping it")

var start = time.Date(2026, time.January, 5, 9, 0, 0, 0, time.UTC)

var (
	down  = &fault.Fault{Service: "elevenlabs", Kind: fault.ServiceUnavailable, Status: 503, Message: "The service is temporarily unavailable."}
	key   = &fault.Fault{Service: "elevenlabs", Class: fault.Permanent, Kind: fault.Authentication, Scope: fault.Account, Status: 401, Code: "invalid_api_key"}
	quota = &fault.Fault{Service: "llm", Class: fault.Permanent, Kind: fault.QuotaExceeded, Scope: fault.Account, Status: 429, Code: "insufficient_quota"}
	right = &fault.Fault{Service: "crm", Class: fault.Permanent, Kind: fault.Permission, Scope: fault.Account, Status: 403, Message: "the key has no scope crm.objects.calls.write"}
	from  = &fault.Fault{Service: "twilio", Class: fault.Permanent, Kind: fault.InvalidRequest, Scope: fault.Account, Status: 400, Code: "21210", Message: "the caller id is not ours"}
)

// badNumber is the reason of a call that failed.
var badNumber = alert.Words(&fault.Fault{Service: "twilio", Class: fault.Permanent, Scope: fault.Contact, Kind: fault.InvalidRequest,
	Status: 400, Code: "21211", Message: "Invalid 'To' Phone Number."})

// open is a circuit that opened at start with the given fault.
func open(service string, f *fault.Fault) breaker.Record {
	return breaker.Record{Service: service, State: breaker.Open, Epoch: 7, Outage: 7, OpenedAt: start, LastFault: f}
}

// sample is one text, with the situation that it is for.
type sample struct {
	when  string
	alert alert.Alert
}

// told gives the alert of a kind that a circuit's record asks for.
func told(k alert.Kind, r breaker.Record, now time.Time) alert.Alert {
	for _, a := range alert.ForCircuit(r, now) {
		if a.Kind == k {
			return a
		}
	}
	return alert.Alert{What: "nothing is told"}
}

func changed(r breaker.Record, change func(*breaker.Record)) breaker.Record {
	change(&r)
	return r
}

// samples are the texts of every kind.
func samples() map[alert.Kind][]sample {
	opens := func(when string, r breaker.Record) sample {
		return sample{when, told(alert.CircuitOpened, r, start)}
	}
	reminded := func(n int, r breaker.Record) alert.Alert {
		r.Reminded = n
		return told(alert.CircuitStillOpen, r, start)
	}
	closes := func(service string, after time.Duration, released int) alert.Alert {
		r := open(service, down)
		r.State, r.ClosedAt, r.Released = breaker.Closed, start.Add(after), released
		return told(alert.CircuitClosed, r, r.ClosedAt.Add(health.HoldsAfter))
	}
	about := alert.Subject{CallID: "spring/c-001", Campaign: "spring", At: start}
	because := func(reason string, park int) alert.Subject {
		s := about
		s.Reason, s.Park = reason, park
		return s
	}
	relapsed := changed(open("crm", &fault.Fault{Service: "crm", Kind: fault.Timeout}), func(r *breaker.Record) {
		r.ClosedAt, r.Relapses = start.Add(time.Minute), 1
	})
	pause := breaker.Record{Service: "llm", Pauses: 4, PausedFrom: start, PausedUntil: start.Add(6 * time.Minute)}
	return map[alert.Kind][]sample{
		alert.CircuitOpened: {
			opens("the service is down", open("elevenlabs", down)),
			opens("the key is refused", open("elevenlabs", key)),
			opens("the quota is used up", open("llm", quota)),
			opens("a permission is missing; the CRM holds no call up", open("crm", right)),
			opens("a setting is wrong", open("twilio", from)),
			opens("an operator stopped it", changed(open("twilio", nil), func(r *breaker.Record) { r.Forced = breaker.ForcedOpen })),
			opens("no fault is known", open("llm", nil)),
		},
		alert.CircuitUnstable: {{"the first relapse", told(alert.CircuitUnstable, relapsed, start)}},
		alert.CircuitStillOpen: {
			{"the first reminder", reminded(1, open("elevenlabs", down))},
			{"the third", reminded(3, open("elevenlabs", key))},
			{"the fifth, stopped by an operator", reminded(5, changed(open("twilio", nil), func(r *breaker.Record) { r.Forced = breaker.ForcedOpen }))},
		},
		alert.CircuitClosed: {
			{"after a short outage", closes("elevenlabs", 42*time.Second, 10)},
			{"after a longer one", closes("twilio", 17*time.Minute, 1)},
			{"after a long one; the CRM held no call up", closes("crm", 5*time.Hour, 0)},
			{"an operator closed it", told(alert.CircuitClosed, changed(open("twilio", down), func(r *breaker.Record) {
				r.State, r.Forced, r.ClosedAt, r.Released = breaker.Closed, breaker.ForcedClosed, start.Add(time.Hour), 12
			}), start.Add(2*time.Hour))},
		},
		alert.ServicePaused: {{"throttled for five minutes", told(alert.ServicePaused, pause, start.Add(5*time.Minute))}},
		alert.CallFailed: {
			{"the provider refuses the number", alert.ForCall(alert.CallFailed, because(badNumber, 0))},
			{"a duplicate", alert.ForCall(alert.CallFailed, because("duplicate of spring/c-000", 0))},
		},
		alert.RetriesExhausted: {{"the second time", alert.ForCall(alert.RetriesExhausted, because("retries spent: "+alert.Words(down), 2))}},
		alert.CallUnknown:      {{"the dial's answer was lost", alert.ForCall(alert.CallUnknown, because("the dial's answer was lost", 0))}},
		alert.CampaignFinished: {
			{"all went well", alert.ForCampaign("spring", alert.Tally{Completed: 10}, start)},
			{"a person has to look", alert.ForCampaign("spring", alert.Tally{Completed: 6, Failed: 2, Unknown: 1, Expired: 1}, start)},
		},
	}
}

// golden writes the message of each sample of a kind.
func golden(samples []sample) string {
	var b strings.Builder
	for i, s := range samples {
		if i > 0 {
			b.WriteString("\n")
		}
		fmt.Fprintf(&b, "## %s\n\n%s", s.when, letter(alert.Single(s.alert)))
	}
	return b.String()
}

// letter is a message as a person reads it.
func letter(m alert.Message) string {
	return fmt.Sprintf("id: %s\nseverity: %s\nat: %s\ntitle: %s\n\n%s\n", m.ID, m.Severity, m.At.Format(time.RFC3339), m.Title, m.Text)
}

func TestTheTextsOfEveryKind(t *testing.T) {
	for kind, ss := range samples() {
		compare(t, string(kind), golden(ss))
	}
}

func TestTheTextOfADigest(t *testing.T) {
	few := []alert.Alert{failed(1), failed(2), failed(3)}
	var many, unknown []alert.Alert
	for i := range 1000 {
		a := failed(i)
		if i%10 == 3 {
			a.Reason = fmt.Sprintf("duplicate of spring/c-%03d", i/100)
		}
		many = append(many, a)
	}
	for i := range 2 {
		unknown = append(unknown, alert.ForCall(alert.CallUnknown, alert.Subject{
			CallID: fmt.Sprintf("spring/c-%03d", i), Campaign: "spring", Reason: "the dial's answer was lost", At: start,
		}))
	}
	var b strings.Builder
	for _, as := range [][]alert.Alert{few, many, unknown} {
		b.WriteString(letter(alert.Digest(as[0].Key(), as)) + "\n")
	}
	compare(t, "digest", b.String())
}

func failed(i int) alert.Alert {
	return alert.ForCall(alert.CallFailed, alert.Subject{
		CallID: fmt.Sprintf("spring/c-%03d", i), Campaign: "spring", Reason: badNumber, At: start.Add(time.Duration(i) * time.Second),
	})
}

// number is what a phone number looks like, however it is written.
var number = regexp.MustCompile(`\+?[0-9](?:[ ()/-]?[0-9]){6,}`)

func compare(t *testing.T, name, got string) {
	t.Helper()
	path := filepath.Join("testdata", name+".golden")
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("%s has another text:\n%s\nIf that is meant: go test ./core/alert -update", path, got)
	}
	for line := range strings.Lines(got) {
		if strings.HasPrefix(line, "at: ") || strings.HasPrefix(line, "id: pause/") {
			continue // a time is no phone number
		}
		if found := number.FindString(line); found != "" {
			t.Errorf("%s shows a number: %s", path, line)
		}
	}
}

// Every golden file belongs to a kind, and every kind has one.
func TestNoGoldenFileIsLeftOver(t *testing.T) {
	files, err := filepath.Glob("testdata/*.golden")
	if err != nil {
		t.Fatal(err)
	}
	known := samples()
	if len(files) != len(known)+1 { // and the digest
		t.Errorf("%d files for %d kinds and the digest: %v", len(files), len(known), files)
	}
	for kind, ss := range known {
		for _, s := range ss {
			if s.alert.Kind != kind {
				t.Errorf("the sample %q of %s is of kind %q", s.when, kind, s.alert.Kind)
			}
		}
	}
}

const (
	page  = "../../docs/alerts.md"
	begin = "<!-- written by go test ./core/alert -update -->\n"
	end   = "<!-- end of the examples -->\n"
)

// The page shows the first sample of every kind, in the order of its table.
func TestThePageShowsTheTexts(t *testing.T) {
	text, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	before, rest, ok := strings.Cut(string(text), begin)
	shown, after, ended := strings.Cut(rest, end)
	if !ok || !ended {
		t.Fatalf("%s has lost the marks of its examples", page)
	}
	var b strings.Builder
	all := samples()
	for _, k := range alert.Kinds() {
		if !strings.Contains(before, "`"+string(k)+"`") {
			t.Errorf("%s does not explain %s", page, k)
		}
		if severity := all[k][0].alert.Severity; !regexp.MustCompile(fmt.Sprintf("(?m)^\\| `%s` \\|.+\\| %s \\|", k, severity)).MatchString(before) {
			t.Errorf("%s does not say that %s is %s", page, k, severity)
		}
		m := alert.Single(all[k][0].alert)
		fmt.Fprintf(&b, "### `%s`\n\n**%s**\n\n%s\n\n", k, m.Title, m.Text)
	}
	want := b.String()
	if shown == want {
		return
	}
	if !*update {
		t.Fatalf("%s shows other texts than the code. Write it again: go test ./core/alert -update", page)
	}
	if err := os.WriteFile(page, []byte(before+begin+want+end+after), 0o644); err != nil {
		t.Fatal(err)
	}
}
