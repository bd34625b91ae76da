package sqlite

import (
	"sync"
	"time"
)

// failing is since when the file takes no changes. The zero value is a file of
// which nothing bad is known.
type failing struct {
	mu    sync.Mutex
	since time.Time
	err   error
}

// Failing reports since when the file takes no changes, and why: its disk may
// be full. The error is nil once a change has reached the disk again, and while
// nobody has tried to make one.
func (s *Store) Failing() (since time.Time, err error) {
	f := &s.write.failing
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.since, f.err
}

// note keeps what became of a transaction that had something to write.
func (f *failing) note(now time.Time, err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.err == nil || err == nil {
		f.since = now
	}
	f.err = err
}
