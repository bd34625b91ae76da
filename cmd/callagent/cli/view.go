package cli

import (
	"context"
	"fmt"
	"io"
	"math"
	"strings"
	"sync"
	"time"

	"callagent/core/agent"
	"callagent/core/breaker"
	"callagent/core/call"
	"callagent/core/journal"
	"callagent/infra/clock"
	"callagent/infra/wiring/machine"
)

// view shows a run while it goes on: on a terminal a picture that is repainted
// (progress, circuits, last events), elsewhere plain lines.
type view struct {
	out      io.Writer
	live     bool
	width    int
	mu       sync.Mutex
	recent   []string // last lines, the newest last
	painted  int      // lines that the picture has on the screen
	total    int      // contacts when the run began
	stop     context.CancelFunc
	finished sync.WaitGroup
}

const (
	recentLines = 12
	repaint     = 200 * time.Millisecond
	plainEvery  = 10 * time.Second
	dateWidth   = len("2006-01-02 ")
)

// newView shows on Out, or on Err when Out is for the summary alone.
func newView(w World, quiet bool) *view {
	v := &view{out: w.Out, live: w.Terminal && !quiet, width: w.Width, stop: func() {}}
	if quiet {
		v.out = io.Discard
	}
	return v
}

// entry takes a journal entry. It may be called from many goroutines.
func (v *view) entry(e journal.Entry) {
	if !e.Routine() {
		v.say(machine.Line(e))
	}
}

// say shows one line.
func (v *view) say(line string) {
	v.mu.Lock()
	defer v.mu.Unlock()
	if !v.live {
		fmt.Fprintln(v.out, line)
		return
	}
	if len(line) > dateWidth && line[dateWidth-1] == ' ' {
		line = line[dateWidth:] // the day is no news on a screen that is shown
	}
	v.recent = append(v.recent, line)
	if len(v.recent) > recentLines {
		v.recent = v.recent[1:]
	}
}

// shown is what the view reads of a store.
type shown interface {
	agent.Register
	agent.Circuits
	Unclaimed(ctx context.Context) (int, error)
}

// follow shows the progress of a store until close.
func (v *view) follow(ctx context.Context, store shown, c *clock.Clock) {
	ctx, v.stop = context.WithCancel(context.WithoutCancel(ctx))
	v.total = contacts(ctx, store)
	every := plainEvery
	if v.live {
		every = repaint
	}
	v.finished.Go(func() {
		tick := time.NewTicker(every)
		defer tick.Stop()
		for {
			select {
			case <-ctx.Done():
				return
			case <-tick.C:
				v.paint(ctx, store, c.Now())
			}
		}
	})
}

// close paints no more.
func (v *view) close() {
	v.stop()
	v.finished.Wait()
}

// paint shows the present state.
func (v *view) paint(ctx context.Context, store shown, now time.Time) {
	counts, err := store.Counts(ctx)
	if err != nil {
		return
	}
	parked, err := store.ParkedFor(ctx)
	if err != nil {
		return
	}
	lines := []string{progress(counts, v.total)}
	for _, name := range agent.Services() {
		r, err := store.Load(ctx, name)
		if err != nil {
			return
		}
		lines = append(lines, circuitLine(r, parked[name], now))
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	if !v.live {
		fmt.Fprintln(v.out, lines[0])
		return
	}
	v.repaint(append(append(lines, ""), v.recent...))
}

// circuitLine is the state of one circuit in one line.
func circuitLine(r breaker.Record, parked int, now time.Time) string {
	line := fmt.Sprintf("%-10s  %-9s", r.Service, r.State)
	if r.State == breaker.Open && r.OpenUntil.After(now) {
		line += fmt.Sprintf("  next health check in %.0f s", math.Ceil(r.OpenUntil.Sub(now).Seconds()))
	}
	if r.State == breaker.Closed && r.PausedUntil.After(now) {
		line += fmt.Sprintf("  paused for %.0f s", math.Ceil(r.PausedUntil.Sub(now).Seconds()))
	}
	if parked > 0 {
		line += fmt.Sprintf("  %d set aside", parked)
	}
	return line
}

// repaint draws the lines over the ones drawn before.
func (v *view) repaint(lines []string) {
	var b strings.Builder
	if v.painted > 0 {
		fmt.Fprintf(&b, "\x1b[%dA", v.painted)
	}
	for _, l := range lines {
		b.WriteString("\x1b[2K" + clip(l, v.width) + "\n")
	}
	for range max(0, v.painted-len(lines)) {
		b.WriteString("\x1b[2K\n")
	}
	v.painted = max(v.painted, len(lines))
	_, _ = io.WriteString(v.out, b.String())
}

// contacts counts everybody who is to be called, or was.
func contacts(ctx context.Context, store shown) int {
	n, err := store.Unclaimed(ctx)
	if err != nil {
		return 0
	}
	counts, err := store.Counts(ctx)
	if err != nil {
		return 0
	}
	for _, c := range counts {
		n += c.Calls
	}
	return n
}

// progress is one line with a bar; expected is how many contacts there were
// when the run began.
func progress(counts []call.Count, expected int) string {
	const cells = 30
	total, ended, parked, live := 0, 0, 0, 0
	for _, n := range counts {
		total += n.Calls
		switch {
		case n.State.Final():
			ended += n.Calls
		case n.State == call.Parked:
			parked += n.Calls
		default:
			live += n.Calls
		}
	}
	total = max(total, expected)
	filled := 0
	if total > 0 {
		filled = cells * ended / total
	}
	return fmt.Sprintf("[%s%s] %d of %d ended, %d under way, %d set aside",
		strings.Repeat("#", filled), strings.Repeat(".", cells-filled), ended, total, live, parked)
}

// clip cuts a line to less than the terminal's width and shows that it did.
func clip(s string, width int) string {
	r := []rune(s)
	if width <= 2 || len(r) < width {
		return s
	}
	return strings.TrimRight(string(r[:width-2]), " ") + "…"
}
