package wiring

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"mime"
	"mime/multipart"
	"mime/quotedprintable"
	"net/http"
	"net/http/httptest"
	"net/mail"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf16"

	"github.com/google/go-cmp/cmp"

	"callagent/core/agent"
	"callagent/core/alert"
	"callagent/core/breaker"
	"callagent/core/fault"
	"callagent/core/health"
	"callagent/core/journal"
	"callagent/infra/clock"
	"callagent/infra/memory"
	"callagent/infra/settings"
	"callagent/localstack/simulator"
)

// seven is when the alerts of the golden files are sent.
var seven = time.Date(2026, time.January, 5, 7, 0, 0, 0, time.UTC)

// office has the real channels and a simulator that they reach.
type office struct {
	t          *testing.T
	sim        *simulator.Simulator
	outbox     *memory.Store
	channels   []string
	dispatcher *agent.Dispatcher
	entries    []journal.Entry
}

// Write keeps an entry of the journal.
func (o *office) Write(e journal.Entry) { o.entries = append(o.entries, e) }

// newOffice has a clock that stands still, as nearly as a clock can.
func newOffice(t *testing.T, faults ...simulator.Fault) *office {
	t.Helper()
	still := clock.New(seven, 1e-9)
	sim, err := simulator.Start(simulator.Config{Clock: still, Faults: faults, Seed: 1})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(sim.Close)
	env := map[string]string{}
	for _, pair := range sim.Env() {
		name, value, _ := strings.Cut(pair, "=")
		env[name] = value
	}
	s, err := settings.Load(settings.Source{Env: func(name string) (string, bool) { v, ok := env[name]; return v, ok }})
	if err != nil {
		t.Fatal(err)
	}
	o := &office{t: t, sim: sim, outbox: memory.New(memory.Options{Now: still.Now}), channels: ChannelNames(s.Providers)}
	channels, problems, done := OpenChannels(s.Providers, still, o)
	t.Cleanup(func() { _ = done() })
	if len(problems) > 0 || len(channels) != 3 {
		t.Fatalf("%d channels, %v", len(channels), problems)
	}
	o.dispatcher = agent.NewDispatcher(agent.DispatcherOptions{Outbox: o.outbox, Channels: channels, Clock: still,
		Random: func() float64 { return 0 }, Journal: o, Timeout: NoticeTimeout})
	return o
}

// tell raises alerts on every channel and sends what may be sent.
func (o *office) tell(as ...alert.Alert) {
	o.t.Helper()
	for _, a := range as {
		if err := o.outbox.Raise(o.t.Context(), o.channels, a); err != nil {
			o.t.Fatal(err)
		}
	}
	for _, c := range o.channels {
		if _, err := o.dispatcher.Flush(o.t.Context(), c, false); err != nil {
			o.t.Fatal(err)
		}
	}
}

// outage is a circuit that opened at six.
func outage(service string, f fault.Fault) breaker.Record {
	f.Service = service
	return breaker.Record{Service: service, State: breaker.Open, Epoch: 1, Outage: 1, OpenedAt: seven.Add(-time.Hour), LastFault: &f}
}

// news is the alert of a kind that a record asks for at seven.
func news(k alert.Kind, r breaker.Record) []alert.Alert {
	as := alert.ForCircuit(r, seven)
	return slices.DeleteFunc(as, func(a alert.Alert) bool { return a.Kind != k })
}

// calls are alerts about n calls of a campaign, a second apart.
func calls(k alert.Kind, n int, reasons ...*fault.Fault) []alert.Alert {
	var as []alert.Alert
	for i := range n {
		as = append(as, alert.ForCall(k, alert.Subject{CallID: fmt.Sprintf("spring/c-%03d", i+1), Campaign: "spring",
			Reason: alert.Words(reasons[i%len(reasons)]), At: seven.Add(time.Duration(i-n) * time.Second), Park: 1}))
	}
	return as
}

// situations are what the golden files show, by their folder: a kind, and what
// is special about it.
func situations() map[string][]alert.Alert {
	down := fault.Fault{Kind: fault.ServiceUnavailable, Status: 503, Message: "The service is temporarily unavailable."}
	key := fault.Fault{Class: fault.Permanent, Scope: fault.Account, Kind: fault.Authentication, Status: 401, Code: "invalid_api_key", Message: "Invalid API key"}
	number := &fault.Fault{Service: "twilio", Class: fault.Permanent, Scope: fault.Contact, Kind: fault.InvalidRequest, Status: 400, Code: "21211", Message: "Invalid 'To' Phone Number"}
	blocked := &fault.Fault{Service: "twilio", Class: fault.Permanent, Scope: fault.Contact, Kind: fault.InvalidRequest, Status: 400, Code: "21216", Message: "Call blocked by <Twilio> & its blocklist"}
	lost := &fault.Fault{Service: "twilio", Class: fault.Ambiguous, Kind: fault.Timeout}
	stopped, relapsed, closed, reminded := outage("twilio", down), outage("elevenlabs", down), outage("elevenlabs", down), outage("elevenlabs", down)
	stopped.Forced, stopped.LastFault = breaker.ForcedOpen, nil
	relapsed.ClosedAt, relapsed.Relapses = relapsed.OpenedAt.Add(time.Minute), 1
	closed.State, closed.ClosedAt, closed.Released = breaker.Closed, seven.Add(-health.HoldsAfter), 240
	reminded.Reminded = 3
	throttled := breaker.Record{Service: "llm", Pauses: 4, PausedFrom: seven.Add(-health.PausedTooLong), PausedUntil: seven.Add(time.Minute)}
	return map[string][]alert.Alert{
		"circuit_opened":            news(alert.CircuitOpened, outage("elevenlabs", down)),
		"circuit_opened-key":        news(alert.CircuitOpened, outage("elevenlabs", key)),
		"circuit_opened-crm":        news(alert.CircuitOpened, outage("crm", down)),
		"circuit_opened-operator":   news(alert.CircuitOpened, stopped),
		"circuit_unstable":          news(alert.CircuitUnstable, relapsed),
		"circuit_still_open":        news(alert.CircuitStillOpen, reminded),
		"circuit_closed":            news(alert.CircuitClosed, closed),
		"service_paused":            news(alert.ServicePaused, throttled),
		"call_failed":               calls(alert.CallFailed, 1, number),
		"call_failed-digest":        calls(alert.CallFailed, 1000, number, number, blocked),
		"retries_exhausted":         calls(alert.RetriesExhausted, 1, &fault.Fault{Service: "llm", Kind: fault.BadResponse, Status: 200}),
		"call_unknown":              calls(alert.CallUnknown, 1, lost),
		"call_unknown-digest":       calls(alert.CallUnknown, 3, lost),
		"campaign_finished":         {alert.ForCampaign("spring", alert.Tally{Completed: 117, Failed: 3}, seven)},
		"campaign_finished-unknown": {alert.ForCampaign("spring", alert.Tally{Completed: 110, Failed: 6, Unknown: 3, Expired: 1}, seven)},
	}
}

// What people get, as each channel's server got it on the wire. Read these
// files like somebody who is woken by them.
func TestWhatEachChannelReceives(t *testing.T) {
	all, dir := situations(), filepath.Join("testdata", "alerts")
	for name, as := range all {
		t.Run(name, func(t *testing.T) {
			o := newOffice(t)
			o.tell(as...)
			got := o.received()
			for file, text := range got {
				compare(t, filepath.Join(dir, name, file), text)
			}
		})
	}
	for _, k := range alert.Kinds() {
		if as := all[string(k)]; len(as) != 1 || as[0].Kind != k {
			t.Errorf("there is no situation %s with one such alert", k)
		}
	}
	folders, err := os.ReadDir(dir)
	if err != nil || len(folders) != len(all) {
		t.Errorf("%d folders for %d situations, %v", len(folders), len(all), err)
	}
}

// received is what each server got, by the name of its golden file.
func (o *office) received() map[string]string {
	o.t.Helper()
	r := o.sim.Report()
	if len(r.Email) != 1 || len(r.Telegram) != 1 || len(r.Webhooks) != 1 || !r.Webhooks[0].Verified {
		o.t.Fatalf("%d mails, %d chat messages, webhooks %+v: %+v", len(r.Email), len(r.Telegram), r.Webhooks, o.entries)
	}
	text, html := letter(o.t, r.Email[0].Source)
	return map[string]string{
		"email.txt": text, "email.html": html,
		"telegram.txt": chat(o.t, r.Telegram[0].Source), "webhook.http": hook(o.t, r.Webhooks[0].Source),
	}
}

var boundary = regexp.MustCompile(`boundary=\S+`)

// letter takes a mail apart: its header and plain text, and its HTML. Only the
// boundary, which is random, is masked.
func letter(t *testing.T, source string) (text, html string) {
	t.Helper()
	m, err := mail.ReadMessage(strings.NewReader(source))
	if err != nil {
		t.Fatal(err)
	}
	_, options, err := mime.ParseMediaType(m.Header.Get("Content-Type"))
	if err != nil {
		t.Fatal(err)
	}
	var parts []string
	for r := multipart.NewReader(m.Body, options["boundary"]); ; {
		p, err := r.NextRawPart()
		if err == io.EOF {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		decoded, err := io.ReadAll(quotedprintable.NewReader(p))
		if err != nil {
			t.Fatal(err)
		}
		parts = append(parts, strings.ReplaceAll(string(decoded), "\r\n", "\n"))
	}
	header, _, _ := strings.Cut(source, "\n\n")
	if len(parts) != 2 {
		t.Fatalf("%d parts in\n%s", len(parts), source)
	}
	return boundary.ReplaceAllString(header, "boundary=RANDOM") + "\n\n" + parts[0], parts[1]
}

// chat shows a message as the chat does: what is bold between asterisks.
func chat(t *testing.T, source string) string {
	t.Helper()
	line, _, _ := strings.Cut(source, "\n")
	_, body, _ := strings.Cut(source, "\n\n")
	var m struct {
		Chat     json.RawMessage `json:"chat_id"`
		Text     string          `json:"text"`
		Silent   bool            `json:"disable_notification"`
		Entities []struct {
			Type           string
			Offset, Length int
		} `json:"entities"`
	}
	if err := json.Unmarshal([]byte(body), &m); err != nil {
		t.Fatal(err)
	}
	units := utf16.Encode([]rune(m.Text))
	for _, e := range slices.Backward(m.Entities) {
		if e.Type != "bold" {
			t.Errorf("an entity %s", e.Type)
		}
		units = slices.Insert(units, e.Offset+e.Length, '*')
		units = slices.Insert(units, e.Offset, '*')
	}
	return fmt.Sprintf("%s\nto chat %s, silent: %t\n\n%s\n", line, m.Chat, m.Silent, string(utf16.Decode(units)))
}

// hook shows a request with its body over several lines.
func hook(t *testing.T, source string) string {
	t.Helper()
	header, body, _ := strings.Cut(source, "\n\n")
	var out bytes.Buffer
	if err := json.Indent(&out, []byte(body), "", "  "); err != nil {
		t.Fatal(err)
	}
	return header + "\n\n" + out.String() + "\n"
}

func compare(t *testing.T, path, got string) {
	t.Helper()
	if *update {
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(string(want), got); d != "" {
		t.Errorf("%s (-is +came):\n%s\nIf that is meant: go test ./infra/wiring -run Receives -update", path, d)
	}
}

func TestTheJournalSaysWhereAGroupHasMoved(t *testing.T) {
	api := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if body, _ := io.ReadAll(r.Body); strings.Contains(string(body), `"chat_id":-1009`) {
			_, _ = io.WriteString(w, `{"ok":true,"result":{"message_id":7}}`)
			return
		}
		w.WriteHeader(http.StatusBadRequest)
		_, _ = io.WriteString(w, `{"ok":false,"error_code":400,"description":"Bad Request: group chat was upgraded to a supergroup chat","parameters":{"migrate_to_chat_id":-1009}}`)
	}))
	defer api.Close()
	o := newOffice(t)
	p := settings.Providers{}
	p.Telegram.BotToken, p.Telegram.ChatID, p.Telegram.BaseURL = "4711:token", "-5", api.URL
	channels, _, done := OpenChannels(p, &clock.Clock{}, o)
	for range 2 {
		if err := channels[telegramChat].Notify(t.Context(), alert.Single(situations()["circuit_opened"][0])); err != nil {
			t.Fatal(err)
		}
	}
	if err := done(); err != nil || len(o.entries) != 1 || o.entries[0].Event != "chat_moved" || !strings.Contains(o.entries[0].Message, "set TELEGRAM_CHAT_ID to -1009.") {
		t.Errorf("the journal has %+v, %v", o.entries, err)
	}
}

func TestTheSameAlertTwiceIsSentOnce(t *testing.T) {
	o := newOffice(t)
	a := situations()["circuit_opened"][0]
	for range 3 {
		o.tell(a, a)
	}
	o.received() // fails unless it is one on each channel
}

// Telegram refuses the token: the mail and the webhook go out all the same, in
// whatever order the channels are flushed, and Telegram has it when it is mended.
func TestA401FromTelegramHoldsUpNoOther(t *testing.T) {
	o := newOffice(t, simulator.Fault{Service: "telegram", Answer: "401"})
	o.tell(situations()["circuit_opened"]...)
	if r := o.sim.Report(); len(r.Email) != 1 || len(r.Webhooks) != 1 || len(r.Telegram) != 0 {
		t.Errorf("%d mails, %d webhooks, %d chat messages", len(r.Email), len(r.Webhooks), len(r.Telegram))
	}
	i := slices.IndexFunc(o.entries, func(e journal.Entry) bool { return e.Event == "alert_failed" })
	if i < 0 || !strings.Contains(o.entries[i].Message, "check TELEGRAM_BOT_TOKEN") {
		t.Errorf("the journal does not say what to mend: %+v", o.entries)
	}
	o.sim.ClearFaults()
	channels := o.dispatcher.Channels // a new process, because this clock stands still
	o.dispatcher = agent.NewDispatcher(agent.DispatcherOptions{Outbox: o.outbox, Channels: channels, Clock: o.dispatcher.Clock,
		Random: func() float64 { return 0 }, Journal: o, Timeout: NoticeTimeout})
	o.tell()
	o.received()
}
