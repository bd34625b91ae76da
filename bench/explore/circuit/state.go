package circuit

import (
	"cmp"
	"slices"

	"callagent/bench/explore/search"
	"callagent/core/breaker"
)

// processes is how many share the circuit.
const processes = 3

// state is the circuit and everybody who uses it.
type state struct {
	stored  record
	procs   [processes]process
	truth   truth
	spent   Budget
	elapsed int32 // seconds since the start; only for the drawing
}

// process is what one process knows, and the one request that it has under way.
type process struct {
	cached  record
	age     int8    // of the cached record; old: there is none
	success instant // its latest
	flight  flight
}

// old is the age at which a cached record is no longer used: a second.
const old = int8(second)

// phase is how far a request is.
type phase uint8

const (
	idle      phase = iota
	leased          // a tick won the lease and has not sent its request
	permitted       // an heir was admitted and has not sent its request
	sending         // it is under way
	passed          // a tick's request succeeded; a parked call may inherit
	reporting       // it ended, and the circuit is to hear of it
)

// flight is one request. The zero flight is none.
type flight struct {
	phase   phase
	probe   bool
	cheap   bool
	unowned bool
	unsure  bool // the answer to the write of its report was lost
	epoch   int8
	sendBy  instant
	began   instant
	ended   instant
	end     Outcome
}

// Outcome is how a request ends.
type Outcome uint8

// The outcomes.
const (
	Success  Outcome = iota
	First            // 503, and the failure may trip the circuit
	Retry            // 503 between two retries: it may not
	Contact          // refused for the contact's own data
	Account          // refused for everybody
	Throttle         // 429
	Cancel           // given up before it had an answer
)

func (o Outcome) String() string {
	return [...]string{"success", "503", "503 between two retries", "400 for the contact's data", "401", "429", "cancelled"}[o]
}

// truth is what nobody in the system knows: it is kept to judge by.
type truth struct {
	opened   instant // when the circuit left CLOSED; unset while it is closed
	used     bool    // the lease of the present epoch has admitted a request whose sender lives
	failures uint8   // reported ones that ended after the last success of anybody
	success  instant // the end of that success
}

// permit is the permit of a flight as the rules gave it.
func (f flight) permit() breaker.Permit {
	p := breaker.Permit{Epoch: epochs + int64(f.epoch), Unowned: f.unowned}
	if f.probe {
		r := breaker.Record{State: breaker.HalfOpen, Epoch: p.Epoch, Probe: breaker.Lease{Holder: "it", Until: f.sendBy.time()}}
		p, _ = breaker.Admit(r, "it", 0, r.Probe.Until)
	}
	return p
}

// swap has a process store what it decided on the record of a version; nobody,
// -1, is the operator. It gives the record that was stored, with the epoch that
// write begins to count from. Who loses the race reads the record again.
func (s *state) swap(by int, next breaker.Record, version int8) (stored record, won bool) {
	if stored, won = swap(s.stored, narrow(next), version); won {
		s.write(by, stored)
	} else {
		s.load(by)
	}
	return stored, won
}

// write makes next the stored record. Every other copy of the old one is old
// now, and epochs are counted from the new one.
func (s *state) write(by int, next record) {
	if s.stored.state == breaker.Closed && next.state != breaker.Closed {
		s.truth.opened = 0
	} else if next.state == breaker.Closed {
		s.truth.opened = unset
	}
	moved := next.epoch
	if moved != 0 {
		s.truth.used, s.truth.failures = false, 0
	}
	next.epoch, next.writer = 0, 0
	s.stored = next
	for i := range s.procs {
		p := &s.procs[i]
		p.cached.version = 0
		p.cached.epoch -= moved
		p.flight.epoch -= moved
	}
	if by >= 0 {
		s.procs[by].cached, s.procs[by].age = next, 0
	}
}

// load has a process read the record.
func (s *state) load(i int) record {
	s.procs[i].cached, s.procs[i].age = s.stored, 0
	s.procs[i].cached.writer = 0
	return s.stored
}

// aged is the state after d seconds.
func (s state) aged(d instant) state {
	s.elapsed += int32(d)
	s.stored = s.stored.aged(d)
	s.truth.opened = floor(s.truth.opened, d, -second)
	s.truth.success = floor(s.truth.success, d, 2*past)
	for i := range s.procs {
		p := &s.procs[i]
		p.age = min(p.age+int8(d), old)
		p.cached = p.cached.aged(d)
		if p.success != unset {
			p.success -= d
		}
		f := &p.flight
		f.began = floor(f.began, d, past)
		f.ended = floor(f.ended, d, past)
		f.sendBy = floor(f.sendBy, d, past)
	}
	return s
}

func floor(i, d, least instant) instant {
	if i == unset {
		return unset
	}
	return max(i-d, least)
}

// Print hashes a state. Processes with the same clock are alike, so their order
// does not count.
func (m *Model) Print(s state) uint64 {
	if len(m.Clocks) == 0 {
		s.order()
	}
	b := make([]byte, 0, 256)
	b = s.stored.append(b)
	for _, p := range s.procs {
		b = p.append(b)
	}
	t := s.truth
	b = append(b, byte(t.opened), byte(t.opened>>8), bit(t.used), t.failures, byte(t.success), byte(t.success>>8))
	b = append(b, s.spent.Requests, s.spent.Crashes, s.spent.Lost, s.spent.Operator)
	return search.Finish(search.Mix(search.Seed, b...))
}

func (r record) append(b []byte) []byte {
	b = append(b, byte(r.state), byte(r.forced), byte(r.version), byte(r.epoch), r.streak, r.noise, r.relapses, r.pauses, byte(r.holder), r.writer)
	for _, i := range [...]instant{r.noiseAt, r.streakAt, r.streakFrom, r.openUntil, r.closedAt, r.leaseUntil, r.pausedUntil} {
		b = append(b, byte(i), byte(i>>8))
	}
	return b
}

func (p process) append(b []byte) []byte {
	f := p.flight
	b = append(b, byte(p.age), byte(p.success), byte(p.success>>8), byte(f.phase), bit(f.probe)|bit(f.cheap)<<1|bit(f.unowned)<<2|bit(f.unsure)<<3,
		byte(f.epoch), byte(f.sendBy), byte(f.sendBy>>8), byte(f.began), byte(f.began>>8), byte(f.ended), byte(f.ended>>8), byte(f.end))
	return p.cached.append(b)
}

func bit(b bool) byte {
	if b {
		return 1
	}
	return 0
}

// canonical is the state without what cannot matter any more.
func (s state) canonical() state {
	for i := range s.procs {
		p := &s.procs[i]
		if p.age >= old {
			p.cached = record{}
		}
		if p.flight.phase == idle {
			p.flight = flight{}
		}
	}
	if s.truth.success <= past {
		s.truth.success = unset
	}
	s.rankEpochs()
	s.rankSuccesses()
	return s
}

// order sorts the processes and renames the holder of the lease with them.
func (s *state) order() {
	var at [processes]int
	for i := range at {
		at[i] = i
	}
	before := s.procs
	keys := [processes]string{}
	for i, p := range before {
		keys[i] = string(append(p.append(nil), bit(s.stored.holder == holder(i+1)), bit(s.stored.writer == uint8(i+1))))
	}
	slices.SortFunc(at[:], func(a, b int) int { return cmp.Compare(keys[a], keys[b]) })
	var holders, writers [16]uint8
	for i := range holders {
		holders[i], writers[i] = uint8(i), uint8(i)
	}
	for to, from := range at {
		s.procs[to] = before[from]
		holders[from+1], writers[from+1] = uint8(to+1), uint8(to+1)
	}
	s.stored.holder, s.stored.writer = holder(holders[s.stored.holder]), writers[s.stored.writer]
	for i := range s.procs {
		s.procs[i].cached.holder = holder(holders[s.procs[i].cached.holder])
	}
}

// rankEpochs numbers the epochs before the present one without gaps: only which
// are the same matters.
func (s *state) rankEpochs() {
	var all []*int8
	for i := range s.procs {
		p := &s.procs[i]
		if p.age < old && p.cached.epoch != 0 {
			all = append(all, &p.cached.epoch)
		}
		if p.flight.phase != idle && p.flight.epoch != 0 {
			all = append(all, &p.flight.epoch)
		}
	}
	slices.SortFunc(all, func(a, b *int8) int { return cmp.Compare(*b, *a) })
	last, rank := int8(0), int8(0)
	for _, e := range all {
		if *e != last {
			last, rank = *e, rank-1
		}
		*e = rank
	}
}

// rankSuccesses forgets a success that can contradict no streak any more, and
// keeps of long ago only the order.
func (s *state) rankSuccesses() {
	var all []*instant
	for i := range s.procs {
		p := &s.procs[i]
		if p.age < old {
			all = append(all, &p.cached.streakAt)
		}
		all = append(all, &p.success)
	}
	all = append(all, &s.stored.streakAt)
	slices.SortFunc(all, func(a, b *instant) int { return cmp.Compare(*b, *a) })
	last, rank := past, past
	for _, i := range all {
		if *i == unset || *i >= past {
			continue
		}
		if *i != last {
			last, rank = *i, rank-1
		}
		*i = rank
	}
	oldest := s.stored.streakAt
	for i := range s.procs {
		if p := s.procs[i]; p.age < old && p.cached.streakAt != unset && (oldest == unset || p.cached.streakAt < oldest) {
			oldest = p.cached.streakAt
		}
	}
	for i := range s.procs {
		p := &s.procs[i]
		if p.success < past && (oldest == unset || p.success <= oldest) {
			p.success = unset
		}
	}
}
