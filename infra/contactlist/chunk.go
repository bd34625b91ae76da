package contactlist

import (
	"errors"
	"runtime"
)

// A chunk is this many rows or bytes of the list, whatever comes first.
const (
	chunkRows  = 128
	chunkBytes = 256 << 10
)

// chunk is some rows in a row, which one goroutine judges.
type chunk struct {
	rows []judged
	last bool // the list ends with it
	done chan struct{}
}

// judged is a row, or what is wrong with it.
type judged struct {
	line  int
	cells []string
	row   Row
	err   error
}

// each gives the rows to take, in their order, until it has enough. Only the
// caller's goroutine reads the list.
func (l *list) each(take func(judged) bool) {
	ahead := runtime.GOMAXPROCS(0) + 1
	var window []*chunk
	defer func() {
		for _, c := range window {
			<-c.done
		}
	}()
	for ended := false; ; {
		for len(window) < ahead && !ended {
			c := l.chunk()
			ended = c.last
			go c.judge(l)
			window = append(window, c)
		}
		if len(window) == 0 {
			return
		}
		first := window[0]
		window = window[1:]
		<-first.done
		for _, one := range first.rows {
			if !take(one) {
				return
			}
		}
	}
}

// chunk reads the next rows.
func (l *list) chunk() *chunk {
	c := &chunk{done: make(chan struct{})}
	end := l.csv.InputOffset() + chunkBytes
	for len(c.rows) < chunkRows && l.csv.InputOffset() < end && !c.last {
		cells, err := l.next()
		_, goesOn := errors.AsType[*RowError](err)
		c.last = err != nil && !goesOn
		c.rows = append(c.rows, judged{line: l.line, cells: cells, err: err})
	}
	return c
}

// judge judges the rows that could be read.
func (c *chunk) judge(l *list) {
	defer close(c.done)
	for i := range c.rows {
		if one := &c.rows[i]; one.err == nil {
			one.row, one.err = l.judge(one.line, one.cells)
		}
	}
}
