package main

import "callagent/bench/overlay"

// breakage is a fault of the code itself that the histories have to show.
type breakage struct {
	what  string
	edits []overlay.Edit
}

func broken(what, file, old, by string) breakage {
	return breakage{what, []overlay.Edit{{File: file, Old: old, New: by}}}
}

// breakages are what is put into the shipped code, one at a time.
var breakages = []breakage{
	broken("a failure of an older epoch counts", "core/breaker/results.go",
		"if f.Permit.Unowned || f.Permit.Epoch != r.Epoch {", "if f.Permit.Unowned {"),
	broken("a success of an older epoch counts", "core/breaker/results.go",
		"if p.Unowned || p.Epoch != r.Epoch {\n\t\treturn r, Stale\n\t}\n\tif p.Probe {", "if p.Unowned {\n\t\treturn r, Stale\n\t}\n\tif p.Probe {"),
	broken("a request sent without knowing the circuit counts", "core/breaker/results.go",
		"if f.Permit.Unowned || f.Permit.Epoch", "if f.Permit.Epoch"),
	broken("a half-open circuit admits everybody", "core/breaker/breaker.go",
		"case r.State == HalfOpen:\n\t\treturn Permit{}, ProbeRunning", "case r.State == HalfOpen:\n\t\treturn Permit{Epoch: r.Epoch}, None"),
	broken("a circuit is stored whatever its version", "infra/memory/circuits.go", "stored.Version != r.Version {", "false {"),
	broken("a circuit is believed for 5 s", "core/agent/circuit.go", "CacheFor     = time.Second ", "CacheFor     = 5*time.Second "),
	broken("a silent circuit store stops calls", "core/agent/circuit.go",
		"\tif !known {\n\t\treturn breaker.Permit{Unowned: true}, breaker.None", "\tif !known {\n\t\treturn breaker.Permit{}, breaker.CircuitOpen"),
	broken("two open circuits wait for each other", "core/agent/attempt.go",
		"\t\tcase r.State == breaker.HalfOpen && r.Probe.Holder == w.call.Key.String():\n\t\t\treturn true, nil\n", ""),
	broken("a lease that is lengthened stays the same", "core/breaker/probe.go",
		"r, change := r.move(TakenOver)\n\tr.Probe.Until = until", "change := Noted\n\tr.Probe.Until = until"),
	broken("faults of a contact count", "core/fault/treatment.go",
		`contact   = Treatment{Name: "permanent, contact", FailsCall: true}`, `contact   = Treatment{Name: "permanent, contact", FailsCall: true, Counts: true}`),
	broken("a fault of a contact keeps the probe", "core/breaker/results.go",
		"\tif !t.Counts && !t.Pauses {\n\t\tif f.Permit.Probe {\n\t\t\treturn Release(r, f.Permit, now)\n\t\t}", "\tif !t.Counts && !t.Pauses {"),
	broken("a look that meets an overload counts", "core/agent/outcome.go", "pausing.Overload = false", "pausing.Overload = f.Overload"),
	broken("a wait is cut short by a fast clock", "core/breaker/breaker.go", "return wait + c.Skew", "return wait"),
	broken("jitter shortens delays", "core/backoff/backoff.go", "float64(p.Initial)*(1+p.Jitter*u)", "float64(p.Initial)*(1-p.Jitter*u)"),
	broken("Retry-After is ignored", "core/backoff/backoff.go", "return max(p.Delay(n, u), retryAfter)", "return p.Delay(n, u)"),
	broken("a claim ignores the due time", "core/call/claim.go",
		"case (c.State == Waiting || c.State == Reconciling) && !a.past(c.Due) && !c.Answered():", "case false:"),
	broken("a claim ignores that clocks differ", "core/call/claim.go", "return !t.Add(a.Skew).After(a.Now)", "return !t.After(a.Now)"),
	broken("a claim ignores the lease", "core/call/claim.go", "case c.State == Running && !a.past(c.Lease.Until):", "case false:"),
	broken("a request is paid for without looking at the lease", "core/agent/attempt.go",
		"return !a.Clock.Now().Add(limit + call.LeaseMargin).After(w.leaseEnd)", "return true"),
	broken("the intent is not stored", "core/agent/dial.go",
		"if ok, err := a.intend(ctx, w, s, p.permit); !ok {\n\t\treturn err\n\t}",
		"w.call = w.call.Intends(a.NewID(), a.caller(w.campaign), a.Clock.Now())"),
	broken("an intent whose storing failed is taken for stored", "core/agent/dial.go", "&& a.intended(ctx, w) {", "{"),
	broken("a dial may leave long after its intent", "core/agent/dial.go", "deadline := w.leaseEnd.Add(-call.LeaseMargin)", "deadline := began.Add(time.Hour)"),
	broken("a lost dial is dialled again", "core/agent/outcome.go", "\tw.call = w.call.AskAgain(began, true)\n",
		"\tif len(listed) == 0 {\n\t\tw.call = w.call.Withdrawn().Until(began, began, \"again\")\n\t\treturn a.save(ctx, w, call.Write{Number: call.WithdrawNumber})\n\t}\n\tw.call = w.call.AskAgain(began, true)\n"),
	broken("a lost dial is given up too soon", "core/call/dial.go", "ListAfter     = time.Minute ", "ListAfter     = -time.Minute "),
	{"the ring of another call is adopted", []overlay.Edit{
		{File: "core/agent/outcome.go", Old: "case errors.Is(err, ErrNotFound), err == nil && owner == w.call.Key:", New: "case err == nil || errors.Is(err, ErrNotFound) || owner == w.call.Key:"},
		{File: "infra/memory/ledger.go", Old: "found && by != k {", New: "found && by != k && by.Campaign == \"\" {"},
	}},
	broken("a call ends unknown over its answer", "core/agent/outcome.go",
		"call.Write{Number: call.FreeNumber, Unanswered: true}", "call.Write{Number: call.FreeNumber}"),
	broken("the number is free while the phone rings", "core/agent/dial.go",
		"a.save(ctx, w, call.Write{Own: sid})", "a.save(ctx, w, call.Write{Own: sid, Number: call.FreeNumber})"),
	broken("the number is never free again", "core/agent/outcome.go",
		"return a.saveEnd(ctx, w, call.Write{Number: call.FreeNumber})\n}\n\n// lost", "return a.saveEnd(ctx, w, call.Write{})\n}\n\n// lost"),
	broken("a stored recording is forgotten", "core/call/park.go",
		"\tc = c.note(now, \"set aside: \"+p.Reason)", "\tc.Speech = \"\"\n\tc = c.note(now, \"set aside: \"+p.Reason)"),
	broken("nobody looks at parked calls again", "core/agent/tick.go",
		"if err != nil || len(parked) == 0 {\n\t\treturn\n\t}\n\tn, counts", "if err == nil || len(parked) == 0 {\n\t\treturn\n\t}\n\tn, counts"),
	broken("nobody wakes overdue calls", "core/agent/tick.go", "if stamped || !timely && !overdue {", "if stamped || !timely {"),
	broken("an outcome that the CRM does not have is forgotten", "core/call/park.go", `case c.Recorded == Pending || c.Notice != "":`, `case c.Notice != "":`),
	broken("a message is done with although the ledger is silent", "core/agent/handle.go",
		`return Verdict{Do: Again, At: now.Add(SilentLedger), Reason: "the ledger does not answer"}`, "return Verdict{Do: Done, At: now}"),
	broken("people are not told how a call ended", "core/agent/handle.go",
		`if c.Notice != "" && a.tell(ctx, c) && c.State.Final() {`, `if c.Notice != "" && c.State.Final() {`),
	broken("ticks tell nobody of a circuit", "core/agent/tick.go", "\ta.announce(ctx, s.circuit.Seen())\n", "\n"),
}
