package ledgertest

import (
	"context"
	"reflect"
	"time"

	"callagent/core/agent"
	"callagent/core/call"
)

var getCases = []testCase{
	{"a call nobody wrote is not found", func(b *bench) {
		b.absent(call.Key{Campaign: "spring", Contact: "nobody"})
	}},
	{"every field comes back", func(b *bench) {
		want := full()
		want.Version = 1
		b.same("record", b.put(full()), want)
	}},
	{"the fixture sets every field but the answer", func(b *bench) {
		v := reflect.ValueOf(full())
		for i := range v.NumField() {
			name := v.Type().Field(i).Name
			if v.Field(i).IsZero() && name != "Answer" && name != "Version" {
				b.Errorf("%s is not set: the check before this one cannot see it", name)
			}
		}
	}},
	{"the answer comes with the record", func(b *bench) {
		c := b.put(dialling("ada"))
		b.answer(c, busy("CA1"))
		want := busy("CA1")
		b.same("answer", b.read(c.Key).Answer, &want)
	}},
	{"times come back in UTC without monotonic reading", func(b *bench) {
		c := running("ada")
		c.Due = time.Now().In(time.FixedZone("UTC+2", 2*60*60))
		want := c.Due.Round(0).UTC()
		if got := b.put(c).Due; got != want {
			b.Errorf("due is %#v, want %#v", got, want)
		}
	}},
	{"keys with the same letters in other places are different calls", func(b *bench) {
		b.put(in("a/b", "c"))
		b.absent(call.Key{Campaign: "a", Contact: "b/c"})
	}},
	{"what the caller does to a record it was given changes nothing", func(b *bench) {
		c := b.put(full())
		want := full()
		want.Version = 1
		c.Contact.Variables["plan"], c.History[0].What, c.Intent.Attempt, c.Account.Service = "x", "x", "x", "x"
		b.same("record", b.read(c.Key), want)
	}},
	{"what the caller does to a record it has put changes nothing", func(b *bench) {
		c, want := full(), full()
		b.put(c)
		want.Version = 1
		c.Contact.Variables["plan"], c.History[0].What, c.Intent.Attempt, c.Account.Service = "x", "x", "x", "x"
		b.same("record", b.read(c.Key), want)
	}},
}

var putCases = []testCase{
	{"a record is stored with the next version", func(b *bench) {
		c := b.put(running("ada"))
		b.same("first version", c.Version, int64(1))
		c.Retries = 2
		c = b.put(c)
		b.same("second version", c.Version, int64(2))
		b.same("what was written", c.Retries, 2)
	}},
	{"version 0 is refused when the record exists", func(b *bench) {
		want := b.put(running("ada"))
		c := running("ada")
		c.Retries = 9
		b.refused(b.Put(b.ctx, call.Write{Call: c}), agent.ErrConflict)
		b.same("record", b.read(c.Key), want)
	}},
	{"an old version is refused", func(b *bench) {
		old := b.put(running("ada"))
		want := b.put(old)
		old.Retries = 9
		b.refused(b.Put(b.ctx, call.Write{Call: old}), agent.ErrConflict)
		b.same("record", b.read(old.Key), want)
	}},
	{"a version that nobody stored is refused", func(b *bench) {
		c := running("ada")
		c.Version = 3
		b.refused(b.Put(b.ctx, call.Write{Call: c}), agent.ErrConflict)
		b.absent(c.Key)
	}},
	{"a field that became empty is empty", func(b *bench) {
		c := b.put(full())
		bare := running("full")
		bare.Version = c.Version
		want := bare
		want.Version++
		b.same("record", b.put(bare), want)
	}},
	{"the answer is never written", func(b *bench) {
		c := dialling("ada")
		forged := busy("CA9")
		c.Answer = &forged
		c = b.put(c)
		if c.Answer != nil {
			b.Fatalf("answer is %+v, want none", *c.Answer)
		}
		b.unowned("CA9")
		b.answer(c, busy("CA1"))
		c.Answer = nil
		want := busy("CA1")
		b.same("answer after a write that knows of none", b.put(c).Answer, &want)
	}},
	{"a call whose context is over gets its error", func(b *bench) {
		ctx, cancel := context.WithCancel(b.ctx)
		cancel()
		b.refused(b.Put(ctx, call.Write{Call: running("ada")}), context.Canceled)
		_, err := b.Get(ctx, running("ada").Key)
		b.refused(err, context.Canceled)
	}},
}
