//go:build integration

package cloud

import (
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awssqs "github.com/aws/aws-sdk-go-v2/service/sqs"
	awstypes "github.com/aws/aws-sdk-go-v2/service/sqs/types"
	awsssm "github.com/aws/aws-sdk-go-v2/service/ssm"

	"callagent/core/agent"
	"callagent/core/breaker"
	"callagent/core/call"
	"callagent/core/fault"
	"callagent/core/journal"
	"callagent/infra/wiring"
)

func TestContactsBecomeOutcomes(t *testing.T) {
	t.Parallel()
	s := newStack(t)
	s.callbacks(s.process("callback"), 0)
	worker := s.process("call")
	for n := range 4 {
		s.send(contactBody(n + 1))
	}
	for range 40 {
		s.pump("CONTACTS_QUEUE_URL", worker.Work)
		if s.count("call_finished") == 4 {
			break
		}
		time.Sleep(500 * time.Millisecond)
	}
	if rings := s.sim.Rings(); len(rings) != 4 {
		t.Errorf("rings: %v\n%s", rings, s.log.text())
	}
	for number, rings := range s.sim.Rings() {
		if rings != 1 {
			t.Errorf("%s rang %d times", journal.Mask(number), rings)
		}
	}
	for n := range 4 {
		if c := s.call(worker, n+1); c.State != call.Completed || c.Recorded != call.Yes {
			t.Errorf("call %d is %s, recorded %s: %s", n+1, c.State, c.Recorded, c.Reason)
		}
	}
	if strings.Contains(s.log.text(), "+15005550") {
		t.Error("the log has a full phone number")
	}
	if _, raw := s.messages("JOURNAL_QUEUE_URL"); len(raw) == 0 {
		t.Error("no event is on the journal queue")
	}
}

// count counts the entries with an event.
func (s *stack) count(event string) int {
	n := 0
	for _, e := range s.log.entries(s.t) {
		if e.Event == event {
			n++
		}
	}
	return n
}

// call reads the record of a contact.
func (s *stack) call(p *Process, n int) call.Call {
	s.t.Helper()
	c, err := s.parts(p).calls.Get(s.t.Context(), call.Key{Campaign: "default", Contact: fmt.Sprintf("c-%03d", n)})
	s.must(c, err)
	return c
}

// parts is what a process was put together from.
func (s *stack) parts(p *Process) *set {
	s.t.Helper()
	parts, err := p.current(s.t.Context())
	s.must(parts, err)
	s.must(nil, parts.assemble(s.t.Context()))
	return parts
}

// only fails unless the log has one entry with the event, and gives it.
func (s *stack) only(event string) journal.Entry {
	s.t.Helper()
	var found []journal.Entry
	for _, e := range s.log.entries(s.t) {
		if e.Event == event {
			found = append(found, e)
		}
	}
	if len(found) != 1 {
		s.t.Fatalf("%d entries %s, want 1, in\n%s", len(found), event, s.log.text())
	}
	return found[0]
}

func TestPoisonGoesToTheDeadLettersWithItsReason(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ body, reason string }{
		"no JSON":          {`this is no contact`, "JSON"},
		"a bad number":     {`{"campaign":"default","contact_id":"c-001","phone":"12345"}`, `"phone"`},
		"an unknown field": {`{"campaign":"default","contact_id":"c-001","phone":"+15005550101","colour":"blue"}`, "colour"},
		"an unknown campaign": {`{"campaign":"nobody","contact_id":"c-001","phone":"+15005550101"}`,
			`campaign "nobody" is not known: add [campaign.nobody] to the settings`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newStack(t)
			s.send(c.body)
			messages, _ := s.messages("CONTACTS_QUEUE_URL")
			if again := s.process("call").Work(t.Context(), messages); !slices.Equal(again, []bool{false}) {
				t.Errorf("again %v, want it done with", again)
			}
			if e := s.only("message_rejected"); !strings.Contains(e.Message, c.reason) {
				t.Errorf("the journal says %q", e.Message)
			}
			letters, err := s.parts(s.process("x")).contacts.DeadLetters(t.Context(), 10)
			if err != nil || len(letters) != 1 || string(letters[0].Body) != c.body || !strings.Contains(letters[0].Reason, c.reason) {
				t.Errorf("dead letters %+v, %v", letters, err)
			}
		})
	}
}

func TestAMessageForAFinishedCallIsAcknowledged(t *testing.T) {
	t.Parallel()
	s := newStack(t)
	p := s.process("call")
	parts := s.parts(p)
	contact, err := call.Decode([]byte(contactBody(1)))
	s.must(contact, err)
	now := time.Now().UTC()
	ended := call.Call{Key: contact.Key(), Contact: contact, Number: "n", CreatedAt: now, State: call.Running}.Failed(now, "for a test").WasRecorded(call.Yes, "1", now).Told(now)
	s.must(nil, parts.calls.Put(t.Context(), call.Write{Call: ended}))
	s.send(contactBody(1))
	messages, _ := s.messages("CONTACTS_QUEUE_URL")
	if again := p.Work(t.Context(), messages); again[0] {
		t.Error("it comes again")
	}
	if n := len(s.sim.Requests()); n != 0 {
		t.Errorf("%d requests were sent", n)
	}
}

func TestAPanicCostsTheOtherMessagesNothing(t *testing.T) {
	t.Parallel()
	s := newStack(t)
	p := s.process("call")
	parts := s.parts(p)
	known := parts.agent.Campaign
	parts.agent.Campaign = func(name string) (call.Campaign, bool) {
		if name == "trap" {
			panic("sk-secret of +15005550101")
		}
		return known(name)
	}
	s.send(`{"campaign":"trap","contact_id":"c-001","phone":"+15005550101"}`, contactBody(2))
	for range 20 {
		if s.count("panicked") > 0 && len(s.sim.Rings()) > 0 {
			break
		}
		messages, _ := s.messages("CONTACTS_QUEUE_URL")
		for i, again := range p.Work(t.Context(), messages) {
			if trapped := strings.Contains(string(messages[i].Body), "trap"); trapped && !again {
				t.Error("the message that panicked is done with")
			}
		}
	}
	e := s.only("panicked")
	if !strings.Contains(e.Message, "string at callagent/infra/wiring/cloud/") || strings.Contains(e.Message, "sk-secret") || strings.Contains(e.Message, "0101") {
		t.Errorf("the journal says %q", e.Message)
	}
}

func TestWhatIsMissingIsNamedAndTheMessageWaits(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		spoil        func(s *stack)
		event, names string
	}{
		"a table": {func(s *stack) { s.env["CALLS_TABLE"] += "-gone" }, "setup_wrong", "CALLS_TABLE"},
		"a secret": {func(s *stack) {
			s.must(s.clients.ssm.DeleteParameter(s.t.Context(), &awsssm.DeleteParameterInput{Name: aws.String("/" + s.name + "/OPENAI_API_KEY")}))
		}, "setup_wrong", "OPENAI_API_KEY"},
		"half a channel": {func(s *stack) {
			s.must(s.clients.ssm.DeleteParameter(s.t.Context(), &awsssm.DeleteParameterInput{Name: aws.String("/" + s.name + "/TELEGRAM_BOT_TOKEN")}))
		}, "setup_wrong", "TELEGRAM_BOT_TOKEN"},
		"a queue":           {func(s *stack) { delete(s.env, "ALERTS_QUEUE_URL") }, "setup_wrong", "ALERTS_QUEUE_URL"},
		"the settings":      {func(s *stack) { s.env["SETTINGS_OBJECT"] += ".gone" }, "setup_wrong", "callagent.toml.gone"},
		"sense in settings": {func(s *stack) { s.settings("[retry]\nmax_retires = 3\n") }, "setup_wrong", "max_retires"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newStack(t)
			s.send(contactBody(1))
			messages, _ := s.messages("CONTACTS_QUEUE_URL")
			c.spoil(s)
			if again := s.process("call").Work(t.Context(), messages); !again[0] {
				t.Error("the message is done with")
			}
			e := s.only(c.event)
			if !strings.Contains(e.Message, c.names) {
				t.Errorf("the journal says %q, which does not name %s", e.Message, c.names)
			}
			if d := s.hidden(); d != 1 {
				t.Errorf("%d messages are hidden, want 1", d)
			}
		})
	}
}

// hidden is how many contacts are in flight.
func (s *stack) hidden() int {
	s.t.Helper()
	out, err := s.clients.sqs.GetQueueAttributes(s.t.Context(), &awssqs.GetQueueAttributesInput{
		QueueUrl: aws.String(s.env["CONTACTS_QUEUE_URL"]), AttributeNames: []awstypes.QueueAttributeName{"ApproximateNumberOfMessagesNotVisible"},
	})
	s.must(out, err)
	var n int
	_, err = fmt.Sscan(out.Attributes["ApproximateNumberOfMessagesNotVisible"], &n)
	s.must(n, err)
	return n
}

func TestALedgerThatIsGoneLaterIsNamedToo(t *testing.T) {
	t.Parallel()
	s := newStack(t)
	p := s.process("call")
	s.parts(p)
	s.dropCalls()
	s.send(contactBody(1))
	messages, _ := s.messages("CONTACTS_QUEUE_URL")
	if again := p.Work(t.Context(), messages); !again[0] {
		t.Error("the message is done with")
	}
	if e := s.only("ledger_silent"); !strings.Contains(e.Message, "CALLS_TABLE") {
		t.Errorf("the journal does not name the table: %q", e.Message)
	}
	if n := len(s.sim.Requests()); n != 0 {
		t.Errorf("%d requests were sent", n)
	}
}

// dialled stores a call that has an intent and no SID.
func (s *stack) dialled(p *Process, n int) call.Call {
	s.t.Helper()
	contact, err := call.Decode([]byte(contactBody(n)))
	s.must(contact, err)
	now := time.Now().UTC()
	c := call.Call{Key: contact.Key(), Contact: contact, Number: "n", CreatedAt: now, State: call.Running,
		Lease: call.Lease{Holder: "somebody", Until: now.Add(time.Minute)}, Due: now.Add(time.Minute)}
	s.must(nil, s.parts(p).calls.Put(s.t.Context(), call.Write{Call: c.Intends("attempt-1", "+15005550006", now)}))
	return s.call(p, n)
}

// report is what Twilio posts about a call, signed.
func (s *stack) report(c call.Call, attempt, sid, status string) wiring.Callback {
	q := url.Values{"campaign": {c.Key.Campaign}, "contact": {c.Key.Contact}, "attempt": {attempt}}
	form := url.Values{"CallSid": {sid}, "CallStatus": {status}, "CallDuration": {"7"}}
	u := "https://abc.lambda-url.us-east-1.on.aws" + wiring.CallbackPath + "?" + q.Encode()
	token := s.parts(s.process("x")).settings.Providers.Twilio.AuthToken
	return wiring.Callback{URL: u, Form: form, Signature: sign(string(token), u, form)}
}

func TestCallbacks(t *testing.T) {
	t.Parallel()
	s := newStack(t)
	p := s.process("callback")
	c := s.dialled(p, 1)
	sid := "CA" + strings.Repeat("a1", 16)
	for _, step := range []struct {
		says     string
		callback wiring.Callback
		status   int // 0: taken
		event    string
	}{
		{"a wrong signature is refused", forged(s.report(c, "attempt-1", sid, "completed")), http.StatusForbidden, "callback_refused"},
		{"an attempt that is not the call's is ignored", s.report(c, "attempt-0", sid, "completed"), 0, "callback_ignored"},
		{"one that comes before the SID is stored brings it", s.report(c, "attempt-1", sid, "completed"), 0, "answer_received"},
		{"a replay changes nothing", s.report(c, "attempt-1", sid, "completed"), 0, ""},
		{"so does an older report", s.report(c, "attempt-1", sid, "ringing"), 0, ""},
	} {
		before := len(s.log.entries(t))
		refused := p.Callback(t.Context(), step.callback)
		if got := status(refused); got != step.status {
			t.Errorf("%s: status %d, want %d", step.says, got, step.status)
		}
		var events []string
		for _, e := range s.log.entries(t)[before:] {
			events = append(events, e.Event)
		}
		if want := slices.DeleteFunc([]string{step.event}, func(e string) bool { return e == "" }); !slices.Equal(events, want) {
			t.Errorf("%s: the journal has %v, want %v", step.says, events, want)
		}
	}
	if got := s.call(p, 1); got.Ring() != sid || !got.Answered() {
		t.Errorf("the call has SID %q and answer %+v", got.Ring(), got.Answer)
	}
	if messages, _ := s.messages("CONTACTS_QUEUE_URL"); len(messages) != 1 {
		t.Errorf("%d wake-ups, want 1", len(messages))
	}
}

func status(r *wiring.Refusal) int {
	if r == nil {
		return 0
	}
	return r.Status
}

func forged(c wiring.Callback) wiring.Callback {
	c.Form = url.Values{"CallSid": c.Form["CallSid"], "CallStatus": {"busy"}}
	return c
}

func TestATickBringsBackContactsThatNobodyClaimed(t *testing.T) {
	t.Parallel()
	s := newStack(t)
	p := s.process("healthcheck")
	claimed := s.dialled(p, 2)
	for _, body := range []string{contactBody(1), contactBody(2), "no contact"} {
		s.must(s.clients.sqs.SendMessage(t.Context(), &awssqs.SendMessageInput{QueueUrl: aws.String(s.env["CONTACTS_DEAD_LETTERS_URL"]), MessageBody: &body}))
	}
	s.must(nil, p.Tick(t.Context(), true))
	messages, _ := s.messages("CONTACTS_QUEUE_URL")
	if len(messages) != 1 || string(messages[0].Body) != contactBody(1) {
		t.Errorf("%d messages came back, want that of contact 1 and not that of %s", len(messages), claimed.Key)
	}
	left, err := s.parts(p).contacts.DeadLetters(t.Context(), 10)
	if err != nil || len(left) != 2 {
		t.Errorf("%d dead letters are left, %v", len(left), err)
	}
}

func TestAnAlertIsToldOnceOnEveryChannel(t *testing.T) {
	t.Parallel()
	s := newStack(t)
	p := s.process("healthcheck")
	s.must(nil, p.Tick(t.Context(), true)) // so that the circuit is known
	parts := s.parts(p)
	r, err := parts.circuits.Load(t.Context(), agent.ElevenLabs)
	s.must(r, err)
	wrongKey := &fault.Fault{Class: fault.Permanent, Kind: fault.Authentication, Scope: fault.Account, Service: agent.ElevenLabs, Status: 401}
	r, change := breaker.Fail(r, breaker.DefaultConfig(), breaker.Failure{Fault: wrongKey}, time.Now())
	if change != breaker.Tripped {
		t.Fatalf("the circuit did not open: %v", change)
	}
	_, err = parts.circuits.Swap(t.Context(), r)
	s.must(nil, err)
	for range 3 {
		s.must(nil, s.process("healthcheck").Tick(t.Context(), true))
	}
	if n := s.pump("ALERTS_QUEUE_URL", s.process("alert").Tell); n < 3 {
		t.Errorf("%d messages were on the alerts queue: the test shows nothing", n)
	}
	report := s.sim.Report()
	if len(report.Email) != 1 || len(report.Telegram) != 1 || len(report.Webhooks) != 1 {
		t.Errorf("%d letters, %d chat messages, %d webhooks, want one each\n%s", len(report.Email), len(report.Telegram), len(report.Webhooks), s.log.text())
	}
}
