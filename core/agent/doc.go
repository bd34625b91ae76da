// Package agent is the loop that walks the calls. It asks the pure rules of
// the core what to do, does it over small ports, and stores what came of it.
//
// Data run one way:
//
//	message → Handle → (ledger, circuit) → step → service → fault → rule →
//	(ledger, circuit, journal) → Verdict → queue
//
// [Agent.Handle] works one message as far as it can without waiting and says
// what is to become of the message. [Agent.Tick] is one run of the background
// work. [Agent.Callback] takes what the telephony provider reports by itself.
// Nothing here sleeps longer than a second, starts a goroutine or retries.
//
// An Agent is safe for concurrent use.
package agent
