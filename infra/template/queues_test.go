package template

import (
	"reflect"
	"strings"
	"testing"

	"callagent/infra/settings"
)

const queueType, functionType = "AWS::SQS::Queue", "AWS::Serverless::Function"

// deadLettersOf gives the dead-letter queue of each queue that has one.
func (s stack) deadLettersOf() map[string]string {
	of := map[string]string{}
	for _, q := range s.of(queueType) {
		if dead := target(in(s.properties(q), "RedrivePolicy", "deadLetterTargetArn")); dead != "" {
			of[q] = dead
		}
	}
	return of
}

func TestEveryQueueHasDeadLetters(t *testing.T) {
	s := load(t)
	of, isDead := s.deadLettersOf(), map[string]bool{}
	for q, dead := range of {
		if isDead[dead] {
			t.Errorf("%s shares its dead letters with another queue", q)
		}
		isDead[dead] = true
	}
	for _, q := range s.of(queueType) {
		if of[q] == "" && !isDead[q] {
			t.Errorf("%s has no dead-letter queue", q)
		}
	}
	if len(of) != 4 {
		t.Errorf("queues with dead letters: %v", of)
	}
}

func TestDeadLettersOutliveTheirQueue(t *testing.T) {
	s := load(t)
	const days14 = 14 * 24 * 60 * 60
	for q, dead := range s.deadLettersOf() {
		here, there := s.number(t, s.properties(q), "MessageRetentionPeriod"), s.number(t, s.properties(dead), "MessageRetentionPeriod")
		if there != days14 || here > there {
			t.Errorf("%s keeps messages for %d s, %s for %d s", q, here, dead, there)
		}
		if n := s.number(t, s.properties(q), "RedrivePolicy", "maxReceiveCount"); n < 1 || n > 1000 {
			t.Errorf("%s lets a message be received %d times; SQS takes 1 to 1000", q, n)
		}
	}
	// The ledger's counts end a contact, not those of SQS.
	if n := s.number(t, s.properties("ContactsQueue"), "RedrivePolicy", "maxReceiveCount"); n != 1000 {
		t.Errorf("a contact may be received %d times, want 1000", n)
	}
}

func TestQueuesAreEncryptedAndTakeOnlyTLS(t *testing.T) {
	s := load(t)
	denied := map[string]bool{}
	for _, p := range s.of("AWS::SQS::QueuePolicy") {
		queue := target(each(s.properties(p)["Queues"])[0])
		denied[queue] = deniesPlain(s.properties(p), "sqs:*", []any{object{"Fn::GetAtt": []any{queue, "Arn"}}})
	}
	for _, q := range s.of(queueType) {
		if s.properties(q)["SqsManagedSseEnabled"] != true {
			t.Errorf("%s is not encrypted", q)
		}
		if !denied[q] {
			t.Errorf("%s can be used without TLS", q)
		}
	}
}

// deniesPlain reports whether a policy denies everybody the action on these
// resources without TLS.
func deniesPlain(policy object, action string, resources []any) bool {
	for _, st := range each(in(policy, "PolicyDocument", "Statement")) {
		if in(st, "Effect") == "Deny" && in(st, "Principal") == "*" && in(st, "Action") == action &&
			in(st, "Condition", "Bool", "aws:SecureTransport") == "false" && reflect.DeepEqual(each(in(st, "Resource")), resources) {
			return true
		}
	}
	return false
}

// mapping is a queue that calls a function.
type mapping struct {
	function, queue string
	properties      object
}

func (s stack) mappings() []mapping {
	var all []mapping
	for _, f := range s.of(functionType) {
		events, _ := s.properties(f)["Events"].(object)
		for _, e := range events {
			if in(e, "Type") == "SQS" {
				p, _ := in(e, "Properties").(object)
				all = append(all, mapping{f, target(p["Queue"]), p})
			}
		}
	}
	return all
}

func TestEachQueueIsWorkedByOneFunction(t *testing.T) {
	s := load(t)
	got := map[string]string{}
	for _, m := range s.mappings() {
		got[m.queue] += m.function
		if !reflect.DeepEqual(m.properties["FunctionResponseTypes"], []any{"ReportBatchItemFailures"}) {
			t.Errorf("%s cannot report single failures of %s", m.function, m.queue)
		}
		if n := s.number(t, m.properties, "ScalingConfig", "MaximumConcurrency"); n < 2 || n > 1000 {
			t.Errorf("%s: MaximumConcurrency is %d; Lambda takes 2 to 1000", m.function, n)
		}
		if n := s.number(t, m.properties, "BatchSize"); n < 1 || n > 10 {
			t.Errorf("%s: BatchSize is %d", m.function, n)
		}
	}
	want := map[string]string{
		"ContactsQueue": "CallFunction", "TicksQueue": "HealthcheckFunction",
		"AlertsQueue": "AlertFunction", "JournalQueue": "SheetFunction",
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}

// A message must not come back while a slow or throttled function has it still:
// AWS asks for six times the time limit, and refuses less than once.
func TestMessagesStayHiddenForSixTimeLimits(t *testing.T) {
	s := load(t)
	for _, m := range s.mappings() {
		limit, hidden := s.number(t, s.properties(m.function), "Timeout"), s.number(t, s.properties(m.queue), "VisibilityTimeout")
		if hidden < 6*limit || hidden > 12*60*60 {
			t.Errorf("%s hides a message for %d s, %s runs for up to %d s", m.queue, hidden, m.function, limit)
		}
	}
}

// What works at once in the cloud stays within what a process may ask of
// ElevenLabs at once, because the processes do not know of each other.
func TestConcurrencyStaysWithinElevenLabs(t *testing.T) {
	s := load(t)
	settled, err := settings.Load(settings.Source{})
	if err != nil {
		t.Fatal(err)
	}
	most := settled.Services["elevenlabs"].AtOnce
	for _, m := range s.mappings() {
		n := s.number(t, m.properties, "ScalingConfig", "MaximumConcurrency") * s.number(t, m.properties, "BatchSize")
		if m.function == "CallFunction" && n > most {
			t.Errorf("%d contacts are worked at once, ElevenLabs takes %d", n, most)
		}
	}
	if d := s.Parameters["MaximumConcurrency"]["Description"].(string); !strings.Contains(d, "ElevenLabs") {
		t.Errorf("MaximumConcurrency does not say what bounds it: %q", d)
	}
}
