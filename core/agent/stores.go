package agent

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"time"

	"callagent/core/alert"
	"callagent/core/breaker"
	"callagent/core/call"
	"callagent/core/journal"
)

// ErrConflict: somebody else wrote first, so the decision was made on an old
// record. Nothing was stored.
var ErrConflict = errors.New("somebody else wrote first")

// ErrNotFound: there is no such record.
var ErrNotFound = errors.New("not found")

// ErrBlocked: the number is on the do-not-call list. Nothing was stored.
var ErrBlocked = errors.New("the number is on the do-not-call list")

// TakenError says who stands in the way of a conditional write: the call that
// holds the number, that dialled it in this campaign, or that owns the SID.
// Nothing was stored.
type TakenError struct {
	What TakenWhat
	By   call.Key
}

// TakenWhat is what another call has.
type TakenWhat uint8

// What can be taken.
const (
	NumberBusy   TakenWhat = iota // a call to the number is live
	NumberMarked                  // the number was dialled for this campaign
	SIDOwned                      // the provider's call belongs to another call
)

// Error names the other call.
func (e *TakenError) Error() string {
	return fmt.Sprintf("%s %s", [...]string{"the number is busy with", "the number was dialled for", "the provider's call belongs to"}[e.What], e.By)
}

// SetupError is a store's failure that only a person can mend: a table that
// does not exist, a right that is missing. Remedy is one sentence that is fit
// for the journal, without secrets and numbers.
type SetupError struct {
	Remedy string
	Cause  error
}

// Error is the remedy.
func (e *SetupError) Error() string { return e.Remedy }

// Unwrap gives what the store said.
func (e *SetupError) Unwrap() error { return e.Cause }

// remedy is what the journal may add about a store's error, with a blank
// before it; "" for an error that nobody has to mend.
func remedy(err error) string {
	var setup *SetupError
	if errors.As(err, &setup) {
		return " " + setup.Remedy
	}
	return ""
}

// Ledger holds the calls. It is the truth; a message is only a wake-up.
type Ledger interface {
	// Get reads one call with its answer, as it is now (no stale read).
	// ErrNotFound when there is none.
	Get(ctx context.Context, k call.Key) (call.Call, error)
	// Put does one write, whole or not at all. ErrConflict when the version is
	// not the stored one or the write's other conditions on the record fail;
	// ErrBlocked or a *TakenError for the conditions on the number and SID.
	// After any other error the write may or may not have happened.
	Put(ctx context.Context, w call.Write) error
	// Answer stores the provider's answer beside the record, whoever holds the
	// lease: only if the call's intent is attempt and no final answer is
	// there, and together with the ownership of a.SID. An answer that brings
	// nothing new is no error. It applies call.Settle in the same write and
	// returns the call as it is afterwards. ErrNotFound when no call has the
	// intent, ErrConflict when a final answer was there already, a *TakenError
	// when the SID belongs to another call.
	Answer(ctx context.Context, k call.Key, attempt string, a call.Answer) (call.Call, error)
	// Owner finds the call that owns a SID; ErrNotFound when nobody does.
	Owner(ctx context.Context, sid string) (call.Key, error)
}

// Backlog is the ledger as the ticks see it. Its reads may lag behind.
type Backlog interface {
	// Due lists calls whose Due is not after t, the longest due first.
	Due(ctx context.Context, t time.Time, limit int) ([]call.Call, error)
	// Parked lists calls whose Park.Service is the service (finished ones that
	// wait to be recorded included), the longest parked first. Calls with a
	// Park.SentAt after unsent are left out; zero leaves none out.
	Parked(ctx context.Context, service string, unsent time.Time, limit int) ([]call.Call, error)
	// Stamp sets Park.SentAt if the call still has c's state and park number;
	// else ErrConflict. It changes nothing else, not even the version.
	Stamp(ctx context.Context, c call.Call, at time.Time) error
}

// Register answers the questions of people. It may lag behind.
type Register interface {
	// Calls goes through the calls that a filter selects, the newest first.
	Calls(ctx context.Context, f call.Filter) iter.Seq2[call.Call, error]
	// Counts counts all calls by campaign, state and result.
	Counts(ctx context.Context) ([]call.Count, error)
	// ParkedFor counts the calls that wait for each service's circuit.
	ParkedFor(ctx context.Context) (map[string]int, error)
}

// Blocklist is the do-not-call list, kept by keyed hash of the number.
type Blocklist interface {
	Block(ctx context.Context, number string) error
	Unblock(ctx context.Context, number string) error
	Blocked(ctx context.Context, number string) (bool, error)
}

// Circuits holds one record per service.
type Circuits interface {
	// Load reads the record as it is now; the zero record with the service's
	// name when there is none.
	Load(ctx context.Context, service string) (breaker.Record, error)
	// Swap stores r with Version+1 if the stored version is still r.Version
	// (0: none stored). When it is not, it returns the stored record and
	// ErrConflict. After any other error the write may or may not have
	// happened; the record's Writer tells.
	Swap(ctx context.Context, r breaker.Record) (breaker.Record, error)
}

// Pace hands out moments to send a request, shared by the fleet.
type Pace interface {
	// Slot reserves the next free moment of the service, not before now and at
	// least every after the one reserved before.
	Slot(ctx context.Context, service string, every time.Duration, now time.Time) (time.Time, error)
}

// Message is a received queue message.
type Message struct {
	ID   string // of the delivery, for Done, Again and Bury
	Body []byte
	// Receives counts the deliveries of the message, this one included.
	Receives int
	// Sent is when the message was put on the queue; returning it with Again
	// changes nothing about that. Zero when it is not known.
	Sent time.Time
}

// Queue carries contacts and wake-ups: one JSON contact a message.
type Queue interface {
	// Send puts messages on the queue, all or none for as long as they fit
	// into one transaction of the implementation; delay 0 is at once.
	Send(ctx context.Context, delay time.Duration, bodies ...[]byte) error
	// Receive takes up to limit messages that are due and hides them for the
	// queue's visibility time. What was begun goes first: a message that came
	// back with Again before one that nobody has received. It never waits. only, unless nil, selects by
	// the call's key ("campaign/contact_id"); a body that is no contact has
	// the key "".
	Receive(ctx context.Context, limit int, only []string) ([]Message, error)
	// Done removes a received message.
	Done(ctx context.Context, id string) error
	// Again makes a received message due at the time.
	Again(ctx context.Context, id string, at time.Time) error
	// Bury moves a received message to the dead letters with the reason.
	Bury(ctx context.Context, id, reason string) error
}

// DeadLetter is a message that nobody will receive again.
type DeadLetter struct {
	Body     []byte
	Reason   string
	Receives int
	At       time.Time // when it was buried
}

// Outbox keeps alerts until every channel has delivered them.
type Outbox interface {
	// Raise keeps an alert for each of the channels. An id that was raised
	// before on a channel is dropped there, delivered or not.
	Raise(ctx context.Context, channels []string, a alert.Alert) error
	// Undelivered lists a channel's alerts: those that are told one by one
	// (alert.Alert.Key is "") before those of groups, each in the order they
	// were raised.
	Undelivered(ctx context.Context, channel string, limit int) ([]alert.Alert, error)
	// Groups reads what was last sent on a channel, by group key.
	Groups(ctx context.Context, channel string) (map[string]alert.Group, error)
	// Delivered marks the ids as delivered on the channel and stores the
	// group's new state, together.
	Delivered(ctx context.Context, channel string, ids []string, key string, g alert.Group) error
}

// Journal takes events. It never blocks a call and never fails it.
type Journal interface {
	Write(e journal.Entry)
}
