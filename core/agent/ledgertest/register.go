package ledgertest

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"callagent/core/call"
)

// selected lists what a filter selects.
func (b *bench) selected(f call.Filter) []call.Call {
	b.Helper()
	b.catchUp()
	var calls []call.Call
	for c, err := range b.Calls(b.ctx, f) {
		if err != nil {
			b.Fatalf("calls: %v", err)
		}
		calls = append(calls, c)
	}
	return calls
}

// people fills the ledger with four calls; dora is the newest.
func (b *bench) people() {
	ada, bob, cleo, dora := running("ada"), in("autumn", "bob"), running("cleo"), in("autumn", "ada")
	dora.Key.Contact, dora.Contact.ID = "dora", "dora"
	ada.CreatedAt, bob.CreatedAt, cleo.CreatedAt, dora.CreatedAt = at(1), at(2), at(3), at(4)
	ada.State, ada.Result = call.Completed, call.Busy
	bob.State, bob.Result = call.Completed, call.Answered
	cleo.State, cleo.Result = call.Completed, call.Busy
	for _, c := range []call.Call{cleo, ada, dora, bob} {
		b.put(c)
	}
}

var registerCases = []testCase{
	{"the newest call comes first", func(b *bench) {
		b.people()
		b.same("all", keys(b.selected(call.Filter{})), []string{"dora", "cleo", "bob", "ada"})
	}},
	{"a filter selects by what it names", func(b *bench) {
		b.people()
		for _, tc := range []struct {
			filter call.Filter
			want   []string
		}{
			{call.Filter{State: call.Completed}, []string{"cleo", "bob", "ada"}},
			{call.Filter{State: call.Failed}, []string{}},
			{call.Filter{Campaign: "autumn"}, []string{"dora", "bob"}},
			{call.Filter{Contact: "ada"}, []string{"ada"}},
			{call.Filter{Result: call.Busy}, []string{"cleo", "ada"}},
			{call.Filter{State: call.Completed, Campaign: "autumn", Result: call.Answered}, []string{"bob"}},
			{call.Filter{Limit: 2}, []string{"dora", "cleo"}},
			{call.Filter{Limit: 1, Campaign: "spring"}, []string{"cleo"}},
		} {
			b.same(fmt.Sprintf("%+v", tc.filter), keys(b.selected(tc.filter)), tc.want)
		}
	}},
	{"a long list is complete and in order", func(b *bench) {
		const calls = 1234
		var want []string
		for i := range calls {
			c := running(fmt.Sprintf("c-%04d", i))
			c.CreatedAt = at(i / 10) // ten of each minute
			if err := b.Put(b.ctx, call.Write{Call: c}); err != nil {
				b.Fatal(err)
			}
			want = append(want, c.Key.Contact)
		}
		got := b.selected(call.Filter{})
		if !slices.IsSortedFunc(got, func(x, y call.Call) int { return y.CreatedAt.Compare(x.CreatedAt) }) {
			b.Error("the newest do not come first")
		}
		names := keys(got)
		slices.Sort(names)
		b.same("calls", names, want)
	}},
	{"a loop may stop early and may write while it goes", func(b *bench) {
		b.people()
		b.catchUp()
		for c, err := range b.Calls(b.ctx, call.Filter{}) {
			if err != nil {
				b.Fatal(err)
			}
			b.same("first", c.Key.Contact, "dora")
			c.Retries = 1
			b.put(c)
			break
		}
		b.same("all", len(b.selected(call.Filter{})), 4)
	}},
	{"a loop whose context ends is told so", func(b *bench) {
		b.people()
		b.catchUp()
		ctx, cancel := context.WithCancel(b.ctx)
		cancel()
		var last error
		for _, err := range b.Calls(ctx, call.Filter{}) {
			last = err
		}
		b.refused(last, context.Canceled)
	}},
	{"calls are listed as Get reads them", func(b *bench) {
		c := b.put(full())
		b.answer(c, busy("CA-full"))
		b.same("calls", b.selected(call.Filter{}), []call.Call{b.read(c.Key)})
	}},
	{"counts are by campaign, state and result", func(b *bench) {
		b.people()
		b.put(unknown("eve"))
		b.answer(b.read(unknown("eve").Key), busy("CA1"))
		b.catchUp()
		counts, err := b.Counts(b.ctx)
		if err != nil {
			b.Fatal(err)
		}
		slices.SortFunc(counts, func(x, y call.Count) int { return strings.Compare(fmt.Sprint(x), fmt.Sprint(y)) })
		b.same("counts", counts, []call.Count{
			{Campaign: "autumn", State: call.Completed, Result: call.Answered, Calls: 1},
			{Campaign: "autumn", State: call.Running, Calls: 1},
			{Campaign: "spring", State: call.Completed, Result: call.Busy, Calls: 3},
		})
	}},
	{"an empty ledger has no counts", func(b *bench) {
		counts, err := b.Counts(b.ctx)
		if err != nil || len(counts) != 0 {
			b.Errorf("counts are %v, %v; want none", counts, err)
		}
	}},
	{"parked calls are counted by service", func(b *bench) {
		b.put(parked("ada", "llm", 1))
		b.put(parked("bob", "llm", 2))
		b.put(parked("cleo", "crm", 3))
		b.put(parked("dora", "", 3))
		b.put(running("eve"))
		b.catchUp()
		got, err := b.ParkedFor(b.ctx)
		if err != nil {
			b.Fatal(err)
		}
		b.same("parked", got, map[string]int{"llm": 2, "crm": 1})
	}},
}

// blocked fails unless the list says so of the number.
func (b *bench) blocked(number string, want bool) {
	b.Helper()
	got, err := b.Blocked(b.ctx, number)
	if err != nil || got != want {
		b.Errorf("blocked is %v, %v; want %v", got, err, want)
	}
}

// list changes the do-not-call list.
func (b *bench) list(change func(ctx context.Context, number string) error, number string) {
	b.Helper()
	if err := change(b.ctx, number); err != nil {
		b.Fatal(err)
	}
}

var blocklistCases = []testCase{
	{"a number is not blocked at first", func(b *bench) { b.blocked("hash", false) }},
	{"a blocked number is blocked, others are not", func(b *bench) {
		b.list(b.Block, "hash")
		b.blocked("hash", true)
		b.blocked("other", false)
	}},
	{"blocking twice is blocking once", func(b *bench) {
		b.list(b.Block, "hash")
		b.list(b.Block, "hash")
		b.list(b.Unblock, "hash")
		b.blocked("hash", false)
	}},
	{"unblocking a number that is not blocked is no error", func(b *bench) {
		b.list(b.Unblock, "hash")
		b.blocked("hash", false)
	}},
	{"an unblocked number can be taken", func(b *bench) {
		b.list(b.Block, running("ada").Number)
		b.list(b.Unblock, running("ada").Number)
		b.take(running("ada"))
	}},
	{"freeing a number leaves it blocked", func(b *bench) {
		ada := b.take(running("ada"))
		b.list(b.Block, ada.Number)
		b.write(call.Write{Call: ada, Number: call.WithdrawNumber})
		b.blocked(ada.Number, true)
	}},
	{"blocking leaves the live call and the marks", func(b *bench) {
		ada := b.take(running("ada"))
		b.list(b.Block, ada.Number)
		b.list(b.Unblock, ada.Number)
		b.refusedBy(in("autumn", "bob"), ada.Key)
	}},
}

// refusedBy fails unless the number is busy with the other call.
func (b *bench) refusedBy(c call.Call, other call.Key) {
	b.Helper()
	if err := b.try(c); err == nil {
		b.Errorf("%s took the number that is busy with %s", c.Key, other)
	}
}
