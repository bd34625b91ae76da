package ledgertest

import (
	"time"

	"callagent/core/agent"
	"callagent/core/call"
)

// dueBy lists the calls that are due by the minute.
func (b *bench) dueBy(minute, limit int) []call.Call {
	b.Helper()
	b.catchUp()
	calls, err := b.Due(b.ctx, at(minute), limit)
	if err != nil {
		b.Fatalf("due: %v", err)
	}
	return calls
}

// parkedFor lists the calls that wait for a service.
func (b *bench) parkedFor(service string, unsent time.Time, limit int) []call.Call {
	b.Helper()
	b.catchUp()
	calls, err := b.Parked(b.ctx, service, unsent, limit)
	if err != nil {
		b.Fatalf("parked: %v", err)
	}
	return calls
}

var dueCases = []testCase{
	{"nothing is due in an empty ledger", func(b *bench) {
		b.same("due", keys(b.dueBy(600, 10)), []string{})
	}},
	{"calls are due at their time and after it, not before", func(b *bench) {
		b.put(due("ada", 5))
		b.same("before", keys(b.dueBy(4, 10)), []string{})
		b.same("at", keys(b.dueBy(5, 10)), []string{"ada"})
		b.same("after", keys(b.dueBy(6, 10)), []string{"ada"})
	}},
	{"the longest due comes first", func(b *bench) {
		for contact, minute := range map[string]int{"cleo": 3, "ada": 1, "dora": 4, "bob": 2} {
			b.put(due(contact, minute))
		}
		b.same("due", keys(b.dueBy(5, 10)), []string{"ada", "bob", "cleo", "dora"})
		b.same("the first two", keys(b.dueBy(5, 2)), []string{"ada", "bob"})
	}},
	{"a call without a due time never is", func(b *bench) {
		b.put(running("ada"))
		b.same("due", keys(b.dueBy(600, 10)), []string{})
	}},
	{"the due time moves with the record", func(b *bench) {
		c := b.put(due("ada", 1))
		c.Due = at(9)
		c = b.put(c)
		b.same("before", keys(b.dueBy(8, 10)), []string{})
		b.same("at", keys(b.dueBy(9, 10)), []string{"ada"})
		c.Due = time.Time{}
		b.put(c)
		b.same("never again", keys(b.dueBy(600, 10)), []string{})
	}},
	{"every state can be due", func(b *bench) {
		want := []string{}
		for i, state := range call.States() {
			c := due(string(state), i)
			c.State = state
			b.put(c)
			want = append(want, string(state))
		}
		b.same("due", keys(b.dueBy(600, 20)), want)
	}},
	{"calls are listed as Get reads them", func(b *bench) {
		c := b.put(full())
		b.answer(c, busy("CA-full"))
		b.same("due", b.dueBy(600, 10), []call.Call{b.read(c.Key)})
	}},
}

var parkedCases = []testCase{
	{"the longest parked of the service come first", func(b *bench) {
		for contact, since := range map[string]int{"cleo": 3, "ada": 1, "dora": 4, "bob": 2} {
			b.put(parked(contact, "llm", since))
		}
		b.put(parked("eve", "twilio", 0))
		b.same("parked", keys(b.parkedFor("llm", time.Time{}, 10)), []string{"ada", "bob", "cleo", "dora"})
		b.same("the first two", keys(b.parkedFor("llm", time.Time{}, 2)), []string{"ada", "bob"})
	}},
	{"finished calls that wait to be recorded are among them", func(b *bench) {
		c := parked("ada", "crm", 1)
		c.State, c.Recorded = call.Completed, call.Pending
		b.put(c)
		b.same("parked", keys(b.parkedFor("crm", time.Time{}, 10)), []string{"ada"})
	}},
	{"calls that wait for a time are not", func(b *bench) {
		c := parked("ada", "", 1)
		c.Park.Until = at(3)
		b.put(c)
		b.same("parked", keys(b.parkedFor("llm", time.Time{}, 10)), []string{})
	}},
	{"calls that no longer wait are not", func(b *bench) {
		c := b.put(parked("ada", "llm", 1))
		c.State, c.Park = call.Running, call.Park{Number: 1}
		b.put(c)
		b.same("parked", keys(b.parkedFor("llm", time.Time{}, 10)), []string{})
	}},
	{"calls sent a wake-up after the time are left out", func(b *bench) {
		b.put(parked("never", "llm", 1))
		for contact, minute := range map[string]int{"before": 4, "then": 5, "after": 6} {
			c := parked(contact, "llm", minute)
			c.Park.SentAt = at(minute)
			b.put(c)
		}
		b.same("unsent since", keys(b.parkedFor("llm", at(5), 10)), []string{"never", "before", "then"})
		b.same("all", keys(b.parkedFor("llm", time.Time{}, 10)), []string{"never", "before", "then", "after"})
	}},
	{"the limit counts what is listed, not what is left out", func(b *bench) {
		stamped := b.put(parked("ada", "llm", 1))
		b.put(parked("bob", "llm", 2))
		b.stamp(stamped, 9)
		b.same("parked", keys(b.parkedFor("llm", at(5), 1)), []string{"bob"})
	}},
	{"calls are listed as Get reads them", func(b *bench) {
		c := b.put(full())
		b.answer(c, busy("CA-full"))
		b.stamp(c, 9)
		b.same("parked", b.parkedFor("crm", time.Time{}, 10), []call.Call{b.read(c.Key)})
	}},
}

// stamp notes a wake-up that must be accepted.
func (b *bench) stamp(c call.Call, minute int) {
	b.Helper()
	if err := b.Stamp(b.ctx, c, at(minute)); err != nil {
		b.Fatalf("stamp %s: %v", c.Key, err)
	}
}

var stampCases = []testCase{
	{"it sets the time and nothing else, not even the version", func(b *bench) {
		want := b.put(parked("ada", "llm", 1))
		b.stamp(want, 9)
		want.Park.SentAt = at(9)
		b.same("record", b.read(want.Key), want)
	}},
	{"it moves the time", func(b *bench) {
		c := b.put(parked("ada", "llm", 1))
		b.stamp(c, 9)
		b.stamp(c, 15)
		b.same("sent at", b.read(c.Key).Park.SentAt, at(15))
	}},
	{"another version does not matter", func(b *bench) {
		c := b.put(parked("ada", "llm", 1))
		b.put(c)
		b.stamp(c, 9)
	}},
	{"a write with the version before it still counts", func(b *bench) {
		c := b.put(parked("ada", "llm", 1))
		b.stamp(c, 9)
		c.State = call.Running
		b.put(c)
	}},
	{"another state is refused", func(b *bench) {
		c := b.put(parked("ada", "llm", 1))
		claimed := c
		claimed.State = call.Running
		want := b.put(claimed)
		b.refused(b.Stamp(b.ctx, c, at(9)), agent.ErrConflict)
		b.same("record", b.read(c.Key), want)
	}},
	{"another park is refused", func(b *bench) {
		c := b.put(parked("ada", "llm", 1))
		again := c
		again.Park.Number = 2
		want := b.put(again)
		b.refused(b.Stamp(b.ctx, c, at(9)), agent.ErrConflict)
		b.same("record", b.read(c.Key), want)
	}},
	{"a call without a record is refused", func(b *bench) {
		b.refused(b.Stamp(b.ctx, parked("ada", "llm", 1), at(9)), agent.ErrConflict)
		b.absent(parked("ada", "llm", 1).Key)
	}},
	{"a write stores the time that its record has", func(b *bench) {
		c := b.put(parked("ada", "llm", 1))
		b.stamp(c, 9)
		c.Park = call.Park{Number: 2, Service: "llm", Since: at(10)}
		b.same("sent at", b.put(c).Park.SentAt, time.Time{})
	}},
}
