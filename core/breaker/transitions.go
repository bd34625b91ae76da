package breaker

// Change says what a rule did to a record.
type Change uint8

// The changes. The first two write nothing; from Tripped on they are
// transitions, each of which starts a new epoch.
const (
	Unchanged Change = iota // nothing to write
	Stale                   // a result of an earlier epoch: ignored
	Counted                 // the streak grew or began
	Cleared                 // a success ended a streak or a run of pauses
	Throttled               // a pause began or grew
	Noted                   // bookkeeping: a reminder or a release
	Tripped
	Leased
	TakenOver
	HandedOver
	Proved
	Reopened
	Released
	OperatorOpened
	OperatorClosed
	OperatorReturned
)

var changeNames = [...]string{
	"unchanged", "stale", "counted", "cleared", "throttled", "noted",
	"tripped", "leased", "taken over", "handed over", "proved", "reopened", "released",
	"forced open", "forced closed", "back to automatic",
}

// String names the change for the journal.
func (c Change) String() string { return changeNames[min(int(c), len(changeNames)-1)] }

// Writes reports whether the record has to be stored.
func (c Change) Writes() bool { return c > Stale }

// Transition is one row of the table of transitions.
type Transition struct {
	From   State
	Change Change
	To     State
	Why    string
}

// Transitions is the whole state machine: a change that is not listed for a
// state cannot happen in it. docs/circuit.md draws its diagram from here.
var Transitions = [...]Transition{
	{Closed, Tripped, Open, "streak at the threshold, or an account fault"},
	{Open, Leased, HalfOpen, "open_until is over and a tick won the lease"},
	{HalfOpen, TakenOver, HalfOpen, "the lease ran out and another tick won it, or its holder needs it for longer"},
	{HalfOpen, HandedOver, HalfOpen, "the cheap request passed; a parked call tests for real"},
	{HalfOpen, Proved, Closed, "the holder's request succeeded"},
	{HalfOpen, Reopened, Open, "the holder's request failed"},
	{HalfOpen, Released, Open, "the holder's request proved nothing"},
	{Closed, OperatorOpened, Open, "operator"},
	{Open, OperatorOpened, Open, "operator"},
	{HalfOpen, OperatorOpened, Open, "operator"},
	{Closed, OperatorClosed, Closed, "operator"},
	{Open, OperatorClosed, Closed, "operator"},
	{HalfOpen, OperatorClosed, Closed, "operator"},
	{Open, OperatorReturned, Open, "operator"},
	{Closed, OperatorReturned, Closed, "operator"},
}

// move makes the transition and starts a new epoch. A change that the table
// does not list for the record's state leaves the record as it is and is
// reported as Stale: the record has moved on since the caller decided.
func (r Record) move(c Change) (Record, Change) {
	for _, t := range Transitions {
		if t.From == r.State && t.Change == c {
			r.State = t.To
			r.Epoch++
			return r, c
		}
	}
	return r, Stale
}
