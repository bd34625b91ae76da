package call

// Move names a change of a call's state.
type Move string

// The moves.
const (
	Claim    Move = "claim"
	Wait     Move = "wait"
	SetAside Move = "park"
	Ask      Move = "reconcile"
	Complete Move = "complete"
	Fail     Move = "fail"
	GiveUp   Move = "give up"
	Expire   Move = "expire"
	Evidence Move = "evidence"
	Rerecord Move = "record"
	Drop     Move = "drop"
	Order    Move = "order again"
)

// Transition is one row of the table of transitions.
type Transition struct {
	From State
	Move Move
	To   State
	Why  string
}

// Transitions is the whole life of a call: a move that is not listed for a
// state cannot happen in it. docs/ledger.md draws its diagram from here.
var Transitions = [...]Transition{
	{Queued, Claim, Running, "first wake-up"},
	{Running, Claim, Running, "the lease is over"},
	{Waiting, Claim, Running, "due, or the answer is there"},
	{Parked, Claim, Running, "its circuit admits, or its time has come"},
	{Reconciling, Claim, Running, "due, or the answer is there"},
	{Running, Wait, Waiting, "a retry, a pause or a look at the outcome is due later"},
	{Running, SetAside, Parked, "circuit open, retries spent, number busy, or outside the call window"},
	{Running, Ask, Reconciling, "the dial's answer was lost"},
	{Running, Complete, Completed, "the provider gave its final answer"},
	{Running, Fail, Failed, "a permanent fault, a duplicate, or the sixth park"},
	{Running, GiveUp, Unknown, "nobody can say whether it rang"},
	{Running, Expire, Expired, "its time is over and it was not dialled"},
	{Waiting, Expire, Expired, "its time is over and it was not dialled"},
	{Parked, Expire, Expired, "its time is over and it was not dialled"},
	{Unknown, Evidence, Completed, "the provider's answer arrived after all, or a person says that it rang"},
	{Unknown, Drop, Failed, "a person gives it up"},
	{Completed, Rerecord, Completed, "the CRM does not have it yet"},
	{Failed, Rerecord, Failed, "people have not been told yet"},
	{Unknown, Rerecord, Unknown, "people have not been told yet"},
	{Completed, Order, Waiting, "a person wants another call"},
	{Failed, Order, Waiting, "a person wants another call"},
	{Unknown, Order, Waiting, "a person wants another call"},
	{Expired, Order, Waiting, "a person wants another call"},
}

// to finds where a move leads; false when it cannot happen in the state.
func (s State) to(m Move) (State, bool) {
	for _, t := range Transitions {
		if t.From == s && t.Move == m {
			return t.To, true
		}
	}
	return s, false
}

// move changes the state. The rules call it only where the table allows the
// move, so a refusal is a mistake in the rules, and leaves the call as it is.
func (c Call) move(m Move) Call {
	if to, ok := c.State.to(m); ok {
		c.State = to
	}
	return c
}
