package call

import "time"

// NumberOp says what a write does to the record of the call's phone number.
type NumberOp uint8

// The operations. Take is conditional: the number must be free or the call's
// own, not dialled by another call of the campaign, and not blocked.
const (
	KeepNumber     NumberOp = iota
	TakeNumber              // together with the intent
	FreeNumber              // together with the final state
	WithdrawNumber          // together with the withdrawal of the intent: also takes back the campaign's mark
)

// Write is one change of the ledger, done whole or not at all.
type Write struct {
	// Call is the record as it shall be. Its Version is the one it was read
	// with, 0 for a record that must not exist yet; it is stored with
	// Version+1. Its Answer is never written: see Answer.
	Call   Call
	Number NumberOp
	// Own is the provider's id of a call that this one claims as its own; ""
	// for none. It must belong to no other call.
	Own string
	// Keep is the finished record that Call takes the place of, under its new
	// key (see [Call.Again]); nil for none. It is stored beside Call, with the
	// same version, and takes along the answer and the ownership of every SID.
	// What is known of the number stays with Call. There must be a record of
	// Call's key and none of Keep's.
	Keep *Call
	// Unanswered makes the write conditional on no final answer being stored,
	// nor a SID that the record does not have.
	Unanswered bool
}

// Settle applies evidence that arrived after the call ended unknown: it is
// completed after all, and its outcome is due to be recorded. Any other call
// keeps its record, the answer alone is stored.
func Settle(c Call, a Answer, now time.Time) (Call, bool) {
	if c.State != Unknown || !a.Final() {
		return c, false
	}
	c = c.move(Evidence).note(now, "the provider's answer arrived: "+string(a.Result))
	c.Result, c.Talk, c.Reason = a.Result, a.Duration, ""
	if a.SID != "" {
		c.SID = a.SID
	}
	c.Recorded, c.Due, c.Notice = Pending, now, ""
	return c, true
}

// Filter selects calls. Zero fields select everything.
type Filter struct {
	State    State
	Campaign string
	Contact  string
	Result   Result
	Limit    int // 0: no limit
}

// Count is the number of calls that share campaign, state and result. The calls
// that were kept when a person ordered another one are counted apart.
type Count struct {
	Campaign string `json:"campaign"`
	State    State  `json:"state"`
	Result   Result `json:"result,omitempty"`
	Calls    int    `json:"calls"`
	Kept     int    `json:"kept,omitempty"`
}

// EndedSpan is how long a span of Ended is.
const EndedSpan = 5 * time.Minute

// Ended is the number of calls that ended within one span of time in the same
// way. Calls that were kept when a person ordered another one are among them.
type Ended struct {
	From   time.Time // when the span begins
	State  State
	Result Result
	Calls  int
}
