// Package cloudlog is the journal of the functions: every entry is a line of
// JSON in CloudWatch Logs, and the entries of an invocation are counted into
// metrics and kept for the journal queue.
//
// The metrics are in CloudWatch's embedded metric format: lines of the log from
// which CloudWatch makes metrics. Their dimensions are names of services,
// channels and functions, never anything of a call.
package cloudlog

import (
	"io"
	"sync"
	"time"

	"callagent/core/agent"
	"callagent/core/journal"
)

// mostKept is how many entries of one invocation are kept for the queue; the
// log has all.
const mostKept = 10_000

// Options says where the journal goes.
type Options struct {
	Out       io.Writer // takes whole lines, one at a time; required
	Namespace string    // of the metrics; "" is callagent
	Function  string    // the name that cold starts are counted under
	// Now is the clock; nil is time.Now.
	Now func() time.Time
}

// Journal is the journal of one process. It is safe for concurrent use. A line
// that cannot be written is lost: there is no other place to say so.
type Journal struct {
	out                 io.Writer
	namespace, function string
	now                 func() time.Time

	mu      sync.Mutex
	started bool // the cold start is counted
	metrics metrics
	kept    []journal.Entry
}

var _ agent.Journal = (*Journal)(nil)

// New makes a journal.
func New(o Options) *Journal {
	if o.Namespace == "" {
		o.Namespace = "callagent"
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	return &Journal{out: o.Out, namespace: o.Namespace, function: o.Function, now: o.Now, metrics: metrics{}}
}

// Write prints an entry, counts it and keeps it.
func (j *Journal) Write(e journal.Entry) {
	line := journal.JSON(e)
	j.mu.Lock()
	defer j.mu.Unlock()
	_, _ = j.out.Write(line)
	j.metrics.count(e)
	if len(j.kept) < mostKept {
		j.kept = append(j.kept, e)
	}
}

// CircuitOpen measures whether a service's circuit is open. The last measure of
// an invocation counts.
func (j *Journal) CircuitOpen(service string, open bool) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.metrics.gauge(service, open)
}

// Flush prints the metrics of what was written since the last Flush. It is for
// the end of an invocation, because the process may be frozen after it.
func (j *Journal) Flush() {
	j.mu.Lock()
	defer j.mu.Unlock()
	at := j.now()
	for _, line := range j.metrics.lines(j.namespace, at) {
		_, _ = j.out.Write(line)
	}
	j.metrics = metrics{}
	if !j.started {
		j.started = true
		_, _ = j.out.Write(coldStart(j.namespace, j.function, at))
	}
}

// Take gives the entries that were written since the last Take, in their order:
// the events of one invocation, 10,000 at most.
func (j *Journal) Take() []journal.Entry {
	j.mu.Lock()
	defer j.mu.Unlock()
	taken := j.kept
	j.kept = nil
	return taken
}
