package ledgertest

import (
	"callagent/core/agent"
	"callagent/core/call"
)

// try takes the number for a call that has no record yet.
func (b *bench) try(c call.Call) error {
	return b.Put(b.ctx, call.Write{Call: c, Number: call.TakeNumber})
}

var numberCases = []testCase{
	{"a free number is taken", func(b *bench) {
		b.take(running("ada"))
	}},
	{"its own number is taken again", func(b *bench) {
		c := b.take(running("ada"))
		b.same("version", b.take(c).Version, int64(2))
	}},
	{"a number with a live call is busy, in every campaign", func(b *bench) {
		ada := b.take(running("ada"))
		b.taken(b.try(in("autumn", "bob")), agent.NumberBusy, ada.Key)
		b.absent(in("autumn", "bob").Key)
	}},
	{"busy is said before dialled: the live call may still withdraw", func(b *bench) {
		ada := b.take(running("ada"))
		b.taken(b.try(running("bob")), agent.NumberBusy, ada.Key)
	}},
	{"another number is free", func(b *bench) {
		b.take(running("ada"))
		other := running("bob")
		other.Number = "another-hash"
		b.take(other)
	}},
	{"a freed number stays dialled for its campaign", func(b *bench) {
		ada := b.take(running("ada"))
		b.write(call.Write{Call: ada, Number: call.FreeNumber})
		b.taken(b.try(running("bob")), agent.NumberMarked, ada.Key)
		b.absent(running("bob").Key)
	}},
	{"a freed number is free for another campaign", func(b *bench) {
		ada := b.take(running("ada"))
		b.write(call.Write{Call: ada, Number: call.FreeNumber})
		bob := b.take(in("autumn", "bob"))
		b.write(call.Write{Call: bob, Number: call.FreeNumber})
		b.taken(b.try(in("autumn", "cleo")), agent.NumberMarked, bob.Key)
		b.taken(b.try(running("dora")), agent.NumberMarked, ada.Key)
	}},
	{"a freed number may be taken again by the call that dialled it", func(b *bench) {
		ada := b.take(running("ada"))
		ada = b.write(call.Write{Call: ada, Number: call.FreeNumber})
		b.take(ada)
	}},
	{"a withdrawn number is as if never taken", func(b *bench) {
		ada := b.take(running("ada"))
		b.write(call.Write{Call: ada, Number: call.WithdrawNumber})
		b.take(running("bob"))
	}},
	{"freeing leaves a number alone that another call holds", func(b *bench) {
		bob := b.put(in("autumn", "bob"))
		ada := b.take(running("ada"))
		b.write(call.Write{Call: bob, Number: call.FreeNumber})
		b.taken(b.try(in("winter", "cleo")), agent.NumberBusy, ada.Key)
	}},
	{"withdrawing leaves a mark alone that another call made", func(b *bench) {
		bob := b.put(running("bob"))
		ada := b.take(running("ada"))
		b.write(call.Write{Call: bob, Number: call.WithdrawNumber})
		b.taken(b.try(in("winter", "cleo")), agent.NumberBusy, ada.Key)
		b.write(call.Write{Call: ada, Number: call.FreeNumber})
		b.taken(b.try(running("dora")), agent.NumberMarked, ada.Key)
	}},
	{"freeing a number that nobody took is no error", func(b *bench) {
		b.write(call.Write{Call: running("ada"), Number: call.FreeNumber})
		b.write(call.Write{Call: running("bob"), Number: call.WithdrawNumber})
		b.take(running("cleo"))
	}},
	{"keeping leaves the number as it is", func(b *bench) {
		ada := b.take(running("ada"))
		b.put(ada)
		b.taken(b.try(in("autumn", "bob")), agent.NumberBusy, ada.Key)
	}},
	{"a lost version changes no number", func(b *bench) {
		ada := b.take(running("ada"))
		b.put(ada)
		b.refused(b.Put(b.ctx, call.Write{Call: ada, Number: call.FreeNumber}), agent.ErrConflict)
		b.taken(b.try(in("autumn", "bob")), agent.NumberBusy, ada.Key)
	}},
	{"a refused number leaves the record as it was", func(b *bench) {
		b.take(running("ada"))
		want := b.put(in("autumn", "bob"))
		changed := want
		changed.Retries = 9
		if err := b.try(changed); err == nil {
			b.Error("the number was taken twice")
		}
		b.same("record", b.read(want.Key), want)
	}},
	{"a blocked number is refused, to its holder too", func(b *bench) {
		ada := b.take(running("ada"))
		if err := b.Block(b.ctx, ada.Number); err != nil {
			b.Fatal(err)
		}
		b.refused(b.try(ada), agent.ErrBlocked)
		b.refused(b.try(in("autumn", "bob")), agent.ErrBlocked)
		b.same("record", b.read(ada.Key), ada)
	}},
}

var sidCases = []testCase{
	{"nobody owns a SID at first", func(b *bench) { b.unowned("CA1") }},
	{"a write owns its SID", func(b *bench) {
		ada := b.write(call.Write{Call: running("ada"), Own: "CA1"})
		b.owner("CA1", ada.Key)
	}},
	{"its own SID is owned again", func(b *bench) {
		ada := b.write(call.Write{Call: running("ada"), Own: "CA1"})
		b.write(call.Write{Call: ada, Own: "CA1"})
		b.owner("CA1", ada.Key)
	}},
	{"a call may own two SIDs", func(b *bench) {
		ada := b.write(call.Write{Call: running("ada"), Own: "CA1"})
		b.write(call.Write{Call: ada, Own: "CA2"})
		b.owner("CA1", ada.Key)
		b.owner("CA2", ada.Key)
	}},
	{"a SID belongs to one call", func(b *bench) {
		ada := b.write(call.Write{Call: running("ada"), Own: "CA1"})
		b.taken(b.Put(b.ctx, call.Write{Call: running("bob"), Own: "CA1"}), agent.SIDOwned, ada.Key)
		b.absent(running("bob").Key)
		b.owner("CA1", ada.Key)
	}},
	{"a refused SID takes no number", func(b *bench) {
		other := running("ada")
		other.Number = "another-hash"
		b.write(call.Write{Call: other, Own: "CA1"})
		w := call.Write{Call: in("autumn", "bob"), Number: call.TakeNumber, Own: "CA1"}
		b.taken(b.Put(b.ctx, w), agent.SIDOwned, other.Key)
		b.take(running("cleo"))
	}},
	{"a lost version owns nothing", func(b *bench) {
		ada := b.put(running("ada"))
		b.put(ada)
		b.refused(b.Put(b.ctx, call.Write{Call: ada, Own: "CA1"}), agent.ErrConflict)
		b.unowned("CA1")
	}},
	{"a refused number owns nothing", func(b *bench) {
		b.take(running("ada"))
		w := call.Write{Call: in("autumn", "bob"), Number: call.TakeNumber, Own: "CA1"}
		if err := b.Put(b.ctx, w); err == nil {
			b.Error("the number was taken twice")
		}
		b.unowned("CA1")
	}},
}
