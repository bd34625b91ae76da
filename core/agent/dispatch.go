package agent

import (
	"context"
	"sync"
	"time"

	"callagent/core/alert"
	"callagent/core/backoff"
	"callagent/core/fault"
	"callagent/core/journal"
)

// Dispatcher sends what is in the outbox, each channel by itself: a channel
// that fails is tried again later and holds up no other. The stages are group,
// deduplicate (the outbox), send, record: what was sent and not recorded is
// sent once more after a crash, with the same id.
type Dispatcher struct {
	DispatcherOptions
	mu    sync.Mutex
	state map[string]channelState
}

// DispatcherOptions are what a Dispatcher is made of; all are required.
type DispatcherOptions struct {
	Outbox   Outbox
	Channels map[string]Notifier
	Clock    Clock
	Random   func() float64
	Journal  Journal
	Timeout  time.Duration // of one message
}

// channelState is how a channel has been doing.
type channelState struct {
	failures int
	next     time.Time
	asked    bool // it said itself how long to wait
}

// channelRetry is how long a failing channel is left alone.
var channelRetry = backoff.Policy{MaxRetries: 100, Initial: 5 * time.Second, Factor: 2, Max: 5 * time.Minute, Jitter: 0.2}

// NewDispatcher does no I/O.
func NewDispatcher(o DispatcherOptions) *Dispatcher {
	return &Dispatcher{DispatcherOptions: o, state: map[string]channelState{}}
}

// Flush sends what one channel may send now. all sends digests before their
// time too, and tries a channel that failed, because the process ends; but not
// one that asked to be left alone. A message that ctx leaves too little time for
// is not begun. It reports whether anything is left that could not be delivered.
// One channel must not be flushed twice at once.
func (d *Dispatcher) Flush(ctx context.Context, channel string, all bool) (left bool, err error) {
	now := d.Clock.Now()
	if st := d.stateOf(channel); now.Before(st.next) && (st.asked || !all) {
		return true, nil
	}
	waiting, err := d.Outbox.Undelivered(ctx, channel, mostPerTick)
	if err != nil || len(waiting) == 0 {
		return false, err
	}
	groups, err := d.Outbox.Groups(ctx, channel)
	if err != nil {
		return true, err
	}
	for _, s := range alert.Plan(waiting, groups, all, now) {
		if !d.send(ctx, channel, s) {
			return true, nil
		}
		if err := d.delivered(ctx, channel, s); err != nil {
			return true, err
		}
	}
	return false, nil
}

// Asked is how much longer a channel asked to be left alone; 0 when it did not.
func (d *Dispatcher) Asked(channel string) time.Duration {
	st := d.stateOf(channel)
	if !st.asked {
		return 0
	}
	return max(0, st.next.Sub(d.Clock.Now()))
}

// delivered stores that a message was sent, even if time is up meanwhile:
// forgetting it would tell people twice.
func (d *Dispatcher) delivered(ctx context.Context, channel string, s alert.Sending) error {
	ctx, cancel := d.Clock.WithTimeout(context.WithoutCancel(ctx), storing)
	defer cancel()
	return d.Outbox.Delivered(ctx, channel, s.IDs, s.Key, s.Group)
}

// storing is how long the outbox may take to note what was delivered.
const storing = 5 * time.Second

// send gives one message to the channel. A message that the channel can never
// take is dropped with an entry in the journal; it reports false when the
// channel is to be tried again later.
func (d *Dispatcher) send(ctx context.Context, channel string, s alert.Sending) bool {
	if timeLeft(ctx, d.Clock) <= d.Timeout {
		return false // it would be cut off, may have arrived, and would be sent again
	}
	limited, cancel := d.Clock.WithTimeout(ctx, d.Timeout)
	err := d.Channels[channel].Notify(limited, s.Message)
	cancel()
	if cancelled(ctx, err) {
		return false
	}
	f := fault.From(channel, err)
	if f == nil {
		d.settle(channel, channelState{})
		d.say(journal.Info, channel, "alert_sent", "Told by "+alert.Title(channel)+": "+s.Message.Title)
		return true
	}
	if f.Treatment().FailsCall {
		d.say(journal.Error, channel, "alert_refused", "An alert can never be delivered by "+channel+": "+f.Error())
		return true
	}
	st := d.stateOf(channel)
	wait := channelRetry.After(st.failures, d.Random(), f.RetryAfter)
	if st.failures == 0 {
		d.say(journal.Warning, channel, "alert_failed", "Alerts by "+channel+" fail and are sent again later: "+f.Error())
	}
	d.settle(channel, channelState{failures: st.failures + 1, next: d.Clock.Now().Add(wait), asked: f.RetryAfter > 0})
	return false
}

func (d *Dispatcher) stateOf(channel string) channelState {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.state[channel]
}

func (d *Dispatcher) settle(channel string, s channelState) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.state[channel] = s
}

func (d *Dispatcher) say(l journal.Level, channel, event, message string) {
	d.Journal.Write(journal.Entry{Time: d.Clock.Now(), Level: l, Service: channel, Event: event, Message: message})
}
