package agent

import (
	"context"
	"time"

	"callagent/core/alert"
	"callagent/core/call"
	"callagent/core/fault"
)

// The four services and the channels. Every method makes one request, obeys
// its context's deadline, never retries and is safe for concurrent use. An
// error that it returns holds a *fault.Fault (found by fault.From) without
// secrets and without phone numbers; context.Canceled stays visible to
// errors.Is.

// Prober sends the cheapest request that proves the thing that failed. last is
// the fault that opened the circuit, nil when it is not known. It judges
// status and shape, never content.
type Prober interface {
	Probe(ctx context.Context, last *fault.Fault) error
}

// Writer is the LLM: it writes what is to be said. A script is never empty.
type Writer interface {
	Script(ctx context.Context, r call.ScriptRequest) (string, error)
	Prober
}

// Speaker turns text into speech. Audio is never empty.
type Speaker interface {
	Speak(ctx context.Context, r call.SpeechRequest) (call.Audio, error)
	Prober
}

// Dialer is the telephony provider.
type Dialer interface {
	// Dial places one call and returns the provider's id for it. A fault of
	// class fault.Ambiguous means that the phone may ring all the same; any
	// other fault means that it will not.
	Dial(ctx context.Context, r call.DialRequest) (sid string, err error)
	// Look reads one call.
	Look(ctx context.Context, sid string) (call.Look, error)
	// List reads the calls from one number to another that the provider
	// created at or after since, oldest first.
	List(ctx context.Context, to, from string, since time.Time) ([]call.Look, error)
	// Cancel withdraws a call that has not been answered. Withdrawing a call
	// that is already over is no error.
	Cancel(ctx context.Context, sid string) error
	Prober
}

// CRM keeps the outcomes. Recording the same key again changes the existing
// entry, so a lost answer is repaired by asking again.
type CRM interface {
	Record(ctx context.Context, e call.Entry) (id string, err error)
	Prober
}

// Notifier is one channel to people. Sending a message twice is allowed after
// a crash and carries the same id.
type Notifier interface {
	Notify(ctx context.Context, m alert.Message) error
}

// Media keeps scripts and recordings by reference, because the ledger holds
// only references and the telephony provider fetches the audio itself.
type Media interface {
	// Put stores data under a name and returns its reference. The same name
	// may be put again: the reference returned last stands for the newest data,
	// an earlier one for either. It is durable when Put returns.
	Put(ctx context.Context, name, contentType string, data []byte) (ref string, err error)
	// Get reads what a reference stands for.
	Get(ctx context.Context, ref string) ([]byte, error)
	// Link gives a URL that a third party can fetch for at least an hour.
	Link(ctx context.Context, ref string) (string, error)
}
