package ledgertest

import (
	"callagent/core/agent"
	"callagent/core/call"
)

// again is the write with which a person orders another call.
func (b *bench) again(c call.Call) call.Write {
	b.Helper()
	next, kept, ok := c.Again(at(30))
	if !ok {
		b.Fatalf("%s is %s and cannot be ordered again", c.Key, c.State)
	}
	return call.Write{Call: next, Keep: &kept}
}

// ended is a call that dialled its number, has a callback's answer and is over.
func (b *bench) ended(contact string) call.Call {
	b.Helper()
	c := b.take(dialling(contact))
	c.SID = "CA-" + contact
	c = b.write(call.Write{Call: c, Own: c.SID})
	c = b.answer(c, busy(c.SID))
	c.State, c.Result, c.Recorded, c.FinishedAt = call.Completed, call.Busy, call.Yes, at(3)
	return b.write(call.Write{Call: c, Number: call.FreeNumber})
}

var keepCases = []testCase{
	{"the new round stands under the call's key, the old one under its own, with its answer", func(b *bench) {
		c := b.ended("ada")
		w := b.again(c)
		next, kept := w.Call, *w.Keep
		got := b.write(w)
		next.Version, kept.Version = c.Version+1, c.Version+1
		b.same("new round", got, next)
		b.same("kept round", b.read(kept.Key), kept)
		if got.Answer != nil || kept.Answer == nil {
			b.Errorf("the new round has the answer %v, the kept one %v", got.Answer, kept.Answer)
		}
	}},
	{"every SID of the old round belongs to it", func(b *bench) {
		c := b.ended("ada")
		c = b.write(call.Write{Call: c, Own: "CA-adopted"})
		w := b.again(c)
		c = b.write(w)
		b.owner("CA-ada", w.Keep.Key)
		b.owner("CA-adopted", w.Keep.Key)
		b.taken(b.Put(b.ctx, call.Write{Call: c, Own: "CA-ada"}), agent.SIDOwned, w.Keep.Key)
		b.owner("CA-other", b.write(call.Write{Call: c, Own: "CA-other"}).Key)
	}},
	{"the number stays with the call's key: the new round may dial, another call may not", func(b *bench) {
		c := b.write(b.again(b.ended("ada")))
		b.taken(b.try(running("bob")), agent.NumberMarked, c.Key)
		c = b.take(c)
		b.taken(b.try(in("autumn", "bob")), agent.NumberBusy, c.Key)
		b.write(call.Write{Call: c, Number: call.WithdrawNumber})
		b.take(running("bob"))
	}},
	{"a late answer to the old round changes nothing of the new one", func(b *bench) {
		c := b.put(unknown("ada"))
		w := b.again(c)
		want := b.write(w)
		_, err := b.Answer(b.ctx, c.Key, "attempt-ada", busy("CA1"))
		b.refused(err, agent.ErrNotFound)
		b.same("new round", b.read(c.Key), want)
		b.unowned("CA1")
	}},
	{"the new round has its own answer", func(b *bench) {
		w := b.again(b.ended("ada"))
		c := b.write(w)
		c.State, c.Intent = call.Running, &call.Intent{Attempt: "second", At: at(31), Deadline: at(32)}
		b.answer(b.put(c), busy("CA2"))
		b.owner("CA2", c.Key)
		b.same("kept answer", b.read(w.Keep.Key).Answer.SID, "CA-ada")
	}},
	{"a round after the next keeps both", func(b *bench) {
		first := b.again(b.ended("ada"))
		c := b.write(first)
		c.State = call.Failed
		second := b.again(b.put(c))
		b.same("round", b.write(second).Round, 3)
		b.same("kept", []string{b.read(first.Keep.Key).Key.Contact, b.read(second.Keep.Key).Key.Contact}, []string{"ada#1", "ada#2"})
	}},
	{"a lost version keeps nothing", func(b *bench) {
		c := b.ended("ada")
		w := b.again(c)
		want := b.put(c)
		b.refused(b.Put(b.ctx, w), agent.ErrConflict)
		b.absent(w.Keep.Key)
		b.same("record", b.read(c.Key), want)
		b.owner("CA-ada", c.Key)
	}},
	{"what is kept already is not overwritten", func(b *bench) {
		w := b.again(b.ended("ada"))
		there := running("ada#1")
		want := b.put(there)
		b.refused(b.Put(b.ctx, w), agent.ErrConflict)
		b.same("record", b.read(want.Key), want)
		b.same("call", b.read(w.Call.Key).State, call.Completed)
	}},
	{"a call without a record has nothing to keep", func(b *bench) {
		kept := running("ada#1")
		b.refused(b.Put(b.ctx, call.Write{Call: running("ada"), Keep: &kept}), agent.ErrConflict)
		b.absent(running("ada").Key)
		b.absent(kept.Key)
	}},
	{"the new round is due, the kept one never is", func(b *bench) {
		b.write(b.again(b.put(unknown("ada"))))
		b.same("before", keys(b.dueBy(29, 10)), []string{})
		b.same("due", keys(b.dueBy(30, 10)), []string{"ada"})
	}},
	{"kept rounds are listed and counted apart", func(b *bench) {
		b.write(b.again(b.ended("ada")))
		b.same("calls", keys(b.selected(call.Filter{})), []string{"ada", "ada#1"})
		b.same("of the contact", keys(b.selected(call.Filter{Contact: "ada"})), []string{"ada"})
		counts, err := b.Counts(b.ctx)
		if err != nil {
			b.Fatal(err)
		}
		b.same("counts", counts, []call.Count{
			{Campaign: "spring", State: call.Completed, Result: call.Busy, Kept: 1},
			{Campaign: "spring", State: call.Waiting, Calls: 1},
		})
	}},
}
