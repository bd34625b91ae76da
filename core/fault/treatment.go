package fault

// Treatment is what a fault means for everybody who has to react to it.
type Treatment struct {
	// Name heads the row in docs/faults.md.
	Name string
	// Retry: the same request may be sent again after a backoff delay, and
	// each time uses up one retry.
	Retry bool
	// Counts: the failure adds to the circuit's streak.
	Counts bool
	// Trips: the circuit opens at once, whatever its streak.
	Trips bool
	// Pauses: the service is left alone by everybody for a while. Waiting for
	// the pause uses up no retry.
	Pauses bool
	// FailsCall: the call can never succeed and ends failed.
	FailsCall bool
	// Reconciles: the provider has to be asked what happened before anything
	// else is done with the call.
	Reconciles bool
}

// The rows of the table. One fault has exactly one of them.
var (
	transient = Treatment{Name: "transient, service", Retry: true, Counts: true}
	throttled = Treatment{Name: "throttled", Pauses: true}
	overload  = Treatment{Name: "throttled by overload", Pauses: true, Counts: true}
	contact   = Treatment{Name: "permanent, contact", FailsCall: true}
	account   = Treatment{Name: "permanent, account", Trips: true, Counts: true}
	ambiguous = Treatment{Name: "ambiguous", Counts: true, Reconciles: true}
)

// Treatments lists the rows in the order of the documentation.
func Treatments() []Treatment {
	return []Treatment{transient, throttled, overload, contact, account, ambiguous}
}

// Treatment finds the fault's row. A permanent fault of the service's own scope
// is treated as the account's: everyone would fail the same way.
func (f *Fault) Treatment() Treatment {
	f = f.Settle()
	switch {
	case f.Class == Ambiguous:
		return ambiguous
	case f.Kind == Throttled && f.Overload:
		return overload
	case f.Kind == Throttled:
		return throttled
	case f.Class == Permanent && f.Scope == Contact:
		return contact
	case f.Class == Permanent:
		return account
	default:
		return transient
	}
}
