package call

import (
	"time"

	"callagent/core/alert"
)

// State is where a call stands. A contact without a record is queued; the zero
// State is that.
type State string

// The states. The last four are final.
const (
	Queued      State = ""            // known only to its message
	Running     State = "running"     // a holder works on it, under a lease
	Waiting     State = "waiting"     // again at Due
	Parked      State = "parked"      // no message; until its circuit closes or its time comes
	Reconciling State = "reconciling" // the provider is asked whether it dialled
	Completed   State = "completed"   // the provider gave a final answer
	Failed      State = "failed"      // never rung
	Unknown     State = "unknown"     // it may have rung and nobody can say; a person decides
	Expired     State = "expired"     // its time was over before it was dialled
)

// Final reports whether the call has its outcome.
func (s State) Final() bool {
	return s == Completed || s == Failed || s == Unknown || s == Expired
}

// States lists the states of a record in the order of a call's life.
func States() []State {
	return []State{Running, Waiting, Parked, Reconciling, Completed, Failed, Unknown, Expired}
}

// Recorded says whether the CRM knows the outcome.
type Recorded string

// The values. The zero value means that there is nothing to record yet.
const (
	NotYet  Recorded = ""
	Pending Recorded = "pending"
	Yes     Recorded = "yes"
	Refused Recorded = "refused" // the CRM will never take it
	Off     Recorded = "off"     // no CRM is configured
)

// Lease is the right to work on a call. The record's Version is its fencing
// token: whoever holds an older version can store nothing.
type Lease struct {
	Holder string    `json:"holder,omitempty"`
	Until  time.Time `json:"until,omitzero"`
}

// Park says what a parked call, or the record step of a finished one, waits
// for.
type Park struct {
	Number  int       `json:"number,omitempty"`  // counts the parks of this call
	Service string    `json:"service,omitempty"` // the circuit it waits for; "" when it waits for Until
	Reason  string    `json:"reason,omitempty"`
	Since   time.Time `json:"since,omitzero"`
	Until   time.Time `json:"until,omitzero"`   // when its time comes; zero: never by time
	SentAt  time.Time `json:"sent_at,omitzero"` // when a release last sent it a wake-up
	Wait    bool      `json:"wait,omitempty"`   // a wait too long for the queue: the retries stay used up
}

// Intent is the promise to dial, stored before the request leaves.
type Intent struct {
	Attempt  string    `json:"attempt"`
	At       time.Time `json:"at"`
	Deadline time.Time `json:"deadline"` // no request starts or goes on after it
	From     string    `json:"from"`
}

// Answer is how the provider says the call ended. It is stored apart from the
// record, so that a late callback and a whole-record write cannot undo each
// other.
type Answer struct {
	SID      string        `json:"sid"`
	Result   Result        `json:"result,omitempty"` // "" while only the SID is known
	Duration time.Duration `json:"duration,omitempty"`
	Detail   string        `json:"detail,omitempty"`
	At       time.Time     `json:"at"`
}

// Final reports whether the answer settles the call.
func (a Answer) Final() bool { return a.Result != "" }

// Event is one line of a call's history.
type Event struct {
	At   time.Time `json:"at"`
	What string    `json:"what"`
}

// AccountFault remembers that this call met a fault of our account, because
// one that comes back after the circuit closed in between is its own.
type AccountFault struct {
	Service string    `json:"service"`
	At      time.Time `json:"at"`
}

// Call is the ledger's record of one call.
type Call struct {
	Key       Key       `json:"key"`
	Contact   Contact   `json:"contact"`
	ContactAt time.Time `json:"contact_at,omitzero"` // when these data were sent
	Number    string    `json:"number"`              // keyed hash of the phone number
	State     State     `json:"state"`
	Version   int64     `json:"version"`
	Lease     Lease     `json:"lease,omitzero"`
	Due       time.Time `json:"due,omitzero"` // when somebody must look at it; zero: never
	Park      Park      `json:"park,omitzero"`
	Round     int       `json:"round,omitempty"` // 2 for the first call that a person ordered again; 0: nobody did

	Script   string    `json:"script,omitempty"` // reference of the script
	Speech   string    `json:"speech,omitempty"` // reference of the recording
	Slot     time.Time `json:"slot,omitzero"`    // reserved moment to dial
	Intent   *Intent   `json:"intent,omitempty"`
	SID      string    `json:"sid,omitempty"`
	Answer   *Answer   `json:"-"` // kept apart by the store
	Recorded Recorded  `json:"recorded,omitempty"`
	CRMID    string    `json:"crm_id,omitempty"`

	Retries    int           `json:"retries,omitempty"`     // of the present step
	SpentParks int           `json:"spent_parks,omitempty"` // parks because retries were spent
	Takeovers  int           `json:"takeovers,omitempty"`   // expired leases taken over in a row
	Listings   int           `json:"listings,omitempty"`    // successful listings since the intent
	Account    *AccountFault `json:"account,omitempty"`
	Result     Result        `json:"result,omitempty"`
	Talk       time.Duration `json:"talk,omitempty"`   // length of the conversation
	Reason     string        `json:"reason,omitempty"` // why it failed, expired or is unknown
	Notice     alert.Kind    `json:"notice,omitempty"` // an alert about this state that may not be out yet
	History    []Event       `json:"history,omitempty"`
	CreatedAt  time.Time     `json:"created_at"`
	FinishedAt time.Time     `json:"finished_at,omitzero"`
}

// Answered reports whether the provider's final answer is there.
func (c Call) Answered() bool { return c.Answer != nil && c.Answer.Final() }

// Dialled reports whether a phone may ring or have rung for this call.
func (c Call) Dialled() bool { return c.Intent != nil || c.SID != "" }
