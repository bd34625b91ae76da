package world

import (
	"math"
	"time"
)

// turn is one way to go on: a process and what it does.
type turn struct {
	p  *Process
	do turnDo
}

type turnDo uint8

const (
	goesOn turnDo = iota
	receives
	runsTick
	takesReport
)

// Step lets the world go on by one turn. It reports false when nothing will
// ever happen any more.
func (w *World) Step() bool {
	w.arrive()
	w.list()
	next := w.upcoming()
	if len(w.turns) == 0 {
		if next == math.MaxInt64 {
			return false
		}
		w.now = next
		return true
	}
	t := w.turns[w.pick(Point{Kind: Turn, What: "turn", Options: w.turnWords()})]
	w.steps++
	t.p.take(t.do)
	return true
}

// take has a process take its turn.
func (p *Process) take(do turnDo) {
	w := p.world
	switch do {
	case goesOn:
		p.goOn()
	case receives:
		if m := w.receive(p); m != nil {
			p.begin("receive", p.work(m))
		}
	case runsTick:
		p.begin("tick", p.tick(w.takeTick()))
	case takesReport:
		p.begin("callback", p.hear(w.takeReport()))
	}
}

// list lists the turns that can be taken now.
func (w *World) list() {
	w.turns = w.turns[:0]
	due := false
	for _, m := range w.queue {
		due = due || m.due <= w.now
	}
	for _, p := range w.processes {
		switch {
		case p.busy && (p.wake <= w.now || p.ends > 0 && p.ends <= w.now):
			w.turns = append(w.turns, turn{p, goesOn})
		case p.busy || p.down > w.now:
		case !p.Keeps && due:
			w.turns = append(w.turns, turn{p, receives})
		case p.Keeps:
			if len(w.ticks) > 0 && w.ticks[0].at <= w.now {
				w.turns = append(w.turns, turn{p, runsTick})
			}
			if len(w.reports) > 0 && w.reports[0].at <= w.now {
				w.turns = append(w.turns, turn{p, takesReport})
			}
		}
	}
}

// turnWords says the turns in words.
func (w *World) turnWords() []string {
	w.words = w.words[:0]
	for _, t := range w.turns {
		if w.Trace == nil { // nobody reads it
			w.words = append(w.words, "")
			continue
		}
		var word string
		switch t.do {
		case goesOn:
			word = t.p.Name + " goes on: " + t.p.doing
		case receives:
			word = t.p.Name + " receives"
		case runsTick:
			word = t.p.Name + " ticks"
		case takesReport:
			word = t.p.Name + " takes a callback"
		}
		w.words = append(w.words, word)
	}
	return w.words
}

// upcoming is when something happens next that has not happened yet.
func (w *World) upcoming() time.Duration {
	next := w.next
	earlier := func(at time.Duration) {
		if at > w.now && at < next {
			next = at
		}
	}
	for _, p := range w.processes {
		switch {
		case p.busy && p.ends > 0:
			earlier(p.ends)
			fallthrough
		case p.busy:
			earlier(p.wake)
		default:
			earlier(p.down)
		}
	}
	for _, m := range w.queue {
		earlier(m.due)
	}
	if len(w.ticks) > 0 {
		earlier(w.ticks[0].at)
	}
	if len(w.reports) > 0 {
		earlier(w.reports[0].at)
	}
	for _, e := range w.late {
		earlier(e.at)
	}
	return next
}

// arrive has come what is due without anybody's turn.
func (w *World) arrive() {
	for w.next <= w.now {
		w.comes(tick{at: w.next, scheduled: true})
		w.next += w.Schedule
	}
	for i := 0; i < len(w.late); i++ {
		if e := w.late[i]; e.at <= w.now {
			w.late = append(w.late[:i], w.late[i+1:]...)
			i--
			e.act()
		}
	}
}
