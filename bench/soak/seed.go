package main

import (
	"math/rand/v2"
	"time"

	"callagent/bench/world"
	"callagent/core/agent"
	"callagent/core/call"
)

// seed is one history: everything that is random in it comes from one number.
type seed struct {
	number  uint64
	rng     *rand.Rand
	world   *world.World
	options world.Options

	faultsEnd time.Duration
	arrive    time.Duration // within which the contacts arrive
	rate      float64       // how often a use of a port is meddled with
	deadly    float64       // how many of those kill the process
	slow      float64       // how often a process stands still
	stale     float64       // how often an index lags
	troubled  float64       // how often the queue misbehaves
	lostTicks float64
	shares    [5]float64 // of the ways in which a ring goes on and is reported
	episodes  []episode  // of the providers
	outages   []outage   // of the stores
	surely    map[int]bool
	uses      int
	faults    int
}

// episode is a time in which a provider gives one answer to a part of its
// requests.
type episode struct {
	service  string
	from, to time.Duration
	answer   int
	rate     float64
}

// outage is a time in which a port does not answer.
type outage struct {
	port     world.Port
	from, to time.Duration
}

// atLeast is how many faults every seed has.
const atLeast = 5

func newSeed(number uint64) *seed {
	s := &seed{number: number, rng: rand.New(rand.NewPCG(number, 0x50a4)), surely: map[int]bool{}}
	s.faultsEnd = time.Duration(60+s.rng.IntN(360)) * time.Second
	s.arrive = one(s, time.Millisecond, time.Minute, s.faultsEnd)
	s.rate = one(s, 0, 0.002, 0.005, 0.02)
	s.deadly = one(s, 0, 0.1, 0.3, 0.6)
	s.slow = one(s, 0, 0.001, 0.01)
	s.stale = one(s, 0, 0.1, 0.5)
	s.troubled = one(s, 0, 0.02, 0.1, 0.3)
	s.lostTicks = one(s, 0, 0.1, 0.5)
	for i := range s.shares {
		s.shares[i] = s.rng.Float64()
	}
	for len(s.surely) < atLeast {
		s.surely[s.rng.IntN(700)] = true
	}
	s.options = s.settings()
	s.episodes, s.outages = s.providers(), s.stores()
	return s
}

// one draws one of the values.
func one[T any](s *seed, values ...T) T { return values[s.rng.IntN(len(values))] }

// chance is true with a probability.
func (s *seed) chance(p float64) bool { return p > 0 && s.rng.Float64() < p }

// span draws a time between two.
func (s *seed) span(least, most time.Duration) time.Duration {
	return least + time.Duration(s.rng.Int64N(int64(most-least)))
}

// settings draws a fleet: in the cloud or on one machine.
func (s *seed) settings() world.Options {
	o := world.Options{
		Chooser: s, Random: s.rng.Float64, Silent: s.silent,
		Workers: 3, Keepers: 1 + s.rng.IntN(2), Callbacks: s.chance(0.6), NoCRM: s.chance(0.1),
		Rate: one(s, 0, 0, 1, 5.0), Latency: one(s, 0, 2*time.Millisecond, 40*time.Millisecond),
		Rebirth:    one(s, 0, time.Second, 30*time.Second),
		ListingLag: one(s, 0, 0, 5*time.Second, 50*time.Second, 3*time.Minute), ProviderSkew: s.span(-20*time.Second, 20*time.Second),
	}
	if s.chance(0.5) {
		o.Skew, o.Settle, o.WorksHeirs, o.SendsTicks = 2*time.Second, agent.CacheFor, true, true
		o.Schedule, o.Phase, o.Deadline = time.Minute, s.span(0, time.Minute), 2*time.Minute
		o.Visibility = 12 * time.Minute
		for range o.Workers + o.Keepers {
			o.Skews = append(o.Skews, one(s, -time.Second, time.Second, s.span(-time.Second, time.Second)))
		}
	}
	return o
}

// contacts draws whom to call: 20 to 30 contacts, some of them twice, some
// with a number that another one has, some with little time.
func (s *seed) contacts() []call.Contact {
	cs := world.Contacts(20 + s.rng.IntN(11))
	shared := one(s, 0.05, 0.05, 0.3)
	for i := range cs {
		switch c := &cs[i]; {
		case s.chance(0.05):
			c.Phone = cs[s.rng.IntN(len(cs))].Phone
		case s.chance(shared):
			c.Campaign = "summer"
			c.Phone = cs[s.rng.IntN(len(cs))].Phone
		case s.chance(0.05):
			c.ExpiresAt = world.Start.Add(s.span(time.Second, 10*time.Minute))
		case s.chance(0.05):
			cs = append(cs, *c)
		}
	}
	return cs
}

// faultyAnswers are what the providers have on their time lines.
var faultyAnswers = []string{
	"503", "503", "503", "503", "timeout", "timeout", "refused", "429", "429 for 40 s", "429 for 40 s", "429 for 40 s", "503 for 40 s", "overloaded", "401", "422", "suspect",
	"ok, slowly", "done, answer lost", "request lost", "500, done", "500, not done",
}

// lostDials are the answers after which nobody knows whether a phone rings.
var lostDials = []string{"done, answer lost", "request lost", "500, done", "500, not done"}

// stopped is an answer that any request may have.
const stopped = "ok, but the process is made to stop"

// providers draws the time lines of the services.
func (s *seed) providers() []episode {
	var es []episode
	for range 1 + s.rng.IntN(6) {
		from := one(s, 0, s.span(0, s.faultsEnd/2), s.span(0, s.faultsEnd))
		es = append(es, episode{
			service: one(s, agent.LLM, agent.ElevenLabs, agent.ElevenLabs, agent.Twilio, agent.Twilio, agent.CRMService),
			from:    from, to: min(s.faultsEnd, from+s.span(time.Second, 4*time.Minute)),
			answer: world.AnswerNamed(one(s, faultyAnswers...)), rate: one(s, 0.05, 0.3, 1, 1),
		})
	}
	if s.chance(0.2) { // one cause for several of them
		both := episode{to: s.span(20*time.Second, s.faultsEnd), answer: world.AnswerNamed(one(s, "503", "timeout", "401")), rate: 1}
		for range 2 {
			both.service = one(s, agent.LLM, agent.ElevenLabs, agent.Twilio)
			es = append(es, both)
		}
	}
	return append(es,
		episode{to: s.faultsEnd, answer: world.AnswerNamed(stopped), rate: one(s, 0, 0, 0.02)},
		episode{to: s.faultsEnd, service: agent.Twilio, answer: world.AnswerNamed(one(s, lostDials...)), rate: one(s, 0, 0, 0.1, 0.3)})
}

// stores draws the times in which a store is silent.
func (s *seed) stores() []outage {
	var os []outage
	for range s.rng.IntN(3) {
		from := s.span(0, s.faultsEnd)
		to := min(s.faultsEnd, from+s.span(100*time.Millisecond, one(s, 2*time.Second, 10*time.Second, 3*time.Minute)))
		port := one(s, world.Ledger, world.Circuits, world.Circuits, world.Outbox, world.Media, world.Queue, world.Ticks, world.Channel, world.Pace, world.Blocklist)
		os = append(os, outage{port, from, to})
		if port == world.Ledger { // it is one store
			os = append(os, outage{world.Backlog, from, to}, outage{world.Blocklist, from, to})
		}
	}
	return os
}

// silent reports whether a port is in an outage.
func (s *seed) silent(p world.Port) bool {
	now := s.world.Since()
	for _, o := range s.outages {
		if o.port == p && now >= o.from && now < o.to {
			s.faults++
			return true
		}
	}
	return false
}
