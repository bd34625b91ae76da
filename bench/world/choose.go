package world

// Chooser decides wherever the world can go on in more than one way.
type Chooser interface {
	// Choose gives the number of one of the point's options. It is only asked
	// when there are at least two. Option 0 is the one that nothing is wrong
	// with. The point and its options are valid until Choose returns.
	Choose(p Point) int
}

// ChooserFunc is a function as a Chooser.
type ChooserFunc func(p Point) int

// Choose calls the function.
func (f ChooserFunc) Choose(p Point) int { return f(p) }

// Calm is a world in which nothing goes wrong.
var Calm = ChooserFunc(func(Point) int { return 0 })

// Point is a place where the world can go on in several ways.
type Point struct {
	Kind    Kind
	Process string   // the process that it is about; "" for none
	What    string   // what is about to happen: "ledger: put running"
	Options []string // in words
	Port    Port     // of a Use or a Pause
	Menu    []Meddling
	Service string // of a Use, Answer, Ring or Report that has one
}

// Kind says what is chosen.
type Kind uint8

// The kinds.
const (
	Turn    Kind = iota // who goes on
	Deliver             // which message is received, the longest due first
	Receive             // what becomes of the message on the queue meanwhile
	Use                 // what happens to one use of a port; Menu says it in values
	Pause               // how long a process stands still
	Lag                 // how old the index is that a tick reads
	Answer              // what a provider says
	Ring                // how a call goes on at the telephony provider
	Report              // which callbacks it sends
	Tick                // whether a tick comes
	Kinds               // how many kinds there are
)

// String names the kind in traces.
func (k Kind) String() string {
	return [...]string{"turn", "deliver", "receive", "use", "pause", "lag", "answer", "ring", "report", "tick", "kinds"}[min(k, Kinds)]
}

// Port is one of the ways in which a process reaches the world.
type Port uint8

// The ports.
const (
	Ledger Port = iota
	Backlog
	Blocklist
	Circuits
	Pace
	Queue
	Outbox
	Media
	Ticks
	Provider
	Channel
	Ports // how many ports there are
)

// String names the port in reports.
func (p Port) String() string {
	return [...]string{"ledger", "backlog", "do-not-call list", "circuits", "pace", "queue", "outbox", "media", "ticks", "provider", "channel", "ports"}[min(p, Ports)]
}

// Meddling is what happens to one use of a port.
type Meddling uint8

// The meddlings. The zero value leaves the use alone.
const (
	None        Meddling = iota
	Refuse               // it fails and has no effect
	Lose                 // it has its effect and its answer is lost
	Late                 // it fails and has its effect a little later
	Conflict             // somebody else writes just before
	OwnConflict          // it has its effect and is refused: a retry met its own write
	DieBefore            // the process dies before it has any effect
	DieAfter             // the process dies before it learns the answer
	PauseBefore          // the process stands still before it
	PauseAfter           // the process stands still before it learns the answer
	Stop                 // the process is asked to stop
	Cut                  // the process is made to stop: its context ends
	meddlings            // how many there are
)

var meddlingNames = [meddlings]string{
	"as it should", "refused", "done, answer lost", "done later, answer lost", "somebody else writes first", "done, then a conflict with itself",
	"process dies before", "process dies after", "pause before", "pause after", "process is asked to stop", "process is made to stop",
}

// String says it in words.
func (m Meddling) String() string { return meddlingNames[min(m, meddlings-1)] }

// menu is what can happen to a use of some sort, as values and in words.
type menu struct {
	values []Meddling
	words  []string
}

func newMenu(values ...Meddling) *menu {
	m := &menu{values: append([]Meddling{None}, values...)}
	for _, v := range m.values {
		m.words = append(m.words, v.String())
	}
	return m
}

// The sorts of uses.
var (
	reads        = newMenu(Refuse, DieBefore, PauseBefore, PauseAfter, Stop, Cut)
	writes       = newMenu(Refuse, Lose, Late, DieBefore, DieAfter, PauseBefore, PauseAfter, Stop, Cut)
	conditionals = newMenu(Refuse, Lose, Late, Conflict, OwnConflict, DieBefore, DieAfter, PauseBefore, PauseAfter, Stop, Cut)
	requests     = newMenu(DieBefore, DieAfter, PauseBefore, PauseAfter, Stop, Cut) // a provider has answers of its own
	settling     = newMenu(Refuse, Lose, DieBefore, DieAfter, PauseBefore, PauseAfter)
)

// pick asks the chooser, unless there is nothing to choose. The number that it
// gives is brought within the options.
func (w *World) pick(p Point) int {
	if len(p.Options) < 2 {
		return 0
	}
	i := w.Chooser.Choose(p)
	if i < 0 || i >= len(p.Options) {
		i = 0
	}
	if i > 0 && p.Kind != Turn || p.Kind == Pause {
		w.count(p.Kind, p.Options[i])
		if w.Trace != nil {
			w.tracef("%-4s %s: %s: %s", p.Process, p.Kind, p.What, p.Options[i])
		}
	}
	return i
}
