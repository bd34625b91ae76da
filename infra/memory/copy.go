package memory

import (
	"time"

	"callagent/core/breaker"
)

// utc is the time as a store gives it back: in UTC, without monotonic reading.
func utc(t time.Time) time.Time { return t.Round(0).UTC() }

// copyRecord copies everything that the record refers to. The cause of the
// last fault is an error of this process and is not kept.
func copyRecord(r breaker.Record) breaker.Record {
	for _, t := range []*time.Time{
		&r.StreakAt, &r.StreakFrom, &r.NoiseAt, &r.OpenedAt, &r.OpenUntil, &r.ClosedAt,
		&r.Probe.Until, &r.PausedFrom, &r.PausedUntil,
	} {
		*t = utc(*t)
	}
	if r.LastFault != nil {
		f := *r.LastFault
		f.Cause = nil
		r.LastFault = &f
	}
	return r
}
