// Package breaker holds the rules of the shared circuit of one service: when
// it opens, who may test it, when it closes. Each rule is a function of
// (record, configuration, event, now) that returns the record to store and
// what changed; the caller writes it with a compare-and-swap on Version and,
// when it loses the race, asks the rule again with the newer record.
//
// The caller's duties:
//
//  1. Ask [Admit] before every request and obey the refusal.
//  2. Report the end of every admitted request with the permit it was given:
//     [Success], [Fail] or [Release]. The permit's epoch makes a report that
//     comes too late harmless.
//  3. Store a changed record before acting on the change, and tell people of a
//     transition only if the own write was the one that stored it.
//
// No rule reads a clock, and all times are instants without monotonic reading.
package breaker

import (
	"fmt"
	"time"

	"callagent/core/fault"
)

// State is the state of a circuit. The zero State is Closed.
type State uint8

// The states.
const (
	Closed   State = iota // requests pass
	Open                  // requests are refused without being sent
	HalfOpen              // one prober holds a lease; everybody else is refused
)

// String gives the word used in logs and sheets.
func (s State) String() string {
	return [...]string{"CLOSED", "OPEN", "HALF_OPEN", "INVALID"}[min(s, 3)]
}

// Forced says whether an operator holds the circuit in its state. The zero
// value is Automatic.
type Forced uint8

// The overrides.
const (
	Automatic Forced = iota
	ForcedOpen
	ForcedClosed
)

// Lease is the right to test an open circuit.
type Lease struct {
	Holder string    `json:"holder,omitempty"`
	Until  time.Time `json:"until,omitzero"`
}

// Record is everything the fleet shares about one service. The zero Record is
// a closed circuit that nothing has happened to.
type Record struct {
	Service string `json:"service"`
	State   State  `json:"state"`
	Forced  Forced `json:"forced,omitempty"`
	Version int64  `json:"version"` // goes up with every write
	Epoch   int64  `json:"epoch"`   // goes up with every transition

	Streak     int       `json:"streak,omitempty"` // failures with no success known in between
	StreakAt   time.Time `json:"streak_at,omitzero"`
	StreakFrom time.Time `json:"streak_from,omitzero"`
	Noise      int       `json:"noise,omitempty"` // the longest streak that a success ended since NoiseAt
	NoiseAt    time.Time `json:"noise_at,omitzero"`

	Outage    int64     `json:"outage,omitempty"` // epoch of the opening that began it; relapses keep it
	OpenedAt  time.Time `json:"opened_at,omitzero"`
	OpenUntil time.Time `json:"open_until,omitzero"`
	ClosedAt  time.Time `json:"closed_at,omitzero"`
	Relapses  int       `json:"relapses,omitempty"`
	Probe     Lease     `json:"probe,omitzero"`
	Reminded  int       `json:"reminded,omitempty"` // reminders sent in this outage

	Pauses      int       `json:"pauses,omitempty"` // throttled answers in a row
	PausedFrom  time.Time `json:"paused_from,omitzero"`
	PausedUntil time.Time `json:"paused_until,omitzero"`

	RampStep  int `json:"ramp_step,omitempty"`  // step of the release ramp since ClosedAt
	RampCount int `json:"ramp_count,omitempty"` // calls released in that step
	Released  int `json:"released,omitempty"`   // calls released since ClosedAt, the one that tested included

	LastFault *fault.Fault `json:"last_fault,omitempty"`
	Writer    string       `json:"writer,omitempty"` // nonce of the last write, to recognise one's own
}

// UTC is the record as every store gives it back: its times in UTC, without
// monotonic reading.
func (r Record) UTC() Record {
	for _, t := range []*time.Time{
		&r.StreakAt, &r.StreakFrom, &r.NoiseAt, &r.OpenedAt, &r.OpenUntil, &r.ClosedAt,
		&r.Probe.Until, &r.PausedFrom, &r.PausedUntil,
	} {
		*t = t.Round(0).UTC()
	}
	return r
}

// Config is the policy of one circuit.
type Config struct {
	Threshold int           // failures in a row that open it
	Recovery  time.Duration // how long it stays open the first time
	Interval  time.Duration // distance of cheap probes afterwards
	// Settle is how old a streak must be before it may open the circuit: the
	// time a record may be cached, so that every process has had the chance to
	// contradict it. 0 where counting is exact, on one machine.
	Settle time.Duration
	// Skew is how far apart the clocks may be of those who read the record: a
	// wait that a server asked for is stored that much longer, so that nobody
	// cuts it short. 0 on one machine.
	Skew time.Duration
}

// asked is how long a wait is stored that a server asked for; 0 stays 0.
func (c Config) asked(wait time.Duration) time.Duration {
	if wait == 0 {
		return 0
	}
	return wait + c.Skew
}

// DefaultConfig is what the source documents ask for, on one machine.
func DefaultConfig() Config {
	return Config{Threshold: 3, Recovery: 10 * time.Second, Interval: 5 * time.Second}
}

// Validate reports the first value that makes no sense, and what to write
// instead.
func (c Config) Validate() error {
	switch {
	case c.Threshold < 1:
		return fmt.Errorf("failure_threshold is %d: use 1 or more", c.Threshold)
	case c.Recovery <= 0:
		return fmt.Errorf("recovery_timeout is %s: use a time above zero", c.Recovery)
	case c.Interval <= 0:
		return fmt.Errorf("interval is %s: use a time above zero", c.Interval)
	}
	return nil
}

// The times that no setting changes. docs/decisions says where they come from.
const (
	NoiseFor        = 10 * time.Minute // how long a streak that a success ended is remembered
	MaxOpen         = 5 * time.Minute  // longest doubled opening
	RelapseWithin   = 2 * time.Minute  // reopened this soon after closing is a relapse
	AccountInterval = time.Minute      // distance of cheap probes after an account fault
	Skew            = 2 * time.Second  // how far apart two clocks of the fleet may be
	Margin          = 5 * time.Second  // a probe lease outlasts its request's time limit by this
	TickLag         = 2 * time.Second  // a tick may come this much early or late
	HandOverGrace   = 30 * time.Second // how long a released call may take to reach its request
)

// sure is the streak that opens a circuit however young it is. Where streaks as
// long as the threshold have turned out to mean nothing, it is much longer.
func (c Config) sure(noisy bool) int {
	if noisy {
		return c.Threshold + 7
	}
	return c.Threshold + 2
}

// Permit is the right to send one request. The zero Permit is one of epoch 0.
type Permit struct {
	Epoch int64
	// Probe: the request tests the circuit and its result decides.
	Probe bool
	// Unowned: given without knowing the record (the store was unreachable).
	// Its result changes nothing.
	Unowned bool
	sendBy  int64 // Unix ns; 0: any time
}

// SendBy is the last moment the request may start; zero means any.
func (p Permit) SendBy() time.Time {
	if p.sendBy == 0 {
		return time.Time{}
	}
	return time.Unix(0, p.sendBy).UTC()
}

// Late reports whether it is too late now to start the request.
func (p Permit) Late(now time.Time) bool { return p.sendBy != 0 && now.UnixNano() > p.sendBy }

// Refusal says why a request must not be sent.
type Refusal uint8

// The refusals. The zero Refusal is None: the request is admitted.
const (
	None         Refusal = iota
	CircuitOpen          // wait until the circuit closes
	ProbeRunning         // somebody else holds the probe lease
	Paused               // wait until the record's PausedUntil
)

// String names the refusal for the journal.
func (r Refusal) String() string {
	return [...]string{"none", "circuit open", "probe running", "paused"}[min(r, Paused)]
}

// Admit decides whether who may send a request that takes at most limit.
// Only the holder of a probe lease is admitted while the circuit is half open,
// and only if its lease outlasts the request.
func Admit(r Record, who string, limit time.Duration, now time.Time) (Permit, Refusal) {
	if r.State == HalfOpen && r.Probe.Holder == who && who != "" {
		sendBy := r.Probe.Until.Add(-limit)
		if now.After(sendBy) {
			return Permit{}, ProbeRunning
		}
		if now.Before(r.PausedUntil) {
			return Permit{}, Paused
		}
		return Permit{Epoch: r.Epoch, Probe: true, sendBy: sendBy.UnixNano()}, None
	}
	switch {
	case r.State == Open:
		return Permit{}, CircuitOpen
	case r.State == HalfOpen:
		return Permit{}, ProbeRunning
	case now.Before(r.PausedUntil):
		return Permit{}, Paused
	}
	return Permit{Epoch: r.Epoch}, None
}
