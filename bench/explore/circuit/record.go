package circuit

import (
	"context"
	"errors"
	"math"
	"sync"
	"time"

	"callagent/core/agent"
	"callagent/core/breaker"
	"callagent/infra/memory"
)

// instant is a moment as the distance from now, in seconds. Now is
// always 0: when time passes, every instant of a state moves into the past. So
// two states that differ only in the hour are the same state, and no horizon
// bounds the search.
type instant int16

const (
	unit   = time.Second
	unset  = instant(math.MinInt16)
	second = instant(time.Second / unit)
)

// now is what the rules are told; they only ever compare.
var now = time.Date(2026, time.January, 5, 9, 0, 0, 0, time.UTC)

func (i instant) time() time.Time {
	if i == unset {
		return time.Time{}
	}
	return now.Add(time.Duration(i) * unit)
}

func since(t time.Time) instant {
	if t.IsZero() {
		return unset
	}
	return instant(t.Sub(now) / unit)
}

func span(d time.Duration) instant { return instant(d / unit) }

// holder names who has the probe lease.
type holder uint8

const (
	nobody holder = 0
	heir   holder = 8 // the parked call that inherits a probe
	dead   holder = 9 // a process that does not live any more
)

var holders = [...]string{nobody: "", 1: "tick-1", 2: "tick-2", 3: "tick-3", heir: "call", dead: "gone"}

// record is a breaker.Record without what no rule decides by: names, reminders,
// the ramp and the last fault. Versions and epochs are relative too: version 1
// and epoch 0 are the stored record's, smaller ones are older.
type record struct {
	state    breaker.State
	forced   breaker.Forced
	version  int8
	epoch    int8
	streak   uint8
	noise    uint8
	relapses uint8
	pauses   uint8
	holder   holder
	writer   uint8 // the process whose write it is and whose answer was lost; 0: any

	noiseAt, streakAt, streakFrom, openUntil, closedAt, leaseUntil, pausedUntil instant
}

// Threshold is the streak that opens: two failures, so that few requests show all
// that the circuit does. A shorter streak that a success ended is no noise.
const Threshold = 2

// Where counting further changes nothing: five doublings reach the longest
// opening, seven pauses the longest pause.
const (
	mostRelapses = 5
	mostPauses   = 7
)

const service = "elevenlabs"

// epochs keeps the numbers that the rules see above zero.
const epochs = 100

func (r record) wide() breaker.Record {
	return breaker.Record{
		Service: service, State: r.state, Forced: r.forced, Version: int64(r.version), Epoch: epochs + int64(r.epoch),
		Streak: int(r.streak), StreakAt: r.streakAt.time(), StreakFrom: r.streakFrom.time(),
		Noise: int(r.noise), NoiseAt: r.noiseAt.time(),
		OpenUntil: r.openUntil.time(), ClosedAt: r.closedAt.time(), Relapses: int(r.relapses),
		Probe:  breaker.Lease{Holder: holders[r.holder], Until: r.leaseUntil.time()},
		Pauses: int(r.pauses), PausedUntil: r.pausedUntil.time(),
	}
}

// narrow is the way back. What a record in its state cannot be asked about is
// forgotten, so that it makes no two states of one.
func narrow(w breaker.Record) record {
	r := record{
		state: w.State, forced: w.Forced, version: int8(w.Version), epoch: int8(w.Epoch - epochs), streak: uint8(w.Streak), noise: uint8(w.Noise), noiseAt: since(w.NoiseAt),
		relapses: uint8(min(w.Relapses, mostRelapses)), pauses: uint8(min(w.Pauses, mostPauses)),
		streakAt: since(w.StreakAt), streakFrom: since(w.StreakFrom), openUntil: since(w.OpenUntil),
		closedAt: since(w.ClosedAt), leaseUntil: since(w.Probe.Until), pausedUntil: since(w.PausedUntil),
	}
	for h, name := range holders {
		if name == w.Probe.Holder {
			r.holder = holder(h)
			break
		}
	}
	return r.tidied()
}

func (r record) tidied() record {
	if r.streak == 0 || r.state != breaker.Closed {
		r.streakAt, r.streakFrom = unset, unset
	}
	if r.noise < Threshold {
		r.noise, r.noiseAt = 0, unset
	}
	if r.state != breaker.Open {
		r.openUntil = unset
	}
	if r.state != breaker.HalfOpen && r.leaseUntil <= past { // of a probe that was forced open
		r.holder, r.leaseUntil = nobody, unset
	}
	if r.state == breaker.Closed && r.closedAt == unset {
		r.relapses = 0
	}
	return r
}

// Instants this old are alike for every rule.
const (
	settled = -2 * second // a streak's begin, a cached record
	past    = -8 * second // an end that is over, also for a slow clock or a late report
)

// A close is either recent or so long ago that no opening is a relapse of it; in
// between, how long ago it was changes no answer. A noise is never forgotten.
const recent = -3 * second

var forgotten = -span(breaker.RelapseWithin)

// aged is the record after d seconds.
func (r record) aged(d instant) record {
	for _, i := range []*instant{&r.noiseAt, &r.streakAt, &r.streakFrom, &r.openUntil, &r.closedAt, &r.leaseUntil, &r.pausedUntil} {
		if *i != unset {
			*i -= d
		}
	}
	if r.streakFrom != unset {
		r.streakFrom = max(r.streakFrom, settled)
	}
	if r.openUntil != unset {
		r.openUntil = max(r.openUntil, -2*second)
	}
	if r.leaseUntil != unset {
		r.leaseUntil = max(r.leaseUntil, past)
	}
	if r.pausedUntil <= past {
		r.pausedUntil = unset
	}
	switch {
	case r.closedAt <= forgotten:
		r.closedAt = unset
	case r.closedAt < recent:
		r.closedAt = recent
	}
	if r.noiseAt != unset {
		r.noiseAt = max(r.noiseAt, settled)
	}
	return r.tidied()
}

// shelf is a shipped in-memory store and the version of the one record in it.
type shelf struct {
	store   *memory.Store
	version int64
}

var shelves = sync.Pool{New: func() any {
	return &shelf{store: memory.New(memory.Options{Now: func() time.Time { return now }})}
}}

// swap stores next, decided on the record of a version, with the shipped
// in-memory store's compare-and-swap. It gives what is stored afterwards.
func swap(stored, next record, version int8) (record, bool) {
	s := shelves.Get().(*shelf)
	defer shelves.Put(s)
	s.put(stored, 0)
	if !s.put(next, version-1) {
		return stored, false
	}
	got, err := s.store.Load(context.Background(), service)
	if err != nil {
		panic(err)
	}
	got.Version = 1
	return narrow(got), true
}

// put swaps a record in, read with the stored version or an older one, and
// reports whether the store took it.
func (s *shelf) put(r record, older int8) bool {
	w := r.wide()
	w.Version = s.version + int64(older)
	got, err := s.store.Swap(context.Background(), w)
	if err != nil && !errors.Is(err, agent.ErrConflict) {
		panic(err)
	}
	s.version = got.Version
	return err == nil
}

// moments are those at which a rule would answer otherwise.
func (r record) moments() []instant {
	return []instant{
		r.openUntil, r.leaseUntil, r.leaseUntil + span(breaker.Skew) + 1, r.pausedUntil, r.closedAt - forgotten,
	}
}

// first is the first of some moments that is to come; unset for none.
func first(all []instant) instant {
	next := unset
	for _, i := range all {
		if i > 0 && (next == unset || i < next) {
			next = i
		}
	}
	return next
}
