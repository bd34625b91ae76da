package sqlite

import (
	"sync"
	"time"
)

// Failures is how long something has been failing without a success in between.
// The zero value is something of which nothing bad is known. It is safe for
// concurrent use.
type Failures struct {
	mu          sync.Mutex
	first, last time.Time // failures in a row
	err         error     // of the last use
}

// Note keeps what became of a use at now.
func (f *Failures) Note(now time.Time, err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.err == nil {
		f.first = now
	}
	f.last, f.err = now, err
}

// Lasted is the time from the first failure in a row to the latest, and the
// error of that; a nil error when the last use went well or there was none.
func (f *Failures) Lasted() (time.Duration, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.last.Sub(f.first), f.err
}

// Failing reports for how long the file has been taking no changes, from the
// first that failed to the latest, and why: its disk may be full. The error is
// nil once a change has reached the disk again, and while nobody has tried to
// make one.
func (s *Store) Failing() (lasted time.Duration, err error) { return s.write.failing.Lasted() }
