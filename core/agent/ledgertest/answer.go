package ledgertest

import (
	"callagent/core/agent"
	"callagent/core/call"
)

var unansweredCases = []testCase{
	{"a write without an answer in the way is done", func(b *bench) {
		b.write(call.Write{Call: unknown("ada"), Unanswered: true})
	}},
	{"a final answer stands in the way", func(b *bench) {
		c := b.put(dialling("ada"))
		want := b.answer(c, busy("CA1"))
		c.SID = "CA1"
		b.refused(b.Put(b.ctx, call.Write{Call: c, Unanswered: true}), agent.ErrConflict)
		b.same("record", b.read(c.Key), want)
	}},
	{"a SID that the record does not have stands in the way", func(b *bench) {
		c := b.put(dialling("ada"))
		b.answer(c, ringing("CA1"))
		b.refused(b.Put(b.ctx, call.Write{Call: c, Unanswered: true}), agent.ErrConflict)
	}},
	{"a SID that the record has does not", func(b *bench) {
		c := b.put(dialling("ada"))
		b.answer(c, ringing("CA1"))
		c.SID = "CA1"
		b.write(call.Write{Call: c, Unanswered: true})
	}},
	{"a write that does not ask is done in spite of an answer", func(b *bench) {
		c := b.put(dialling("ada"))
		b.answer(c, busy("CA1"))
		b.put(c)
	}},
}

var answerCases = []testCase{
	{"an answer is stored and its SID owned", func(b *bench) {
		c := b.put(dialling("ada"))
		want := busy("CA1")
		b.same("answer given back", b.answer(c, busy("CA1")).Answer, &want)
		b.same("answer stored", b.read(c.Key).Answer, &want)
		b.owner("CA1", c.Key)
	}},
	{"the record and its version stay as they are", func(b *bench) {
		want := b.put(dialling("ada"))
		got := b.answer(want, busy("CA1"))
		got.Answer = nil
		b.same("record", got, want)
	}},
	{"the lease does not matter", func(b *bench) {
		c := dialling("ada")
		c.Lease = call.Lease{Holder: "somebody", Until: at(600)}
		b.answer(b.put(c), busy("CA1"))
	}},
	{"a holder's write does not undo it", func(b *bench) {
		c := b.put(dialling("ada"))
		b.answer(c, busy("CA1"))
		c.Retries = 1
		want := busy("CA1")
		b.same("answer", b.put(c).Answer, &want)
	}},
	{"a call without a record is not found", func(b *bench) {
		_, err := b.Answer(b.ctx, dialling("ada").Key, "attempt-ada", busy("CA1"))
		b.refused(err, agent.ErrNotFound)
		b.unowned("CA1")
	}},
	{"a call without an intent is not found", func(b *bench) {
		c := b.put(running("ada"))
		_, err := b.Answer(b.ctx, c.Key, "", busy("CA1"))
		b.refused(err, agent.ErrNotFound)
	}},
	{"a call with another intent is not found", func(b *bench) {
		c := b.put(dialling("ada"))
		_, err := b.Answer(b.ctx, c.Key, "attempt-before", busy("CA1"))
		b.refused(err, agent.ErrNotFound)
		b.same("record", b.read(c.Key), c)
		b.unowned("CA1")
	}},
	{"the intent of an older write does not count", func(b *bench) {
		c := b.put(dialling("ada"))
		c.Intent = nil
		c = b.put(c)
		_, err := b.Answer(b.ctx, c.Key, "attempt-ada", busy("CA1"))
		b.refused(err, agent.ErrNotFound)
	}},
	{"the SID alone comes first, the end later", func(b *bench) {
		c := b.put(dialling("ada"))
		b.answer(c, ringing("CA1"))
		want := busy("CA1")
		b.same("answer", b.answer(c, busy("CA1")).Answer, &want)
	}},
	{"the end without a SID keeps the SID that is known", func(b *bench) {
		c := b.put(dialling("ada"))
		b.answer(c, ringing("CA1"))
		want := busy("CA1")
		b.same("answer", b.answer(c, busy("")).Answer, &want)
	}},
	{"a second final answer that differs is refused", func(b *bench) {
		c := b.put(dialling("ada"))
		want := b.answer(c, busy("CA1"))
		other := busy("CA1")
		other.Result = call.Answered
		_, err := b.Answer(b.ctx, c.Key, c.Intent.Attempt, other)
		b.refused(err, agent.ErrConflict)
		b.same("record", b.read(c.Key), want)
	}},
	{"a new SID after the final answer is refused", func(b *bench) {
		c := b.put(dialling("ada"))
		b.answer(c, busy("CA1"))
		_, err := b.Answer(b.ctx, c.Key, c.Intent.Attempt, ringing("CA2"))
		b.refused(err, agent.ErrConflict)
		b.unowned("CA2")
	}},
	{"nothing new is no error", func(b *bench) {
		c := b.put(dialling("ada"))
		b.answer(c, ringing("CA1"))
		b.answer(c, ringing("CA1"))
		want := b.answer(c, busy("CA1"))
		for _, again := range []call.Answer{busy("CA1"), ringing("CA1"), busy("")} {
			again.At = at(30)
			b.same("record", b.answer(c, again), want)
		}
		b.same("record", b.read(c.Key), want)
	}},
	{"a SID of another call is refused", func(b *bench) {
		other := b.write(call.Write{Call: running("bob"), Own: "CA1"})
		c := b.put(dialling("ada"))
		_, err := b.Answer(b.ctx, c.Key, c.Intent.Attempt, busy("CA1"))
		b.taken(err, agent.SIDOwned, other.Key)
		b.same("record", b.read(c.Key), c)
		b.owner("CA1", other.Key)
	}},
	{"a callback's SID stands beside an adopted one", func(b *bench) {
		c := dialling("ada")
		c.SID = "CA1"
		c = b.write(call.Write{Call: c, Own: "CA1"})
		want := busy("CA2")
		got := b.answer(c, busy("CA2"))
		b.same("answer", got.Answer, &want)
		b.same("adopted SID", got.SID, "CA1")
		b.owner("CA1", c.Key)
		b.owner("CA2", c.Key)
	}},
	{"what the caller does to the call it was given changes nothing", func(b *bench) {
		c := b.put(dialling("ada"))
		got := b.answer(c, busy("CA1"))
		got.Answer.SID, got.Intent.Attempt = "x", "x"
		want, answer := dialling("ada"), busy("CA1")
		want.Version, want.Answer = 1, &answer
		b.same("record", b.read(c.Key), want)
	}},
}

var settleCases = []testCase{
	{"an unknown call is completed in the same write", func(b *bench) {
		c := b.put(unknown("ada"))
		now := b.h.Now().Round(0).UTC()
		got := b.answer(c, busy("CA1"))
		if got.Due.Before(now) || got.Due.After(b.h.Now()) {
			b.Errorf("due is %v, want the store's now: %v", got.Due, now)
		}
		want, _ := call.Settle(c, busy("CA1"), got.Due)
		answer := busy("CA1")
		want.Version, want.Answer = c.Version+1, &answer
		b.same("call given back", got, want)
		b.same("call stored", b.read(c.Key), want)
	}},
	{"a holder of the version before it can store nothing", func(b *bench) {
		c := b.put(unknown("ada"))
		b.answer(c, busy("CA1"))
		b.refused(b.Put(b.ctx, call.Write{Call: c}), agent.ErrConflict)
	}},
	{"the outcome is due to be recorded", func(b *bench) {
		b.answer(b.put(unknown("ada")), busy("CA1"))
		b.catchUp()
		calls, err := b.Due(b.ctx, b.h.Now(), 10)
		if err != nil {
			b.Fatal(err)
		}
		b.same("due", keys(calls), []string{"ada"})
	}},
	{"a SID alone settles nothing", func(b *bench) {
		want := b.put(unknown("ada"))
		got := b.answer(want, ringing("CA1"))
		got.Answer = nil
		b.same("record", got, want)
	}},
	{"a call that ended otherwise keeps its record", func(b *bench) {
		for _, state := range []call.State{call.Completed, call.Failed, call.Expired, call.Reconciling} {
			c := dialling(string(state))
			c.State = state
			want := b.put(c)
			got := b.answer(want, busy("CA-"+string(state)))
			got.Answer = nil
			b.same(string(state), got, want)
		}
	}},
}
