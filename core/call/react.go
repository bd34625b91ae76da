package call

import (
	"time"

	"callagent/core/alert"
	"callagent/core/backoff"
	"callagent/core/breaker"
	"callagent/core/fault"
)

// Situation is what is known when an attempt has failed.
type Situation struct {
	Now     time.Time
	Step    Step
	Circuit breaker.Record // after the failure was reported to it
	Policy  backoff.Policy
	U       float64 // drawn from [0, 1)
}

// AfterFault is the call after an attempt that failed with f: to be tried
// again, set aside, failed, or reconciled with the provider. Work that was
// stored is never thrown away, and nobody sleeps: the call says when it is due.
func AfterFault(c Call, f *fault.Fault, s Situation) Call {
	f = f.Settle()
	t := f.Treatment()
	open := s.Circuit.State != breaker.Closed
	switch {
	case t.Reconciles && s.Step == DialStep:
		return c.Asking(s.Now, alert.Words(f))
	case t.FailsCall && s.Step == RecordStep:
		return c.WasRecorded(Refused, "", s.Now)
	case t.FailsCall:
		return c.Failed(s.Now, alert.Words(f))
	case t.Trips:
		return c.accountFault(f, s, open)
	case open:
		return c.ForCircuit(s.Circuit.Service, s.Now, alert.Words(f))
	case t.Pauses:
		return c.Deferred(s.resume(f), s.Now, alert.Words(f))
	case c.Retries < s.Policy.MaxRetries:
		at := s.Now.Add(s.Policy.After(c.Retries, s.U, f.RetryAfter))
		c.Retries++
		return c.Deferred(at, s.Now, alert.Words(f))
	}
	return c.spent(s.Now, f.RetryAfter, "retries spent: "+alert.Words(f))
}

// Deferred makes the call's next step due at the time. By itself it uses up no
// retry. The record step of a finished call waits in the ledger, because its
// state stays what it is.
func (c Call) Deferred(at, now time.Time, why string) Call {
	if !c.State.Final() {
		return c.Until(at, now, why)
	}
	c.Due, c.Lease = at, Lease{}
	return c.note(now, why)
}

// accountFault parks the call until the circuit closes again: a wrong key must
// not fail ten thousand contacts. The second time, with a close in between, the
// fault is the contact's own. A circuit that stayed closed (an operator holds
// it, or its store was silent) can release nobody, so the call comes again by
// itself.
func (c Call) accountFault(f *fault.Fault, s Situation, open bool) Call {
	mine := c.Account != nil && c.Account.Service == s.Circuit.Service
	if mine && s.Circuit.ClosedAt.After(c.Account.At) {
		if s.Step == RecordStep {
			return c.WasRecorded(Refused, "", s.Now)
		}
		return c.Failed(s.Now, "again after others succeeded: "+alert.Words(f))
	}
	if !open {
		return c.For(max(breaker.AccountInterval, f.RetryAfter), s.Now, alert.Words(f))
	}
	if !mine {
		c.Account = &AccountFault{Service: s.Circuit.Service, At: s.Now}
	}
	return c.ForCircuit(s.Circuit.Service, s.Now, alert.Words(f))
}

// resume is when a throttled call may go on: after the pause, and spread over
// the same time again so that those who waited do not return together.
func (s Situation) resume(f *fault.Fault) time.Time {
	end := s.Now.Add(max(f.RetryAfter, time.Second))
	if s.Circuit.PausedUntil.After(end) {
		end = s.Circuit.PausedUntil
	}
	return end.Add(time.Duration(s.U * float64(end.Sub(s.Now))))
}
