package cli

import (
	"fmt"
	"io"
	"time"

	"github.com/schollz/progressbar/v3"
)

const (
	linesEvery    = 10_000 // rows between two plain lines
	describeEvery = 500    // rows between two changes of the bar's text
)

// meter shows how far a list has been read: with a bar on a terminal, with a
// line now and then elsewhere.
type meter struct {
	bar   *progressbar.ProgressBar // nil for lines
	lines io.Writer
	done  string // what is done with a row
}

// newMeter begins with nothing read of size bytes; -1 is an unknown size.
func newMeter(w World, size int64, done string, quiet bool) *meter {
	m := &meter{lines: w.Err, done: done}
	switch {
	case quiet:
		m.lines = io.Discard
	case w.Terminal:
		m.bar = progressbar.NewOptions64(max(size, -1),
			progressbar.OptionSetWriter(w.Out),
			progressbar.OptionSetWidth(30),
			progressbar.OptionThrottle(100*time.Millisecond),
			progressbar.OptionSetSpinnerChangeInterval(0), // moves with the rows, not by a goroutine
			progressbar.OptionShowBytes(true),
			progressbar.OptionUseANSICodes(true),
			progressbar.OptionClearOnFinish(),
		)
	}
	return m
}

// watch reads r and moves the bar.
func (m *meter) watch(r io.Reader) io.Reader {
	if m.bar == nil {
		return r
	}
	return watched{r, m.bar}
}

// watched is a reader whose bytes move a bar.
type watched struct {
	io.Reader
	bar *progressbar.ProgressBar
}

func (w watched) Read(p []byte) (int, error) {
	n, err := w.Reader.Read(p)
	_ = w.bar.Add(n) // it complains about a file that grows, which harms nothing
	return n, err
}

// count shows the number of rows.
func (m *meter) count(rows int) {
	switch {
	case m.bar != nil && rows%describeEvery == 0:
		m.bar.Describe(fmt.Sprintf("%d contacts %s", rows, m.done))
	case m.bar == nil && rows%linesEvery == 0:
		fmt.Fprintf(m.lines, "%d contacts %s\n", rows, m.done)
	}
}

// clear makes room for a line; the bar comes back below it.
func (m *meter) clear() {
	if m.bar != nil {
		_ = m.bar.Clear() // a terminal that is gone has nothing to clear
	}
}

// close takes the bar away.
func (m *meter) close() {
	if m.bar != nil {
		_ = m.bar.Exit() // as above
	}
	m.clear()
}
