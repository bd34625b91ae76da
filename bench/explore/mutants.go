package main

import "callagent/bench/overlay"

// mutant is a promise's line removed or bent, and the configuration that has to
// notice.
type mutant struct {
	name  string
	model string
	edits []overlay.Edit
}

func edit(file, before, after string) []overlay.Edit {
	return []overlay.Edit{{File: file, Old: before, New: after}}
}

const (
	results  = "core/breaker/results.go"
	probing  = "core/breaker/probe.go"
	memory   = "infra/memory/ledger.go"
	dialing  = "core/agent/dial.go"
	claiming = "core/call/claim.go"
)

// theMutants are the ones that every exploration has to catch.
func theMutants() []mutant {
	return append(circuitMutants(), protocolMutants()...)
}

func circuitMutants() []mutant {
	return []mutant{
		{"epoch check dropped", "count", []overlay.Edit{
			{File: results, Old: "if f.Permit.Unowned || f.Permit.Epoch != r.Epoch {", New: "if f.Permit.Unowned {"},
			{File: results, Old: "if p.Unowned || p.Epoch != r.Epoch {", New: "if p.Unowned {"},
		}},
		{"probe lease dropped", "probe", edit(probing,
			"case r.State == HalfOpen && now.After(r.Probe.Until.Add(Skew)):", "case r.State == HalfOpen:")},
		{"compare-and-swap without version", "count", edit("infra/memory/circuits.go",
			"stored.Version != r.Version {", "stored.Version < 0 {")},
		{"contact faults counted", "probe", edit("core/fault/treatment.go",
			`Name: "permanent, contact", FailsCall: true}`, `Name: "permanent, contact", FailsCall: true, Counts: true}`)},
		{"a success that finished before streak_at resets the streak", "count", edit(results,
			"if r.Streak > 0 && r.StreakAt.Before(finished) {", "if r.Streak > 0 {")},
		{"an overtaken report moves streak_at back", "count", edit(results,
			"r.StreakAt = later(r.StreakAt, now)", "r.StreakAt = now")},
		{"a young streak opens", "count", edit(results, "now.Sub(r.StreakFrom) >= c.Settle", "now.Sub(r.StreakFrom) >= 0")},
		{"a contact's fault keeps the probe", "probe", edit(results,
			"\t\tif f.Permit.Probe {\n\t\t\treturn Release(r, f.Permit, now)\n\t\t}\n\t\treturn r, Unchanged", "\t\treturn r, Unchanged")},
		{"a probe that is too late is sent", "probe", edit("core/breaker/breaker.go",
			"return p.sendBy != 0 && now.UnixNano() > p.sendBy", "return p.sendBy < 0 && now.UnixNano() > p.sendBy")},
		{"no skew for probe leases", "skew", edit(probing, "r.Probe.Until.Add(Skew)", "r.Probe.Until")},
		{"a forced opening forgets the probe under way", "operator", edit("core/breaker/operator.go",
			"r.OpenUntil = later(now, r.Probe.Until)", "r.OpenUntil = now")},
		{"a probe lease never runs out", "probe", edit(probing,
			"case r.State == HalfOpen && now.After(r.Probe.Until.Add(Skew)):", "case r.State == HalfOpen && r.Probe.Holder == \"\":")},
		{"a retry opens", "faults", edit(results, "if t.Trips || f.MayTrip && counted.ripe(c, now) {", "if t.Trips || counted.ripe(c, now) {")},
	}
}

func protocolMutants() []mutant {
	return []mutant{
		{"dial before intent", "one", edit(dialing,
			"err := a.put(limited, w, call.Write{Call: w.call, Number: call.TakeNumber})", "err := limited.Err()")},
		{"release changes the state", "outage", edit("infra/memory/views.go",
			"if !found || stored.State != c.State || stored.Park.Number != c.Park.Number {\n\t\treturn agent.ErrConflict\n\t}\n",
			"if !found {\n\t\treturn agent.ErrConflict\n\t}\n\tstored = c\n")},
		{"parked never looked at again", "outage", edit("core/agent/tick.go", "\t\ta.release(ctx, s, r)\n", "")},
		{"a foreign SID adopted", "callback", []overlay.Edit{
			{File: "core/agent/outcome.go", Old: "case errors.Is(err, ErrNotFound), err == nil && owner == w.call.Key:", New: "case errors.Is(err, ErrNotFound), err == nil && owner != call.Key{}:"},
			{File: memory, Old: "found && by != k {\n\t\treturn &agent.TakenError{What: agent.SIDOwned", New: "found && by == (call.Key{}) {\n\t\treturn &agent.TakenError{What: agent.SIDOwned"},
		}},
		{"claim ignores the due time", "one", edit(claiming,
			"(c.State == Waiting || c.State == Reconciling) && !a.past(c.Due) && !c.Answered():", "c.State == \"\" && !a.past(c.Due):")},
		{"alert before the compare-and-swap", "outage", edit("core/agent/circuit.go",
			"\t\tif err == nil {\n\t\t\treturn stored, change\n\t\t}\n", "\t\tif err == nil || change == breaker.Tripped {\n\t\t\treturn next, change\n\t\t}\n")},
		{"an old holder dials after take-over", "one", []overlay.Edit{
			{File: dialing, Old: "\tif err == nil {\n\t\treturn true, nil\n\t}\n\ts.circuit.Released", New: "\tif err == nil || errors.Is(err, ErrConflict) {\n\t\treturn true, nil\n\t}\n\ts.circuit.Released"},
			{File: dialing, Old: "late := began.Add(s.Timeout).After(deadline) || p.Late(began)", New: "late := p.Late(began)"},
		}},
		{"expiry after a SID", "expiry", edit("core/call/park.go",
			"if c.Dialled() || c.State.Final() || c.Contact.ExpiresAt.IsZero()", "if c.State.Final() || c.Contact.ExpiresAt.IsZero()")},
		{"'not there' counted from the intent", "one", []overlay.Edit{
			{File: "core/call/dial.go", Old: "!now.Before(c.Intent.Deadline.Add(ListAfter))", New: "!now.Before(c.Intent.At.Add(ListAfter))"},
			{File: "core/call/dial.go", Old: "at = later(at, c.Intent.Deadline.Add(ListAfter))", New: "at = later(at, c.Intent.At.Add(ListAfter))"},
		}},
		{"a callback's SID without its owner", "callback", edit(memory, "\t\tl.own(a.SID, k)\n", "")},
		{"the number freed before the final write", "one", edit(dialing,
			"err := a.save(ctx, w, call.Write{Own: sid})", "err := a.save(ctx, w, call.Write{Own: sid, Number: call.FreeNumber})")},
		{"'recorded: pending' out of the index", "one", edit("core/call/park.go",
			"case c.Recorded == Pending || c.Notice != \"\":", "case c.Notice != \"\":")},
		{"a version protects nothing", "one", edit(memory, "if old.Version != c.Version || w.Barred(old.Answer) {", "if w.Barred(old.Answer) {")},
		{"an intent is dialled again", "one", edit(claiming, "\tcase c.Dialled():\n\t\treturn OutcomeStep\n", "\tcase c.SID != \"\":\n\t\treturn OutcomeStep\n")},
		{"the number is not taken", "two", edit(memory, "n.holder, n.dialled[k.Campaign] = k, k", "n.dialled[k.Campaign] = k")},
		{"the campaign's mark is not set", "twins", edit(memory, "n.holder, n.dialled[k.Campaign] = k, k", "n.holder = k")},
		{"a dial too late in the lease", "one", edit(dialing, "late := began.Add(s.Timeout).After(deadline) || p.Late(began)", "late := p.Late(began)")},
		{"an overdue call is not woken", "one", edit("core/agent/tick.go", "overdue := now.Sub(c.Due) >= health.Overdue && now.After(c.Lease.Until.Add(a.Skew))", "overdue := now.Before(c.Due)")},
	}
}
