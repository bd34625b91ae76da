package main

import "callagent/bench/world"

// Choose decides what happens next. Once faults have ended nothing goes wrong
// any more, but the order in which processes go on stays random.
func (s *seed) Choose(p world.Point) int {
	n := len(p.Options)
	switch p.Kind {
	case world.Turn:
		return s.rng.IntN(n)
	case world.Ring:
		return s.ring(n)
	case world.Report:
		return s.weighed(n, s.shares[1])
	}
	if s.world.Since() >= s.faultsEnd {
		return 0
	}
	i := s.fault(p, n)
	if i > 0 && p.Kind != world.Deliver {
		s.faults++
	}
	return i
}

// fault decides what goes wrong while faults last; 0 for nothing.
func (s *seed) fault(p world.Point, n int) int {
	switch p.Kind {
	case world.Deliver:
		return s.weighed(n, s.troubled)
	case world.Receive:
		return s.weighed(n, s.troubled)
	case world.Lag:
		return s.weighed(n, s.stale)
	case world.Tick:
		return s.weighed(n, s.lostTicks)
	case world.Pause:
		return s.rng.IntN(n)
	case world.Answer:
		return s.answer(p, n)
	case world.Use:
		return s.use(p)
	}
	return 0
}

// weighed is one of the options other than the first with a probability.
func (s *seed) weighed(n int, p float64) int {
	if !s.chance(p) {
		return 0
	}
	return 1 + s.rng.IntN(n-1)
}

// ring decides how a call goes on. What is no fault goes on happening.
func (s *seed) ring(n int) int {
	i := s.weighed(n, s.shares[0])
	if s.world.Since() >= s.faultsEnd || !s.chance(s.shares[2]/4) {
		i = min(i, 3)
	}
	return i
}

// answer decides what a provider says, by the time lines.
func (s *seed) answer(p world.Point, n int) int {
	now := s.world.Since()
	for _, e := range s.episodes {
		if (e.service == p.Service || e.service == "") && now >= e.from && now < e.to && e.answer < n && s.chance(e.rate) {
			return e.answer
		}
	}
	return 0
}

// use decides what happens to a use of a port.
func (s *seed) use(p world.Point) int {
	s.uses++
	few := s.faults < atLeast && s.world.Since() > s.faultsEnd/4*3
	if s.surely[s.uses] || few {
		return 1 + s.rng.IntN(len(p.Menu)-1)
	}
	switch {
	case s.chance(s.slow):
		return find(p.Menu, one(s, world.PauseBefore, world.PauseAfter))
	case s.chance(s.rate * s.deadly):
		return find(p.Menu, one(s, world.DieBefore, world.DieAfter))
	case s.chance(s.rate):
		return 1 + s.rng.IntN(len(p.Menu)-1)
	}
	return 0
}

// find gives the number of a meddling on a menu; 0 when it is not on it.
func find(menu []world.Meddling, m world.Meddling) int {
	for i, other := range menu {
		if other == m {
			return i
		}
	}
	return 0
}
