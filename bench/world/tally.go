package world

import (
	"fmt"
	"strings"

	"callagent/core/call"
)

// tally counts what happened.
type tally struct {
	violations []string
	counts     map[string]int
	outcomes   map[string]int
	steps      int
	requests   int
	crashes    int
	duplicates int
	lost       int
	conflicts  int
	opened     int
	poison     int
	buried     int
}

func newTally() tally { return tally{counts: map[string]int{}, outcomes: map[string]int{}} }

// Figures are the sums of what happened in a world.
type Figures struct {
	Steps, Requests, Crashes, Duplicates, Lost, Conflicts, Openings, Rings int
}

// Figures gives the sums so far.
func (w *World) Figures() Figures {
	return Figures{w.steps, w.requests, w.crashes, w.duplicates, w.lost, w.conflicts, w.opened, len(w.rings)}
}

// Counts says how often each thing other than the good one was chosen, by
// "kind: option".
func (w *World) Counts() map[string]int { return w.counts }

// Outcomes counts the calls by their final states, after Finish.
func (w *World) Outcomes() map[string]int { return w.outcomes }

// Violations are the promises that were broken, in words, the first first.
func (w *World) Violations() []string { return w.violations }

func (w *World) violate(format string, args ...any) {
	text := fmt.Sprintf(format, args...)
	w.violations = append(w.violations, fmt.Sprintf("at %s: %s", w.now, text))
	w.tracef("!!!! %s", text)
}

// count counts an option that was chosen other than the first.
func (w *World) count(k Kind, option string) {
	if k == Deliver {
		option = outOfOrder
	}
	w.countName(k.String() + ": " + option)
}

func (w *World) countName(name string) { w.counts[name]++ }

// The names of what is counted besides options.
const (
	outOfOrder = "out of order"
	killed     = "process: killed at its time limit"
	blindly    = "request: sent without knowing the circuit"
	unheard    = "callback: not taken"
	overtaken  = "alert: an outage that nobody could be told of before the next one"
	adopted    = "ring: shown so late that another call took it"
)

func silence(p Port) string { return "outage: " + p.String() }

// Faults lists everything that can go wrong in a world, by the names of
// Counts.
func Faults() []string {
	all := []string{Deliver.String() + ": " + outOfOrder, killed, blindly, unheard}
	for _, m := range meddlingNames[1:] {
		all = append(all, Use.String()+": "+m)
	}
	for _, options := range []struct {
		kind  Kind
		words []string
	}{{Receive, fates}, {Pause, append([]string{""}, pauseWords...)}, {Lag, lagWords}, {Answer, dialWords}, {Ring, ringWords}, {Report, reportWords}, {Tick, tickWords}} {
		for _, word := range options.words[1:] {
			all = append(all, options.kind.String()+": "+word)
		}
	}
	for p := range Ports {
		if p != Provider { // it has answers of its own
			all = append(all, silence(p))
		}
	}
	return all
}

// tracef writes one line with the time.
func (w *World) tracef(format string, args ...any) {
	if w.Trace != nil {
		fmt.Fprintf(w.Trace, "%10.3f  %s\n", w.now.Seconds(), fmt.Sprintf(format, args...))
	}
}

func (w *World) traceUse(u use, err error) {
	if err != nil {
		w.tracef("%-4s %s: %v", u.p.Name, u.what, err)
		return
	}
	w.tracef("%-4s %s", u.p.Name, u.what)
}

// keyOf reads a key as Key.String writes it.
func keyOf(s string) call.Key {
	campaign, contact, _ := strings.Cut(s, "/")
	return call.Key{Campaign: campaign, Contact: contact}
}

// keyOfAttempt finds the call that an attempt is of.
func (w *World) keyOfAttempt(attempt string) call.Key { return w.attempts[attempt].key }
