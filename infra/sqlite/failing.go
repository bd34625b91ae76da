package sqlite

import (
	"sync"
	"time"
)

// failing is how long the file has been taking no changes. The zero value is a
// file of which nothing bad is known.
type failing struct {
	mu          sync.Mutex
	first, last time.Time // failures in a row
	err         error
}

// Failing reports for how long the file has been taking no changes, from the
// first that failed to the latest, and why: its disk may be full. The error is
// nil once a change has reached the disk again, and while nobody has tried to
// make one.
func (s *Store) Failing() (lasted time.Duration, err error) {
	f := &s.write.failing
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.last.Sub(f.first), f.err
}

// note keeps what became of a transaction that had something to write.
func (f *failing) note(now time.Time, err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.err == nil {
		f.first = now
	}
	f.last, f.err = now, err
}
