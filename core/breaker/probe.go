package breaker

import "time"

// TakeProbe gives holder the lease to test the circuit with a request that
// takes at most limit: when an opening is over, or when the lease of an
// earlier prober ran out. It is Unchanged when nothing may be tested now.
func TakeProbe(r Record, holder string, limit time.Duration, now time.Time) (Record, Change) {
	if r.Forced != Automatic || now.Before(r.PausedUntil) {
		return r, Unchanged
	}
	var change Change
	switch {
	case r.State == Open && !now.Before(r.OpenUntil):
		change = Leased
	case r.State == HalfOpen && now.After(r.Probe.Until.Add(Skew)):
		change = TakenOver
	default:
		return r, Unchanged
	}
	r, change = r.move(change)
	r.Probe, r.Released = Lease{Holder: holder, Until: now.Add(limit + Margin)}, 0
	return r, change
}

// HandOver passes the lease from the tick that holds it with permit p to the
// parked call named heir, whose own request takes at most limit.
func HandOver(r Record, p Permit, heir string, limit time.Duration, now time.Time) (Record, Change) {
	if p.Unowned || !p.Probe || p.Epoch != r.Epoch {
		return r, Stale
	}
	r, change := r.move(HandedOver)
	r.Probe, r.Released = Lease{Holder: heir, Until: now.Add(HandOverGrace + limit + Margin)}, 1
	return r, change
}

// Extend takes the lease of holder over for holder itself, so that a request of
// at most limit fits in. The epoch is a new one: a request that was sent on the
// lease before, by a process that has gone silent since, decides nothing.
func Extend(r Record, holder string, limit time.Duration, now time.Time) (Record, Change) {
	until := now.Add(limit + Margin)
	if r.State != HalfOpen || r.Probe.Holder != holder || !until.After(r.Probe.Until) {
		return r, Unchanged
	}
	r, change := r.move(TakenOver)
	r.Probe.Until = until
	return r, change
}
