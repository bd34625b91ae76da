package breaker

import "time"

// ForceOpen is the emergency stop: no request passes and nothing is probed
// until an operator says otherwise.
func ForceOpen(r Record, now time.Time) (Record, Change) {
	if r.Forced == ForcedOpen {
		return r, Unchanged
	}
	fresh := r.State == Closed
	r, change := r.move(OperatorOpened)
	r.Forced = ForcedOpen
	if fresh {
		r.Outage, r.OpenedAt, r.Reminded, r.Relapses = r.Epoch, now, 0, 0
	}
	return r, change
}

// ForceClose lets every request pass, whatever fails, until an operator says
// otherwise. Pauses that a provider asked for are still kept.
func ForceClose(r Record, now time.Time) (Record, Change) {
	if r.Forced == ForcedClosed {
		return r, Unchanged
	}
	ended := now
	if r.State == Closed {
		ended = r.ClosedAt // nothing was open, so nothing ends
	} else {
		r.Released = 0
	}
	r, change := r.move(OperatorClosed)
	r.Forced, r.Probe = ForcedClosed, Lease{}
	return r.closed(ended), change
}

// Return gives the circuit back to its rules. After a forced opening it is
// tested at the next tick, or when a probe lease that still runs is over.
func Return(r Record, now time.Time) (Record, Change) {
	if r.Forced == Automatic {
		return r, Unchanged
	}
	r, change := r.move(OperatorReturned)
	if r.Forced == ForcedOpen {
		r.OpenUntil = later(now, r.Probe.Until)
		r.Probe = Lease{}
	}
	r.Forced = Automatic
	return r, change
}
