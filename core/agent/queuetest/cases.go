package queuetest

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"
)

var sendCases = []testCase{
	{"a message is there at once, byte for byte", func(b *bench) {
		body := `{"campaign":"spring","contact_id":"ada","name":"Łoś \"&\" ✓"}`
		b.send(0, body)
		b.same("body", string(b.one().Body), body)
	}},
	{"a delayed message is there after its delay, not before", func(b *bench) {
		b.send(2*time.Second, contact("ada"))
		b.empty()
		b.h.Advance(2 * time.Second)
		b.one()
	}},
	{"nothing sent is nothing received", func(b *bench) {
		b.send(0)
		b.empty()
	}},
	{"many messages are sent in one call", func(b *bench) {
		const messages = 2345
		var want []string
		for i := range messages {
			want = append(want, contact(fmt.Sprintf("c-%04d", i)))
		}
		b.send(0, want...)
		var got []string
		for len(got) < messages {
			received := bodies(b.receive(1000))
			if len(received) == 0 {
				break
			}
			got = append(got, received...)
		}
		slices.Sort(got)
		b.same("bodies", got, want)
	}},
	{"the same body twice is two messages", func(b *bench) {
		b.send(0, contact("ada"), contact("ada"))
		first, second := b.receive(1), b.receive(1)
		if len(first) != 1 || len(second) != 1 {
			b.Fatalf("received %d and %d, want 1 and 1", len(first), len(second))
		}
		if first[0].ID == second[0].ID {
			b.Errorf("both deliveries have the id %q", first[0].ID)
		}
	}},
	{"a body is the caller's again after the call", func(b *bench) {
		body := []byte(contact("ada"))
		b.do(b.Send(b.ctx, 0, body))
		body[0] = 'x'
		got := b.one()
		b.same("body", string(got.Body), contact("ada"))
		got.Body[0] = 'x'
		b.do(b.Again(b.ctx, got.ID, b.h.Now()))
		b.same("body", string(b.one().Body), contact("ada"))
	}},
	{"a send whose context is over sends nothing", func(b *bench) {
		ctx, cancel := context.WithCancel(b.ctx)
		cancel()
		if err := b.Send(ctx, 0, []byte(contact("ada"))); !errors.Is(err, context.Canceled) {
			b.Errorf("error is %v, want %v", err, context.Canceled)
		}
		b.empty()
	}},
}

var receiveCases = []testCase{
	{"an empty queue answers at once with nothing", func(b *bench) { b.empty() }},
	{"at most the limit is taken", func(b *bench) {
		b.send(0, contact("ada"), contact("bob"), contact("cleo"))
		if got := b.receive(2); len(got) > 2 {
			b.Errorf("received %q, want at most 2", bodies(got))
		}
	}},
	{"a received message is hidden for the visibility time", func(b *bench) {
		b.send(0, contact("ada"))
		b.one()
		b.empty()
		b.h.Advance(b.h.Visibility - time.Second)
		b.empty()
		b.h.Advance(time.Second)
		b.one()
	}},
	{"deliveries are counted, the first one is 1", func(b *bench) {
		b.send(0, contact("ada"))
		for want := 1; want <= 3; want++ {
			b.same("receives", b.one().Receives, want)
			b.h.Advance(b.h.Visibility)
		}
	}},
	{"no message goes to two receivers", func(b *bench) {
		const messages, receivers = 200, 20
		for i := range messages {
			b.send(0, contact(fmt.Sprint(i)))
		}
		var (
			mu   sync.Mutex
			seen = map[string]int{}
			all  sync.WaitGroup
		)
		for range receivers {
			all.Go(func() {
				for range messages {
					got, err := b.Receive(b.ctx, 7, nil)
					if err != nil {
						b.Errorf("receive: %v", err)
					}
					if len(got) == 0 {
						return
					}
					mu.Lock()
					for _, m := range got {
						seen[string(m.Body)]++
					}
					mu.Unlock()
				}
			})
		}
		all.Wait()
		b.same("messages", len(seen), messages)
		for body, times := range seen {
			if times != 1 {
				b.Errorf("%s was received %d times", body, times)
			}
		}
	}},
}

var orderCases = []testCase{
	{"the first sent comes first", func(b *bench) {
		want := []string{contact("cleo"), contact("ada"), contact("bob")}
		b.send(0, want[0], want[1])
		b.send(0, want[2])
		b.same("bodies", bodies(b.receive(10)), want)
	}},
	{"the first due comes before the first sent", func(b *bench) {
		b.send(3*time.Second, contact("last"))
		b.send(2*time.Second, contact("second"), contact("third"))
		b.send(time.Second, contact("first"))
		b.h.Advance(time.Minute)
		want := []string{contact("first"), contact("second"), contact("third"), contact("last")}
		b.same("the first three", bodies(b.receive(3)), want[:3])
		b.same("the rest", bodies(b.receive(3)), want[3:])
	}},
	{"what came back goes before what nobody has received", func(b *bench) {
		b.send(0, contact("ada"), contact("bob"), contact("cleo"))
		begun := b.receive(1)[0]
		b.do(b.Again(b.ctx, begun.ID, b.h.Now().Add(time.Minute)))
		b.h.Advance(2 * time.Minute)
		want := []string{contact("ada"), contact("bob"), contact("cleo")}
		b.same("bodies", bodies(b.receive(10)), want)
	}},
}

var onlyCases = []testCase{
	{"only the messages of the named calls are taken", func(b *bench) {
		b.send(0, contact("ada"), contact("bob"), contact("cleo"), contact("ada"))
		got := b.receive(10, "spring/ada", "spring/cleo", "spring/nobody")
		b.same("bodies", bodies(got), []string{contact("ada"), contact("cleo"), contact("ada")})
		b.same("the rest", bodies(b.receive(10)), []string{contact("bob")})
	}},
	{"the limit counts what is taken", func(b *bench) {
		b.send(0, contact("ada"), contact("bob"), contact("bob"))
		b.same("bodies", bodies(b.receive(1, "spring/bob")), []string{contact("bob")})
	}},
	{"a message that is not due is not taken", func(b *bench) {
		b.send(time.Second, contact("ada"))
		b.same("bodies", bodies(b.receive(10, "spring/ada")), []string{})
	}},
	{"a body that is no contact has the empty key", func(b *bench) {
		strange := []string{"", "no json", `{"campaign":"spring"}`, `{"contact_id":"ada"}`, `["spring","ada"]`, `{"campaign":1,"contact_id":"ada"}`}
		b.send(0, strange...)
		b.send(0, contact("ada"))
		b.same("bodies", bodies(b.receive(10, "")), strange)
	}},
	{"a list of no calls takes nothing", func(b *bench) {
		b.send(0, contact("ada"))
		got, err := b.Receive(b.ctx, 10, []string{})
		if err != nil || len(got) != 0 {
			b.Errorf("received %q, %v; want nothing", bodies(got), err)
		}
	}},
	{"a long list of calls is allowed", func(b *bench) {
		b.send(0, contact("ada"))
		var only []string
		for i := range 3000 {
			only = append(only, fmt.Sprintf("spring/%d", i))
		}
		b.same("bodies", bodies(b.receive(10, append(only, "spring/ada")...)), []string{contact("ada")})
	}},
}

var doneCases = []testCase{
	{"a message that is done never comes back", func(b *bench) {
		b.send(0, contact("ada"))
		b.do(b.Done(b.ctx, b.one().ID))
		b.h.Advance(b.h.Visibility)
		b.empty()
	}},
	{"the others stay", func(b *bench) {
		b.send(0, contact("ada"), contact("bob"))
		first := append(b.receive(1), b.receive(1)...)
		b.do(b.Done(b.ctx, first[0].ID))
		b.h.Advance(b.h.Visibility)
		b.same("body", string(b.one().Body), string(first[1].Body))
	}},
	{"done twice is no error", func(b *bench) {
		b.send(0, contact("ada"))
		id := b.one().ID
		b.do(b.Done(b.ctx, id))
		b.do(b.Done(b.ctx, id))
	}},
}

var againCases = []testCase{
	{"a message is due at the time, not before", func(b *bench) {
		b.send(0, contact("ada"))
		b.do(b.Again(b.ctx, b.one().ID, b.h.Now().Add(3*time.Second)))
		b.empty()
		b.h.Advance(3 * time.Second)
		b.same("receives", b.one().Receives, 2)
	}},
	{"a time later than the visibility counts too", func(b *bench) {
		b.send(0, contact("ada"))
		b.do(b.Again(b.ctx, b.one().ID, b.h.Now().Add(b.h.Visibility+2*time.Second)))
		b.h.Advance(b.h.Visibility)
		b.empty()
		b.h.Advance(2 * time.Second)
		b.one()
	}},
	{"a time that has passed is now", func(b *bench) {
		b.send(0, contact("ada"))
		b.do(b.Again(b.ctx, b.one().ID, b.h.Now().Add(-time.Hour)))
		b.one()
	}},
}

var buryCases = []testCase{
	{"a buried message never comes back", func(b *bench) {
		b.send(0, "no contact")
		b.do(b.Bury(b.ctx, b.one().ID, "it is not JSON"))
		b.h.Advance(b.h.Visibility)
		b.empty()
	}},
	{"a buried message is among the dead letters with its reason", func(b *bench) {
		b.send(0, "no contact", contact("ada"))
		for _, m := range append(b.receive(1), b.receive(1)...) {
			if string(m.Body) == "no contact" {
				b.do(b.Bury(b.ctx, m.ID, "it is not JSON"))
			}
		}
		b.same("dead letters", b.h.Buried(b.T), []Buried{{Body: "no contact", Reason: "it is not JSON"}})
	}},
}

var fenceCases = []testCase{
	{"the id of an earlier delivery changes nothing", func(b *bench) {
		b.send(0, contact("ada"))
		old := b.one()
		b.h.Advance(b.h.Visibility)
		again := b.one()
		b.do(b.Done(b.ctx, old.ID))
		b.do(b.Bury(b.ctx, old.ID, "too late"))
		b.do(b.Again(b.ctx, old.ID, b.h.Now()))
		b.empty()
		b.same("dead letters", len(b.h.Buried(b.T)), 0)
		b.do(b.Again(b.ctx, again.ID, b.h.Now()))
		b.same("receives", b.one().Receives, 3)
	}},
	{"an id that nobody was given changes nothing", func(b *bench) {
		b.send(0, contact("ada"))
		for _, id := range []string{"", "0", "1.0", "99.1", "no id"} {
			b.do(b.Done(b.ctx, id))
		}
		b.one()
	}},
}
