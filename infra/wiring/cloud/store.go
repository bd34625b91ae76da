package cloud

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"

	"callagent/core/journal"
	"callagent/infra/clock"
	"callagent/infra/dynamo"
	"callagent/infra/settings"
	"callagent/infra/sqs"
	"callagent/infra/wiring"
)

// ledger is the calls under a name that hides none of their methods.
type ledger = dynamo.Calls

// store is what the operator's commands use of AWS.
type store struct {
	*ledger
	*dynamo.Circuits
	*sqs.Queue
	secret []byte
	events *sqs.Sender // the journal queue; nil for none
}

var _ wiring.Store = (*store)(nil)

// OpenStore opens the queues and tables that the environment names, for a
// command that does not work the queue. found is how it speaks to AWS.
func OpenStore(ctx context.Context, s settings.Settings, c *clock.Clock, found aws.Config) (wiring.Store, error) {
	n := s.Providers.AWS
	if missing := unset(map[string]string{
		"CONTACTS_QUEUE_URL": n.ContactsQueue, "CONTACTS_DEAD_LETTERS_URL": n.ContactsDeadLetters,
		"CALLS_TABLE": n.CallsTable, "CIRCUITS_TABLE": n.CircuitsTable,
	}); len(missing) > 0 {
		return nil, &settings.Error{Problem: fmt.Sprintf("--store aws needs %s: the stack's output OperatorEnvironment has the lines to paste (docs/deploy.md)", strings.Join(missing, ", "))}
	}
	clients := connect(found)
	opened := &store{
		ledger:   dynamo.NewCalls(clients.dynamo, n.CallsTable, c.Now),
		Circuits: dynamo.NewCircuits(clients.dynamo, n.CircuitsTable),
		Queue:    sqs.New(clients.sqs, sqs.Config{URL: n.ContactsQueue, DeadLettersURL: n.ContactsDeadLetters}),
	}
	if n.JournalQueue != "" {
		opened.events = sqs.NewSender(clients.sqs, n.JournalQueue)
	}
	var err error
	opened.secret, err = opened.ledger.Secret(ctx)
	if err != nil {
		return nil, err
	}
	return opened, nil
}

// Pending counts the messages roughly: SQS knows no better, and not when the
// next one is due.
func (s *store) Pending(ctx context.Context) (visible, hidden int, next time.Time, err error) {
	d, err := s.Depth(ctx)
	return d.Visible, d.InFlight + d.Delayed, time.Time{}, err
}

// Append sends events to the journal queue, if there is one.
func (s *store) Append(ctx context.Context, entries []journal.Entry) error {
	if s.events == nil {
		return nil
	}
	return sendEvents(ctx, s.events, entries)
}

// Latest gives none: the functions' log is where the events are.
func (s *store) Latest(context.Context, int) ([]journal.Stored, error) { return nil, nil }

// Secret keys the hashes of phone numbers.
func (s *store) Secret() []byte { return s.secret }

// Close ends nothing: requests are over when their commands are.
func (s *store) Close() error { return nil }
