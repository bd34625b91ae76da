package main

import "callagent/bench/overlay"

// promise is one that callagent makes, and the lines that keep it.
type promise struct {
	Number int
	Lines  []line
}

// line is a line of the shipped code, and the test that fails without it.
type line struct {
	Keeps   string // what is promised by it
	Removed string // what is done to it, in words
	Package string // of the test, relative to the module
	Test    string
	Edit    overlay.Edit
}

const (
	claims   = "core/call/claim.go"
	dials    = "core/call/dial.go"
	results  = "core/breaker/results.go"
	admits   = "core/breaker/breaker.go"
	handles  = "core/agent/handle.go"
	circuits = "core/agent/circuit.go"
	ticks    = "core/agent/tick.go"
	ledger   = "infra/memory/ledger.go"
)

// promises are those of docs/promises.md, in its order.
var promises = []promise{
	{1, []line{
		{
			Keeps: "a call that has its outcome keeps it", Removed: "a finished call can be claimed like any other",
			Package: "core/call", Test: "TestStories",
			Edit: overlay.Edit{File: claims, Old: "\tcase c.State.Final():\n\t\treturn claimFinal(c, a)\n\tcase c.State == Running &&", New: "\tcase c.State == Running &&"},
		},
		{
			Keeps: "a message goes only when the ledger has its call", Removed: "a message is done although the ledger is silent",
			Package: "core/agent", Test: "TestAMessageWhoseCallCouldNotBeStoredComesBack",
			Edit: overlay.Edit{File: handles, Old: "return Verdict{Do: Again, At: now.Add(SilentLedger), Reason:", New: "return Verdict{Do: Done, At: now.Add(SilentLedger), Reason:"},
		},
		{
			Keeps: "only evidence or a person changes an outcome", Removed: "an answer settles a call that has one",
			Package: "core/call", Test: "TestHear",
			Edit: overlay.Edit{File: "core/call/answer.go", Old: "\tcase c.Answered():\n\t\treturn c, TooLate\n", New: ""},
		},
	}},
	{2, []line{
		{
			Keeps: "a call that may have rung is never dialled again", Removed: "a dialled call goes on with its next step",
			Package: "core/agent", Test: "TestAnAmbiguousDialIsAdoptedAndNeverRedialled",
			Edit: overlay.Edit{File: claims, Old: "\tcase c.Dialled():\n\t\treturn OutcomeStep\n", New: ""},
		},
		{
			Keeps: "the intent is stored before the request", Removed: "the intent is not stored",
			Package: "core/agent", Test: "TestEachStepIsStoredBeforeTheNextStarts",
			Edit: overlay.Edit{File: "core/agent/dial.go", Old: "\terr := a.put(limited, w, call.Write{Call: w.call, Number: call.TakeNumber})", New: "\tvar err error\n\t_ = limited"},
		},
		{
			Keeps: "a number is dialled once in a campaign, whatever the contact's id", Removed: "nobody asks for whom the number was dialled",
			Package: "core/agent", Test: "TestASecondContactWithANumberAlreadyDialledInItsCampaignEndsFailed",
			Edit: overlay.Edit{File: ledger, Old: "dialled && by != k {", New: "dialled && by != k && false {"},
		},
		{
			Keeps: "one holder works on a call", Removed: "a call can be claimed while its lease runs",
			Package: "core/call", Test: "TestStories",
			Edit: overlay.Edit{File: claims, Old: "\tcase c.State == Running && !a.past(c.Lease.Until):\n\t\treturn Claiming{Do: ComeBack, At: c.Lease.Until.Add(a.Skew), Reason: \"somebody works on it\"}\n\tcase c.State == Parked", New: "\tcase c.State == Parked"},
		},
		{
			Keeps: "a decision on an old record is not stored", Removed: "the ledger writes without asking for the version",
			Package: "infra/memory", Test: "TestLedger",
			Edit: overlay.Edit{File: ledger, Old: "if old.Version != c.Version || w.Barred(old.Answer) {", New: "if w.Barred(old.Answer) {"},
		},
	}},
	{3, []line{
		{
			Keeps: "a script is stored before its speech is paid for", Removed: "the script is kept in mind only",
			Package: "core/agent", Test: "TestEachStepIsStoredBeforeTheNextStarts",
			Edit: overlay.Edit{File: "core/agent/steps.go", Old: "\tw.call = w.call.Made(call.ScriptStep, ref, a.Clock.Now())\n\treturn a.save(ctx, w, call.Write{})", New: "\tw.call = w.call.Made(call.ScriptStep, ref, a.Clock.Now())\n\treturn nil"},
		},
		{
			Keeps: "a stored step is not requested again", Removed: "a call begins with its script whenever it is claimed",
			Package: "core/agent", Test: "TestTheRequiredScenario",
			Edit: overlay.Edit{File: claims, Old: "\tc.Lease = Lease{Holder: a.Holder, Until: a.Now.Add(a.Lease)}\n", New: "\tc.Lease = Lease{Holder: a.Holder, Until: a.Now.Add(a.Lease)}\n\tif !c.Dialled() {\n\t\tc.Script, c.Speech = \"\", \"\"\n\t}\n"},
		},
	}},
	{4, []line{
		{
			Keeps: "what was not told is told by the next tick", Removed: "ticks do not announce",
			Package: "core/agent", Test: "TestAnAlertThatCouldNotBeStoredIsRaisedAgain",
			Edit: overlay.Edit{File: ticks, Old: "\ta.announce(ctx, s.circuit.Seen())\n", New: ""},
		},
		{
			Keeps: "an alert that is raised again is not told again", Removed: "the outbox takes every alert",
			Package: "infra/memory", Test: "TestOutbox",
			Edit: overlay.Edit{File: "infra/memory/outbox.go", Old: "if c := o.channel(name); !c.raised[a.ID] {", New: "if c := o.channel(name); true {"},
		},
		{
			Keeps: "a message that could be cut off under way is not begun", Removed: "a message is begun whenever it is its turn",
			Package: "core/agent", Test: "TestAMessageThatCouldBeCutOffIsNotBegun",
			Edit: overlay.Edit{File: "core/agent/dispatch.go", Old: "\tif timeLeft(ctx, d.Clock) <= d.Timeout {", New: "\tif false {"},
		},
		{
			Keeps: "the end of the work cuts off no message", Removed: "what is under way ends with the work",
			Package: "infra/wiring/machine", Test: "TestAMessageUnderWayIsNotCutOffAndSentAgain",
			Edit: overlay.Edit{File: "infra/wiring/machine/run.go", Old: "app.dispatcher.Flush(work, name, false)", New: "app.dispatcher.Flush(background, name, false)"},
		},
		{
			Keeps: "the alerts of one outage have one id each", Removed: "a relapse makes an outage of its own",
			Package: "core/alert", Test: "TestRelapsesAreToldOnceAsUnstable",
			Edit: overlay.Edit{File: results, Old: "\tif relapse {\n\t\tr.Relapses++\n\t} else {", New: "\tif relapse {\n\t\tr.Relapses++\n\t}\n\t{"},
		},
		{
			Keeps: "only the one whose write was stored tells of it", Removed: "whoever lost the race believes that it won",
			Package: "core/agent", Test: "TestOnlyTheWinnerOfARaceTrips",
			Edit: overlay.Edit{File: circuits, Old: "\treturn stored, ErrConflict\n", New: "\treturn stored, nil\n"},
		},
		{
			Keeps: "a close is told when it has held for two minutes", Removed: "a close is told at once",
			Package: "core/alert", Test: "TestACloseThatDidNotHoldIsNotTold",
			Edit: overlay.Edit{File: "core/alert/circuit.go", Old: "if r.State == breaker.Closed && now.Sub(r.ClosedAt) >= health.HoldsAfter {", New: "if r.State == breaker.Closed {"},
		},
	}},
	{5, []line{
		{
			Keeps: "a reading is believed for a second", Removed: "a reading is believed for a minute",
			Package: "core/agent", Test: "TestReadsAreAtMostOnePerServiceProcessAndSecond",
			Edit: overlay.Edit{File: circuits, Old: "CacheFor     = time.Second ", New: "CacheFor     = time.Minute "},
		},
		{
			Keeps: "an open circuit refuses", Removed: "an open circuit lets pass",
			Package: "core/breaker", Test: "TestStories",
			Edit: overlay.Edit{File: admits, Old: "\tcase r.State == Open:\n\t\treturn Permit{}, CircuitOpen\n", New: ""},
		},
		{
			Keeps: "a circuit that is tested refuses all others", Removed: "a half open circuit lets pass",
			Package: "core/breaker", Test: "TestStories",
			Edit: overlay.Edit{File: admits, Old: "\tcase r.State == HalfOpen:\n\t\treturn Permit{}, ProbeRunning\n\tcase now.Before", New: "\tcase now.Before"},
		},
		{
			Keeps: "a lease is taken over only when it is over on every clock", Removed: "a lease can be taken over while it runs",
			Package: "core/breaker", Test: "TestStories",
			Edit: overlay.Edit{File: "core/breaker/probe.go", Old: "case r.State == HalfOpen && now.After(r.Probe.Until.Add(Skew)):", New: "case r.State == HalfOpen:"},
		},
		{
			Keeps: "a probe is sent only while its lease outlasts it", Removed: "a prober may send whenever it likes",
			Package: "core/breaker", Test: "TestStories",
			Edit: overlay.Edit{File: admits, Old: "\t\tif now.After(sendBy) {\n\t\t\treturn Permit{}, ProbeRunning\n\t\t}\n", New: ""},
		},
	}},
	{6, []line{
		{
			Keeps: "a failure from before a transition changes nothing", Removed: "failures are counted whatever their epoch",
			Package: "core/breaker", Test: "TestStories",
			Edit: overlay.Edit{File: results, Old: "if f.Permit.Unowned || f.Permit.Epoch != r.Epoch {", New: "if f.Permit.Unowned {"},
		},
		{
			Keeps: "a success from before a transition changes nothing", Removed: "successes count whatever their epoch",
			Package: "core/breaker", Test: "TestStories",
			Edit: overlay.Edit{File: results, Old: "func Success(r Record, p Permit, finished time.Time) (Record, Change) {\n\tif p.Unowned || p.Epoch != r.Epoch {", New: "func Success(r Record, p Permit, finished time.Time) (Record, Change) {\n\tif p.Unowned {"},
		},
		{
			Keeps: "a permit that was given blindly changes nothing", Removed: "such a permit is one of epoch 0",
			Package: "core/breaker", Test: "TestStories",
			Edit: overlay.Edit{File: results, Old: "if f.Permit.Unowned || f.Permit.Epoch != r.Epoch {", New: "if f.Permit.Epoch != r.Epoch {"},
		},
	}},
	{7, []line{
		{
			Keeps: "a contact's fault does not count", Removed: "it counts",
			Package: "core/breaker", Test: "TestStories",
			Edit: overlay.Edit{File: "core/fault/treatment.go", Old: "Name: \"permanent, contact\", FailsCall: true}", New: "Name: \"permanent, contact\", FailsCall: true, Counts: true}"},
		},
		{
			Keeps: "a contact's fault gives the probe back", Removed: "the lease stays with the call that failed",
			Package: "core/breaker", Test: "TestStories",
			Edit: overlay.Edit{File: results, Old: "\t\tif f.Permit.Probe {\n\t\t\treturn Release(r, f.Permit, now)\n\t\t}\n\t\treturn r, Unchanged", New: "\t\treturn r, Unchanged"},
		},
	}},
	{8, []line{
		{
			Keeps: "5, 10 and 20 s are floors", Removed: "jitter shortens",
			Package: "core/backoff", Test: "TestJitterOnlyLengthens",
			Edit: overlay.Edit{File: "core/backoff/backoff.go", Old: "(1+p.Jitter*u)", New: "(1-p.Jitter*u)"},
		},
		{
			Keeps: "a Retry-After is a floor", Removed: "the policy's own delay is enough",
			Package: "core/backoff", Test: "TestAfterIsNeverShorterThanAsked",
			Edit: overlay.Edit{File: "core/backoff/backoff.go", Old: "return max(p.Delay(n, u), retryAfter)", New: "return p.Delay(n, u)"},
		},
		{
			Keeps: "a faster clock does not shorten a delay", Removed: "due times are judged by the reader's own clock",
			Package: "core/call", Test: "TestStories",
			Edit: overlay.Edit{File: claims, Old: "return !t.Add(a.Skew).After(a.Now)", New: "return !t.After(a.Now)"},
		},
		{
			Keeps: "a pause that a server asked for holds on every clock", Removed: "it is stored as it was asked for",
			Package: "core/breaker", Test: "TestAWaitThatAServerAskedForHoldsOnEveryClock",
			Edit: overlay.Edit{File: admits, Old: "\treturn wait + c.Skew\n", New: "\treturn wait\n"},
		},
	}},
	{9, []line{
		{
			Keeps: "a circuit that is closed releases what waits for it", Removed: "ticks release nothing",
			Package: "core/agent", Test: "TestTheRampReleases102040Per5sWhateverTheNumberOfTicks",
			Edit: overlay.Edit{File: ticks, Old: "\t\ta.release(ctx, s, r)\n", New: "\t\t_ = r\n"},
		},
		{
			Keeps: "an open circuit is tested until it closes", Removed: "ticks do not probe",
			Package: "core/agent", Test: "TestTheRequiredScenario",
			Edit: overlay.Edit{File: ticks, Old: "\t\ta.probe(ctx, s)\n", New: ""},
		},
		{
			Keeps: "two open circuits do not wait for each other", Removed: "a call that tests one is parked for the other",
			Package: "core/agent", Test: "TestTwoOpenCircuitsDoNotWaitForEachOther",
			Edit: overlay.Edit{File: "core/agent/attempt.go", Old: "\t\tcase r.State == breaker.HalfOpen && r.Probe.Holder == w.call.Key.String():\n\t\t\treturn true, nil\n", New: ""},
		},
		{
			Keeps: "a number is free again when its call has ended", Removed: "an answered call keeps its number",
			Package: "core/agent", Test: "TestAMessageThatIsDoubledOrLostChangesNothing",
			Edit: overlay.Edit{File: "core/agent/outcome.go", Old: "\tw.call = w.call.Completed(answer, a.Clock.Now(), a.CRM != nil)\n\treturn a.saveEnd(ctx, w, call.Write{Number: call.FreeNumber})", New: "\tw.call = w.call.Completed(answer, a.Clock.Now(), a.CRM != nil)\n\treturn a.saveEnd(ctx, w, call.Write{})"},
		},
	}},
	{10, []line{
		{
			Keeps: "a silent circuit store stops no call", Removed: "requests are refused while it is silent",
			Package: "core/agent", Test: "TestACircuitStoreOutageStopsNoCall",
			Edit: overlay.Edit{File: circuits, Old: "\t\treturn breaker.Permit{Unowned: true}, breaker.None\n", New: "\t\treturn breaker.Permit{Unowned: true}, breaker.CircuitOpen\n"},
		},
		{
			Keeps: "the emergency stop holds even then", Removed: "a silent store lifts it",
			Package: "core/agent", Test: "TestTheEmergencyStopHoldsWhileTheStoreIsSilent",
			Edit: overlay.Edit{File: circuits, Old: "if !known && c.Seen().Forced == breaker.ForcedOpen {", New: "if false {"},
		},
		{
			Keeps: "nothing is dialled while the ledger is silent", Removed: "an unstored intent is as good as a stored one",
			Package: "core/agent", Test: "TestIfTheLedgerIsUnreachableNothingIsDialledAndTheMessageGoesBack",
			Edit: overlay.Edit{File: "core/agent/dial.go", Old: "!errors.Is(err, ErrConflict) && a.intended(ctx, w) {", New: "!errors.Is(err, ErrConflict) {"},
		},
	}},
	{11, []line{
		{
			Keeps: "a call whose message is lost is found", Removed: "the overdue are not looked for",
			Package: "core/agent", Test: "TestACallWhoseMessageIsLostIsWokenWhenItIsTwoMinutesOverdue",
			Edit: overlay.Edit{File: ticks, Old: "overdue := now.Sub(c.Due) >= health.Overdue &&", New: "overdue := false &&"},
		},
		{
			Keeps: "a call whose holder died is taken over", Removed: "a lease never ends",
			Package: "core/call", Test: "TestStories",
			Edit: overlay.Edit{File: claims, Old: "case c.State == Running && !a.past(c.Lease.Until):", New: "case c.State == Running:"},
		},
		{
			Keeps: "an outcome that the CRM does not have stays in the index", Removed: "a finished call has no due time",
			Package: "core/call", Test: "TestStories",
			Edit: overlay.Edit{File: "core/call/park.go", Old: "case c.Recorded == Pending || c.Notice != \"\":", New: "case c.Notice != \"\":"},
		},
		{
			Keeps: "a parked call comes back when its time has come", Removed: "ticks do not wake it",
			Package: "core/agent", Test: "TestRetriesSpentWhileTheCircuitStaysClosedParkUntil12481630",
			Edit: overlay.Edit{File: ticks, Old: "timely := c.State == call.Parked && !c.Park.Until.IsZero() &&", New: "timely := false &&"},
		},
	}},
}
