// Package logfile keeps the journal in two files: one JSON object a line for
// programs, and one aligned line for people.
//
// Writing never holds up a call and never fails one. Entries wait in a bounded
// buffer for a goroutine that writes them in batches. When a file cannot be
// written, that is said once, and once more when it can; what it misses
// meanwhile is counted.
package logfile

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"

	"github.com/DeRuina/timberjack"

	"callagent/core/journal"
)

const (
	buffered  = 4096     // entries that wait at most
	batchSize = 64 << 10 // bytes that are written at once, roughly
)

// Options says where the files are. The zero value writes nothing.
type Options struct {
	JSONPath  string // one JSON object a line; "" writes none
	TextPath  string // for people; "" writes none
	MaxSizeMB int    // a file that would grow larger is renamed and a new one begun; 0 means 100
	MaxFiles  int    // how many renamed ones are kept of each; 0 keeps all
	// OnError hears when a file cannot be written, when it can again, and when
	// entries came faster than they could be written. It is called by one
	// goroutine at a time and must not write to the log. nil ignores it all.
	OnError func(error)
}

// Log is the two files. Its methods are safe for concurrent use.
type Log struct {
	sinks   []*sink
	onError func(error)
	entries chan journal.Entry
	done    chan struct{}

	mu     sync.RWMutex // guards closed and the closing of entries
	closed bool

	crowded atomic.Int64 // entries that found the buffer full since it was last said
	lost    atomic.Int64
}

// Open starts the log. The files, and the folders they are in, are made with
// the first entry, so a path that cannot be written shows up in OnError then.
func Open(o Options) *Log {
	var sinks []*sink
	for _, f := range []struct {
		path   string
		format func(journal.Entry) []byte
	}{{o.JSONPath, journal.JSON}, {o.TextPath, textLine}} {
		if f.path != "" {
			file := &timberjack.Logger{Filename: f.path, MaxSize: o.MaxSizeMB, MaxBackups: o.MaxFiles}
			sinks = append(sinks, &sink{name: filepath.Base(f.path), file: file, format: f.format, torn: endsWithinLine(f.path)})
		}
	}
	return start(sinks, o.OnError)
}

// endsWithinLine reports whether an earlier process died while it wrote the
// file. One that cannot be read shows its trouble when it is written.
func endsWithinLine(path string) bool {
	f, err := os.Open(path)
	if err != nil {
		return false
	}
	defer func() { _ = f.Close() }() // it was only read
	last := make([]byte, 1)
	if _, err := f.Seek(-1, io.SeekEnd); err != nil {
		return false // it is empty
	}
	_, err = f.Read(last)
	return err == nil && last[0] != '\n'
}

func start(sinks []*sink, onError func(error)) *Log {
	if onError == nil {
		onError = func(error) {}
	}
	l := &Log{sinks: sinks, onError: onError, entries: make(chan journal.Entry, buffered), done: make(chan struct{})}
	go l.run()
	return l
}

// Write hands an entry over and returns at once. When the buffer is full, or
// the log closed, the entry is lost and counted.
func (l *Log) Write(e journal.Entry) {
	l.mu.RLock()
	defer l.mu.RUnlock()
	if l.closed {
		l.lost.Add(1)
		return
	}
	select {
	case l.entries <- e:
	default:
		l.lost.Add(1)
		l.crowded.Add(1)
	}
}

// Lost counts the lines that are in no file: two for an entry that both files
// miss because of their disk, one for an entry that found the buffer full.
func (l *Log) Lost() int64 { return l.lost.Load() }

// Close writes what is in the buffer and closes the files. Closing again does
// nothing.
func (l *Log) Close() error {
	l.mu.Lock()
	if !l.closed {
		l.closed = true
		close(l.entries)
	}
	l.mu.Unlock()
	<-l.done
	var problems []error
	for _, s := range l.sinks {
		if err := s.file.Close(); err != nil {
			problems = append(problems, fmt.Errorf("%s could not be closed: %w", s.name, plain(err)))
		}
	}
	return errors.Join(problems...)
}

func (l *Log) run() {
	defer close(l.done)
	for e := range l.entries {
		l.batch(e)
		if n := l.crowded.Load(); n > 0 && len(l.entries) == 0 {
			l.crowded.Add(-n)
			l.onError(fmt.Errorf("the log files could not keep up: %d entries are missing from them", n))
		}
	}
}

// batch writes an entry and those that wait behind it.
func (l *Log) batch(e journal.Entry) {
	for size, more := 0, true; more; {
		for _, s := range l.sinks {
			size += s.add(e)
		}
		if more = size < batchSize && len(l.sinks) > 0; more {
			select {
			case e, more = <-l.entries:
			default:
				more = false
			}
		}
	}
	for _, s := range l.sinks {
		s.flush(l)
	}
}

// sink is one file. Only the log's goroutine touches it.
type sink struct {
	name   string
	file   io.WriteCloser
	format func(journal.Entry) []byte

	pending []byte
	lines   []int // where the pending lines end
	torn    bool  // the file ends within a line
	failing bool  // the last write failed
	missing int   // lines lost since then
}

func (s *sink) add(e journal.Entry) int {
	line := s.format(e)
	s.pending = append(s.pending, line...)
	s.lines = append(s.lines, len(s.pending))
	return len(line)
}

// flush writes the pending lines. Lines that fail are not tried again: a full
// disk must not fill the memory too.
func (s *sink) flush(l *Log) {
	if s.torn {
		s.pending = append([]byte("\n"), s.pending...)
		for i := range s.lines {
			s.lines[i]++
		}
	}
	n, err := s.file.Write(s.pending)
	failed := 0
	for _, end := range s.lines {
		if end > n {
			failed++
		}
	}
	if n > 0 {
		s.torn = s.pending[n-1] != '\n'
	}
	s.pending, s.lines = s.pending[:0], s.lines[:0]
	if err != nil {
		l.lost.Add(int64(failed))
		s.missing += failed
		if !s.failing {
			s.failing = true
			l.onError(fmt.Errorf("%s cannot be written, calls go on without it: %w", s.name, plain(err)))
		}
		return
	}
	if s.failing {
		l.onError(fmt.Errorf("%s is written again, lines missing from it: %d", s.name, s.missing))
		s.failing, s.missing = false, 0
	}
}

// plain drops the path and the system call of a file error: the name of the
// file is said already.
func plain(err error) error {
	if e, ok := errors.AsType[*fs.PathError](err); ok {
		return e.Err
	}
	return err
}
